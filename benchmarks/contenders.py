"""The contenders: an empty handler, this service, the tutorial's way, and onnxruntime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import joblib
from skl2onnx import to_onnx
from sklearn.tree import DecisionTreeClassifier

from benchmarks.samples import SAMPLES
from model.data.generator import generate

FIELDS = list(SAMPLES["approve"])
TREE_ROWS = 100_000


@dataclass(frozen=True)
class Contender:
    """One function to measure.

    Parameters
    ----------
    key, label : str
        Its name in the results, and its name for people.
    handler : str
        In Lambda's notation.
    environ : dict
        Its environment variables.
    decides : bool
        Whether it must approve the first sample.
    """

    key: str
    label: str
    handler: str
    environ: dict[str, str]
    decides: bool = True


def contenders(artifacts: Path, build: Path) -> tuple[Contender, ...]:
    """Fit the contenders' models, and list all contenders.

    Parameters
    ----------
    artifacts : Path
        The artifact of the default contract that this service opens.
    build : Path
        The directory for the other contenders' models.
    """
    build.mkdir(parents=True, exist_ok=True)
    table = generate(TREE_ROWS, 0)
    rows = table[FIELDS].to_numpy("float32")
    # Fitted on an array, because it is served one: otherwise the tree would warn about missing names at each request.
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(rows, table["Target"].to_numpy())
    joblib.dump(tree, build / "tree.joblib")
    (build / "tree.onnx").write_bytes(to_onnx(tree, rows[:1], options={"zipmap": False}).SerializeToString())
    return (
        Contender("empty", "empty handler", "empty_handler.handler", {}, decides=False),
        Contender("service", "this service", "lambda_app.handler.handler", {"MODEL_DIR": str(artifacts)}),
        Contender(
            "onnxruntime", "onnxruntime, the tree", "onnx_handler.handler", {"MODEL_FILE": str(build / "tree.onnx")}
        ),
        Contender(
            "tutorial", "joblib + scikit-learn", "tutorial_handler.handler", {"MODEL_FILE": str(build / "tree.joblib")}
        ),
    )
