"""Recording with MLflow: everything needed for comparison is recorded, and no failure costs a training run."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from model.commands import main
from model.judge.comparison import models_of
from model.track import Recorder, figures, parameters, tags, without_secrets
from scripts.emulator import free_port
from tests.recorded import LONG, environment, record_two, runs_of
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.manifest import Denial, Figures, Manifest
    from model.run import TrainingRun


@pytest.fixture(scope="module")
def database(small: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local database with two runs."""
    return record_two(small, tmp_path_factory.mktemp("recorded"))


def test_keeps_parameters_metrics_and_tags(small: TrainingRun, database: Path) -> None:
    # given
    manifest = small.manifest

    # when
    run = runs_of(database)[0]

    # then
    assert run["status"] == "FINISHED"
    assert run["params"]["max_iter"] == str(manifest["settings"]["max_iter"])
    assert run["tags"]["data_digest"] == manifest["data"]["digest"]
    assert run["metrics"]["accuracy"] == manifest["metrics"]["accuracy"]
    assert 0 < run["metrics"]["tree/accuracy"] < 1
    assert run["metrics"]["ks"] == manifest["metrics"]["ks"]
    assert run["metrics"]["copied_share"] == manifest["leakage"]["copied_share"]
    assert run["metrics"]["Group/equal_opportunity_difference"] == manifest["metrics"]["equal_opportunity_gap"]
    assert run["tags"]["model_version"] == manifest["model_version"]
    assert run["name"] == f"{manifest['model_version']}, accuracy {manifest['metrics']['accuracy']:.1%}"
    assert run["tags"]["gate"] == "passed"


def test_tags_the_pipeline_if_there_is_one(database: Path) -> None:
    assert [run["tags"].get("pipeline_id") for run in runs_of(database)] == ["first-7", None]


def test_keeps_the_report_and_the_model_with_its_signature(small: TrainingRun, database: Path) -> None:
    # given
    run = runs_of(database)[0]
    kept = next((database.parent / "mlruns").glob(f"*/{run['id']}/artifacts"))

    # when
    described = [file.read_text(encoding="utf-8") for file in (database.parent / "mlruns").rglob("MLmodel")]
    of_run = [text for text in described if run["id"] in text]

    # then
    names = {file.name for file in kept.iterdir()}
    assert {"model_metrics.html", "manifest.json", "metrics.json", "gate.json", "model.joblib"} <= names
    assert len(of_run) == 1
    for spec in small.candidate.training.fields:
        assert f'"name": "{spec.name}"' in of_run[0]


def test_tags_a_rejected_model_with_the_rules_it_broke(mixed: TrainingRun) -> None:
    # given
    denials: list[Denial] = [{"rule": rule, "message": "…"} for rule in ("accuracy", "parity")]
    manifest: Manifest = {**mixed.manifest, "gate": {"passed": False, "denials": denials}}

    # when
    found = tags(manifest)

    # then
    assert found["gate"] == "denied: accuracy, parity"


def test_gives_columns_names_that_mlflow_accepts(small: TrainingRun) -> None:
    # given
    groups = {"Age (years)": small.manifest["metrics"]["groups"]["Group"]}
    manifest: Manifest = {**small.manifest, "metrics": {**small.manifest["metrics"], "groups": groups}}

    # when
    found = figures(manifest, {})

    # then
    assert "Age _years_/adverse_impact_ratio" in found
    assert set(parameters(manifest)) >= {"seed", "data.rows"}


def test_measures_the_estimates_of_every_model(small: TrainingRun) -> None:
    # Given the figures of three models
    models = models_of(small.assessment.metrics)

    # When they are collected
    found = figures(small.manifest, models)

    # Then each has those of its ranking and its estimates
    for name, judged in models.items():
        fit, skill = judged["calibration_fit"], judged["brier_skill"]
        assert fit is not None
        assert skill is not None
        of = "" if name == "scorecard" else f"{name}/"
        assert found[f"{of}calibration_slope"] == fit["slope"]["value"]
        assert found[f"{of}brier_skill"] == skill["value"]
        assert found[f"{of}log_loss"] == judged["log_loss"]
        assert found[f"{of}gini"] == judged["gini"]


