"""Builds that are refused, and what people read then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.artifacts import write_manifest
from tests.images.conftest import image_exists

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]


def _change(artifact: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    manifest = json.loads((artifact / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    write_manifest(artifact, manifest)


def ungated(artifact: Path) -> None:
    """The gate has not passed it."""
    _change(artifact, lambda manifest: manifest["gate"].update(passed=False))


def gate_by_word(artifact: Path) -> None:
    """The gate's answer is a word that only looks like yes."""
    _change(artifact, lambda manifest: manifest["gate"].update(passed="yes"))


def other_decision(artifact: Path) -> None:
    """A golden case that this model decides otherwise."""
    _change(artifact, lambda manifest: manifest["golden"][0]["response"].update(probability=0.5))


def no_golden_cases(artifact: Path) -> None:
    """There is nothing to compare with."""
    _change(artifact, lambda manifest: manifest["golden"].clear())


def changed_model(artifact: Path) -> None:
    """The model has one byte more than was judged."""
    with (artifact / "model.joblib").open("ab") as file:
        file.write(b"\n")


def no_figures(artifact: Path) -> None:
    """A label's content is missing."""
    _change(artifact, lambda manifest: manifest.pop("metrics"))


def no_model(artifact: Path) -> None:
    """Only the manifest is there."""
    (artifact / "model.joblib").unlink()


def containers() -> set[str]:
    """Every container that the engine keeps, running or not."""
    listed = subprocess.run(["docker", "ps", "--all", "--quiet"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(ungated, "the gate has not passed this model", id="ungated"),
        pytest.param(gate_by_word, "the gate has not passed this model", id="gate-by-word"),
        pytest.param(other_decision, "golden case 0 is not decided as recorded", id="other-decision"),
        pytest.param(no_golden_cases, "no golden cases", id="no-golden-cases"),
        pytest.param(changed_model, "is not the file that the manifest describes", id="changed-model"),
        pytest.param(no_figures, "the image's labels cannot be made", id="no-figures-for-the-labels"),
        pytest.param(no_model, "there is no judged model", id="no-model"),
    ],
)
def test_no_image_is_built_of_an_artifact_that_may_not_serve(
    spoil: Callable[[Path], None],
    said: str,
    artifact: Path,
    build: Callable[..., subprocess.CompletedProcess[str]],
    base: str,
) -> None:
    image, before = f"images-test-refused-{os.getpid()}", containers()
    spoil(artifact)
    done = build("inference", image, ARTIFACTS=artifact, BASE_IMAGE=base)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Next: " in done.stderr
    assert not image_exists(image)
    assert containers() <= before


def test_no_image_is_built_with_another_format_s_dependencies(
    artifact: Path, build: Callable[..., subprocess.CompletedProcess[str]], base: str
) -> None:
    # Given a scorecard whose manifest says sklearn, so that the wrong dependencies would be installed
    _change(artifact, lambda manifest: manifest.update(format="sklearn"))
    image = f"images-test-format-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=artifact, BASE_IMAGE=base)
    assert done.returncode != 0
    assert "does not match its identity" in done.stderr
    assert not image_exists(image)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        pytest.param({"BASE_IMAGE": "images-test-no-such-base:1"}, "cannot be pulled", id="no-such-base"),
        pytest.param({"ARCHITECTURE": "sparc"}, "Lambda runs x86_64 and arm64", id="no-such-architecture"),
    ],
)
def test_what_cannot_be_built_is_named(
    environ: dict[str, str], said: str, artifact: Path, build: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    image = f"images-test-unnamed-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=artifact, **environ)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Next: " in done.stderr


def test_no_image_is_built_with_a_challenger_that_may_not_serve(
    artifact: Path, tmp_path: Path, build: Callable[..., subprocess.CompletedProcess[str]], base: str
) -> None:
    challenger = Path(shutil.copytree(artifact, tmp_path / "challenger"))
    other_decision(challenger)
    image = f"images-test-challenged-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=artifact, CHALLENGER=challenger, BASE_IMAGE=base)
    assert done.returncode != 0
    assert "golden case 0 is not decided as recorded" in done.stderr
    assert not image_exists(image)


def test_a_challenger_decides_in_the_shadow(
    artifact: Path, build: Callable[..., subprocess.CompletedProcess[str]], base: str
) -> None:
    image = f"images-test-shadow-{os.getpid()}"
    done = build("inference", image, ARTIFACTS=artifact, CHALLENGER=artifact, BASE_IMAGE=base)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((artifact / "manifest.json").read_text(encoding="utf-8"))
    request = manifest["golden"][0]["request"]
    program = f"from lambda_app.handler import handler; handler({request!r}, None)"
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", program]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = (json.loads(line) for line in printed.splitlines() if '"event":"decision"' in line)
    assert line["challenger"]["model_version"] == manifest["model_version"]
    assert line["challenger"]["prediction"] == line["prediction"]
