"""Outcomes find their decisions, every other case is counted, and the figures are those that judge a model."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app import artifact
from model.data.generator import generate
from operations.commands import main
from operations.errors import UnreadableInput
from operations.monitor import outcomes
from tests.operations.monitor.logs import FIELDS, decide, records

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

ROWS = 2_000


@pytest.fixture(scope="module")
def decided(small: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[dict[str, Any]]]:
    """A log; the same applications with their outcomes as a file to evaluate on; and their rows."""
    directory = tmp_path_factory.mktemp("decided")
    table = generate(ROWS, 21)
    table.to_csv(directory / "labelled.csv", index=False)
    rows: list[dict[str, Any]] = [
        dict(zip(table.columns, row, strict=True)) for row in table.astype(int).to_numpy().tolist()
    ]
    sent = [{**{name: row[name] for name in FIELDS}, "application_id": f"A-{place}"} for place, row in enumerate(rows)]
    log = decide(small.directory, sent, directory / "service.log")
    return log, directory / "labelled.csv", rows


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_figures_are_those_of_evaluate(
    decided: tuple[Path, Path, list[dict[str, Any]]],
    small: TrainingRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from model.commands import main as model_main

    log, labelled, rows = decided
    known = written(
        tmp_path / "outcomes.csv",
        [
            {"application_id": f"A-{place}", "outcome": row["Target"], "Group": row["Group"]}
            for place, row in enumerate(rows)
        ],
    )
    words = ["outcomes", "--artifact", str(small.directory), "--log", str(log), "--outcomes", str(known)]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)

    assert model_main(["evaluate", "--artifact", str(small.directory), "--data", str(labelled)]) == 0
    expected = json.loads(capsys.readouterr().out)

    found = told["models"][small.manifest["model_version"]]["all"]
    assert found == expected
    assert told["counts"]["joined"] == ROWS


def test_every_case_is_counted(decided: tuple[Path, Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    log, _, _ = decided
    at = "2099-01-01"
    known = written(
        tmp_path / "outcomes.csv",
        [
            {"application_id": key, "outcome": outcome, "known_at": known_at}
            for key, outcome, known_at in (
                ("A-1", 1, ""),
                ("A-2", 0, ""),
                ("A-2", 0, ""),  # duplicate
                ("A-3", 1, ""),
                ("A-3", 0, ""),  # contradictory
                ("A-4", 1, at),  # late
                ("A-5", "", ""),  # not known yet
                ("B-1", 1, ""),  # unknown
                ("", 1, ""),  # unknown
            )
        ],
    )
    joined = outcomes.join(known, [log])
    counts = joined.counts()
    assert sum(counts.values()) - counts["decided_again"] == 2 * counts["rows"]
    assert counts == {
        "joined": 2,
        "rows": 9,
        "unknown": 2,
        "duplicate": 1,
        "contradictory": 2,
        "late": 1,
        "undecided": 1,
        "decided_again": 0,
    }


def test_decision_ids_join_too(decided: tuple[Path, Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    log, _, _ = decided
    key = records(log)[-1]["decision_id"]
    known = written(tmp_path / "outcomes.csv", [{"decision_id": key, "outcome": 1}])
    (one,) = outcomes.join(known, [log]).outcomes
    assert one.logged.bins == tuple(records(log)[-1]["bins"])


def test_of_several_decisions_the_last_one_counts(small: TrainingRun, tmp_path: Path) -> None:
    first = {"Num_Children": 3, "Income": 40_000, "Own_Car": 0, "Own_Housing": 0, "application_id": "A"}
    log = decide(small.directory, [first], tmp_path / "service.log")
    lines = log.read_text().splitlines()
    again = {**json.loads(lines[0]), "prediction": 1, "time": json.loads(lines[0])["time"] + 1, "decision_id": "later"}
    log.write_text(f"{json.dumps(again)}\n{lines[0]}\n")
    joined = outcomes.join(written(tmp_path / "o.csv", [{"application_id": "A", "outcome": 1}]), [log])
    assert joined.decided_again == 1
    assert joined.outcomes[0].logged.prediction == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("application_id,Target\nA,1\n", "needs the columns outcome, and application_id or decision_id"),
        ("application_id,decision_id,outcome\nA,B,1\n", "needs the columns"),
        ("", "needs the columns"),
        ("application_id,outcome\nA,good\n", "row 1: outcome must be 1, 0 or empty"),
        ("application_id,outcome\nA\n", "line 2 has not as many cells as the header"),
        ("application_id,outcome\nA,1,2\n", "line 2 has not as many cells as the header"),
        ("application_id,outcome,known_at\nA-1,1,soon\n", "row 1: known_at is no ISO 8601 date"),
        ("application_id,outcome\n\udcff,1\n", "cannot be read as CSV in UTF-8"),
    ],
    ids=repr,
)
def test_a_wrong_file_is_named(
    content: str, reason: str, decided: tuple[Path, Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(UnreadableInput) as caught:
        outcomes.join(path, [decided[0]])
    assert reason in str(caught.value)


def test_a_few_outcomes_are_counted_and_not_judged(
    decided: tuple[Path, Path, list[dict[str, Any]]], small: TrainingRun, tmp_path: Path
) -> None:
    known = written(tmp_path / "o.csv", [{"application_id": f"A-{place}", "outcome": 1} for place in range(5)])
    opened = artifact.load(str(small.directory))
    version = opened.manifest["model_version"]
    found = outcomes.figures(outcomes.join(known, [decided[0]]).outcomes, {version: opened})
    assert found[version]["all"] == {"rows": 5, "too_few": True}


def test_a_model_that_scores_values_says_what_to_do(mixed_sklearn: TrainingRun) -> None:
    opened = artifact.load(str(mixed_sklearn.directory))
    with pytest.raises(UnreadableInput, match="scores values, which no log holds"):
        outcomes.probability(opened, [0])


def test_the_estimate_before_any_outcome_holds(
    decided: tuple[Path, Path, list[dict[str, Any]]], small: TrainingRun, capsys: pytest.CaptureFixture[str]
) -> None:
    log, _, rows = decided
    opened = artifact.load(str(small.directory))
    _, by_decision, _ = outcomes.logged([log])
    estimate = outcomes.estimate(opened, list(by_decision.values()))
    assert estimate is not None
    approved = [row["Target"] for row, line in zip(rows, records(log), strict=True) if line["prediction"]]
    assert estimate.low <= sum(approved) / len(approved) <= estimate.high

    assert main(["outcomes", "--artifact", str(small.directory), "--log", str(log)]) == 0
    assert "an estimated" in capsys.readouterr().out


def test_there_is_no_estimate_once_decisions_have_drifted(small: TrainingRun, tmp_path: Path) -> None:
    opened = artifact.load(str(small.directory))
    for verdict in ("drifted", "too few"):
        assert "no estimate" in outcomes.as_sentence(opened, [], verdict)
