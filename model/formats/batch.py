"""Scores many applications at once with an exported artifact: the offline batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from lambda_app import artifact
from lambda_app.formats.scorecard import Scorecard
from lambda_app.formats.sklearn import Estimator
from lambda_app.reasons import MOST
from model.contract.fields import FieldSpec, core_schema_of
from model.data.applications import Applications
from model.data.encoding import values_of
from model.data.rejects import DataError
from model.formats.bins import bins_of

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

# Rows scored at a time: their columns stay in the processor's cache.
CHUNK = 65_536


class BatchScorer:
    """The artifact's arithmetic on columns; row for row the same decisions as the service makes.

    Parameters
    ----------
    directory : Path
        An artifact. The service's own loader opens and checks it, and nothing is read beside what that has checked.

    Raises
    ------
    lambda_app.errors.ArtifactError
        The artifact cannot be trusted or read.
    """

    def __init__(self, directory: Path) -> None:
        loaded = artifact.load(str(directory))
        self.manifest = loaded.manifest
        scorer = loaded.scorer
        self._edges = [np.array(field["edges"]) if "edges" in field else None for field in scorer.fields]
        self._words = [len(field.get("words", ())) for field in scorer.fields]
        self._estimator = scorer if isinstance(scorer, Estimator) else None
        if isinstance(scorer, Scorecard):
            self._intercept = scorer.tables["intercept"]
            self._points = [np.array(field["points"]) for field in scorer.tables["fields"]]
            self._reference: Floats = np.array(self.manifest["reference"]["points"])

    def bins(self, matrix: Floats) -> list[Numbers]:
        """The bin of each row, one array of shape (n,) for each field.

        Parameters
        ----------
        matrix : ndarray of float64, shape (n, fields)
            As `model.data.Applications.matrix`.
        """
        columns = zip(matrix.T, self._edges, self._words, strict=True)
        return [bins_of(column, edges, words) for column, edges, words in columns]

    def probabilities(self, matrix: Floats) -> Floats:
        """The probability of being creditworthy, shape (n,)."""
        if self._estimator is not None:
            # A pipeline refuses to be asked about nothing.
            estimated: Floats = self._estimator.probabilities(matrix) if len(matrix) else np.empty(0)
            return estimated
        scores = np.full(len(matrix), self._intercept)
        for points, numbers in zip(self._points, self.bins(matrix), strict=True):
            scores += points[numbers]
        probabilities: Floats = 1.0 / (1.0 + np.exp(-scores))
        return probabilities

    def approved(self, probabilities: Floats) -> NDArray[np.bool_]:
        """The decision for each probability."""
        decisions: NDArray[np.bool_] = probabilities >= self.manifest["threshold"]
        return decisions

    def reason_codes(self, matrix: Floats, specs: tuple[FieldSpec, ...]) -> list[str]:
        """The reason codes of each row as if it were denied, weightiest first, joined by a semicolon."""
        codes = np.array([field["code"] for field in self.manifest["contract"]["fields"]])
        if self._estimator is not None:
            found = [self._estimator.shortfalls(values_of(row, specs), []) for row in matrix]
            shortfalls = np.array(found).reshape(len(matrix), len(specs))
        else:
            numbers = self.bins(matrix)
            shortfalls = self._reference - np.stack(
                [points[number] for points, number in zip(self._points, numbers, strict=True)], axis=1
            )
        ranked = np.argsort(-shortfalls, axis=1, kind="stable")[:, :MOST]
        return [";".join(codes[places[row[places] > 0]]) for row, places in zip(shortfalls, ranked, strict=True)]


def decide(scorer: BatchScorer, asked: Applications) -> pd.DataFrame:
    """Decide every application.

    Returns
    -------
    DataFrame
        One line an application, in the file's order: `row` (the first below the header is 1), `prediction`,
        `decision`, `probability`, `reasons` (codes of a denial, weightiest first), `model_version`.

    Raises
    ------
    DataError
        The applications were checked with another contract than the artifact's: the service would refuse some of
        them, or read a column or a word as another.
    """
    checked_with = core_schema_of(asked.fields)["fields"]
    carried = scorer.manifest["contract"]["core_schema"]["fields"]
    if list(checked_with.items()) != list(carried.items()):
        raise DataError("the artifact carries another contract; name the one that it was trained with")
    parts = []
    starts = range(0, max(1, len(asked.matrix)), CHUNK)  # no applications are one empty chunk
    for start in tqdm(starts, desc="score", unit=" chunks", delay=2, leave=False, disable=None):
        matrix = asked.matrix[start : start + CHUNK]
        probabilities = scorer.probabilities(matrix)
        approved = scorer.approved(probabilities)
        reasons = np.full(len(approved), "", dtype=object)
        reasons[~approved] = scorer.reason_codes(matrix[~approved], asked.fields)
        parts.append(
            pd.DataFrame(
                {
                    "row": asked.accepted[start : start + CHUNK] + 1,
                    "prediction": approved.astype(np.int64),
                    "decision": np.where(approved, "approve", "deny"),
                    "probability": probabilities,
                    "reasons": reasons,
                    "model_version": scorer.manifest["model_version"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
