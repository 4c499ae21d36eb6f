"""How old a model and its data are, against a limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from operations.errors import ModelStale, UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LIMIT_DAYS = 7.0
# A trainer's clock may run a little ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Freshness:
    """The ages, in days, and whether they are within their limits.

    Parameters
    ----------
    model_version : str
    model_age_days : float
        Since training ended.
    data_age_days : float or None
        Since the data's date; None where the manifest gives none.
    model_limit_days, data_limit_days : float
    """

    model_version: str
    model_age_days: float
    data_age_days: float | None
    model_limit_days: float
    data_limit_days: float

    @property
    def stale(self) -> tuple[str, ...]:
        """Which of "model" and "data" is older than its limit."""
        ages = (
            ("model", self.model_age_days, self.model_limit_days),
            ("data", self.data_age_days, self.data_limit_days),
        )
        return tuple(name for name, age, limit in ages if age is not None and age > limit)

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
        """Raise ModelStale if anything is older than its limit."""
        if not self.stale:
            return
        ages = {"model": self.model_age_days, "data": self.data_age_days}
        limits = {"model": self.model_limit_days, "data": self.data_limit_days}
        parts = [f"its {name} is {ages[name]:.1f} days old (limit {limits[name]:g})" for name in self.stale]
        raise ModelStale(
            self.stale,
            f"Model {self.model_version} is stale: {' and '.join(parts)}. "
            "Train it again on newer data: make run, or start the retraining pipeline.",
        )


def assess(
    manifest: Mapping[str, Any],
    source: str,
    now: datetime,
    model_limit_days: float = DEFAULT_LIMIT_DAYS,
    data_limit_days: float = DEFAULT_LIMIT_DAYS,
) -> Freshness:
    """The freshness of the model that a manifest describes.

    Parameters
    ----------
    manifest : mapping
        With `model_version`, `trained_at` and `data.dated` (ISO 8601; a time without zone is UTC).
    source : str
        Where the manifest came from, for messages.
    now : datetime
        With a time zone.

    Raises
    ------
    UnreadableInput
        A date is missing, is no date, or lies in the future.
    """
    data = manifest.get("data")
    dated = data.get("dated") if isinstance(data, dict) else None
    return Freshness(
        model_version=str(manifest.get("model_version", "unknown")),
        model_age_days=_age_days(manifest.get("trained_at"), "trained_at", source, now),
        data_age_days=None if dated is None else _age_days(dated, "data.dated", source, now),
        model_limit_days=model_limit_days,
        data_limit_days=data_limit_days,
    )


def _age_days(moment: object, key: str, source: str, now: datetime) -> float:
    try:
        when = datetime.fromisoformat(str(moment))
    except ValueError as err:
        raise UnreadableInput(source, f"{key} is not an ISO 8601 date") from err
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    if when > now + CLOCK_SKEW:
        raise UnreadableInput(source, f"{key} lies in the future; check the clock of the machine that trained it")
    return max(0.0, (now - when) / timedelta(days=1))
