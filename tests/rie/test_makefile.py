"""`make run` trains only when it must, each contract into its own directory; make itself is under test."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.rie.conftest import SECONDS
from tests.serving import ROOT

CONTRACT = "tests/contracts/small.py"
TRAIN = "scripts/train_if_changed.sh"

# Plays the environment's Python: `-m model train --out DIR …` leaves a manifest, and every call is written down.
PYTHON = """#!/bin/sh
printf '%s\\037' "$@" >>"{log}"; echo >>"{log}"
if [ "$3" = train ]; then mkdir -p "$5"; echo '{{}}' >"$5/manifest.json"; fi
"""
# Where one argument ends, in that log.
END = "\037"


class Make:
    """`make` on a copy of the Makefile and of what it reads, with an environment that only pretends."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._log = directory / "python.log"
        for name in ("Makefile", TRAIN, "requirements", "model", "lambda_app", "policies", CONTRACT):
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
        """Make it; what Python was asked to do on the way, one line a call."""
        return [" ".join(call) for call in self.calls(*arguments)]

    def calls(self, *arguments: str) -> list[list[str]]:
        """The same, with each call's arguments apart."""
        self._log.write_text("", encoding="utf-8")
        self.run(*arguments).check_returncode()
        return [line.split(END)[:-1] for line in self._log.read_text(encoding="utf-8").splitlines()]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Make it, and let it fail."""
        command, environ = ["make", "--silent", *arguments], {"PATH": os.environ["PATH"]}
        return subprocess.run(
            command, cwd=self.directory, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def change(self, name: str) -> None:
        """Make a file newer than the default model."""
        later = (self.directory / "model/artifacts/manifest.json").stat().st_mtime_ns + 1_000_000_000
        os.utime(self.directory / name, ns=(later, later))


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
    # Given a trained model, and then a change of what it is made from
    make("run")
    make.change(changed)
    # When it is run again, then it is trained
    assert any(line.startswith("-m model train") for line in make("run"))


def test_other_data_trains_again(make: Make) -> None:
    # Given a model of the generated data
    make("run")
    # When other data is named, then it is trained with that, once
    trained, _ = make("run", "DATA=data.csv")
    assert trained == "-m model train --out model/artifacts --data data.csv"
    assert len(make("run", "DATA=data.csv")) == 1
    # When it is not named any more, then it is trained without, as at first
    assert make("run")[0] == "-m model train --out model/artifacts"


def test_the_date_of_the_data_is_passed_on(make: Make) -> None:
    # Given a model of data that nobody dated
    make("run", "DATA=data.csv")
    # When a date is given, then the model is trained again with it, once
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


def test_changed_data_trains_again(make: Make) -> None:
    # Given a model of a file
    make("run", "DATA=data.csv")
    # When the file changes, then it is trained again
    make.change("data.csv")
    assert len(make("run", "DATA=data.csv")) == 2


ODD_NAMES = ["with a space", "two  spaces", 'it\'s & "more" (1)', "$HOME $(whoami) `id`", "a;b#c,d%e"]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_may_hold_any_character(make: Make, name: str) -> None:
    # Given a model of the default contract, and a contract with its limits and data in folders with such names
    make("run")
    folder, data = make.directory / f"my {name}", make.directory / f"data {name}.csv"
    folder.mkdir()
    shutil.copy2(make.directory / CONTRACT, folder / "applicant.py")
    (folder / "limits.json").write_text("{}", encoding="utf-8")
    data.write_text("", encoding="utf-8")
    contract = f"{folder.name}/applicant.py:Applicant"
    given = [f"CONTRACT={contract}", f"DATA={data.name}"]
    # When they are named, then the model is trained with them, beside the contract
    trained, served = make.calls("run", *given)
    out = f"{folder.name}/artifacts"
    assert trained == ["-m", "model", "train", "--out", out, "--contract", contract, "--data", data.name]
    assert served[:4] == ["-m", "scripts.serve", "--artifacts", out]
    # And the shell that reads the hint names the same again
    hint = served[served.index("--serve-with") + 1]
    read = subprocess.run(["bash", "-c", f"printf '%s\\n' {hint}"], capture_output=True, text=True, check=True).stdout
    assert read.splitlines() == ["make", "serve", *given]
    # And each of the three files trains it again, and nothing else does
    for changed in (folder / "applicant.py", folder / "limits.json", data):
        assert len(make("run", *given)) == 1
        later = (folder / "artifacts" / "manifest.json").stat().st_mtime_ns + 1_000_000_000
        os.utime(changed, ns=(later, later))
        assert len(make("run", *given)) == 2
        os.utime(changed, ns=(0, 0))
    # And the default's model is not touched
    assert len(make("run")) == 1


@pytest.mark.parametrize(
    "given", ["DATA=no such.csv", "CONTRACT=no such/applicant.py:Applicant"], ids=["data", "contract"]
)
def test_a_file_that_is_missing_is_named(make: Make, given: str) -> None:
    # Given a model of the default contract
    make("run")
    # When a file that does not exist is named, then make says so
    failed = make.run("run", given)
    assert failed.returncode == 2
    assert f"There is no file '{given.partition('=')[2].partition(':')[0]}'" in failed.stderr
    # And the default's model is not touched
    assert len(make("run")) == 1


def test_a_contract_without_limits_is_trained_so_that_training_names_them(make: Make) -> None:
    # Given a contract that has no limits beside it
    (make.directory / "alone.py").write_text("", encoding="utf-8")
    # When it is named, then training is what says that they are missing
    assert make("run", "CONTRACT=alone.py:Applicant")[0].startswith("-m model train --out ./artifacts")


def test_training_that_fails_is_tried_again(make: Make) -> None:
    # Given a model, and training that fails with other data
    make("run")
    python = make.directory / ".venv" / "bin" / "python"
    works = python.read_text(encoding="utf-8")
    python.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    assert make.run("run", "DATA=data.csv").returncode == 2
    # When it can be trained, then it is
    python.write_text(works, encoding="utf-8")
    assert make("run", "DATA=data.csv")[0] == "-m model train --out model/artifacts --data data.csv"


def test_the_port_is_passed_on(make: Make) -> None:
    # When a port is named, then the service gets it
    assert make("serve", "PORT=9321")[-1].endswith("--port 9321 serve")


@pytest.mark.parametrize("host", ["Darwin", "MINGW64_NT-10.0"])
def test_elsewhere_no_emulator_is_wanted(make: Make, host: str) -> None:
    # Given a machine that is not Linux, and no emulator
    (make.directory / ".venv" / "aws-lambda-rie").unlink()
    # When it is run, then none is fetched, and the service is asked to do without
    assert make("run", f"HOST={host}")[-1].startswith("-m scripts.serve --artifacts model/artifacts --serve-with")
