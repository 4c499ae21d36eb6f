"""Drift is named where it is, and nothing is said where nothing can be."""

from __future__ import annotations

import json
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from operations.commands import main
from operations.errors import UnreadableInput
from operations.monitor.drift import Detector, watch, watched_by
from operations.monitor.logfile import read
from operations.monitor.tally import Slice, Tallies
from tests.operations.monitor.logs import applications, decide, records

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from model.run import TrainingRun

YEARS = 60


def higher_incomes(table: pd.DataFrame) -> None:
    table["Income"] = (table["Income"] * 1.04).round()


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(scope="module")
def logs(small: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("logs")
    return {
        "same": decide(small.directory, applications(100_000, 11), directory / "same.log"),
        "shifted": decide(small.directory, applications(100_000, 12, higher_incomes), directory / "shifted.log"),
        "few": decide(small.directory, applications(50, 13), directory / "few.log"),
    }


def test_the_shifted_field_is_named_and_the_others_stay_quiet(
    logs: dict[str, Path], small: TrainingRun, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "drift.html"
    words = ["drift", "--artifact", str(small.directory), "--log", str(logs["shifted"]), "--format", "json"]

    assert main([*words, "--page", str(page)]) == 9

    found = told(capsys)
    fields = [one for one in found["watched"] if one["kind"] == "field"]
    assert [one["name"] for one in fields if one["drifted"]] == ["Income"]
    drifted = [one["name"] for one in found["watched"] if one["drifted"]]
    assert set(drifted) <= {"Income", "score", "approvals", "reasons"}  # what follows from incomes
    assert [one["name"] for one in found["watched"]][: len(drifted)] == drifted  # worst first
    # The figures are those of the raw lines.
    lines = records(logs["shifted"])
    (shifted,) = (one for one in fields if one["drifted"])
    for number, one in enumerate(shifted["bins"]):
        count = sum(line["bins"][1] == number for line in lines)
        assert (one["count"], one["seen"]) == (count, count / len(lines))
    written = page.read_text(encoding="utf-8")
    assert "Income" in written
    assert "http" not in written.replace('lang="en"', "")


def test_the_same_data_is_quiet(logs: dict[str, Path], small: TrainingRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "--artifact", str(small.directory), "--log", str(logs["same"])]) == 0
    assert "DRIFTED" not in capsys.readouterr().out


def test_fifty_are_too_few(logs: dict[str, Path], small: TrainingRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drift", "--artifact", str(small.directory), "--log", str(logs["few"])]) == 10
    assert "too few to tell (50 decisions" in capsys.readouterr().err


def test_another_models_decisions_are_not_compared(logs: dict[str, Path], small: TrainingRun) -> None:
    manifest = {**small.manifest, "model_version": "another"}
    found = watch(manifest, read([logs["same"]]))
    assert found.verdict == "too few"
    assert found.others == {small.manifest["model_version"]: 100_000}


def test_bins_of_another_binning_are_refused(logs: dict[str, Path], small: TrainingRun) -> None:
    bins = small.manifest["bins"]
    fewer = {"name": "Income", "edges": [1.0], "shares": [0.5, 0.5, 0.0]}
    manifest = {**small.manifest, "bins": {**bins, "fields": [bins["fields"][0], fewer, *bins["fields"][2:]]}}
    with pytest.raises(UnreadableInput, match="Income has bins that the manifest does not have"):
        watch(manifest, read([logs["same"]]))


def test_a_manifest_from_before_is_compared_by_what_it_has(logs: dict[str, Path], small: TrainingRun) -> None:
    manifest = {key: value for key, value in small.manifest.items() if key != "expected"}
    found = {one.watched.name: one for one in watch(manifest, read([logs["same"]])).found}
    assert not found["approvals"].drifted
    assert not found["reasons"].evidence  # the first days stand in, and there is but one


@pytest.mark.parametrize("manifest", [{}, {"bins": {}}, {"bins": {"fields": []}, "data": {"rows": 1}}], ids=str)
def test_a_manifest_without_bins_is_refused(manifest: dict[str, Any]) -> None:
    with pytest.raises(UnreadableInput, match="lacks what decisions are compared with"):
        watched_by(manifest)


def test_years_without_drift_stay_quiet() -> None:
    # The whole simulation is benchmarks/after_deploy.py.
    rng = np.random.default_rng(2)
    shares = (np.array([0.6, 0.3, 0.1]), np.full(12, 1 / 12), np.array([0.38, 0.62]), np.array([0.999, 0.001]))
    needed = log(len(shares) / 0.05)
    alarms = sum(any(alarmed(rng, share, 1_000, 50_000, needed) for share in shares) for _ in range(YEARS))
    assert alarms / YEARS <= 0.05


def alarmed(rng: np.random.Generator, shares: Any, daily: int, rows: int, needed: float) -> bool:
    detector = Detector(rng.multinomial(rows, shares).tolist())
    return any(detector.look(counts) >= needed for counts in rng.multinomial(daily, shares, size=365).tolist())


def test_an_alarm_says_since_when() -> None:
    manifest: dict[str, Any] = {
        "model_version": "m",
        "data": {"rows": 100_000},
        "metrics": {"rows": 20_000, "approval_rate": 0.4},
        "contract": {"fields": []},
        "bins": {"fields": [], "score": {"edges": [0.5], "shares": [0.6, 0.4]}},
        "expected": {"rows": 20_000, "approved": 8_000, "score": [12_000, 8_000], "reasons": {}},
    }
    tallies = Tallies()
    for day in range(1, 29):
        tally = tallies[Slice(f"2026-02-{day:02}", "m", "1")]
        tally.decisions, tally.approvals = 2_000, 800 if day < 15 else 900
        tally.score.update({0: tally.denials, 1: tally.approvals})
        tally.reasons["none"] = tally.denials
    found = watch(manifest, tallies)
    approvals = next(one for one in found.found if one.watched.name == "approvals")
    assert approvals.since is not None
    assert "2026-02-15" <= approvals.since <= "2026-02-20"
