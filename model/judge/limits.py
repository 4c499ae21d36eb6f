"""Reads the limits that a contract's models must meet, from `limits.json` beside the contract."""

from __future__ import annotations

import json
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import GateError
from model.fit.task import Limits

if TYPE_CHECKING:
    from model.contract import Contract

# The limits that `limits.json` must contain. The policy requires the same ones.
LIMITS = tuple(Limits.__annotations__)


def limits_of(contract: type[Contract]) -> Limits:
    """Read a contract's limits.

    Raises
    ------
    GateError
        The file is missing, cannot be read or is not a JSON object, or a limit is missing or not a finite number.
    """
    path = limits_path(contract)
    try:
        limits: Limits = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise GateError(
            f"{path}: no such file. Write the model's limits there: {', '.join(LIMITS)}; "
            "model/limits.json is an example"
        ) from err
    except OSError as err:
        raise GateError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError as err:
        raise GateError(f"{path}: is not JSON in UTF-8") from err
    if not isinstance(limits, dict):
        raise GateError(f"{path}: is not a JSON object")
    for name in LIMITS:
        limit = limits.get(name)
        if not isinstance(limit, int | float) or isinstance(limit, bool) or not isfinite(limit):
            raise GateError(f"{path}: {name} is missing, or is not a number")
    return limits


def limits_path(contract: type[Contract]) -> Path:
    """The path of a contract's limits: `limits.json` beside the contract."""
    return Path(str(sys.modules[contract.__module__].__file__)).with_name("limits.json")
