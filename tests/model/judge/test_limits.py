"""The gate's limits are five numbers. A file without them is reported before any training."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from model.contract import Contract
from model.contract.loading import load_contract
from model.errors import GateError
from model.judge.gate import POLICY
from model.judge.limits import DEFAULTS, LIMITS, limits_of
from tests.trainings import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

SOUND: dict[str, Any] = json.loads((CONTRACTS / "limits.json").read_text(encoding="utf-8"))


def contract_with_limits(directory: Path, text: str) -> type[Contract]:
    """The small contract beside a `limits.json` with this text."""
    shutil.copy(CONTRACTS / "small.py", directory / "limited.py")
    (directory / "limits.json").write_text(text, encoding="utf-8")
    return load_contract(f"{directory / 'limited.py'}:Applicant")


def test_the_policy_requires_the_same_limits() -> None:
    required = re.findall(r"input\.limits\.(\w+)", POLICY.read_text(encoding="utf-8"))
    assert set(required) == set(LIMITS)


def test_sound_limits_are_read_as_they_are(tmp_path: Path) -> None:
    # Given all five, and one for another policy
    given = SOUND | {"another": "limit"}
    # When they are read, then they are as given, and the others have their defaults
    assert limits_of(contract_with_limits(tmp_path, json.dumps(given))) == DEFAULTS | given


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [..., None, "0.9", True, [0.9], float("nan"), float("inf")], ids=repr)
def test_limit_that_is_missing_or_not_a_number_is_named(name: str, value: Any, tmp_path: Path) -> None:
    # Given limits, one of which is wrong
    given = {key: limit for key, limit in (SOUND | {name: value}).items() if limit is not ...}
    contract = contract_with_limits(tmp_path, json.dumps(given))
    # When they are read, then the error names the file and the limit
    with pytest.raises(GateError, match=rf"limits\.json: {name} is missing, or is not a number"):
        limits_of(contract)


def test_missing_file_is_named_with_its_expected_content(tmp_path: Path) -> None:
    # Given a contract without limits
    contract = contract_with_limits(tmp_path, "{}")
    (tmp_path / "limits.json").unlink()
    # When they are read, then the error says where they belong and which they are
    with pytest.raises(GateError, match=r"no such file\. Write the model's limits there: ") as refused:
        limits_of(contract)
    assert str(tmp_path / "limits.json") in str(refused.value)
    assert all(name in str(refused.value) for name in LIMITS)


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    # Given a directory where the limits should be
    contract = contract_with_limits(tmp_path, "{}")
    (tmp_path / "limits.json").unlink()
    (tmp_path / "limits.json").mkdir()
    # When they are read, then the error names it
    with pytest.raises(GateError, match=r"limits\.json: cannot be read"):
        limits_of(contract)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_file_that_is_not_an_object_is_named(text: str, tmp_path: Path) -> None:
    # Given a file without limits, when they are read, then the error names the file
    contract = contract_with_limits(tmp_path, text)
    with pytest.raises(GateError, match=r"limits\.json: is not "):
        limits_of(contract)
