"""Decides a file of applications offline, with the same results as the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from lambda_app.reasons import MOST, by_bin
from model.contract.fields import core_schema_of
from model.contract.reasons import SEPARATOR
from model.data.rejects import DataError
from model.fit.estimates import cells
from model.formats import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Reason
    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]

# Rows scored at a time, so that their columns stay in the processor's cache.
CHUNK = 65_536


@dataclass(frozen=True)
class Outcomes:
    """The different outcomes of some rows.

    Attributes
    ----------
    which : ndarray of intp, shape (n,)
        The outcome of each row, by its place in the other lists.
    approved : ndarray of bool, shape (outcomes,)
    probabilities : ndarray of float64, shape (outcomes,)
    reasons : list of str
        The codes of a denial, largest shortfall first, joined by semicolons.
    """

    which: Numbers
    approved: NDArray[np.bool_]
    probabilities: Floats
    reasons: list[str]


class BatchDecider:
    """Decides many applications at once, with the same results as the service.

    Parameters
    ----------
    opened : Artifact
    """

    def __init__(self, opened: Artifact) -> None:
        manifest = opened.manifest
        self._columns = find(manifest["format"]).columns(opened)
        self._reasons = by_bin(manifest["contract"]["fields"], opened.scorer.fields)
        self._least_share = manifest["reference"].get("least_share", 0.0)
        self._threshold = manifest["threshold"]

    def decide(self, matrix: Floats) -> Outcomes:
        """Decide rows of `Applications.matrix`. Where bins decide, each combination of bins is decided once."""
        if self._columns.by_bin:
            which, first = cells(self._columns.bins(matrix), len(matrix))
            matrix = matrix[first]
        else:
            which = np.arange(len(matrix))
        probabilities = self._columns.probabilities(matrix)
        approved = probabilities >= self._threshold
        codes = np.full(len(approved), "", dtype=object)
        denied = matrix[~approved]
        codes[~approved] = reason_codes(
            self._reasons, self._columns.bins(denied), self._columns.shortfalls(denied), self._least_share
        )
        return Outcomes(which, approved, probabilities, codes.tolist())


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
    decider = BatchDecider(opened)
    parts = []
    # Even without applications there is one (empty) chunk, so that the result has its columns.
    starts = range(0, max(1, len(applications.matrix)), CHUNK)
    for start in tqdm(starts, desc="score", unit=" chunks", delay=2, leave=False, disable=None):
        found = decider.decide(applications.matrix[start : start + CHUNK])
        approved = found.approved[found.which]
        parts.append(
            pd.DataFrame(
                {
                    "row": applications.accepted[start : start + CHUNK] + 1,
                    "prediction": approved.astype(np.int64),
                    "decision": np.where(approved, "approve", "deny"),
                    "probability": found.probabilities[found.which],
                    "reasons": np.array(found.reasons, dtype=object)[found.which],
                    "model_version": opened.manifest["model_version"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def reason_codes(
    reasons: Sequence[Sequence[Reason]], bins: Sequence[Numbers], shortfalls: Floats, least_share: float = 0.0
) -> list[str]:
    """The reason codes of each denied row, joined by semicolons; the same as from `lambda_app.reasons.principal`.

    Parameters
    ----------
    reasons : sequence of sequence of Reason
        What each bin of each field can give, from `lambda_app.reasons.by_bin`.
    bins : sequence of ndarray of intp, shape (n,)
        The bins of each field.
    shortfalls : ndarray of float64, shape (n, fields)
    least_share : float
        The least share of the sum of all shortfalls that a reason after the first must explain.

    Examples
    --------
    >>> few, low = ({"code": code, "field": code.title(), "text": code} for code in ("FEW", "LOW"))
    >>> first_bins = [np.array([0, 0]), np.array([0, 0])]
    >>> reason_codes([[few], [low]], first_bins, np.array([[0.5, 2.0], [-1.0, 1.0]]))
    ['LOW;FEW', 'LOW']
    """
    # Each code has a number from 1; 0 is no code.
    numbers: dict[str, int] = {}
    given: NDArray[np.int64] = np.empty(shortfalls.shape, dtype=np.int64)
    for place, of_field in enumerate(reasons):
        by_number = [numbers.setdefault(reason["code"], len(numbers) + 1) for reason in of_field]
        given[:, place] = np.array(by_number)[bins[place]]
    total = np.zeros(len(shortfalls))
    for column in shortfalls.T:  # in the service's order, so that the last digit is the same
        total += np.maximum(column, 0.0)
    # Where fields share codes, a repeated one makes room for a field after the fourth.
    shared = len(numbers) < sum(len({reason["code"] for reason in of_field}) for of_field in reasons)
    width = len(reasons) if shared else MOST
    ranked = np.argsort(-shortfalls, axis=1, kind="stable")[:, :width]
    short = np.take_along_axis(shortfalls, ranked, axis=1)
    enough = short >= (least_share * total)[:, np.newaxis]
    enough[:, 0] = True
    given = np.where(enough & (short > 0), np.take_along_axis(given, ranked, axis=1), 0)
    if shared:
        given = _once(given)[:, :MOST]
    # Few distinct lists occur, so each is encoded as one number, and written once.
    powers = (len(numbers) + 1) ** np.arange(given.shape[1], dtype=np.int64)
    which, distinct = pd.factorize(given @ powers)
    codes = ["", *numbers]
    lists = distinct[:, np.newaxis] // powers % len(codes)
    written = [SEPARATOR.join(codes[number] for number in row if number) for row in lists.tolist()]
    return [written[number] for number in which.tolist()]


def _once(given: NDArray[np.int64]) -> NDArray[np.int64]:
    """The codes of each row without those that it already has, moved up; 0 is no code."""
    once = given.copy()
    for place in range(1, given.shape[1]):
        once[(given[:, :place] == given[:, place : place + 1]).any(axis=1), place] = 0
    found: NDArray[np.int64] = np.take_along_axis(once, np.argsort(once == 0, axis=1, kind="stable"), axis=1)
    return found
