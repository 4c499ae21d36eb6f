"""The image that trains and tests."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lambda_app.selfcheck import check
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

# An ordinary user without privileges or a network, who may write only to the mount and to /tmp.
HARDENED = ("--rm", "--network=none", "--cap-drop=ALL", "--read-only", "--tmpfs=/tmp")

# The directories of tests that Dockerfile_Training_Testing copies, and some of the quicker tests in them: all of them
# take minutes, and run here anyway.
INSIDE = ("*.py", "lambda_app/**/*.py", "model/**/*.py", "notebook/*.py")
RUN_INSIDE = [
    "tests/test_imports.py",
    "tests/lambda_app/test_decisions.py",
    "tests/lambda_app/web/test_envelopes.py",
    "tests/model/data/test_data.py",
    "tests/model/judge/test_gate.py",
    "tests/model/report/test_page.py",
]


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


def test_plain_pytest_collects_what_can_run_inside(training_image: str) -> None:
    done = run(training_image, "pytest", "--collect-only", "-q")

    assert done.returncode == 0, done.stdout + done.stderr
    collected = {line.partition("::")[0] for line in done.stdout.splitlines() if "::" in line}
    here = {
        str(path.relative_to(ROOT))
        for pattern in INSIDE
        for path in (ROOT / "tests").glob(pattern)
        if path.name.startswith("test_")
    }
    assert collected == here


def test_tests_pass_inside_without_a_skip(training_image: str) -> None:
    # In CI a skip is a failure, so these tests have everything they need.
    done = run(training_image, "env", "CI=true", "pytest", "-q", *RUN_INSIDE)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
