"""`python -m model` on small data: what it writes, what it prints, and its exit codes 0, 1 and 3."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lambda_app import artifact
from lambda_app.decision import Decider
from lambda_app.selfcheck import check
from model.commands import main
from model.data.generator import generate
from tests.serving import ROOT
from tests.trainings import CONTRACTS, SMALL

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = {
    "model.joblib",
    "pipeline.joblib",
    "manifest.json",
    "metrics.json",
    "gate.json",
    "model_metrics.html",
    "shared_env_variables.txt",
}
FIELDS = ["Num_Children", "Income", "Own_Car", "Own_Housing"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of labelled applications."""
    path = tmp_path_factory.mktemp("data") / "applications.csv"
    generate(4_000, 5).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact that the command line trained."""
    out = tmp_path_factory.mktemp("artifacts") / "made" / "here"
    assert run("train", "--no-track", "--data", data, "--out", out) == 0
    return out


def run(*arguments: object, contract: str = SMALL) -> int:
    """Run one command, with the small contract if the command takes one."""
    command, *rest = map(str, arguments)
    return main([command, *([] if command == "score" else ["--contract", contract]), *rest])


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory, by its relative path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def strict(tmp_path: Path, **limits: float) -> str:
    """The small contract under stricter limits."""
    place = tmp_path / "strict"
    place.mkdir()
    shutil.copy(CONTRACTS / "small.py", place / "contract.py")
    known = json.loads((CONTRACTS / "limits.json").read_text())
    (place / "limits.json").write_text(json.dumps(known | limits))
    return f"{place / 'contract.py'}:Applicant"


def test_training_leaves_an_artifact_that_may_serve(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == WRITTEN
    assert "gate passed" in check(str(trained))
    manifest = json.loads((trained / "manifest.json").read_text())
    assert manifest["data"]["rows"] == 4_000
    assert manifest["data"]["source"] == "applications.csv"
    assert (
        json.loads((trained / "gate.json").read_text())["decision"]
        == manifest["gate"]
        == {"passed": True, "denials": []}
    )
    assert json.loads((trained / "metrics.json").read_text())["scorecard"] == manifest["metrics"]


def test_variables_are_the_manifests_figures(trained: Path) -> None:
    manifest = json.loads((trained / "manifest.json").read_text())
    lines = (trained / "shared_env_variables.txt").read_text().splitlines()
    variables = dict(line.split("=") for line in lines)
    assert float(variables["ACCURACY"]) == pytest.approx(manifest["metrics"]["accuracy"], abs=1e-5)
    gap = manifest["metrics"]["equal_opportunity_gap"]
    assert float(variables["EQUAL_OPPORTUNITY_FAIRNESS_PERCENT"]) == pytest.approx(gap * 100, abs=1e-3)
    assert variables["MODEL_VERSION"] == manifest["model_version"]


def test_denied_training_exits_with_3_and_publishes_nothing_deployable(
    data: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given an artifact in service, and limits that no model meets
    out = tmp_path / "out"
    shutil.copytree(trained, out)
    before = contents(out)
    contract = strict(tmp_path, minimum_accuracy=0.999)
    # When a second one is trained in its place
    code = run("train", "--no-track", "--data", data, "--out", out, contract=contract)
    # Then the first is unchanged, and the second leaves only reports
    assert code == 3
    assert "DENIED by rule accuracy" in capsys.readouterr().out
    after = contents(out)
    assert {name: content for name, content in after.items() if not name.startswith("rejected/")} == before
    rejected = {name.removeprefix("rejected/") for name in after if name.startswith("rejected/")}
    assert rejected == {name for name in WRITTEN if not name.endswith(".joblib")}
    assert json.loads(after["rejected/manifest.json"])["gate"]["passed"] is False


def test_first_training_that_is_denied_leaves_no_artifact(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert (
        run("train", "--no-track", "--data", data, "--out", out, contract=strict(tmp_path, minimum_group_size=10**6))
        == 3
    )
    assert [path.name for path in out.iterdir()] == ["rejected"]
    assert not list(out.rglob("*.joblib"))


def test_passed_training_removes_the_reports_of_a_rejected_one(data: Path, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "rejected").mkdir(parents=True)
    (out / "rejected" / "gate.json").write_text("{}")
    assert run("export", "--artifact", trained, "--data", data, "--out", out) == 0
    assert {path.name for path in out.iterdir()} == WRITTEN


def test_export_in_another_format_decides_the_same(data: Path, trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("export", "--artifact", trained, "--data", data, "--out", out, "--format", "sklearn") == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["format"] == "sklearn"
    assert manifest["parity"]["different_decisions"] == 0
    original, exported = (Decider(artifact.load(str(place))) for place in (trained, out))
    for values in generate(60, 6)[FIELDS].to_dict("records"):
        ours, theirs = original.decide(values, "id").answer, exported.decide(values, "id").answer
        assert ours["decision"] == theirs["decision"]
        assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-9)


def test_export_of_other_data_is_refused(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    generate(500, 9).to_csv(other, index=False)
    assert run("export", "--artifact", trained, "--data", other, "--out", tmp_path / "out") == 1
    assert "not the data that the model was trained on" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_score_decides_a_file_as_the_service_does(trained: Path, tmp_path: Path, suffix: str) -> None:
    # Given a file of applications without outcomes, one of them broken
    applications = generate(300, 7)[FIELDS]
    applications.loc[3, "Income"] = -1
    source, target = tmp_path / f"applications.{suffix}", tmp_path / f"decided.{suffix}"
    applications.to_csv(source, index=False) if suffix == "csv" else applications.to_parquet(source)
    # When it is scored
    assert run("score", "--artifact", trained, "--in", source, "--out", target) == 0
    # Then each row has the service's own decision and reasons
    scored = pd.read_csv(target, keep_default_na=False) if suffix == "csv" else pd.read_parquet(target)
    assert list(scored["row"]) == list(range(1, 301))
    assert scored["refused"][3] == "Income:greater_than_equal"
    assert scored["decision"][3] == "refused"
    scored = scored.drop(index=3).astype({"prediction": int, "probability": float})
    decider = Decider(artifact.load(str(trained)))
    records = applications.to_dict("records")
    assert set(scored["decision"]) == {"approve", "deny"}
    for line in scored.to_dict("records"):
        decision = decider.decide(records[line["row"] - 1], "id").answer
        assert line["prediction"] == decision["prediction"]
        assert line["decision"] == decision["decision"]
        assert line["probability"] == decision["probability"]
        assert line["reasons"] == ";".join(reason["code"] for reason in decision["reasons"])
        assert line["model_version"] == decision["model_version"]


@pytest.mark.parametrize(
    ("accuracy", "code", "expected"), [(0.0, 0, "passed"), (1.0, 3, "DENIED by rule champion")], ids=["worse", "better"]
)
def test_gate_compares_with_the_champions_figures(
    trained: Path, tmp_path: Path, accuracy: float, code: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    champion, manifest = tmp_path / "champion.json", json.loads((trained / "manifest.json").read_text())
    figures = manifest["metrics"] | {"accuracy": accuracy, "equal_opportunity_gap": 0.9}
    champion.write_text(json.dumps(manifest | {"metrics": figures}))
    assert run("gate", "--artifact", trained, "--champion", champion) == code
    assert expected in capsys.readouterr().out


def test_gate_compares_with_the_champion_on_the_same_rows(
    data: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given the artifact in service, and the data that it was trained on
    words = ["--artifact", trained, "--champion", trained, "--data", data]
    # When the same model is to replace it, then both decide the hold-out, and neither is worse
    assert run("gate", *words) == 0
    assert "the hold-out of the training data, 800 of 4,000 rows" in capsys.readouterr().out


def test_gate_needs_data_to_compare_on_the_same_rows(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gate", "--artifact", trained, "--champion", trained) == 1
    assert "needs its own data" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "NaN"])
def test_champion_that_is_not_a_manifest_stops_the_gate(
    trained: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    champion = tmp_path / "champion.json"
    champion.write_text(text)
    assert run("gate", "--artifact", trained, "--champion", champion) == 1
    assert capsys.readouterr().err.startswith("GateError: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "--data", "nowhere.csv"], "UnreadableFile"),
        (["train", "--contract", "nowhere:Class"], "ContractError"),
        (["train", "--contract", SMALL], "DataError"),
        (["evaluate", "--rows", "10", "--artifact", "nowhere"], "ArtifactMissing"),
        (["gate", "--artifact", "nowhere"], "GateError"),
        (["train", "--no-track", "--rows", "5", "--out", "nowhere"], "TrainingError"),
    ],
    ids=["no-data", "no-contract", "no-data-for-a-contract", "no-artifact", "no-manifest", "too-few-rows"],
)
def test_work_that_cannot_be_done_exits_with_1_and_says_why(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[Any],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith(f"{expected}: ")
    assert "Traceback" not in error
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("corrupt", ["model.joblib", "manifest.json"])
def test_corrupt_artifact_scores_nothing(trained: Path, tmp_path: Path, corrupt: str, data: Path) -> None:
    broken = tmp_path / "artifact"
    shutil.copytree(trained, broken)
    (broken / corrupt).write_bytes(b"\x80\x04]\x94.")
    assert run("score", "--artifact", broken, "--in", data, "--out", tmp_path / "out.csv") == 1
    assert not (tmp_path / "out.csv").exists()


def test_program_ends_with_the_exit_code_of_its_command(trained: Path) -> None:
    def code(*arguments: str) -> int:
        command = [sys.executable, "-m", "model", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode

    assert code("gate", "--contract", SMALL, "--artifact", str(trained)) == 0
    assert code("gate", "--contract", SMALL, "--artifact", "nowhere") == 1
    # The default contract's limits require larger groups than this artifact was judged on.
    assert code("gate", "--artifact", str(trained)) == 3


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert all(f"  {command} " in output for command in ("train", "evaluate", "gate", "export", "score"))
