"""How old a model and its training data are, and whether that is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from operations.errors import ModelStale, UnreadableInput
from operations.moments import in_future, read_date, read_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class AgeLimits:
    """The greatest ages allowed, in days.

    Parameters
    ----------
    model_days : float
        Since training ended.
    data_days : float
        Since the date of the training data.
    """

    model_days: float
    data_days: float


# From one weekly training to the next, and three for its approval: what a manifest without limits of its own gets.
USUAL_DAYS = 10.0


def warning_days(manifest: Mapping[str, Any]) -> float:
    """The days after which the manifest itself calls its model stale."""
    limits = manifest.get("freshness")
    days = limits.get("warn_days") if isinstance(limits, dict) else None
    return float(days) if isinstance(days, int | float) else USUAL_DAYS


@dataclass(frozen=True)
class Freshness:
    """The ages of a model and its data, in days, and the limits they are held to.

    Parameters
    ----------
    model_version : str
    model_age_days : float
        Since training ended.
    data_age_days : float or None
        Since the date of the training data; None where the manifest gives none.
    limits : AgeLimits
    """

    model_version: str
    model_age_days: float
    data_age_days: float | None
    limits: AgeLimits

    @property
    def stale(self) -> tuple[str, ...]:
        """Which of "model" and "data" is older than its limit."""
        return tuple(name for name, _, _ in self._over())

    def variables(self) -> dict[str, str]:
        """The pipeline's output variables."""
        data_age = "unknown" if self.data_age_days is None else f"{self.data_age_days:.2f}"
        return {
            "MODEL_VERSION": self.model_version,
            "MODEL_AGE_DAYS": f"{self.model_age_days:.2f}",
            "DATA_AGE_DAYS": data_age,
            "MODEL_STALE": str(bool(self.stale)).lower(),
        }

    def require_fresh(self) -> None:
        """Raise ModelStale if the model or its data is older than its limit."""
        parts = [f"its {name} is {age:.1f} days old (limit {limit:g})" for name, age, limit in self._over()]
        if parts:
            raise ModelStale(
                self.stale,
                f"Model {self.model_version} is stale: {' and '.join(parts)}. "
                "Train it again on newer data: make run, or start the retraining pipeline.",
            )

    def _over(self) -> list[tuple[str, float, float]]:
        """Name, age and limit of what is older than its limit."""
        ages = (
            ("model", self.model_age_days, self.limits.model_days),
            ("data", self.data_age_days, self.limits.data_days),
        )
        return [(name, age, limit) for name, age, limit in ages if age is not None and age > limit]


def assess(manifest: Mapping[str, Any], source: str, now: datetime, limits: AgeLimits) -> Freshness:
    """Tell how old the model is that a manifest describes.

    Parameters
    ----------
    manifest : mapping
        Parsed JSON, not yet checked. `trained_at` must be an ISO 8601 time with a time zone; `data.dated` may also be
        a date alone, or missing.
    source : str
        Where the manifest came from, for error messages.
    now : datetime
        With a time zone.
    limits : AgeLimits

    Raises
    ------
    UnreadableInput
        A date is missing or unreadable, or lies in the future.
    """
    data = manifest.get("data")
    dated = data.get("dated") if isinstance(data, dict) else None
    if not (trained := read_moment(manifest.get("trained_at"))):
        raise UnreadableInput(source, "trained_at is not an ISO 8601 date and time with a time zone")
    if not (collected := read_date(dated)) and dated is not None:
        raise UnreadableInput(source, "data.dated is not an ISO 8601 date; a time of day needs a time zone")
    for key, moment in (("trained_at", trained), ("data.dated", collected)):
        if moment and in_future(moment, now):
            raise UnreadableInput(source, f"{key} lies in the future; check the clock of the machine that trained it")
    return Freshness(
        model_version=str(manifest.get("model_version", "unknown")),
        model_age_days=_days(now - trained),
        data_age_days=_days(now - collected) if collected else None,
        limits=limits,
    )


def _days(age: timedelta) -> float:
    return max(0.0, age / timedelta(days=1))
