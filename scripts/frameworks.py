"""Fits models of other frameworks and writes them as ONNX, with each framework's own predictions: `make frameworks`.

    python -m scripts.frameworks data build/frameworks             in the development environment
    python -m scripts.frameworks fit build/frameworks DIRECTORY    where the frameworks are installed

The tests adopt and serve these files, and compare. They need no framework themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ROWS, JUDGED, SEED = 20_000, 10_000, 0
# How more of each field may move the decision: the directions of the default contract.
DIRECTIONS = (-1, 1, 1, 1)


def write_data(directory: Path) -> None:
    """The rows that train, and others to compare predictions on."""
    from model.applicant import Applicant
    from model.data.applications import check_frame
    from model.data.generator import generate
    from model.fit.settings import TrainingSettings
    from model.fit.splitting import split

    known = check_frame(generate(ROWS, SEED), Applicant, source="frameworks", dated="2026-01-01")
    training, _ = split(known, TrainingSettings(seed=SEED))
    directory.mkdir(parents=True, exist_ok=True)
    np.savez(
        directory / "data.npz",
        matrix=training.matrix.astype(np.float32),
        approved=training.approved.astype(np.int64),
        rows=judged().astype(np.float32),
    )


def judged() -> Any:
    """The rows to compare predictions on, shape (n, 4)."""
    from model.applicant import Applicant
    from model.data.applications import check_frame
    from model.data.generator import generate

    others = generate(JUDGED, SEED + 1)
    return check_frame(others, Applicant, source="frameworks", dated="2026-01-01").matrix


def lightgbm(matrix: Floats, approved: Any, rows: Floats) -> tuple[bytes, Any]:
    """Gradient boosting by LightGBM."""
    from lightgbm import LGBMClassifier
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = LGBMClassifier(n_estimators=60, num_leaves=8, monotone_constraints=list(DIRECTIONS), random_state=SEED)
    model.fit(matrix, approved)
    types = [("input", FloatTensorType([None, matrix.shape[1]]))]
    onnx = convert_lightgbm(model, initial_types=types, zipmap=False, target_opset=15)
    return onnx.SerializeToString(), model.predict_proba(rows)[:, 1]


def xgboost(matrix: Floats, approved: Any, rows: Floats) -> tuple[bytes, Any]:
    """Gradient boosting by XGBoost."""
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=60, max_depth=3, monotone_constraints=DIRECTIONS, random_state=SEED)
    model.fit(matrix, approved)
    onnx = convert_xgboost(model, initial_types=[("input", FloatTensorType([None, matrix.shape[1]]))], target_opset=15)
    return onnx.SerializeToString(), model.predict_proba(rows)[:, 1]


def keras(matrix: Floats, approved: Any, rows: Floats) -> tuple[bytes, Any]:
    """A small network by Keras and TensorFlow, monotone since no weight is negative."""
    import tempfile

    import keras as k

    k.utils.set_random_seed(SEED)
    signs = np.array(DIRECTIONS, dtype=np.float32)
    positive = k.constraints.NonNeg()
    start = k.initializers.RandomUniform(0.0, 0.5, seed=SEED)
    layers = [
        k.layers.Dense(width, activation, kernel_constraint=positive, kernel_initializer=start)
        for width, activation in ((16, "tanh"), (8, "tanh"), (1, "sigmoid"))
    ]
    scale = signs / (matrix.std(axis=0) + 1e-9)
    shift = -matrix.mean(axis=0) * scale
    model = k.Sequential([k.Input((matrix.shape[1],)), k.layers.Rescaling(scale.tolist(), shift.tolist()), *layers])
    model.compile(k.optimizers.Adam(0.01), "binary_crossentropy")
    model.fit(matrix, approved, epochs=40, batch_size=256, verbose=0)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model.onnx"
        model.export(path, format="onnx", verbose=False)
        return path.read_bytes(), model.predict(rows, verbose=0)[:, 0]


FRAMEWORKS = {"lightgbm": lightgbm, "xgboost": xgboost, "keras": keras}


def main(arguments: list[str]) -> int:
    """Write the data, or fit the models."""
    if arguments[0] == "data":
        write_data(Path(arguments[1]))
        return 0
    data = np.load(Path(arguments[1]) / "data.npz")
    out = Path(arguments[2])
    out.mkdir(parents=True, exist_ok=True)
    for name, fit in FRAMEWORKS.items():
        content, predictions = fit(data["matrix"], data["approved"], data["rows"])
        (out / f"{name}.onnx").write_bytes(content)
        np.save(out / f"{name}.npy", np.asarray(predictions, dtype=np.float64))
        sys.stdout.write(f"  {out / name}.onnx: {len(content):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
