"""The report says what was measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import batch, report
from benchmarks.figures import Figure, Spread, ratios
from benchmarks.lambda_process import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.figures import Results


def _results(*figures: Figure) -> Results:
    spread = Spread(2.0, 1.0, 4.0, 7).as_dict()
    labels = {"empty": "empty handler", "service": "this service"}
    return {
        "measured_at": "2026-01-02",
        "machine": {"python": "3.13.1", "system": "Linux x86_64", "processor": "a processor", "processors": 2},
        "rounds": 5,
        "warm_requests": 10,
        "figures": [figure.as_dict() for figure in figures],
        "contenders": {
            key: {"label": label, "cold_ms": spread, "warm_ms": spread, "peak_mb": spread}
            for key, label in labels.items()
        },
        "handler_calls": 100,
        "handler_runs": [{}, {}],
        "handler_us": {"approve": {"p50": spread, "p99": spread}},
        "batch": {"rows": 1000, "compared": 900, "tables": spread, "pipeline": spread},
    }


@pytest.mark.parametrize(
    ("median", "at_most", "met"),
    [(1.5, True, True), (1.51, True, False), (1.5, False, True), (1.49, False, False)],
    ids=["at the ceiling", "over it", "at the floor", "under it"],
)
def test_a_figure_is_compared_with_its_target(median: float, at_most: bool, met: bool) -> None:
    # Given a target of 1.5, when this is measured
    figure = Figure("cold start", "times", Spread(median, 0.0, 9.0, 5), 1.5, at_most)
    # Then the target is met or missed, and the table says so
    assert figure.met is met
    assert ("**missed**" in report.figures(_results(figure))) is not met


def test_every_figure_shows_its_number_of_repeats() -> None:
    # Given figures with different numbers of repeats
    often = Figure("cold start", "times", Spread.of([1.0, 2.0, 3.0]), 1.5)
    once = Figure("image size", "MB", Spread(2.0, 2.0, 2.0, 1), 3)
    # When the page is written, then each has its own count
    page = report.page(_results(often, once))
    assert "| cold start | 2 times (1.5 to 2.5) | 3 |" in page
    assert "| image size | 2 MB (2 to 2) | 1 |" in page
    assert "In each of 5 rounds" in page
    assert "7 alternating repeats. The probabilities of 900 of the applications\nwere compared" in page


@pytest.mark.parametrize("wrong", [1.0, float("nan")], ids=["another probability", "not a number"])
def test_batch_compares_every_row(wrong: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given tables that differ from the pipeline only in the last row
    monkeypatch.setattr(batch, "ROWS", 5_000)
    compared: dict[str, batch.Scorer] = {
        "tables": lambda rows: np.append(np.full(len(rows) - 1, 0.5), wrong),
        "pipeline": lambda rows: np.full(len(rows), 0.5),
    }
    # When they are measured, then an error is raised
    with pytest.raises(BenchmarkError, match="different probabilities"):
        batch.rows_per_second(compared, 2)


def test_a_slow_moment_of_the_machine_cancels_out() -> None:
    # Given two things measured in turns, one twice as slow, and a moment when everything was ten times slower
    fast, slow = [1.0, 1.0, 10.0, 1.0], [2.0, 2.0, 20.0, 2.0]
    # When their ratio is taken, then that moment does not affect it
    assert ratios(slow, fast) == Spread(2.0, 2.0, 2.0, 4)


def test_the_readme_changes_only_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a README with an older table
    for name in ("RESULTS", "PAGE", "PICTURE", "README"):
        monkeypatch.setattr(report, name, tmp_path / name)
    before, after = "# Title\n\n<!-- bench -->\n", "<!-- /bench -->\n\nThe rest.\n"
    report.README.write_text(f"{before}an older table\n{after}", encoding="utf-8")
    below = f"{report.MARK}\n## What another command measured\n"
    report.PAGE.write_text(f"an older page\n{below}", encoding="utf-8")
    results = _results(Figure("peak memory", "MB", Spread(22.0, 21.0, 23.0, 30), 24))
    # When new results are written
    report.write(results)
    # Then the table is replaced, and every other byte stays the same
    assert report.README.read_text(encoding="utf-8") == f"{before}{report.figures(results)}{after}"
    assert report.PAGE.read_text(encoding="utf-8") == f"{report.page(results)}{below}"
    assert "| peak memory | 22 MB (21 to 23) | 30 | ≤ 24 MB | reached |" in report.PAGE.read_text(encoding="utf-8")
    assert json.loads(report.RESULTS.read_text(encoding="utf-8")) == results


def test_the_same_results_draw_the_same_picture(tmp_path: Path) -> None:
    # Given some results, when they are drawn twice
    report.draw(_results(), tmp_path / "first.svg")
    report.draw(_results(), tmp_path / "second.svg")
    # Then the files are the same
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


def test_the_documents_quote_the_recorded_results() -> None:
    # Given the results of the last `make bench`
    results = json.loads(report.RESULTS.read_text(encoding="utf-8"))
    # Then the page quotes them, and so does the README's table
    assert report.PAGE.read_text(encoding="utf-8").partition(report.MARK)[0] == report.page(results)
    quoted = report.BLOCK.findall(report.README.read_text(encoding="utf-8"))
    assert quoted == [report.figures(results)]
