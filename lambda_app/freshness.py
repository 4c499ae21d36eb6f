"""How old the model is, and how old its manifest lets it become."""

from __future__ import annotations

import time
from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS_A_DAY = 86_400
# What a model is called at its age; the log's metric `Staleness` is the place in this list.
STAGES = ("ok", "stale", "expired")


class Age:
    """The age of a model.

    Parameters
    ----------
    manifest : mapping
        `trained_at`, and the limits in `freshness`, which older manifests lack: without them nothing expires.

    Attributes
    ----------
    trained : float or None
        In seconds since 1970; None if the manifest does not say: no function must fail at its start for that.
    warns, expires : float
        When the model becomes stale and when it expires, in seconds since 1970; infinite if never.
    """

    __slots__ = ("expires", "trained", "warns")

    def __init__(self, manifest: Mapping[str, object]) -> None:
        self.trained = _seconds(manifest.get("trained_at"))
        limits = manifest.get("freshness")
        self.warns = self._after(limits, "warn_days")
        self.expires = self._after(limits, "expire_days")

    def stage(self, now: float | None = None) -> str:
        """One of STAGES, at a time in seconds since 1970; by default now."""
        moment = time.time() if now is None else now
        return STAGES[(moment >= self.warns) + (moment >= self.expires)]

    def _after(self, limits: object, name: str) -> float:
        days = limits.get(name) if isinstance(limits, dict) else None
        if self.trained is None or not isinstance(days, int | float):
            return float("inf")
        return self.trained + days * SECONDS_A_DAY


def _seconds(moment: object) -> float | None:
    try:
        read = datetime.fromisoformat(str(moment))
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
