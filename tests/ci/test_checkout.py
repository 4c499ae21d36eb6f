"""A checkout has the repository's bytes, even if git is configured to write Windows line endings."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone as Git for Windows makes it."""
    directory = tmp_path_factory.mktemp("checkout")
    clone = ["git", "clone", "--quiet", "--config", "core.autocrlf=true", str(ROOT), str(directory)]
    subprocess.run(clone, check=True, capture_output=True)
    return directory


def test_no_file_has_windows_line_endings(checkout: Path) -> None:
    # Given such a clone, when git names each file's line endings, then all are LF, or the file is binary
    command = ["git", "-C", str(checkout), "ls-files", "--eol"]
    files = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(files) > 100
    assert [file for file in files if file.split()[1] not in ("w/lf", "w/-text", "w/none")] == []


def test_bash_reads_every_script(checkout: Path) -> None:
    # Given such a clone, when bash reads its scripts, then none has a syntax error
    scripts = [*checkout.glob("scripts/*.sh"), checkout / ".ci" / "run"]
    assert checkout / "scripts" / "deploy.sh" in scripts
    for script in scripts:
        read = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
        assert not read.stderr
