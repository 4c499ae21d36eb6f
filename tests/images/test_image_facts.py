"""Each build writes what a release records about its image: facts and a bill of materials."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.images.test_serving_image import inspect

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.run import TrainingRun

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]


def names(bill: dict[str, Any]) -> set[str]:
    """What a bill lists."""
    return {component["name"] for component in bill["components"]}


def read(directory: Path, role: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An image's facts and its bill."""
    facts, bill = ((directory / f"{role}.{suffix}").read_text(encoding="utf-8") for suffix in ("json", "cdx.json"))
    return json.loads(facts), json.loads(bill)


def test_build_without_more_than_uv_leaves_facts_and_bill(
    build: Callable[..., subprocess.CompletedProcess[str]],
    scorecard_image: str,
    base: str,
    mixed: TrainingRun,
    tmp_path: Path,
) -> None:
    # Given only what `make .venv/bin/uv` installs, as in the pipeline's Export Model step
    venv.create(tmp_path / "venv", symlinks=True)
    (tmp_path / "venv/bin/uv").symlink_to(Path(sys.executable).with_name("uv"))
    # When the image is built there
    environ = {"ARTIFACTS": mixed.directory, "BASE_IMAGE": base, "IMAGE_FACTS": tmp_path / "facts"}
    done = build("inference", f"{scorecard_image}-facts", PYTHON=tmp_path / "venv/bin/python", **environ)
    # Then
    assert done.returncode == 0, done.stderr
    facts, bill = read(tmp_path / "facts", "inference")
    identity = inspect(f"{scorecard_image}-facts")["Id"]
    assert facts["id"] == bill["metadata"]["component"]["version"] == identity
    assert facts["identity"] == mixed.manifest["identity"]
    assert {"pydantic_core", "typing_extensions"} <= names(bill)
    assert "scikit-learn" not in names(bill)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None


def test_training_image_is_listed_too(training_image: str, image_facts: Path) -> None:
    facts, bill = read(image_facts, "training")

    assert facts["id"] == bill["metadata"]["component"]["version"] == inspect(training_image)["Id"]
    assert {"scikit-learn", "pandas", "mlflow"} <= names(bill)
