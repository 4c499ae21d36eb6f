"""The scale that scorecards are read in: a score of so many points stands for such odds, and so many more double them.

score = base_score + points_to_double / ln 2 * (log-odds - ln base_odds)

The part that every applicant gets, which comes from the intercept and the scale, is a line of its own, the base points;
a field's worst values then give 0 points. The other custom spreads the base evenly over the fields: then no field's
points say how much the field can move. Scores on this scale are for people and rounded; decisions use the unrounded
log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Scale:
    """A scale of points.

    Parameters
    ----------
    base_score : float
        The score of an applicant with the base odds.
    base_odds : float
        How many applicants labelled approve there are for each one labelled deny at the base score.
    points_to_double : float
        How many points double the odds.

    Examples
    --------
    >>> scale = Scale(600, 50.0, 20)
    >>> scale.score(log(50)), scale.score(log(100)), scale.points(log(4))
    (600, 620, 40)
    """

    base_score: float = 600
    base_odds: float = 50.0
    points_to_double: float = 20

    @classmethod
    def of(cls, settings: Mapping[str, int | float]) -> Scale:
        """The scale in a manifest's settings; artifacts that state none get the default one."""
        return cls(**{name: settings[name] for name in cls.__dataclass_fields__ if name in settings})

    @property
    def factor(self) -> float:
        """The points of this scale that one point of log-odds is worth."""
        return self.points_to_double / log(2)

    def score(self, log_odds: float) -> int:
        """The score for some log-odds."""
        return round(self.base_score + self.factor * (log_odds - log(self.base_odds)))

    def points(self, log_odds: float) -> int:
        """The points that a difference in log-odds is worth."""
        return round(self.factor * log_odds)
