"""A command that takes long says that it is still running, and is otherwise itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ALIVE = str(ROOT / "scripts/alive.sh")


def test_it_says_so_at_least_every_ten_seconds() -> None:
    command = [ALIVE, "resting", "sh", "-c", "sleep 17; echo rested; exit 3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (3, "rested\n")
    assert done.stderr.splitlines() == ["resting: 8 s ...", "resting: 16 s ..."]


def test_it_says_so_although_the_output_goes_to_a_file(tmp_path: Path) -> None:
    command = f"'{ALIVE}' resting sh -c 'sleep 9; echo rested; echo badly >&2' 9>&2 >'{tmp_path}/log' 2>&1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)

    assert done.stderr == "resting: 8 s ...\n"
    assert (tmp_path / "log").read_text() == "rested\nbadly\n"


def test_a_quick_command_says_nothing_and_holds_no_output_open() -> None:
    # It would be held open for the eight seconds to the next word.
    done = subprocess.run([ALIVE, "nothing", "true"], capture_output=True, text=True, check=True, timeout=7)

    assert (done.stdout, done.stderr) == ("", "")
