"""The call lists in docs/architecture.md match the code."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.serving import ROOT


@pytest.fixture(scope="module")
def walks() -> dict[str, list[str]]:
    """The output of `python -m scripts.walk` for each walk."""
    return {
        which: subprocess.run(
            [sys.executable, "-m", "scripts.walk", which], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for which in ("event", "rows")
    }


def below(lines: list[str], caller: str) -> list[str]:
    """The rooms that one function enters directly, in order; consecutive calls into the same room count once."""
    start = next(place for place, line in enumerate(lines) if line.strip() == caller)
    depth = len(lines[start]) - len(lines[start].lstrip())
    rooms: list[str] = []
    for line in lines[start + 1 :]:
        indent = len(line) - len(line.lstrip())
        if indent <= depth:
            break
        room = line.strip().partition(":")[0]
        if indent == depth + 2 and rooms[-1:] != [room]:
            rooms.append(room)
    return rooms


def test_an_event_enters_each_room_once(walks: dict[str, list[str]]) -> None:
    assert below(walks["event"], "lambda_app/handler: handler") == ["lambda_app/web", "lambda_app/telemetry"]
    assert below(walks["event"], "lambda_app/web: Routes.respond") == ["lambda_app/decision"]
    assert below(walks["event"], "lambda_app/decision: Decider.decide") == [
        *("lambda_app/validation", "lambda_app/formats", "lambda_app/reasons")
    ]


def test_rows_pass_through_the_rooms_in_order_and_enter_each_once(walks: dict[str, list[str]]) -> None:
    assert below(walks["rows"], "model/run: run") == [
        *("model/fit", "model/formats", "model/judge", "model/report", "lambda_app/selfcheck")
    ]


@pytest.mark.parametrize("which", ["event", "rows"])
def test_the_page_shows_the_walk(which: str, walks: dict[str, list[str]]) -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "```text\n" + "\n".join(walks[which]) + "\n```" in page
