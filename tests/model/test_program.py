"""`python -m model` as a program: help is fast, and any terminal can show its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from model.commands import COMMANDS, INTERRUPTED, main
from model.data.generator import generate
from tests.serving import ROOT

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from model.run import TrainingRun

# Runs the program, and prints the top-level modules that it has loaded.
LOADED = """
import json, runpy, sys
try:
    runpy.run_module("model", run_name="__main__")
except SystemExit as ended:
    print(json.dumps({"code": ended.code, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
# Each of these takes a tenth of a second or more to import.
HEAVY = {
    "fairlearn",
    "jinja2",
    "joblib",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "regopy",
    "scipy",
    "sklearn",
}


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    # Given a fresh interpreter, when it is asked for help
    ended = subprocess.run([sys.executable, "-c", LOADED, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    # Then it prints help, and has loaded nothing slow
    shown, _, modules = ended.stdout.rstrip().rpartition("\n")
    found = json.loads(modules)
    assert found["code"] == 0
    assert shown.startswith("usage: python -m model")
    assert "argparse" in found["modules"]
    assert HEAVY & set(found["modules"]) == set()


@pytest.mark.parametrize("words", [[], ["train", "--seed", "x"], ["score"]], ids=["no-command", "no-seed", "no-file"])
def test_usage_error_imports_nothing_heavy(words: list[str]) -> None:
    ended = subprocess.run([sys.executable, "-c", LOADED, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(ended.stdout)
    assert found["code"] == 2
    assert HEAVY & set(found["modules"]) == set()


def test_interrupted_command_says_so_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(options: Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "score", interrupt)
    assert main(["score", "--in", "a.csv", "--out", "b.csv"]) == INTERRUPTED
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_a_character_gets_it_spelt_out(encoding: str, small: TrainingRun, tmp_path: Path) -> None:
    # Given so many applications that break the contract that the message ends in an ellipsis
    applications = generate(100, 1)
    applications.loc[:20, "Income"] = -1
    applications.to_csv(tmp_path / "applications.csv", index=False)
    words = [
        "score",
        "--artifact",
        str(small.directory),
        "--in",
        str(tmp_path / "applications.csv"),
        "--max-rejects",
        "1",
    ]
    # When they are scored on a terminal with this encoding, into a file whose name is not ASCII
    ended = subprocess.run(
        [sys.executable, "-m", "model", *words, "--out", str(tmp_path / "entschieden-für-Łódź.csv")],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"},
        capture_output=True,
        check=False,
    )
    # Then the work is done, and the message can be read
    output = ended.stdout.decode(encoding)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "79 applications to" in output
    assert f"6, {'…' if encoding == 'utf-8' else '...'})" in output
    assert (tmp_path / "entschieden-für-Łódź.csv").is_file()
