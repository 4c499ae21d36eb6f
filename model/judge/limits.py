"""The gate's limits for a contract: `limits.json` beside the contract's file."""

from __future__ import annotations

import json
import sys
from math import isfinite
from pathlib import Path
from typing import Any

from model.contract import Contract
from model.judge.gate import GateError

# What `limits.json` must give; the policy asks for the same.
LIMITS = (
    "minimum_accuracy",
    "maximum_equal_opportunity_gap",
    "minimum_group_size",
    "maximum_champion_loss",
    "maximum_parity_difference",
)


def limits_of(contract: type[Contract]) -> dict[str, Any]:
    """The gate's limits for a contract.

    Raises
    ------
    GateError
        A limit is missing or no finite number, or the file is no JSON object.
    """
    path = limits_path(contract)
    try:
        limits = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as err:
        raise GateError(f"{path}: is not JSON in UTF-8") from err
    if not isinstance(limits, dict):
        raise GateError(f"{path}: is not a JSON object")
    for name in LIMITS:
        limit = limits.get(name)
        if not isinstance(limit, int | float) or isinstance(limit, bool) or not isfinite(limit):
            raise GateError(f"{path}: {name} is missing, or is no number")
    return limits


def limits_path(contract: type[Contract]) -> Path:
    """Where the gate's limits for this contract are: `limits.json` beside the contract's file."""
    return Path(str(sys.modules[contract.__module__].__file__)).with_name("limits.json")
