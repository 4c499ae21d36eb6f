"""Checks that the model respects the direction of each field: in its tables, or on sampled pairs of applicants."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from model.formats import find

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import FieldPoints, ScorecardTables
    from lambda_app.manifest import Monotonicity
    from model.contract.fields import FieldSpec
    from model.data.applications import Applications

    Floats = NDArray[np.float64]

# At least this many, divided evenly among the fields that have a direction.
PAIRS = 100_000


def monotonicity(opened: Artifact, judged: Applications, seed: int) -> Monotonicity:
    """Count the pairs that the model ranks against a field's direction.

    A missing value has no place in the order, so it is part of no pair.

    Parameters
    ----------
    opened : Artifact
    judged : Applications
    seed : int
        Seeds the sampling, if the format has no tables.

    Returns
    -------
    Monotonicity
        By "tables", the pairs are all neighbouring bins of each field that has a direction, so that 0 violations are a
        proof. Else they are "sampled": each is a judged applicant, once as they are and once with another applicant's
        value in one such field. `pairs` is 0 if no field with a direction has two bins, or two values.
    """
    tables = find(opened.manifest["format"]).tables(opened)
    return _sampled(opened, judged, seed) if tables is None else _in_tables(tables, judged.fields)


def _in_tables(tables: ScorecardTables, fields: tuple[FieldSpec, ...]) -> Monotonicity:
    directed = [(table, spec) for table, spec in zip(tables["fields"], fields, strict=True) if spec.monotonic]
    steps = [np.diff(_in_order(table, spec)) * spec.monotonic for table, spec in directed]
    return {
        "method": "tables",
        "directed_fields": len(directed),
        "pairs": sum(len(step) for step in steps),
        "violations": sum(int(np.count_nonzero(step < 0)) for step in steps),
    }


def _in_order(table: FieldPoints, spec: FieldSpec) -> Floats:
    """The points from the lowest value, or the first word, to the last; without those of a missing value."""
    if "words" in table:
        return np.array([table["points"][table["words"].index(word)] for word in spec.words])
    return np.array(table["points"][: len(table["edges"]) + 1])


def _sampled(opened: Artifact, judged: Applications, seed: int) -> Monotonicity:
    # A word is its index among the field's words, so words in order are compared like numbers.
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
    return {"method": "sampled", "directed_fields": len(directed), "pairs": pairs, "violations": violations}


def _different(values: Floats, known: Floats, generator: np.random.Generator) -> Floats:
    """For each value, a different one drawn from a sorted column."""
    first = np.searchsorted(known, values, side="left")
    same = np.searchsorted(known, values, side="right") - first
    drawn = generator.integers(0, len(known) - same)
    drawn += np.where(drawn >= first, same, 0)
    found: Floats = known[drawn]
    return found
