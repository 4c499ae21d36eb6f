"""Tests that need Docker run on one worker: two clouds at once would remove each other's images."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MARKED = """
import os, pathlib, pytest
@pytest.mark.parametrize("number", range(4))
@pytest.mark.docker
def test_marked(number):
    pathlib.Path(f"{__file__}.{number}.worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_tests_that_need_docker_share_a_worker(tmp_path: Path) -> None:
    # given two files of tests that are marked so, and an engine that answers
    for name in ("test_one.py", "test_two.py"):
        (tmp_path / name).write_text(MARKED)
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    # when they run as `make test` runs them
    options = ["--numprocesses", "2", "--dist", "loadgroup", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    # then one worker has done them all
    assert done.returncode == 0, done.stdout
    workers = [path.read_text() for path in tmp_path.glob("*.worker")]
    assert len(workers) == 8
    assert len(set(workers)) == 1
