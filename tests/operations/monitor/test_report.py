"""One page for a week: everything that happened in it, and nothing from outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from operations.commands import main
from tests.operations.monitor.logs import applications, decide

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

DAY = 86_400_000
# 2026-11-13 00:00 UTC
START = 1_794_528_000_000


@pytest.fixture(scope="module")
def weeks(small: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of two weeks, 300 decisions and two refusals a day."""
    directory = tmp_path_factory.mktemp("weeks")
    lines = []
    for day in range(14):
        log = decide(small.directory, [*applications(300, day), {}, {}], directory / f"{day}.log")
        for line in log.read_text().splitlines():
            record = json.loads(line)
            if "time" in record:
                record["time"] = START + day * DAY
            else:
                record["_aws"]["Timestamp"] = START + day * DAY
            lines.append(json.dumps(record))
    path = directory / "weeks.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def written(small: TrainingRun, weeks: Path, directory: Path, *words: str) -> str:
    page = directory / "report.html"
    usual = ["report", "--artifact", str(small.directory), "--log", str(weeks), "--page", str(page)]
    assert main([*usual, *words]) == 0
    return page.read_text(encoding="utf-8")


def test_a_week_holds_its_own_days(small: TrainingRun, weeks: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.jsonl"
    looks: list[dict[str, Any]] = [
        {"at": "2026-11-22T10:00:00+00:00", "action": "roll back", "why": "failures <many>", "canary": "8"},
        {"at": "2026-11-15T10:00:00+00:00", "action": "promote", "why": "as good", "canary": "7"},
    ]
    history.write_text("".join(f"{json.dumps(look)}\n" for look in looks))
    told = tmp_path / "outcomes.json"
    figures = {"rows": 900, "accuracy": 0.93, "roc_auc": 0.97, "equal_opportunity_gap": None}
    told.write_text(json.dumps({"counts": {"joined": 900, "rows": 1_000}, "models": {"abc": {"all": figures}}}))

    page = written(
        *(small, weeks, tmp_path, "--from", "2026-11-20", "--to", "2026-11-26"),
        *("--canaries", str(history), "--outcomes", str(told)),
    )

    assert "2,100" in page  # decisions: seven days of 300
    assert "+0 % on the period before" in page
    assert "canary version 8: roll back (failures &lt;many&gt;)" in page
    assert "canary version 7" not in page
    assert "900 of 1,000 outcomes found their decision" in page
    assert "93.0 %" in page
    assert "No challenger" in page
    assert "http" not in page


def test_a_week_without_anything_says_so(small: TrainingRun, weeks: Path, tmp_path: Path) -> None:
    page = written(small, weeks, tmp_path, "--from", "2020-01-01", "--to", "2020-01-07")
    assert "Nothing was decided." in page
    assert "nothing before to compare with" in page


def test_a_period_that_ends_before_it_begins_is_refused(
    small: TrainingRun, weeks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--artifact", str(small.directory), "--log", str(weeks), "--page", str(tmp_path / "x.html")]
    assert main([*words, "--from", "2026-11-20", "--to", "2026-11-19"]) == 1
    assert "lies before" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["not JSON", "{}", '{"at": 1, "action": "promote"}'])
def test_a_wrong_history_is_named(
    content: str, small: TrainingRun, weeks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(content)
    words = ["report", "--artifact", str(small.directory), "--log", str(weeks), "--canaries", str(path)]
    assert main(words) == 1
    assert "is no history of canaries" in capsys.readouterr().err
