"""One training run opens its artifact twice and writes each file once; nothing is read back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from model.commands import main
from model.data.generator import generate
from tests.serving import ROOT
from tests.trainings import CONTRACTS

if TYPE_CHECKING:
    from pathlib import Path

# Trains, and prints how often each file and an artifact were opened. An audit hook sees every file that an interpreter
# opens. It cannot be removed, hence another interpreter.
COUNTED = """
import collections, json, os, sys

counted = collections.Counter()

def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
        writing = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        counted[("write " if writing else "read ") + os.path.basename(os.fspath(arguments[0]))] += 1

sys.addaudithook(hook)
from lambda_app import artifact
from model.commands import main

def counting(opening):
    def counted_opening(*arguments):
        counted["opened"] += 1
        return opening(*arguments)
    return counted_opening

# `load` opens files, `opened` opens bytes in memory; neither calls the other.
artifact.load, artifact.opened = counting(artifact.load), counting(artifact.opened)
code = main(["train", "--no-track", *sys.argv[1:]])
print(json.dumps({"code": code, **counted}))
"""
WRITTEN = (
    "model.joblib",
    "pipeline.joblib",
    "metrics.json",
    "gate.json",
    "model_metrics.html",
    "shared_env_variables.txt",
    "manifest.json",
)


@pytest.fixture
def contract(tmp_path: Path) -> str:
    """The small contract with its limits, in a separate directory."""
    shutil.copy(CONTRACTS / "small.py", tmp_path / "counted.py")
    shutil.copy(CONTRACTS / "limits.json", tmp_path / "limits.json")
    return f"{tmp_path / 'counted.py'}:Applicant"


@pytest.mark.parametrize("form", ["scorecard", "sklearn"])
def test_opens_its_artifact_twice_and_reads_nothing_back(form: str, contract: str, tmp_path: Path) -> None:
    # Given applications
    generate(4_000, 5).to_csv(tmp_path / "applications.csv", index=False)
    words = ["--contract", contract, "--data", str(tmp_path / "applications.csv"), "--out", str(tmp_path / "out")]
    # When a model is trained
    ended = subprocess.run(
        [sys.executable, "-c", COUNTED, *words, "--format", form],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    counted = json.loads(ended.stdout.splitlines()[-1])
    # Then the artifact was opened to judge it and to check it on disk, and the limits were read once
    assert counted["code"] == 0
    assert counted["opened"] == 2
    assert counted["read limits.json"] == 1
    # And each file was written once; only what the self-check reads was read again
    assert {name: counted[f"write {name}"] for name in WRITTEN} == dict.fromkeys(WRITTEN, 1)
    read = {name for name in WRITTEN if f"read {name}" in counted}
    assert read == {"manifest.json", "model.joblib"}
    assert {counted[f"read {name}"] for name in read} == {1}


@pytest.mark.parametrize("command", ["train", "gate", "export", "evaluate"])
def test_missing_limits_end_a_command_before_any_data_is_read(
    command: str, contract: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    # Given a contract without limits, and data that cannot be read either
    (tmp_path / "limits.json").unlink()
    words = [command, "--contract", contract]
    if command != "gate":
        words += ["--data", str(tmp_path / "nowhere.csv")]
    if command in ("train", "export"):
        words += ["--out", str(tmp_path / "out")]
    if command != "train":
        words += ["--artifact", str(request.getfixturevalue("small").directory)]
    # When the command is run
    code = main(words)
    # Then the error names the missing limits, by their path and expected content
    error = capsys.readouterr().err
    assert code == 1
    assert error.startswith(f"GateError: {tmp_path / 'limits.json'}: no such file. Write the model's limits there")
    assert not (tmp_path / "out").exists()
