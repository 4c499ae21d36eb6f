"""The images that are compared, all on the same base image.

They hold an empty handler, this service, scikit-learn and joblib alone, and everything that the public tutorial
installs.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import joblib
from sklearn.tree import DecisionTreeClassifier

from benchmarks.contenders import FIELDS, TREE_ROWS
from benchmarks.lambda_process import BenchmarkError
from benchmarks.search_path import ROOT
from model.data.generator import generate

HANDLERS = ROOT / "benchmarks" / "handlers"
SERVICE, EMPTY, LEAN, TUTORIAL = (f"ccapproval-bench-{name}" for name in ("service", "empty", "sklearn", "tutorial"))
BASE_LABEL = "org.opencontainers.image.base.name"

_EMPTY = """
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY empty_handler.py ./
CMD ["empty_handler.handler"]
"""
# As in the tutorial: everything in one stage, compiled by pip; but the wheels are left out of the image.
_TUTORIAL = """
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS installed
COPY wheels /wheels
RUN python3 -m pip install --quiet --root-user-action=ignore --no-index --find-links /wheels --target /task PACKAGES
FROM ${BASE_IMAGE}
COPY --from=installed /task/ ./
COPY tutorial_handler.py tree.joblib ./
ENV MODEL_FILE=/var/task/tree.joblib
CMD ["tutorial_handler.handler"]
"""


def base_of(image: str) -> str:
    """The image that an image of this project was built on, by its label."""
    return _run("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{BASE_LABEL}"}}}}', image).strip()


def build_service(artifacts: Path) -> str:
    """Build this service's image, and return the name of its base image."""
    environ = {"ARTIFACTS": str(artifacts), "IMAGE": SERVICE, "PYTHON": sys.executable}
    with tempfile.TemporaryDirectory() as facts:
        _run("scripts/images.sh", "inference", IMAGE_FACTS=facts, **environ)
    return base_of(SERVICE)


def build_empty(base: str) -> None:
    """Build the baseline: an empty handler."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copy(HANDLERS / "empty_handler.py", name)
        _build(EMPTY, base, Path(name), _EMPTY)


def build_lean(base: str) -> None:
    """Build the tutorial's handler with scikit-learn and joblib alone."""
    _build_tutorial(LEAN, base, "inference-sklearn", "scikit-learn joblib")


def build_tutorial(base: str) -> None:
    """Build the tutorial's handler with everything that the tutorial installs."""
    _build_tutorial(TUTORIAL, base, "tutorial", "--require-hashes --requirement /wheels/tutorial.txt")


def _build_tutorial(image: str, base: str, lock: str, packages: str) -> None:
    wheels = _run("scripts/wheels.sh", lock, PYTHON=sys.executable).strip()
    with tempfile.TemporaryDirectory() as name:
        context = Path(name)
        shutil.copytree(ROOT / wheels, context / "wheels")
        shutil.copy(ROOT / "requirements" / f"{lock}.txt", context / "wheels")
        shutil.copy(HANDLERS / "tutorial_handler.py", context)
        table = generate(TREE_ROWS, 0)
        # Fitted on an array, because it is served one.
        rows = table[FIELDS].to_numpy("float32")
        tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows, table["Target"].to_numpy())
        joblib.dump(tree, context / "tree.joblib")
        _build(image, base, context, _TUTORIAL.replace("PACKAGES", packages))


def _build(image: str, base: str, context: Path, dockerfile: str) -> None:
    (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    options = ("--quiet", "--network", "none", "--platform", f"linux/{machine}")
    _run("docker", "build", *options, "--build-arg", f"BASE_IMAGE={base}", "--tag", image, str(context))


def _run(*words: str, **environ: str) -> str:
    done = subprocess.run(words, cwd=ROOT, env=os.environ | environ, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(words[:2])} failed: {done.stderr.strip()[-1000:]}")
    return done.stdout
