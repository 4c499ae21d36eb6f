"""Reads the limits that a contract's models must meet, from `limits.json` beside the contract."""

from __future__ import annotations

import json
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from model.errors import GateError
from model.fit.task import Limits

if TYPE_CHECKING:
    from model.contract import Contract

# The limits that `limits.json` may leave out.
DEFAULTS = {
    "minimum_creditworthy": 30,
    "maximum_unknown_group_share": 0.2,
    "minimum_roc_auc": 0.6,
    "maximum_roc_auc": 0.995,
    "minimum_calibration_slope": 0.8,
    "maximum_calibration_slope": 1.25,
    "minimum_brier_skill": 0.01,
    "maximum_approval_shift": 0.25,
    "maximum_copied_share": 0.1,
    "maximum_outcome_explained": 0.9,
    "maximum_group_explained": 0.5,
    "maximum_data_age_days": 1825,
    "minimum_reason_share": 0.02,
    "warn_age_days": 10,
    "expire_age_days": 35,
    "cutoff": {"by": "accuracy"},
}
# The limits that `limits.json` must give.
REQUIRED = tuple(name for name in Limits.__annotations__ if name not in DEFAULTS)


def limits_of(contract: type[Contract]) -> Limits:
    """Read a contract's limits, completed with the defaults.

    Whether the limits make sense is for the policy to say: see `model.judge.gate.judge_limits`.

    Raises
    ------
    GateError
        The file is missing, cannot be read or is not a JSON object.
    """
    path = limits_path(contract)
    try:
        limits: Any = json.loads(path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite)
    except FileNotFoundError as err:
        raise GateError(
            f"{path}: no such file. Write the model's limits there: {', '.join(REQUIRED)}; "
            "model/limits.json is an example"
        ) from err
    except OSError as err:
        raise GateError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError as err:
        raise GateError(f"{path}: is not JSON in UTF-8 with finite numbers") from err
    if not isinstance(limits, dict):
        raise GateError(f"{path}: is not a JSON object")
    return cast("Limits", {**DEFAULTS, **limits})


def limits_path(contract: type[Contract]) -> Path:
    """The path of a contract's limits: `limits.json` beside the contract."""
    return Path(str(sys.modules[contract.__module__].__file__)).with_name("limits.json")


def write_example(path: Path) -> bool:
    """Copy the default contract's limits, unless there are limits already; whether it did."""
    if path.exists():
        return False
    path.write_bytes((Path(__file__).parents[1] / "limits.json").read_bytes())
    return True


def _finite(text: str) -> float:
    """A number that strict JSON can hold; `json` also reads NaN, Infinity and 1e999."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is not finite")
    return number
