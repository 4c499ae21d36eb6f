"""Credentials in MLFLOW_TRACKING_URI: they are neither printed, nor recorded, nor shown by `ps`."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from model import track
from model.track import Recorder, without_secrets
from scripts import experiments
from tests.recorded import LONG, environment, runs_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from model.run import TrainingRun

# Each holds these as parts of its password, and nothing else in it reads like them.
PARTS = ("hush", "mum")
# What may be printed of each URI. Nothing listens on port 9.
SHOWN = {
    "https://user:hush/mum@127.0.0.1:9": "https://127.0.0.1:9",
    "https://user:hush@mum@127.0.0.1:9/mlflow": "https://127.0.0.1:9/mlflow",
    "https://hush:mum@[::1]:9": "https://[::1]:9",
    "https://user:hush?mum@127.0.0.1:9": "https://127.0.0.1:9",
    "https://user:hush#mum@127.0.0.1:9": "https://127.0.0.1:9",
    "https://user:hush%2Fmum@127.0.0.1:9/": "https://127.0.0.1:9/",
    "https://user:hush mum@127.0.0.1:9": "https://127.0.0.1:9",
    "https://user:hush:mum": "https://…",
    "https://127.0.0.1:9/?token=hush&mum=1": "https://127.0.0.1:9/?…",
    "https://127.0.0.1:9/mlflow?hushmum": "https://127.0.0.1:9/mlflow?…",
    "https://127.0.0.1:9/?password=hush@mum": "https://…",
    "https://127.0.0.1:9?password=hush@mum": "https://…",
    "https://127.0.0.1:9/x;password=hush": "https://127.0.0.1:9/x;…",
    "http://user:hush@127.0.0.1:9?password=mum": "http://127.0.0.1:9?…",
    "postgresql://user:hush@mum@127.0.0.1:9/db": "postgresql://127.0.0.1:9/db",
    "postgresql://user:hush/mum@127.0.0.1:9/db": "postgresql://127.0.0.1:9/db",
    "postgresql://127.0.0.1:9/db?user=me&password=hush": "postgresql://127.0.0.1:9/db?…",
    "postgresql://user:hush@one:9,mum:hush@two:9/db": "postgresql://two:9/db",
    "mysql+pymysql://user:hush$mum@127.0.0.1:9/db": "mysql+pymysql://127.0.0.1:9/db",
    "mssql+pyodbc:///?odbc_connect=UID%3Dme%3BPWD%3Dhush": "mssql+pyodbc:///?…",
    "user:hush@127.0.0.1": "127.0.0.1",
    "user:hush": "…",
    "nosuch://user:hush@127.0.0.1/db": "nosuch://127.0.0.1/db",
}
PLAIN = [
    "sqlite:///mlflow.db",
    "sqlite:////srv/my runs/mlflow.db",
    "http://tracking.example:5000/mlflow",
    "http://[::1]:5000",
    "postgresql://db.example/mlflow",
    "databricks",
    "databricks://profile",
    "./mlruns",
    "arn:aws:sagemaker:eu-central-1:123456789012:mlflow-tracking-server/bank",
]


@pytest.fixture(params=SHOWN)
def uri(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A URI with credentials, in the environment."""
    for name in os.environ:
        if name.startswith("MLFLOW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "")
    for name, value in {**track.DEFAULTS, "MLFLOW_TRACKING_URI": request.param}.items():
        monkeypatch.setenv(name, value)
    yield str(request.param)
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


def assert_tells_nothing(text: str, uri: str) -> None:
    assert not [part for part in PARTS if part in text]
    assert SHOWN[uri] in text


def test_shows_what_cannot_be_a_secret(uri: str) -> None:
    assert without_secrets(uri) == SHOWN[uri]


@pytest.mark.parametrize("uri", PLAIN)
def test_shows_all_of_a_uri_without_secrets(uri: str) -> None:
    assert without_secrets(uri) == uri


def test_recording_prints_no_secret_when_it_fails(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = track._record("Applicant")  # what Recorder's process runs

    assert code == 1
    assert_tells_nothing(capfd.readouterr().out, uri)


def test_experiments_print_no_secret_when_mlflow_does_not_answer(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = experiments.main([])

    said = capfd.readouterr()
    assert code == 1
    assert_tells_nothing(said.out + said.err, uri)


def test_experiments_print_no_secret_and_pass_none_as_an_argument(
    uri: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given an experiment on that server or in that database
    started: list[Any] = []

    def become(program: str, arguments: list[str]) -> NoReturn:
        started.extend((program, *arguments))
        raise SystemExit(0)

    monkeypatch.setattr(experiments, "_experiments", lambda: [SimpleNamespace(name="Applicant", experiment_id="1")])
    monkeypatch.setattr(os, "execv", become)

    # When its address is asked for
    with pytest.raises(SystemExit):
        raise SystemExit(experiments.main(["--port", "5001"]))

    # Then a server of MLflow's, if there is one to start, learns of the database from its environment alone
    said = capfd.readouterr()
    assert not [part for part in PARTS if part in said.out + said.err + " ".join(started)]
    assert bool(started) is not uri.startswith("http")
    assert not started or os.environ["MLFLOW_BACKEND_STORE_URI"] == uri


def test_a_secret_is_not_recorded(small: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a database whose URI ends in a value
    monkeypatch.chdir(tmp_path)
    given = environment(MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/mlflow.db?timeout=8675309")

    # When a run is recorded there
    with Recorder("Applicant", given, LONG) as recorder:
        said = recorder.record(small.directory)

    # Then neither the record nor the line about it holds the value
    assert recorder.recorded, said
    assert [run["status"] for run in runs_of(tmp_path / "mlflow.db")] == ["FINISHED"]
    assert said.endswith("/mlflow.db?…")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"8675309" in path.read_bytes()]


def test_what_a_broken_process_said_is_not_shown(tmp_path: Path) -> None:
    # Given a process that ends before it can say anything
    given = environment(MLFLOW_TRACKING_URI="https://user:hush@127.0.0.1:9", PYTHONHOME="/hush")

    # When
    with Recorder("Applicant", given, LONG) as recorder:
        said = recorder.record(tmp_path)

    # Then
    assert "hush" not in said
    assert said.startswith("NOT RECORDED: (its text is not shown")
