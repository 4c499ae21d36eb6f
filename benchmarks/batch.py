"""Offline: half a million applications, scored with the artifact's tables and with the pipeline they come from."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from benchmarks.lambda_process import BenchmarkError
from benchmarks.samples import SAMPLES
from model.data.generator import generate
from model.formats.batch import BatchScorer

ROWS = 500_000
SEED = 1
TOLERANCE = 1e-9


def rows_per_second(artifacts: Path, repeats: int) -> dict[str, list[float]]:
    """Score the same rows with both, taking turns.

    Parameters
    ----------
    artifacts : Path
        Holds `pipeline.joblib` beside the artifact.
    repeats : int

    Returns
    -------
    dict
        `tables` and `pipeline`: rows a second in each repeat.

    Raises
    ------
    BenchmarkError
        They give different probabilities to any of the rows.
    """
    matrix = generate(ROWS, SEED)[list(SAMPLES["approve"])].to_numpy("float64")
    pipeline = joblib.load(artifacts / "pipeline.joblib")
    scorers: dict[str, Callable[[Any], Any]] = {
        "tables": BatchScorer(artifacts).probabilities,
        "pipeline": lambda rows: pipeline.predict_proba(rows)[:, 1],
    }
    # Of all rows, since the page says so of all; a NaN is no agreement either.
    if not np.abs(scorers["tables"](matrix) - scorers["pipeline"](matrix)).max() < TOLERANCE:
        raise BenchmarkError("the tables and the pipeline give different probabilities")
    measured: dict[str, list[float]] = {name: [] for name in scorers}
    for _ in range(repeats):
        for name, probabilities in scorers.items():
            started = time.perf_counter()
            probabilities(matrix)
            measured[name].append(ROWS / (time.perf_counter() - started))
    return measured
