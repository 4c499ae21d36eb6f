"""Images built by `scripts/images.sh` from artifacts that the tests made."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks.compared_images import base_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from model.run import TrainingRun


def image_exists(image: str) -> bool:
    """Whether the Docker engine has an image of this name."""
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0


@pytest.fixture(scope="session")
def scorecard_image(build: Callable[..., subprocess.CompletedProcess[str]], mixed: TrainingRun) -> str:
    """An image that serves a scorecard."""
    image = f"images-test-scorecard-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=mixed.directory)
    assert done.returncode == 0, done.stderr
    return image


@pytest.fixture(scope="session")
def base(scorecard_image: str) -> str:
    """What that image was built on: AWS's base or its stand-in."""
    return base_of(scorecard_image)


@pytest.fixture(scope="session")
def sklearn_image(build: Callable[..., subprocess.CompletedProcess[str]], mixed_sklearn: TrainingRun, base: str) -> str:
    """An image that serves the same model as a joblib pipeline."""
    image = f"images-test-sklearn-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=mixed_sklearn.directory, BASE_IMAGE=base)
    assert done.returncode == 0, done.stderr
    return image


@pytest.fixture
def artifact(mixed: TrainingRun, tmp_path: Path) -> Path:
    """A copy of a scorecard's artifact, to be spoilt; its path holds a space."""
    directory = tmp_path / "an artifact"
    shutil.copytree(mixed.directory, directory)
    return directory
