"""Champion and challenger, compared by what the log says of both."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.manifest import identity, model_version
from operations.commands import main
from operations.monitor.challenger import compare
from operations.monitor.logfile import read
from operations.monitor.tally import Pair, Slice, Tallies
from tests.operations.monitor.logs import applications, decide, records

if TYPE_CHECKING:
    from model.run import TrainingRun


def tallied(both: int, gained: int, lost: int, neither: int, errors: int = 0) -> Tallies:
    tallies = Tallies()
    tally = tallies[Slice("2026-01-01", "champion", "1")]
    tally.pairs.update(
        {
            Pair("new", 8, 1, 1): both,
            Pair("new", 5, 0, 1): gained,
            Pair("new", 5, 1, 0): lost,
            Pair("new", 1, 0, 0): neither,
        }
    )
    if errors:
        tally.challenger_errors["new", "TooSlow"] = errors
    return tallies


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((400, 0, 0, 600), "wait"),
        ((4_000, 5, 4, 6_000), "alike"),
        ((4_000, 400, 10, 6_000), "more"),
        ((4_000, 10, 400, 6_000), "fewer"),
        ((40, 3, 0, 60), "wait"),
        ((400, 0, 0, 600, 50), "failing"),
        ((0, 0, 0, 0, 5), "failing"),
    ],
)
def test_verdict(counts: tuple[int, ...], verdict: str) -> None:
    (found,) = compare(tallied(*counts))
    assert found.verdict == verdict
    assert found.interval.low <= found.shift <= found.interval.high


def test_bins_say_where(tmp_path: Path) -> None:
    (found,) = compare(tallied(400, 30, 10, 600))
    assert found.by_bin == {1: (600, 0, 0), 5: (40, 30, 10), 8: (400, 0, 0)}
    assert (found.pairs, found.approved) == (1_040, 410)


def test_the_command_judges_a_log_of_both(
    small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a challenger that approves far more
    directory = Path(shutil.copytree(small.directory, tmp_path / "both"))
    with_threshold(small.directory, directory / "challenger", 0.05)
    log = decide(directory, applications(3_000, 5), tmp_path / "service.log")

    assert main(["challenger", "--log", str(log)]) == 9

    told = capsys.readouterr()
    gained = sum(one["challenger"]["prediction"] > one["prediction"] for one in records(log))
    assert gained > 100
    assert f"approved instead: {gained:,}; denied instead: 0" in told.out
    assert "approves more, beyond the margin" in told.err


def with_threshold(directory: Path, copy: Path, threshold: float) -> Path:
    """The same model with another cut-off."""
    shutil.copytree(directory, copy)
    path = copy / "manifest.json"
    manifest = {**json.loads(path.read_text()), "threshold": threshold}
    manifest["identity"] = identity(manifest)
    path.write_text(json.dumps({**manifest, "model_version": model_version(manifest["identity"])}))
    return copy


def test_a_replay_says_what_the_shadow_would(
    small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # given a log of the champion alone, and another model with the same bins
    other = with_threshold(small.directory, tmp_path / "other", 0.05)
    log = decide(small.directory, applications(3_000, 5), tmp_path / "champion.log")
    # and the log of both
    both = Path(shutil.copytree(small.directory, tmp_path / "both"))
    shutil.copytree(other, both / "challenger")
    shadow = decide(both, applications(3_000, 5), tmp_path / "shadow.log")
    # when
    words = ["challenger", "--artifact", str(small.directory), "--log", str(log), "--replay", str(other)]
    assert main(words) == 9
    replayed = capsys.readouterr().out
    assert main(["challenger", "--log", str(shadow)]) == 9
    # then
    assert replayed == capsys.readouterr().out


def test_a_replay_into_other_bins_is_refused(
    small: TrainingRun, mixed: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = decide(small.directory, applications(10, 5), tmp_path / "champion.log")
    words = ["challenger", "--artifact", str(small.directory), "--log", str(log), "--replay", str(mixed.directory)]
    assert main(words) == 1
    assert "MODEL_DIR/challenger/" in capsys.readouterr().err


def test_without_a_challenger_the_command_says_how_to_have_one(
    small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = decide(small.directory, applications(10, 5), tmp_path / "service.log")
    assert main(["challenger", "--log", str(log)]) == 10
    assert "MODEL_DIR/challenger/" in capsys.readouterr().err


def test_one_that_cannot_be_opened_is_failing(small: TrainingRun, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(small.directory, tmp_path / "broken"))
    (directory / "challenger").mkdir()
    log = decide(directory, applications(300, 5), tmp_path / "service.log")
    found: Any = compare(read([log]))
    assert [(one.verdict, one.errors) for one in found] == [("failing", {"ArtifactMissing": 300})]
