"""Models of other frameworks, taken over by the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.applicant import Applicant
from model.commands import main
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.fit.splitting import split
from scripts.frameworks import DIRECTIONS, ROWS, SEED, judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).parent
RECORDED = ("keras", "lightgbm", "xgboost")
FRAMEWORKS = (*RECORDED, "forest")


def adopt(name: str, directory: Path) -> tuple[Path, NDArray[np.float64]]:
    """Take a framework's model over; its artifact, and the framework's own predictions on `judged()`."""
    file = HERE / f"{name}.onnx"
    if name == "forest":
        file = directory / "forest.onnx"
        predictions = forest(file)
    else:
        predictions = np.load(HERE / f"{name}.npy")
    out = directory / name
    assert main(["adopt", "--onnx", str(file), "--rows", str(ROWS), "--seed", str(SEED), "--out", str(out)]) == 0
    return out, predictions


def forest(file: Path) -> Any:
    """scikit-learn's random forest, written as ONNX; its own predictions."""
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    known = check_frame(generate(ROWS, SEED), Applicant, source="frameworks", dated="2026-01-01")
    training, _ = split(known, TrainingSettings(seed=SEED))
    matrix = training.matrix.astype(np.float32)
    model = RandomForestClassifier(
        40, min_samples_leaf=20, max_features=None, monotonic_cst=list(DIRECTIONS), random_state=SEED
    ).fit(matrix, training.approved.astype(int))
    file.write_bytes(to_onnx(model, matrix[:1], options={"zipmap": False}).SerializeToString())
    return model.predict_proba(judged().astype(np.float32))[:, 1]
