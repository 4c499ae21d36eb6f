"""The image that trains and tests."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lambda_app.selfcheck import check

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

# A plain user without privileges or a network, who may write to the mount and to /tmp.
HARDENED = ("--rm", "--network=none", "--cap-drop=ALL", "--read-only", "--tmpfs=/tmp")


def run(image: str, *words: str, mount: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`docker run` as whoever runs these tests."""
    options = [f"--user={os.getuid()}:{os.getgid()}"]
    if mount is not None:
        options.append(f"--volume={mount}:/workspace/model/artifacts")
    command = ["docker", "run", *HARDENED, *options, image, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def test_container_trains_into_a_mounted_workspace(training_image: str, tmp_path: Path) -> None:
    done = run(training_image, "train", "--rows", "20000", mount=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"]["rows"] == 20_000
    assert manifest["model_version"] in check(str(tmp_path))


def test_pytest_runs_inside(training_image: str) -> None:
    done = run(
        training_image,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit/test_decisions.py",
        "tests/unit/test_hostile.py",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
