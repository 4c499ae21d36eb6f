"""A marker skips tests that cannot run here; in continuous integration, a skip is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SKIPS = {
    "in-a-test": "import pytest\ndef test_one():\n    pytest.skip('no emulator here')\n",
    "by-a-marker": "import pytest\n@pytest.mark.skip(reason='no emulator here')\ndef test_one(): pass\n",
    "of-a-whole-file": "import pytest\npytest.skip('no emulator here', allow_module_level=True)\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_one(): assert False\n"
# Neither its fixture nor the test itself may run.
MARKED = """
import pytest
@pytest.fixture(scope="session")
def image(): raise AssertionError
@pytest.mark.docker
def test_one(image): pass
"""
DEAD_ENGINE = "unix:///nonexistent"


def outcome(text: str, directory: Path, ci: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one test file with this project's hooks."""
    (directory / "test_sample.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "tests.conftest", "-p", "no:cacheprovider", str(directory)]
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", SKIPS.values(), ids=SKIPS)
def test_a_skip_is_a_failure_in_ci_that_says_what_is_missing(text: str, tmp_path: Path) -> None:
    # Given a test that skips itself, when it runs in CI, then it fails with the skip's reason
    in_ci = outcome(text, tmp_path, "true")
    assert in_ci.returncode not in (0, 5), in_ci.stdout
    assert "no emulator here" in in_ci.stdout


@pytest.mark.parametrize(
    "text", [SKIPS["in-a-test"], EXPECTED_FAILURE], ids=["skip-at-a-desk", "expected-failure-in-ci"]
)
def test_other_outcomes_stay_the_same(text: str, tmp_path: Path) -> None:
    # Given a skip at a desk or an expected failure in CI, when the test ends, then nothing has failed
    ended = outcome(text, tmp_path, "true" if text is EXPECTED_FAILURE else "")
    assert ended.returncode == 0, ended.stdout


def test_the_docker_marker_skips_if_no_engine_answers(tmp_path: Path) -> None:
    # Given a test with the marker, when it runs at a desk without an engine, then it is skipped, and says why
    skipped = outcome(MARKED, tmp_path, "", DOCKER_HOST=DEAD_ENGINE)
    assert skipped.returncode == 0, skipped.stdout
    assert "1 skipped" in skipped.stdout
    assert "needs" in skipped.stdout
    # And in CI it fails
    failed = outcome(MARKED, tmp_path, "true", DOCKER_HOST=DEAD_ENGINE)
    assert failed.returncode == 1, failed.stdout
    assert "Docker" in failed.stdout
