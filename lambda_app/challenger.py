"""A second model that decides the same applications: its outcomes are logged, and never returned.

Being asked about the same applicants, it shows with a few hundred decisions where it would decide otherwise. Whatever
happens to it, the answer stays what it would be without it: its errors are logged by their type, and one that is slow
is asked no more.
"""

from __future__ import annotations

import os
from time import perf_counter

from lambda_app import artifact
from lambda_app.decision import Decider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Outcome(TypedDict):
        """What the challenger says of one application: a prediction and the score's bin, or why there is none."""

        model_version: str | None
        prediction: NotRequired[int]
        score_bin: NotRequired[int]
        error: NotRequired[str]


# A scorecard takes some 20 microseconds. Three applications in a row that take longer than this end it, or one that
# takes ten times as long.
SECONDS = 0.01
STRIKES = 3


class Challenger:
    """A challenger, which may be broken.

    Parameters
    ----------
    directory : str
        Its artifact.
    """

    __slots__ = ("_broken", "_decider", "_strikes")

    def __init__(self, directory: str) -> None:
        self._strikes = 0
        self._decider: Decider | None = None
        self._broken: Outcome | None = None
        try:
            self._decider = Decider(artifact.load(directory))
        except Exception as error:  # noqa: BLE001  # no challenger may keep the service from starting
            self._broken = {"model_version": None, "error": type(error).__name__}

    def outcome(self, application: object) -> Outcome | None:
        """What it says of an application that the champion has accepted."""
        if self._decider is None:
            return self._broken
        started = perf_counter()
        version = self._decider.model_version
        try:
            scored = self._decider.score(application)
            outcome: Outcome = {
                "model_version": version,
                "prediction": int(scored.approved),
                "score_bin": scored.score_bin,
            }
        except Exception as error:  # noqa: BLE001  # its failure is no failure of the service
            outcome = {"model_version": version, "error": type(error).__name__}
        taken = perf_counter() - started
        self._strikes = STRIKES if taken > 10 * SECONDS else self._strikes + 1 if taken > SECONDS else 0
        if self._strikes >= STRIKES:
            self._decider, self._broken = None, {"model_version": version, "error": "TooSlow"}
        return outcome


def beside(directory: str) -> Challenger | None:
    """The challenger in the artifact's directory, if there is one."""
    place = os.path.join(directory, "challenger")
    return Challenger(place) if os.path.isdir(place) else None