def test_leaves_out_what_an_older_artifact_lacks(small: TrainingRun) -> None:
    # Given an artifact from before its estimates were measured, and one whose outcomes are all the same
    lacking = ("calibration_fit", "brier_skill", "log_loss", "ks", "gini")
    older: Any = {key: value for key, value in small.manifest["metrics"].items() if key not in lacking}
    manifest: Any = {key: value for key, value in small.manifest.items() if key != "leakage"}
    same = {**small.manifest["metrics"], **dict.fromkeys(lacking)}

    # When their figures are collected
    found = figures(manifest, {"scorecard": older, "tree": cast("Figures", same)})

    # Then those that are unknown are left out
    assert found["accuracy"] == small.manifest["metrics"]["accuracy"]
    assert not {"ks", "calibration_slope", "tree/gini", "tree/brier_skill", "copied_share"} & set(found)


def test_records_a_missing_date_as_unknown(small: TrainingRun) -> None:
    # given
    manifest: Manifest = {**small.manifest, "data": {**small.manifest["data"], "dated": None}}

    # when
    found = parameters(manifest)

    # then
    assert found["data.dated"] == "unknown"
    assert parameters(small.manifest)["data.dated"] == "2026-01-01"


def test_training_itself_does_not_import_mlflow() -> None:
    code = "import sys, model.__main__; print({name.partition('.')[0] for name in sys.modules} & {'mlflow', 'skops'})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=LONG
    )
    assert done.stdout.strip() == "set()"


def test_a_dead_server_loses_only_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # given
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{free_port()}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    # when
    code = main(["train", "--rows", "12000", "--out", str(tmp_path)])

    # then
    output = capsys.readouterr().out
    assert code == 0
    assert {"manifest.json", "model.joblib", "model_metrics.html"} <= {path.name for path in tmp_path.iterdir()}
    assert "NOT RECORDED: http://127.0.0.1:" in output
    assert f"python -m model track --artifact {tmp_path}" in output
    assert "secret" not in output


HIDDEN = "s3cr3t"
ADDRESSES = [
    f"https://user:{HIDDEN}@host/path",
    f"https://{HIDDEN}@host/path",
    f"https://user:{HIDDEN}/with/slashes@host/path",
    f"https://user:with@at{HIDDEN}@host/path",
    f"https://user:{HIDDEN}?x@host/path",
    f"https://user:{HIDDEN}#x@host/path",
    f"postgresql://user:{HIDDEN}@host:5432/mlflow",
    f"postgresql://user:a/{HIDDEN}@b@host/mlflow?sslmode=require",
    f"postgresql://host/mlflow?user=me&password={HIDDEN}",
    f"mysql+pymysql://user:%2F{HIDDEN}@host/db",
    f"https://host/path?token={HIDDEN}",
    f"https://host/path?a=b&api_key={HIDDEN}&c=d",
    f"https://host/path?{HIDDEN}",
    f"https://host/path#access_token={HIDDEN}",
    f"databricks://user:{HIDDEN}@host",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("said", ["{}", "HTTPConnectionPool({!r}): refused", "cannot open {} (twice: {})"])
def test_no_secret_of_an_address_is_ever_printed(address: str, said: str) -> None:
    assert HIDDEN not in without_secrets(said.format(*[address] * said.count("{")))
    assert "host" in without_secrets(address)


def test_stops_waiting_for_a_server_that_never_answers(small: TrainingRun) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # given
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"

        # when
        with Recorder("Applicant", environment(MLFLOW_TRACKING_URI=uri), seconds=0.5) as recorder:
            message = recorder.record(small.directory)

    # then
    assert message.startswith("NOT RECORDED: MLflow did not answer within 0.5 seconds.")
    assert not recorder.recorded


def test_reports_an_unwritable_folder_at_once(small: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.chdir("/proc")

    # when
    with Recorder("Applicant", environment(), LONG) as recorder:
        message = recorder.record(small.directory)

    # then
    assert message.startswith("NOT RECORDED: sqlite:///mlflow.db: ")
    assert "mlflow.db'" in message


def test_a_training_that_fails_is_recorded_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    monkeypatch.chdir(tmp_path)
    given = environment(MLFLOW_TRACKING_URI="")

    # when
    with (
        pytest.raises(ZeroDivisionError),
        Recorder("Applicant", given, LONG),
    ):
        raise ZeroDivisionError

    # then
    assert [run["status"] for run in runs_of(tmp_path / "mlflow.db")] == ["FAILED"]
