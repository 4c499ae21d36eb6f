"""In continuous integration a skipped test has failed."""

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
    "by-a-mark": "import pytest\n@pytest.mark.skip(reason='no emulator here')\ndef test_one(): pass\n",
    "of-a-whole-file": "import pytest\npytest.skip('no emulator here', allow_module_level=True)\n",
}
EXPECTED_FAILURE = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_one(): assert False\n"


def outcome(text: str, directory: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under this project's hooks."""
    (directory / "test_sample.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", str(directory)]
    environ = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("text", SKIPS.values(), ids=SKIPS)
def test_skip_is_a_failure_in_ci_and_says_what_is_missing(text: str, tmp_path: Path) -> None:
    in_ci = outcome(text, tmp_path, "true")
    assert in_ci.returncode not in (0, 5), in_ci.stdout
    assert "no emulator here" in in_ci.stdout


@pytest.mark.parametrize(
    "text", [SKIPS["in-a-test"], EXPECTED_FAILURE], ids=["skip-at-a-desk", "expected-failure-in-ci"]
)
def test_other_outcomes_stay_what_they_are(text: str, tmp_path: Path) -> None:
    ended = outcome(text, tmp_path, "true" if text is EXPECTED_FAILURE else "")
    assert ended.returncode == 0, ended.stdout
