"""The offline batch: half a million applications, scored by the artifact's tables and by the pipeline behind them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import joblib
import numpy as np

from benchmarks.lambda_process import BenchmarkError
from benchmarks.samples import SAMPLES
from lambda_app import artifact
from model.data.generator import generate
from model.formats import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Scorer = Callable[[NDArray[np.float64]], NDArray[np.float64]]

ROWS = 500_000
SEED = 1
TOLERANCE = 1e-9


def scorers(artifacts: Path) -> dict[str, Scorer]:
    """The contenders: the artifact's `tables`, and the `pipeline` from which they were read."""
    opened = artifact.load(str(artifacts))
    pipeline = joblib.load(artifacts / "pipeline.joblib")
    return {
        "tables": find(opened.manifest["format"]).columns(opened).probabilities,
        "pipeline": lambda rows: pipeline.predict_proba(rows)[:, 1],
    }


def rows_per_second(compared: dict[str, Scorer], repeats: int) -> dict[str, list[float]]:
    """Score the same rows with both, taking turns.

    Parameters
    ----------
    compared : dict
        As returned by `scorers`.
    repeats : int

    Returns
    -------
    dict
        For `tables` and `pipeline`: rows per second in each repeat.

    Raises
    ------
    BenchmarkError
        They give different probabilities for any row.
    """
    matrix = generate(ROWS, SEED)[list(SAMPLES["approve"])].to_numpy("float64")
    # All rows, as the page says. `not … <` also catches a NaN.
    if not np.abs(compared["tables"](matrix) - compared["pipeline"](matrix)).max() < TOLERANCE:
        raise BenchmarkError("the tables and the pipeline give different probabilities")
    measured: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(repeats):
        for name, probabilities in compared.items():
            started = time.perf_counter()
            probabilities(matrix)
            measured[name].append(ROWS / (time.perf_counter() - started))
    return measured
