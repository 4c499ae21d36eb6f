"""`make run` trains when it must and only then, each contract into its own directory; make itself is under test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rie.conftest import SECONDS
from tests.serving import ROOT

CONTRACT = "tests/contracts/small.py"

# Plays the environment's Python: `-m model train --out DIR …` leaves a manifest, everything is written down.
PYTHON = """#!/bin/sh
echo "$*" >>"{log}"
if [ "$3" = train ]; then echo '{{}}' >"$5/manifest.json"; fi
"""


class Make:
    """`make` on a copy of the Makefile and its inputs, with an environment that only pretends."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._log = directory / "python.log"
        for name in ("Makefile", "requirements", "model", "lambda_app", "policies", CONTRACT):
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(
                    ROOT / name, directory / name, ignore=shutil.ignore_patterns("artifacts", "__pycache__")
                )
            else:
                shutil.copy2(ROOT / name, directory / name)
        (directory / "data.csv").write_text("", encoding="utf-8")
        environment = directory / ".venv"
        (environment / "bin").mkdir(parents=True)
        (environment / "bin" / "python").write_text(PYTHON.format(log=self._log), encoding="utf-8")
        (environment / "bin" / "python").chmod(0o755)
        for stamp in ("bin/uv", "training", "aws-lambda-rie"):
            (environment / stamp).touch()

    def __call__(self, *arguments: str) -> list[str]:
        """What Python was asked to do on the way, one line a call."""
        self._log.write_text("", encoding="utf-8")
        environ = {"PATH": os.environ["PATH"]}
        subprocess.run(["make", "--silent", *arguments], cwd=self.directory, env=environ, check=True, timeout=SECONDS)
        return self._log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project that has been installed and never run."""
    return Make(tmp_path)


def test_the_second_run_does_not_train(make: Make) -> None:
    # Given a first run, which trains
    assert [line.split()[2] for line in make("run")] == ["train", "--artifacts"]
    # When it is run again, then it only serves
    (served,) = make("run")
    assert served == (
        "-m scripts.serve --artifacts model/artifacts --emulator .venv/aws-lambda-rie --serve-with make serve run"
    )


@pytest.mark.parametrize(
    "changed",
    [
        "model/fit/train.py",
        "model/limits.json",
        "lambda_app/formats/scorecard.py",
        "policies/model_gate.rego",
        ".venv/training",
    ],
)
def test_what_decides_the_model_trains_it_again(make: Make, changed: str) -> None:
    # Given a trained model, and then a change of what it is made by
    make("run")
    later = (make.directory / "model/artifacts/manifest.json").stat().st_mtime_ns + 1_000_000_000
    os.utime(make.directory / changed, ns=(later, later))
    # When it is run again, then it is trained
    assert any(line.startswith("-m model train") for line in make("run"))


def test_other_data_trains_again(make: Make) -> None:
    # Given a model of the generated data
    make("run")
    # When other data is named, then it is trained with them, once
    trained, _ = make("run", "DATA=data.csv")
    assert trained == "-m model train --out model/artifacts --data data.csv"
    assert len(make("run", "DATA=data.csv")) == 1
    # And again without them, by which it was trained first
    assert make("run")[0] == "-m model train --out model/artifacts"


def test_the_date_of_the_data_is_passed_on(make: Make) -> None:
    # Given a model of data whose date nobody said
    make("run", "DATA=data.csv")
    # When it is said, then the model is trained again with it, once
    trained, _ = make("run", "DATA=data.csv", "DATED=2026-01-31")
    assert trained == "-m model train --out model/artifacts --data data.csv --dated 2026-01-31"
    assert len(make("run", "DATA=data.csv", "DATED=2026-01-31")) == 1


def test_a_contract_has_its_own_artifact(make: Make) -> None:
    # Given a model of the default contract
    make("run")
    # When another contract is named
    trained, served = make("run", f"CONTRACT={CONTRACT}:Applicant", "DATA=data.csv")
    # Then its artifact stands beside it, and the hint names the same contract
    out = "tests/contracts/artifacts"
    assert trained == f"-m model train --out {out} --contract {CONTRACT}:Applicant --data data.csv"
    assert f"--artifacts {out} " in served
    assert f"CONTRACT={CONTRACT}:Applicant" in served
    assert "DATA=data.csv" in served
    # And the default's is not touched
    assert len(make("run")) == 1


def test_the_port_is_passed_on(make: Make) -> None:
    # When a port is named, then the service gets it
    assert make("serve", "PORT=9321")[-1].endswith("--port 9321 serve")


@pytest.mark.parametrize("host", ["Darwin", "MINGW64_NT-10.0"])
def test_elsewhere_no_emulator_is_wanted(make: Make, host: str) -> None:
    # Given a machine that is not Linux, and no emulator
    (make.directory / ".venv" / "aws-lambda-rie").unlink()
    # When it is run, then none is fetched, and the service is asked to do without
    assert make("run", f"HOST={host}")[-1].startswith("-m scripts.serve --artifacts model/artifacts --serve-with")
