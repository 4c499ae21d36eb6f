"""The comparison with the model in service: on the same rows if its artifact is at hand, else by its figures."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lambda_app import artifact
from lambda_app.errors import ArtifactCorrupt
from model.applicant import Applicant
from model.contract.carried import contract_as_data, contract_identity
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from model.errors import GateError
from model.judge.champion import compare_figures, compare_with_champion, encoded_for, identity_of, read_champion
from model.judge.figures import evaluate
from model.judge.parity import decide_all
from tests.artifacts import REFERENCE, TABLES, write_by_hand
from tests.trainings import MIXED

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.artifact import Artifact
    from model.data.applications import Applications
    from model.judge.champion import Comparison
    from model.judge.parity import Decided
    from model.run import TrainingRun

NOTHING = {"value": 0.0, "low": 0.0, "high": 0.0}
# What older manifests say.
OLD = {"metrics": {"accuracy": 0.9, "roc_auc": 0.95, "equal_opportunity_gap": 0.1}}
NEW = {"metrics": {"accuracy": 0.92, "roc_auc": 0.94, "equal_opportunity_gap": 0.15}}


@pytest.fixture(scope="module")
def judged(small: TrainingRun) -> tuple[Artifact, Decided, Applications]:
    """A model with its figures, its decisions on the hold-out, and the hold-out."""
    opened, holdout = small.assessment.artifact, small.candidate.holdout.take(np.arange(1_000))
    decided = decide_all(opened, holdout)
    figures = evaluate(decided.probabilities, decided.approved, holdout)
    return artifact.Artifact({**opened.manifest, "metrics": figures}, opened.scorer), decided, holdout


def against(where: Path, judged: tuple[Artifact, Decided, Applications]) -> Comparison:
    """The comparison of the model with the champion at this place."""
    opened, decided, holdout = judged
    return compare_with_champion(where, opened, decided, holdout)


@pytest.mark.parametrize("file", [".", "manifest.json"], ids=["directory", "manifest"])
def test_a_model_is_no_better_than_itself(
    file: str, small: TrainingRun, judged: tuple[Artifact, Decided, Applications]
) -> None:
    # Given the model as its own champion, when both decide the same rows
    found = against(small.directory / file, judged)
    # Then nothing differs
    assert found["same_rows"] is True
    assert found["model_version"] == small.manifest["model_version"]
    assert (found["accuracy"], found["roc_auc"], found["gap"]) == (NOTHING, NOTHING, 0)
    assert found["groups"] == {"Group": {"0": NOTHING, "1": NOTHING}}


def test_another_model_is_compared_on_the_same_rows(
    by_hand: Path, judged: tuple[Artifact, Decided, Applications]
) -> None:
    # Given a champion whose points were written by hand
    _, decided, holdout = judged
    theirs = decide_all(artifact.load(str(by_hand)), holdout)
    truth = holdout.approved
    # When it is compared
    found = against(by_hand, judged)
    # Then the differences are those of the two models' figures on the hold-out, and lie in their intervals
    ours = evaluate(decided.probabilities, decided.approved, holdout)
    other = evaluate(theirs.probabilities, theirs.approved, holdout)
    area = roc_auc_score(truth, decided.probabilities) - roc_auc_score(truth, theirs.probabilities)
    assert ours["equal_opportunity_gap"] is not None
    assert other["equal_opportunity_gap"] is not None
    assert found["gap"] == pytest.approx(ours["equal_opportunity_gap"] - other["equal_opportunity_gap"])
    assert found["accuracy"] is not None
    assert found["roc_auc"] is not None
    assert found["accuracy"]["value"] == pytest.approx(ours["accuracy"] - other["accuracy"])
    assert found["roc_auc"]["value"] == pytest.approx(area)
    for name, group in found["groups"]["Group"].items():
        value = (
            ours["groups"]["Group"]["by_group"][name]["accuracy"]
            - other["groups"]["Group"]["by_group"][name]["accuracy"]
        )
        assert group["value"] == pytest.approx(value)
    for interval in (found["accuracy"], found["roc_auc"], *found["groups"]["Group"].values()):
        assert interval["low"] < interval["value"] < interval["high"]


def test_a_champion_with_its_fields_in_another_order_decides_alike(
    by_hand: Path, judged: tuple[Artifact, Decided, Applications], tmp_path: Path
) -> None:
    # Given a champion with the same tables in the opposite order
    fields = TABLES["fields"][::-1]
    write_by_hand(
        tmp_path,
        model={**TABLES, "fields": fields},
        contract=contract_as_data(Applicant, fields_of(Applicant)[::-1]),
        reference={**REFERENCE, "points": REFERENCE["points"][::-1]},
        bins={"fields": [{"name": field["name"], "edges": field["edges"]} for field in fields]},
    )
    # When it is compared, then it makes no difference
    found, as_declared = against(tmp_path, judged), against(by_hand, judged)
    assert found["same_rows"] is True
    assert found["accuracy"] == as_declared["accuracy"]
    assert found["groups"] == as_declared["groups"]


def test_words_in_another_order_are_translated(mixed: TrainingRun) -> None:
    # Given rows with words and missing values, and a contract that has these words the other way round
    holdout = mixed.candidate.holdout
    specs = fields_of(load_contract(MIXED))
    turned = tuple(type(spec)(**{**vars(spec), "words": spec.words[::-1]}) for spec in specs)[::-1]
    # When the rows are encoded for that contract
    encoded = encoded_for(turned, holdout).matrix
    # Then each word is the same, and so is each number
    for theirs, column in zip(turned, encoded.T, strict=True):
        place = [spec.name for spec in specs].index(theirs.name)
        original = holdout.matrix[:, place]
        if theirs.kind == "choice":
            column = len(theirs.words) - 1 - column
        assert np.array_equal(column, original, equal_nan=True)


def test_a_champion_of_another_contract_is_not_asked(
    mixed: TrainingRun, judged: tuple[Artifact, Decided, Applications]
) -> None:
    # Given a champion of another contract, whose artifact is at hand
    found = against(mixed.directory, judged)
    # When the two are compared, then it is by their figures; that the contracts differ is for the gate to say
    assert found["same_rows"] is False
    assert identity_of(mixed.manifest) != identity_of(judged[0].manifest)


@pytest.mark.parametrize("name", ["manifest.json", "champion.json"])
def test_a_manifest_alone_is_compared_by_its_figures(
    name: str, small: TrainingRun, judged: tuple[Artifact, Decided, Applications], tmp_path: Path
) -> None:
    # Given the champion's manifest without its model, or what the service shows, next to a model that is not its own
    shutil.copy(small.directory / "manifest.json", tmp_path / name)
    if name != "manifest.json":
        shutil.copy(small.directory / "model.joblib", tmp_path / "model.joblib")
    # When it is compared, then there are no intervals
    found = against(tmp_path / name, judged)
    assert found["same_rows"] is False
    assert found["accuracy"] is not None
    assert found["accuracy"]["low"] == found["accuracy"]["value"] == found["accuracy"]["high"]
    assert found["groups"] == {}


def test_figures_are_compared_by_their_difference() -> None:
    found = compare_figures(NEW, {**OLD, "model_version": "0123456789ab"})
    assert found == {
        "model_version": "0123456789ab",
        "same_rows": False,
        "roc_auc": pytest.approx({"value": -0.01, "low": -0.01, "high": -0.01}),
        "accuracy": pytest.approx({"value": 0.02, "low": 0.02, "high": 0.02}),
        "gap": pytest.approx(0.05),
        "groups": {},
    }


@pytest.mark.parametrize("metrics", [{}, {"accuracy": None, "roc_auc": "0.9"}, {"equal_opportunity_gap": []}], ids=str)
def test_a_figure_that_the_champion_lacks_is_not_compared(metrics: dict[str, Any]) -> None:
    found = compare_figures(NEW, {"metrics": metrics})
    assert found["model_version"] is None
    assert (found["accuracy"], found["roc_auc"], found["gap"]) == (None, None, None)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"metrics": null}', '{"metrics": []}', "\udcff"], ids=ascii)
def test_what_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    for where in (tmp_path, tmp_path / "manifest.json"):
        with pytest.raises(GateError, match="manifest"):
            read_champion(where)


def test_a_champion_that_cannot_be_opened_stops_the_comparison(
    small: TrainingRun, judged: tuple[Artifact, Decided, Applications], tmp_path: Path
) -> None:
    # Given an artifact whose model has been changed
    shutil.copy(small.directory / "manifest.json", tmp_path)
    joblib.dump(TABLES, tmp_path / "model.joblib")
    # When it is compared, then it is not passed over in silence
    with pytest.raises(ArtifactCorrupt):
        against(tmp_path, judged)


def test_a_champion_of_an_older_layout_is_compared_by_its_figures(
    by_hand: Path, judged: tuple[Artifact, Decided, Applications], tmp_path: Path
) -> None:
    # Given an artifact in a format version that this code cannot read
    shutil.copytree(by_hand, tmp_path, dirs_exist_ok=True)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "format_version": 0}))
    # When it is compared, then its figures are
    found = against(tmp_path, judged)
    assert found["same_rows"] is False
    assert found["accuracy"] is not None


@pytest.mark.parametrize("manifest", [{}, {"contract": None}, {"contract": {"name": "Applicant"}}], ids=str)
def test_a_manifest_without_a_contract_has_no_identity(manifest: dict[str, Any]) -> None:
    assert identity_of(manifest) is None


def test_the_identity_is_that_of_the_carried_contract(small: TrainingRun) -> None:
    written = json.loads((small.directory / "manifest.json").read_text())
    assert identity_of(written) == contract_identity(small.manifest["contract"]["json_schema"])
