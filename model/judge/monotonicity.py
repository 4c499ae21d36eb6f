"""Checks on sampled pairs of applicants that the model respects the direction of each field."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from model.formats import find

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Monotonicity
    from model.data.applications import Applications

    Floats = NDArray[np.float64]

# At least this many, divided evenly among the fields that have a direction.
PAIRS = 100_000


def monotonicity(opened: Artifact, judged: Applications, seed: int) -> Monotonicity:
    """Count the pairs of applicants that the model ranks against a field's direction.

    The two applicants of a pair differ in one field that has a direction: one is a judged applicant, the other has
    another applicant's value in that field. The two values always differ, and neither is missing.

    Parameters
    ----------
    opened : Artifact
    judged : Applications
    seed : int
        Seeds the sampling.

    Returns
    -------
    Monotonicity
        `pairs` is 0 if no field with a direction has two different values.
    """
    directed = [place for place, spec in enumerate(judged.fields) if spec.monotonic]
    known = {place: np.sort(judged.matrix[~np.isnan(judged.matrix[:, place]), place]) for place in directed}
    varied = [place for place in directed if len(known[place]) and known[place][0] < known[place][-1]]
    generator = np.random.default_rng(seed)
    columns = find(opened.manifest["format"]).columns(opened)
    pairs = violations = 0
    for place in varied:
        rows = np.flatnonzero(~np.isnan(judged.matrix[:, place]))
        one = judged.matrix[generator.choice(rows, ceil(PAIRS / len(varied)))]
        other = one.copy()
        other[:, place] = _different(one[:, place], known[place], generator)
        rise = np.sign(other[:, place] - one[:, place])
        change = columns.probabilities(other) - columns.probabilities(one)
        pairs += int(np.count_nonzero(rise))
        violations += int(np.count_nonzero(rise * change * judged.fields[place].monotonic < 0))
    return {"directed_fields": len(directed), "pairs": pairs, "violations": violations}


def _different(values: Floats, known: Floats, generator: np.random.Generator) -> Floats:
    """For each value, a different one drawn from a sorted column."""
    first = np.searchsorted(known, values, side="left")
    same = np.searchsorted(known, values, side="right") - first
    drawn = generator.integers(0, len(known) - same)
    drawn += np.where(drawn >= first, same, 0)
    found: Floats = known[drawn]
    return found
