"""Two models side by side: who is decided otherwise, by whom, for which reasons, and what the page says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lambda_app import artifact
from model.commands import main
from model.compare import comparison, page
from model.compare.summary import does, worries
from model.compare.tables import field_changes
from model.contract.carried import carried_fields
from model.data.generator import generate
from model.formats.batch import decide
from model.judge.champion import encoded_for
from model.run import run
from tests.pages import Page
from tests.trainings import FAST, SMALL, loan_task

if TYPE_CHECKING:
    from pathlib import Path

    from model.compare.comparison import Compared, Swapped
    from model.run import TrainingRun


@pytest.fixture(scope="module")
def against(mixed: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A model of fewer iterations, trained against the mixed one; the policy may say what it likes."""
    task = replace(loan_task(), settings=replace(FAST, max_iter=5, most_iterations=5), champion=mixed.directory)
    return run(task, tmp_path_factory.mktemp("against"))


@pytest.fixture(scope="module")
def compared(against: TrainingRun) -> Compared:
    found: Compared = json.loads((against.directory / comparison.FILE).read_text(encoding="utf-8"))
    return found


def test_swaps_are_those_of_the_two_models_decisions(
    mixed: TrainingRun, against: TrainingRun, compared: Compared
) -> None:
    # Given what each model decides about the hold-out
    holdout, truth = against.candidate.holdout, against.candidate.holdout.approved
    champion = artifact.load(str(mixed.directory))
    rows = encoded_for(carried_fields(champion.manifest["contract"]), holdout)
    before = decide(champion, rows)["prediction"].to_numpy() == 1
    after = decide(against.assessment.artifact, holdout)["prediction"].to_numpy() == 1
    assert (before != after).any()

    # Then the comparison counts the same rows
    def counted(chosen: Any) -> Swapped:
        return {"rows": int(chosen.sum()), "creditworthy": int((chosen & truth).sum())}

    swap = compared["swap"]
    assert swap is not None
    assert swap["rows"] == len(truth)
    assert swap["approved_instead"] == counted(after & ~before)
    assert swap["denied_instead"] == counted(before & ~after)
    assert swap["change"]["value"] == pytest.approx(after.mean() - before.mean())
    for column, names in holdout.groups.items():
        for name, group in swap["groups"][column].items():
            chosen = names == name
            assert group["champion_rate"] == before[chosen].mean()
            assert group["model_rate"] == after[chosen].mean()
            assert group["approved_instead"] == counted(after & ~before & chosen)


def test_figures_are_those_of_each_model_on_these_rows(against: TrainingRun, compared: Compared) -> None:
    assert compared["model"]["figures"] == json.loads(json.dumps(against.manifest["metrics"]))
    assert compared["champion"]["figures"]["rows"] == compared["model"]["figures"]["rows"]
    differences = against.assessment.question["champion"]
    assert differences is not None
    assert differences["accuracy"] is not None
    figures = [compared[side]["figures"]["accuracy"] for side in ("model", "champion")]
    assert differences["accuracy"]["value"] == pytest.approx(figures[0] - figures[1])


def test_reasons_are_counted_among_the_denied(against: TrainingRun, compared: Compared) -> None:
    holdout = against.candidate.holdout
    decided = decide(against.assessment.artifact, holdout)
    lists = [codes.split(";") for codes in decided["reasons"][decided["prediction"] == 0]]
    assert compared["reasons"]
    for reason in compared["reasons"]:
        assert reason["model"] == np.mean([reason["code"] in codes for codes in lists])


def test_points_are_each_models_own_for_every_value(mixed: TrainingRun, against: TrainingRun) -> None:
    champion, opened = artifact.load(str(mixed.directory)), against.assessment.artifact
    changes = {change["name"]: change for change in field_changes(champion, opened)}
    assert list(changes) == sorted(changes, key=lambda name: -changes[name]["moved"])
    for side, one in (("champion", champion), ("model", opened)):
        for entry in _tables(one):
            shown = {row[side] for row in changes[entry["name"]]["bins"]}  # type: ignore[literal-required]
            # Then all of the model's points are in the common table, and no others
            assert shown == set(entry["points"])


def _tables(opened: artifact.Artifact) -> Any:
    from model.formats import find

    tables = find(opened.manifest["format"]).tables(opened)
    assert tables is not None
    return tables["fields"]


def test_the_page_shows_the_figures_of_the_file(against: TrainingRun, compared: Compared) -> None:
    shown = Page.of((against.directory / page.FILE).read_text(encoding="utf-8"))
    assert shown.open == []
    figures = shown.every("data")
    assert len(figures) > 4
    for figure in figures:
        found: Any = compared
        for key in str(figure["data-figure"]).split("/")[1:]:
            found = found[key.replace("~1", "/").replace("~0", "~")]
        assert float(str(figure["value"])) == found
    words = shown.words()
    assert f"against {mixed_version(compared)}" in words
    for sentence in (*does(compared["swap"]), *worries(compared)):
        assert " ".join(sentence.split()) in words


def mixed_version(compared: Compared) -> str:
    return compared["champion"]["model_version"]


def test_a_model_is_decided_like_itself(small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where, rows = str(small.directory), tmp_path / "rows.csv"
    generate(2_000, 7).to_csv(rows, index=False)
    command = ["compare", where, where, "--contract", SMALL, "--data", str(rows), "--out", str(tmp_path)]
    assert main(command) == 0
    found = json.loads((tmp_path / comparison.FILE).read_text())
    assert "All 2,000 applications are decided alike." in capsys.readouterr().out
    assert found["verdict"]["passed"]
    assert not list(worries(found))
    assert {change["moved"] for change in found["fields"]} == {0.0}


def test_a_manifest_alone_is_compared_by_its_figures(mixed: TrainingRun, tmp_path: Path) -> None:
    # Given what `GET /model` shows of the champion
    alone = tmp_path / "champion.json"
    alone.write_text((mixed.directory / "manifest.json").read_text())
    done = run(replace(loan_task(), champion=alone), tmp_path / "out")
    # Then who would be decided otherwise is not known, and the page says so
    found: Compared = json.loads((done.directory / comparison.FILE).read_text())
    assert found["swap"] is None
    assert found["reasons"] is None
    assert found["fields"] == []
    words = Page.of((done.directory / page.FILE).read_text()).words()
    assert "Who would be decided otherwise is not known" in words
    assert "Each was judged on applications of its own" in words


def test_what_an_earlier_comparison_said_goes_with_the_model(against: TrainingRun, mixed: TrainingRun) -> None:
    assert (against.directory / page.FILE).is_file()
    assert not (mixed.directory / page.FILE).exists()


@pytest.mark.parametrize("command", ["train", "gate", "compare"])
def test_a_champion_that_is_not_there_is_named(
    command: str, small: TrainingRun, capsys: pytest.CaptureFixture[str]
) -> None:
    where = str(small.directory)
    arguments = {
        "train": ["train", "--champion", "/nope", "--contract", SMALL],
        "gate": ["gate", "--champion", "/nope", "--artifact", where, "--contract", SMALL],
        "compare": ["compare", "/nope", where, "--contract", SMALL],
    }
    assert main(arguments[command]) == 1
    assert capsys.readouterr().err.startswith("GateError: there is no model in service at /nope")
