"""A challenger is logged, never returned, and never in the way."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app import challenger
from tests.artifacts import write_by_hand
from tests.serving import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
DENIED = {"Num_Children": 3, "Income": 52_317, "Own_Car": 0, "Own_Housing": 0}
EVENTS: list[Any] = [APPROVED, DENIED, {"Income": "much"}, [APPROVED, DENIED, 17], {"Items": [DENIED]}]


@pytest.fixture
def directory(by_hand: Path, tmp_path: Path) -> Path:
    """A champion's artifact, which has no challenger yet."""
    return shutil.copytree(by_hand, tmp_path / "artifacts")


def strict(directory: Path) -> None:
    """A challenger that approves nobody."""
    (directory / "challenger").mkdir()
    write_by_hand(directory / "challenger", threshold=1.0)


def absent(directory: Path) -> None:
    """No challenger."""


def empty(directory: Path) -> None:
    (directory / "challenger").mkdir()


def torn(directory: Path) -> None:
    strict(directory)
    (directory / "challenger" / "model.joblib").write_bytes(b"torn")


def no_directory(directory: Path) -> None:
    (directory / "challenger").write_text("a file")


@pytest.mark.parametrize("make", [strict, absent, empty, torn, no_directory])
def test_no_byte_of_an_answer_changes(make: Callable[[Path], None], directory: Path, by_hand: Path) -> None:
    make(directory)
    service, alone = Service(directory), Service(by_hand)
    assert [service(event).envelope for event in EVENTS] == [alone(event).envelope for event in EVENTS]


def test_its_outcome_is_logged_beside_the_decision(directory: Path) -> None:
    strict(directory)
    version = json.loads((directory / "challenger" / "manifest.json").read_text())["model_version"]

    (line,) = Service(directory)(APPROVED).lines

    assert line["prediction"] == 1
    assert line["model_version"] != version
    assert line["challenger"] == {"model_version": version, "prediction": 0, "score_bin": 1}


def test_without_one_nothing_is_logged_of_it(directory: Path) -> None:
    assert "challenger" not in Service(directory)(APPROVED).lines[0]


@pytest.mark.parametrize(("make", "error"), [(empty, "ArtifactMissing"), (torn, "ArtifactCorrupt")])
def test_one_that_cannot_be_opened_is_named(make: Callable[[Path], None], error: str, directory: Path) -> None:
    make(directory)
    (line,) = Service(directory)(APPROVED).lines
    assert line["challenger"] == {"model_version": None, "error": error}


class Broken:
    """A model that fails, or is slow, as the test wants."""

    model_version = "f00d"

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.asked = 0

    def score(self, _application: object) -> object:
        self.asked += 1
        raise ZeroDivisionError("52317 is what the applicant earns")


def test_an_error_is_logged_by_its_type(tmp_path: Path) -> None:
    tested = challenger.Challenger(str(tmp_path))
    tested._decider = Broken()  # type: ignore[assignment]
    assert tested.outcome(DENIED) == {"model_version": "f00d", "error": "ZeroDivisionError"}


@pytest.mark.parametrize(("seconds", "asked"), [(0.005, 10), (0.02, 3), (1.0, 1)])
def test_a_slow_one_is_asked_no_more(
    seconds: float, asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a clock on which each application takes so long
    times = iter(range(1000))
    monkeypatch.setattr(challenger, "perf_counter", lambda: next(times) * seconds)
    tested, model = challenger.Challenger(str(tmp_path)), Broken()
    tested._decider = model  # type: ignore[assignment]

    # When it is asked ten times
    outcomes = [tested.outcome(DENIED) for _ in range(10)]

    # Then it was asked until it had shown to be slow
    assert model.asked == asked
    error = "ZeroDivisionError" if asked == 10 else "TooSlow"
    assert outcomes[-1] == {"model_version": "f00d", "error": error}
