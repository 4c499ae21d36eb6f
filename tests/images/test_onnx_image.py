"""Models of other frameworks in the inference image: as challengers, and under the emulator, on 10,000 applications."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.applicant import Applicant
from model.contract.fields import fields_of
from model.data.encoding import values_of
from scripts.emulator import INVOKE
from scripts.frameworks import judged
from tests.onnx.adopting import FRAMEWORKS, adopt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from model.run import TrainingRun

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]
BATCH = 1000
# The applications, as often as Lambda takes at once.
ROWS = [values_of(row, fields_of(Applicant)) for row in judged()]


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """Each framework's artifact, and its own predictions."""
    return {name: adopt(name, tmp_path_factory.mktemp(name)) for name in FRAMEWORKS}


@pytest.fixture(scope="module")
def image(
    build: Callable[..., subprocess.CompletedProcess[str]],
    small: TrainingRun,
    adopted: dict[str, tuple[Path, Any]],
) -> str:
    """A scorecard that is challenged by a network, so that the image can run both."""
    name = f"images-test-onnx-{os.getpid()}"
    done = build("inference", name, ARTIFACTS=small.directory, CHALLENGER=adopted["keras"][0])
    assert done.returncode == 0, done.stderr
    return name


def answers(image: str, *options: str) -> Iterator[Any]:
    """The decisions of all applications by the image under the emulator, and at last the container's log."""
    words = ["docker", "run", "--detach", "--publish", "127.0.0.1::8080", *options, image]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    try:
        port = subprocess.run(["docker", "port", name, "8080"], capture_output=True, text=True, check=True).stdout
        address = f"http://{port.split()[0]}{INVOKE}"
        for start in range(0, len(ROWS), BATCH):
            yield from invoke(address, ROWS[start : start + BATCH])["predictions"]
        yield subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True).stdout
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True)


def invoke(address: str, payload: Any) -> Any:
    """The body of the answer, once the emulator listens."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, json.dumps(payload).encode(), timeout=120) as answer:  # loopback
                return json.loads(json.load(answer)["body"])
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at {address}")


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_the_image_decides_as_the_framework_predicts(
    name: str, image: str, adopted: dict[str, tuple[Path, Any]]
) -> None:
    directory, predictions = adopted[name]
    mounted = ("--volume", f"{directory}:/models:ro", "--env", "MODEL_DIR=/models")
    *decided, _log = answers(image, *mounted)
    threshold = json.loads((directory / "manifest.json").read_text())["threshold"]
    assert len(decided) == 10_000
    assert np.abs(np.array([each["probability"] for each in decided]) - predictions).max() < 1e-6
    assert [each["prediction"] for each in decided] == (predictions >= threshold).astype(int).tolist()


def test_a_network_challenges_a_scorecard(image: str, adopted: dict[str, tuple[Path, Any]]) -> None:
    *decided, log = answers(image)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"event":"decision"')]
    manifest = json.loads((adopted["keras"][0] / "manifest.json").read_text())
    expected = (adopted["keras"][1] >= manifest["threshold"]).astype(int).tolist()
    challenged = [line["challenger"] for line in lines]
    assert len(lines) == len(decided) == 10_000
    assert {each["model_version"] for each in challenged} == {manifest["model_version"]}
    assert [each["prediction"] for each in challenged] == expected
