"""A release is built on AWS's base or on none; a stand-in for Docker pulls nothing."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Answers, has no image, and cannot pull one.
DOCKER = """#!/bin/sh
case "$1" in
  version) echo 28 ;;
  pull) echo "Error: i/o timeout" >&2; exit 1 ;;
  *) exit 1 ;;
esac
"""


@pytest.mark.parametrize("image", ["inference", "training"])
def test_where_a_base_is_required_no_stand_in_takes_its_place(image: str, by_hand: Path, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "REQUIRE_BASE": "true",
        "ARTIFACTS": str(by_hand),
        "IMAGE_FACTS": str(tmp_path),
    }

    words = [str(ROOT / "scripts/images.sh"), image]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 1
    assert "cannot be pulled, and REQUIRE_BASE allows no stand-in" in done.stderr
    assert "Next: " in done.stderr
