"""`.ci/run` on machines that lack something: what it installs and starts, as which user, and what it stops."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
# Programs that the script may use without checking for them; everything else on PATH is faked.
SYSTEM = ("bash", "cat", "dirname", "env", "find", "id", "mkdir", "rm", "seq", "sleep", "tail", "touch")
FAKED = ("make", "git", "curl", "shellcheck", "chromium", "mmdebstrap", "python3", "apt-get")
# docker answers once its daemon runs; sudo runs its command; each program records its calls.
DOCKER = '[ -e "$STATE/engine" ]'
DOCKERD = """
while [ "$1" != --pidfile ]; do shift; done
echo $$ >"$2"; touch "$STATE/engine"
trap 'rm "$STATE/engine"; exit 0' TERM
while :; do sleep 0.05; done
"""
SUDO = '[ "$1" = --preserve-env ] && shift; exec "$@"'


class Machine:
    """A directory with a copy of the script, and a PATH of fake programs."""

    def __init__(self, root: Path) -> None:
        self.root, self.path = root, root / "bin"
        self.path.mkdir()
        (root / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/run", root / ".ci/run")
        for name in (*SYSTEM, "kill"):
            (self.path / name).symlink_to(str(shutil.which(name)))
        for name in FAKED:
            self.fakes(name)
        self.fakes("docker", DOCKER)
        self.fakes("dockerd", DOCKERD)
        self.fakes("sudo", SUDO)

    def fakes(self, name: str, script: str = "") -> None:
        """Put a program on PATH that records its calls."""
        self.path.joinpath(name).write_text(f'#!/bin/sh\necho "{name} $*" >>"$STATE/calls"\n{script}\n')
        self.path.joinpath(name).chmod(0o755)

    def lacks(self, name: str) -> None:
        """Remove a program."""
        self.path.joinpath(name).unlink()

    def run(self, *, as_root: bool) -> list[str]:
        """Every call except `docker info`, in order."""
        for directory in (self.root, self.path, self.root / ".ci"):
            directory.chmod(0o777)
        environ = {"PATH": str(self.path), "STATE": str(self.root)}
        user = NOBODY if os.geteuid() == 0 and not as_root else None
        done = subprocess.run(
            [self.root / ".ci/run"], env=environ, user=user, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [call for call in (self.root / "calls").read_text().splitlines() if not call.startswith("docker ")]

    def engine_runs(self) -> bool:
        """Whether the fake Docker engine is running."""
        return (self.root / "engine").exists()


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine that has everything, but whose Docker engine is not running."""
    # Not below tmp_path, which other users may not enter.
    with tempfile.TemporaryDirectory() as name:
        yield Machine(Path(name))


def test_a_machine_that_has_everything_is_left_as_it_is(machine: Machine) -> None:
    # Given a machine that has everything, with a running engine
    (machine.root / "engine").touch()
    # When the gate runs
    calls = machine.run(as_root=False)
    # Then it only runs its make targets
    targets = [call for call in calls if call.startswith("make ")]
    without_engine = "make test CI= DOCKER_HOST=unix:///nonexistent PYTEST_ADDOPTS=-m docker"
    assert targets == ["make run", "make lint", without_engine, "make test", "make --silent cloud-down"]
    assert machine.engine_runs()
    assert not [call for call in calls if "dockerd" in call or "kill" in call]
    assert not [call for call in calls if "apt-get install" in call and not re.search("awscli|postgresql", call)]


def test_a_user_installs_and_starts_with_sudo_and_stops_what_was_started(machine: Machine) -> None:
    # Given a user whose machine lacks a program
    machine.lacks("shellcheck")
    # When the gate runs
    calls = machine.run(as_root=False)
    # Then it installs that program and starts the engine with sudo, and stops the engine
    [install] = [call for call in calls if call.startswith("sudo") and "apt-get install" in call]
    assert " shellcheck " in install
    assert "mmdebstrap" not in install
    assert [call for call in calls if call.startswith("sudo --preserve-env dockerd")]
    assert [call for call in calls if call.startswith("sudo --preserve-env kill")]
    assert not machine.engine_runs()


def test_root_needs_no_sudo(machine: Machine) -> None:
    # Given the same machine, and whichever user runs these tests: root in .ci/run at a desk, a plain user on a runner
    machine.lacks("shellcheck")
    # When the gate runs
    calls = machine.run(as_root=True)
    # Then only a plain user needs sudo
    assert [call for call in calls if call.startswith("apt-get install") and " shellcheck " in call]
    assert bool([call for call in calls if call.startswith("sudo ")]) == (os.geteuid() != 0)
    assert not machine.engine_runs()


@pytest.mark.parametrize(("status", "needed"), [(0, False), (6, True)], ids=["answers", "unreachable"])
def test_the_stand_ins_tool_is_installed_only_if_aws_registry_does_not_answer(
    machine: Machine, status: int, needed: bool
) -> None:
    # Given a machine without the tool, and a registry that answers or does not
    machine.lacks("mmdebstrap")
    machine.fakes("curl", f"exit {status}")
    # When the gate runs, then the tool is installed only if the registry does not answer
    calls = machine.run(as_root=False)
    assert bool([call for call in calls if "apt-get install" in call and "mmdebstrap" in call]) == needed


def test_a_failing_target_ends_the_run_and_the_engine_is_stopped(machine: Machine) -> None:
    # Given a target that fails
    machine.fakes("make", '[ "$1" != lint ]')
    # When the gate runs, then it fails there
    with pytest.raises(AssertionError, match="make lint"):
        machine.run(as_root=False)
    # And it runs no further target, but stops what it started
    calls = (machine.root / "calls").read_text()
    assert "make test" not in calls
    assert "make --silent cloud-down" in calls
    assert not machine.engine_runs()
