"""The training image under SageMaker's and Vertex AI's mounts trains the same model as this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.data.generator import generate
from tests.pipeline.harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

ROWS = 30_000


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated applications as a CSV."""
    path = tmp_path_factory.mktemp("data") / "applications.csv"
    generate(ROWS, 0).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def digest(applications: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the model that `python -m model train` makes from them on this machine."""
    out = tmp_path_factory.mktemp("here")
    words = [sys.executable, "-m", "model", "train", "--data", str(applications), "--out", str(out)]
    subprocess.run(words, cwd=ROOT, check=True, timeout=600)
    return str(_manifest(out)["digest"])


def _manifest(directory: Path) -> Any:
    return json.loads((directory / "manifest.json").read_text())


def _train(image: str, mounts: dict[Path, str], *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    words = [word for here, there in mounts.items() for word in ("--volume", f"{here}:{there}")]
    words += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    return subprocess.run(
        ["docker", "run", "--rm", "--network", "none", *words, image, "train", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def _sagemaker(root: Path, csv: str | None, hyperparameters: dict[str, str]) -> Path:
    (root / "input/config").mkdir(parents=True)
    (root / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    for name in ("model", "output"):
        (root / name).mkdir()
    if csv is not None:
        (root / "input/data/training").mkdir(parents=True)
        (root / "input/data/training/applications.csv").write_text(csv)
    return root


def test_sagemaker_s_channel(training_image: str, applications: Path, digest: str, tmp_path: Path) -> None:
    root = _sagemaker(tmp_path / "ml", applications.read_text(), {"seed": "0", "sagemaker_job_name": '"job"'})

    done = _train(training_image, {root: "/opt/ml"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert _manifest(root / "model")["digest"] == digest
    assert not (root / "output/failure").exists()


def test_sagemaker_without_a_channel(training_image: str, digest: str, tmp_path: Path) -> None:
    root = _sagemaker(tmp_path / "ml", None, {"rows": str(ROWS)})

    done = _train(training_image, {root: "/opt/ml"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert _manifest(root / "model")["digest"] == digest


def test_vertex_s_buckets(training_image: str, applications: Path, digest: str, tmp_path: Path) -> None:
    lines = applications.read_text().splitlines(keepends=True)
    for part in range(2):
        name = f"training-0000{part}-of-00002.csv"
        (tmp_path / name).write_text("".join([lines[0], *lines[1:][part * ROWS // 2 : (part + 1) * ROWS // 2]]))

    done = _train(
        training_image,
        {tmp_path: "/gcs/bank"},
        "--seed=0",
        AIP_MODEL_DIR="gs://bank/run/model/",
        AIP_TRAINING_DATA_URI="gs://bank/training-*",
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert _manifest(tmp_path / "run/model")["digest"] == digest


def test_a_model_that_the_gate_denies_fails_the_job_with_the_rule(training_image: str, tmp_path: Path) -> None:
    frame = generate(ROWS, 0)
    frame["Target"] = np.random.default_rng(0).permutation(frame["Target"].to_numpy())
    root = _sagemaker(tmp_path / "ml", frame.to_csv(index=False), {})

    done = _train(training_image, {root: "/opt/ml"})

    assert done.returncode == 3
    heading, first, *_ = (root / "output/failure").read_text().splitlines()
    assert heading == "training ended with exit code 3"
    assert first.startswith("DENIED by rule ")
    assert not list((root / "model").rglob("*.joblib"))


def test_a_job_that_cannot_start_says_why(training_image: str, tmp_path: Path) -> None:
    root = _sagemaker(tmp_path / "ml", None, {"no_such_setting": "1"})

    done = _train(training_image, {root: "/opt/ml"})

    assert done.returncode == 2
    assert "--no-such-setting" in (root / "output/failure").read_text()
