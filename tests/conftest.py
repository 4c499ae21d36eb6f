"""Shared fixtures, and the markers: what each needs, and why continuous integration must not skip any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.serving import ROOT, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from lambda_app.artifact import Artifact
    from model.data.applications import Applications
    from model.run import TrainingRun

# No deadline, because the machine may be busy. In CI the same examples each time, at a desk new ones.
settings.register_profile("project", deadline=None, derandomize=os.environ.get("CI") == "true", print_blob=True)
settings.load_profile("project")
BUILD_SECONDS = 1500
EMULATOR = ROOT / ".venv" / "aws-lambda-rie"


@cache
def missing(marker: str) -> str | None:
    """What this machine lacks for a test with this marker; checked once, before the first such test."""
    match marker:
        case "docker" if shutil.which("docker") is None:
            return "needs Docker, which is not installed"
        case "docker" if subprocess.run(["docker", "version"], capture_output=True).returncode:
            return "needs a Docker engine, and none answers"
        case "rie" if not EMULATOR.exists():
            return "needs the runtime interface emulator: make .venv/aws-lambda-rie"
        case "browser" if not (shutil.which("chromium") or shutil.which("google-chrome")):
            return "needs Chromium: apt-get install chromium"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test, before any fixture starts, if this machine lacks what its marker needs."""
    for marker in item.iter_markers():
        if reason := missing(marker.name):
            pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all Docker tests on one worker: on a single engine, two builds or two clouds at once gain nothing."""
    for item in items:
        if item.get_closest_marker("docker"):
            item.add_marker(pytest.mark.xdist_group("docker"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """In CI, a skip is a failure: otherwise nobody would notice that a test no longer runs."""
    return _unskipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """The same for a file that skips itself while it is collected."""
    return _unskipped((yield))


def _unskipped(report: Any) -> Any:
    """Turn a skip into a failure that says what is missing; leave an expected failure alone."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"Skipped, which in CI is a failure: {report.longrepr[-1]}"
    return report


@pytest.fixture(scope="session")
def image_facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `build` writes the facts about images, so that a developer's own are not overwritten."""
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="session")
def build(image_facts: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """`build(which, image, **environ)` runs `scripts/images.sh`; at the end the images are removed."""
    built = set()
    defaults = {"PYTHON": sys.executable, "IMAGE_FACTS": str(image_facts)}

    def run(which: str, image: str, **environ: object) -> subprocess.CompletedProcess[str]:
        built.add(image)
        variables = os.environ | defaults | {key: str(value) for key, value in environ.items()}
        variables["IMAGE" if which == "inference" else "TRAINING_IMAGE"] = image
        command = [str(ROOT / "scripts" / "images.sh"), which]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=BUILD_SECONDS)

    yield run
    for image in built:
        subprocess.run(["docker", "rmi", "--force", image], capture_output=True)


@pytest.fixture(scope="session")
def training_image(build: Callable[..., subprocess.CompletedProcess[str]]) -> str:
    """The training image."""
    image = f"images-test-training-{os.getpid()}"
    done = build("training", image)
    assert done.returncode == 0, done.stderr
    return image


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of the default contract with points written by hand."""
    from tests.artifacts import write_by_hand  # here and below: only the fixtures that train import what trains

    directory = tmp_path_factory.mktemp("by-hand")
    write_by_hand(directory)
    return directory


@pytest.fixture(scope="session")
def service(by_hand: Path) -> Service:
    """The handler with the hand-written artifact."""
    return Service(by_hand)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A trained scorecard of the default contract."""
    from tests.trainings import train_small

    return train_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A trained scorecard of a contract with every kind of field."""
    from tests.trainings import train_mixed

    return train_mixed(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="session")
def mixed_sklearn(mixed: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """The same model in format `sklearn`."""
    from tests.trainings import as_sklearn

    return as_sklearn(mixed, tmp_path_factory.mktemp("mixed-sklearn"))


@pytest.fixture(scope="session")
def example() -> tuple[Artifact, Applications]:
    """The model of the example's contract, and the applications that it was trained on."""
    from tests.trainings import export_example

    return export_example()


@pytest.fixture(params=["small", "mixed", "example"])
def explaining(request: pytest.FixtureRequest) -> tuple[Artifact, Applications]:
    """A model of each contract, and the applications that it was trained on."""
    found: tuple[Artifact, Applications] | TrainingRun = request.getfixturevalue(request.param)
    return found if isinstance(found, tuple) else (found.assessment.artifact, found.candidate.training)
