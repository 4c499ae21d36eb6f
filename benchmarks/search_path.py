"""The module search path that all contenders share: the handlers, this project, and what they need installed.

It contains nothing else that a developer has installed: scikit-learn imports pandas if it finds it, which would make
the tutorial's way slower than in its leanest image.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ROOT / "build" / "benchmarks" / "installed"
RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")
SERVICE = ("pydantic-core", "typing-extensions")
TUTORIAL = ("joblib", "cloudpickle", "scikit-learn", "scipy", "numpy", "narwhals", "threadpoolctl")
ONNX = ("onnxruntime", "flatbuffers", "protobuf", "packaging")


@cache
def python_path() -> str:
    """The path in the form of PYTHONPATH; installed packages are linked, not copied."""
    shutil.rmtree(INSTALLED, ignore_errors=True)
    INSTALLED.mkdir(parents=True)
    for name in (*RUNTIME, *SERVICE, *TUTORIAL, *ONNX):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            link = INSTALLED / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return os.pathsep.join(str(path) for path in (ROOT / "benchmarks" / "handlers", ROOT, INSTALLED))
