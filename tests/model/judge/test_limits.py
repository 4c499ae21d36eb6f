"""The gate's limits as they are read: five are required, the others have defaults; the policy judges them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from model.contract import Contract
from model.contract.loading import load_contract
from model.errors import GateError
from model.judge.gate import judge_limits
from model.judge.limits import DEFAULTS, REQUIRED, limits_of
from tests.trainings import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

SOUND: dict[str, Any] = json.loads((CONTRACTS / "limits.json").read_text(encoding="utf-8"))


def contract_with_limits(directory: Path, text: str) -> type[Contract]:
    """The small contract beside a `limits.json` with this text."""
    shutil.copy(CONTRACTS / "small.py", directory / "limited.py")
    (directory / "limits.json").write_text(text, encoding="utf-8")
    return load_contract(f"{directory / 'limited.py'}:Applicant")


def test_the_policy_knows_the_same_limits() -> None:
    complete: Any = DEFAULTS | SOUND
    assert judge_limits(complete).passed
    assert {message.split(" is ")[0] for _, message in judge_limits({}).denials} == set(complete)  # type: ignore[typeddict-item]  # lacks them on purpose


def test_limits_are_read_as_they_are_and_completed(tmp_path: Path) -> None:
    # Given the required limits, one of another value than its default, and one of unknown name, for the policy to judge
    given = SOUND | {"minimum_roc_auc": 0.7, "another": "limit"}
    # When they are read, then they are as given, and the others have their defaults
    assert limits_of(contract_with_limits(tmp_path, json.dumps(given))) == DEFAULTS | given


def test_a_file_of_the_five_required_limits_alone_is_complete(tmp_path: Path) -> None:
    assert judge_limits(
        limits_of(contract_with_limits(tmp_path, json.dumps({name: SOUND[name] for name in REQUIRED})))
    ).passed


@pytest.mark.parametrize("name", REQUIRED)
def test_required_limit_has_no_default(name: str, tmp_path: Path) -> None:
    given = {key: limit for key, limit in SOUND.items() if key != name}
    found = judge_limits(limits_of(contract_with_limits(tmp_path, json.dumps(given))))
    assert [message.split(";")[0] for _, message in found.denials] == [f"{name} is missing"]


def test_missing_file_is_named_with_its_expected_content(tmp_path: Path) -> None:
    # Given a contract without limits
    contract = contract_with_limits(tmp_path, "{}")
    (tmp_path / "limits.json").unlink()
    # When they are read, then the error says where they belong and which they are
    with pytest.raises(GateError, match=r"no such file\. Write the model's limits there: ") as refused:
        limits_of(contract)
    assert str(tmp_path / "limits.json") in str(refused.value)
    assert all(name in str(refused.value) for name in REQUIRED)


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    # Given a directory where the limits should be
    contract = contract_with_limits(tmp_path, "{}")
    (tmp_path / "limits.json").unlink()
    (tmp_path / "limits.json").mkdir()
    # When they are read, then the error names it
    with pytest.raises(GateError, match=r"limits\.json: cannot be read"):
        limits_of(contract)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}'])
def test_file_that_is_not_an_object_is_named(text: str, tmp_path: Path) -> None:
    # Given a file without limits, when they are read, then the error names the file
    contract = contract_with_limits(tmp_path, text)
    with pytest.raises(GateError, match=r"limits\.json: is not "):
        limits_of(contract)
