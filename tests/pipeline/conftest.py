"""A local cloud in which an earlier model is in service."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from moto.server import ThreadedMotoServer

from scripts.emulator import free_port
from tests.pipeline.harness import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.run import TrainingRun


@pytest.fixture(scope="session")
def scans() -> Iterator[str]:
    """The address of moto's server, which stands in for ECR's scanner."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def cloud(
    small: TrainingRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The host and port of a local cloud whose function serves an earlier, smaller model."""
    port = free_port()
    earlier = f"pipeline-test-earlier:{port}"
    environment = os.environ | {
        "CLOUD_PORT": str(port),
        "IMAGE": earlier,
        "IMAGE_FACTS": str(tmp_path_factory.mktemp("images")),
        "ARTIFACTS": str(small.directory),
        "TRAINING_IMAGE": "pipeline-test-none",
    }
    subprocess.run([ROOT / "scripts/images.sh", "inference"], env=environment, check=True, timeout=900)
    try:
        subprocess.run([ROOT / "scripts/cloud_up.sh"], env=environment, check=True, timeout=900)
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([ROOT / "scripts/cloud_down.sh"], env=environment, check=True, timeout=120)
        shutil.rmtree(ROOT / f"build/cloud-{port}", ignore_errors=True)
        subprocess.run(["docker", "rmi", "--force", earlier], check=True, capture_output=True)
