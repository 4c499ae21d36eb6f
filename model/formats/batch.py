"""Decides a file of applications offline, with the same results as the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from lambda_app.reasons import MOST
from model.contract.fields import core_schema_of
from model.data.rejects import DataError
from model.formats import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from model.data.applications import Applications

    Floats = NDArray[np.float64]

# Rows scored at a time, so that their columns stay in the processor's cache.
CHUNK = 65_536


def decide(opened: Artifact, applications: Applications) -> pd.DataFrame:
    """Decide every application.

    Parameters
    ----------
    opened : Artifact
    applications : Applications
        Checked against the contract that the artifact carries.

    Returns
    -------
    DataFrame
        One row per application, in the file's order: `row` (the first below the header is 1), `prediction`,
        `decision`, `probability`, `reasons` (codes of a denial, largest shortfall first), `model_version`.

    Raises
    ------
    DataError
        The applications were checked against another contract: the service might refuse some of them, or mix up
        columns or words.
    """
    checked_with = core_schema_of(applications.fields)["fields"]
    carried = opened.manifest["contract"]["core_schema"]["fields"]
    if list(checked_with.items()) != list(carried.items()):
        raise DataError(
            "these applications were checked against a different contract from the one that the artifact carries"
        )
    columns = find(opened.manifest["format"]).columns(opened)
    codes = [field["code"] for field in opened.manifest["contract"]["fields"]]
    parts = []
    # Even without applications there is one (empty) chunk, so that the result has its columns.
    starts = range(0, max(1, len(applications.matrix)), CHUNK)
    for start in tqdm(starts, desc="score", unit=" chunks", delay=2, leave=False, disable=None):
        matrix = applications.matrix[start : start + CHUNK]
        probabilities = columns.probabilities(matrix)
        approved = probabilities >= opened.manifest["threshold"]
        reasons = np.full(len(approved), "", dtype=object)
        reasons[~approved] = reason_codes(columns.shortfalls(matrix[~approved]), codes)
        parts.append(
            pd.DataFrame(
                {
                    "row": applications.accepted[start : start + CHUNK] + 1,
                    "prediction": approved.astype(np.int64),
                    "decision": np.where(approved, "approve", "deny"),
                    "probability": probabilities,
                    "reasons": reasons,
                    "model_version": opened.manifest["model_version"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def reason_codes(shortfalls: Floats, codes: Sequence[str]) -> list[str]:
    """The reason codes of each denied row, joined by semicolons; the same as from `lambda_app.reasons.principal`.

    Parameters
    ----------
    shortfalls : ndarray of float64, shape (n, fields)
    codes : sequence of str
        The code of each field.

    Examples
    --------
    >>> reason_codes(np.array([[0.5, 2.0, -1.0], [0.0, 1.0, 1.0]]), ["CHILDREN", "INCOME", "CAR"])
    ['INCOME;CHILDREN', 'INCOME;CAR']
    """
    ranked = np.argsort(-shortfalls, axis=1, kind="stable")[:, :MOST]
    counted = np.where(np.take_along_axis(shortfalls, ranked, axis=1) > 0, ranked + 1, 0)
    # Few distinct rankings occur, so each is written once and looked up by a number that encodes it.
    base = shortfalls.shape[1] + 1
    numbers = counted @ base ** np.arange(counted.shape[1], dtype=np.int64)
    _, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    written = [";".join(codes[place - 1] for place in counted[row] if place) for row in first]
    return [written[number] for number in which]
