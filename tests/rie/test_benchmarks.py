"""The benchmarks measure a function that does what it should, and refuse any other."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.contenders import Contender
from benchmarks.lambda_process import BenchmarkError, live
from benchmarks.search_path import python_path

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

# One worker: each process lays out the search path anew.
pytestmark = [pytest.mark.rie, pytest.mark.xdist_group("benchmarks")]


def test_one_life_is_measured(emulator: Path, small: TrainingRun) -> None:
    # Given this service, when one of its lives is measured
    service = Contender("service", "this service", "lambda_app.handler.handler", {"MODEL_DIR": str(small.directory)})
    life = live(emulator, service, 3)
    # Then the cold start took longer than any later request, and the memory is a Python process's, in MB
    assert len(life.warm_ms) == 3
    assert life.cold_ms > max(life.warm_ms) > 0
    assert 5 < life.peak_mb < 100


def test_a_function_that_decides_nothing_is_not_measured(emulator: Path) -> None:
    # Given a function that should approve, and answers a constant
    constant = Contender("constant", "constant", "empty_handler.handler", {})
    # When it is to be measured, then it is refused
    with pytest.raises(BenchmarkError, match="answered"):
        live(emulator, constant, 1)


def test_a_function_that_cannot_start_is_not_measured(emulator: Path) -> None:
    # Given a handler that does not exist, when it is to be measured, then it is refused
    with pytest.raises(BenchmarkError, match="missing_module"):
        live(emulator, Contender("missing", "missing", "missing_module.handler", {}), 1)


def test_the_contenders_find_what_they_need_and_no_more() -> None:
    # Given the search path that all share, when its packages are looked for without this environment's own
    code = "import importlib.util as u; print(*[name for name in {names} if u.find_spec(name)])".format(
        names=("awslambdaric", "pydantic_core", "sklearn", "onnxruntime", "lambda_app", "pandas", "pydantic", "boto3")
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": python_path()},
        capture_output=True,
        text=True,
        check=True,
    )
    # Then what the functions need is there, and what would slow the rivals is not
    assert done.stdout.split() == ["awslambdaric", "pydantic_core", "sklearn", "onnxruntime", "lambda_app"]
