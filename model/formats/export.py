"""Turns a fitted pipeline into the artifact that the service opens.

Formats: `scorecard` (the default) and `sklearn`. A new format is one more entry in `FORMATS` here and in
`lambda_app.artifact._FORMATS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from lambda_app.manifest import MANIFEST_VERSION, digest, model_version
from model.contract import Contract
from model.contract.carried import contract_as_data
from model.contract.fields import FieldSpec, fields_of
from model.data.encoding import values_of
from model.fit.train import Candidate
from model.formats.bins import bins_of

Floats = NDArray[np.float64]

# Decimal places of a point (log-odds). OpenMP, libm and processors differ in the last places of a double; nobody's
# decision should. Four fields' rounding changes a probability by 5e-11 at most, well under the parity limit of 1e-9.
PLACES = 10
PICKLE_PROTOCOL = 4
# A denial is compared with the most narrowly approved tenth: with less, the mean depends on which few scores happen to
# lie next to the cut-off, and reasons change places from one training to the next (docs/decisions/0005-reference.md).
AT_CUTOFF_SHARE = 0.1
AT_CUTOFF_ROWS = 100
QUANTILES = 10
GOLDEN_CASES = 24


class ExportError(ValueError):
    """The fitted pipeline cannot be written in the format asked for."""


def export(
    trained: Candidate, contract: type[Contract], directory: Path, form: str, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write `model.joblib`, `pipeline.joblib` and `manifest.json`.

    Parameters
    ----------
    trained : Candidate
    contract : type of Contract
    directory : Path
        Exists, and is empty.
    form : str
        A key of `FORMATS`.
    facts : dict
        What the manifest says besides: `trained_at`, `git_commit`, `libraries`, `data`, `settings`.

    Returns
    -------
    dict
        The manifest, which has not been judged yet: `gate.passed` is false.

    Raises
    ------
    ExportError
        The pipeline does not fit the format.
    ContractError
        The contract cannot be exported as plain data.
    """
    fields = fields_of(contract)
    model, bins, reference = FORMATS[form](trained, fields)
    joblib.dump(trained.scorecard, directory / "pipeline.joblib", protocol=PICKLE_PROTOCOL)
    joblib.dump(model, directory / "model.joblib", protocol=PICKLE_PROTOCOL)
    content = (directory / "model.joblib").read_bytes()
    scores = trained.scorecard.predict_proba(trained.training.matrix)[:, 1]
    manifest: dict[str, Any] = {
        "manifest_version": MANIFEST_VERSION,
        "format": form,
        "format_version": 1,
        "digest": digest(content),
        "size": len(content),
        "threshold": trained.threshold,
        "contract": contract_as_data(contract, fields),
        "reference": reference,
        "bins": {
            "fields": [
                field | {"shares": _shares(column, field)}
                for column, field in zip(trained.training.matrix.T, bins, strict=True)
            ],
            "score": _score_bins(scores),
        },
        **facts,
        "gate": {"passed": False, "denials": []},
        "golden": [],
    }
    manifest["model_version"] = model_version(manifest)
    return manifest


def tables_of(pipeline: Pipeline, fields: tuple[FieldSpec, ...], matrix: Floats) -> dict[str, Any]:
    """Read an additive pipeline's points off `decision_function`, one field and one bin at a time.

    Parameters
    ----------
    pipeline : Pipeline
        A sum of step functions, one a field.
    fields : tuple of FieldSpec
    matrix : ndarray of float64, shape (n, fields)
        The training rows; between two neighbouring values of a field there is one edge at most.

    Returns
    -------
    dict
        The model of `lambda_app.scorecard`. A field's worst bin has 0 points.
    """
    base = np.array([_first_known(column) for column in matrix.T])
    at_base = intercept = float(pipeline.decision_function(base[np.newaxis])[0])
    entries: list[dict[str, Any]] = []
    for place, spec in enumerate(fields):

        def scores(values: Floats, place: int = place) -> Floats:
            rows = np.repeat(base[np.newaxis], len(values), axis=0)
            rows[:, place] = values
            found: Floats = pipeline.decision_function(rows)
            return found

        if spec.kind == "choice":
            entry: dict[str, Any] = {"name": spec.name, "words": list(spec.words)}
            inside = np.arange(len(spec.words), dtype=np.float64)
        else:
            known = np.unique(matrix[~np.isnan(matrix[:, place]), place])
            edges = _edges(scores, known)
            entry = {"name": spec.name, "edges": edges.tolist()}
            inside = np.append(edges, known[-1])
        points = scores(np.append(inside, np.nan) if spec.optional else inside) - at_base
        lowest = float(points.min())
        intercept += lowest
        entries.append({**entry, "points": [round(float(point) - lowest, PLACES) for point in points]})
    return {"intercept": round(intercept, PLACES), "fields": entries}


def _first_known(column: Floats) -> float:
    known = column[~np.isnan(column)]
    if not len(known):
        raise ExportError("a field has no value in any training row; leave it out of the contract")
    return float(known[0])


def _edges(scores: Callable[[Floats], Floats], known: Floats) -> Floats:
    """The last float to the left of each step between known values, by bisection of all steps at once."""
    at_known = scores(known)
    steps = np.flatnonzero(at_known[1:] != at_known[:-1])
    left, right, score_left = known[steps], known[steps + 1], at_known[steps]
    while True:
        middle = left + (right - left) / 2
        open_ = (middle > left) & (middle < right)
        if not open_.any():
            return left
        same = scores(middle) == score_left
        left, right = np.where(open_ & same, middle, left), np.where(open_ & ~same, middle, right)


def _as_scorecard(
    trained: Candidate, fields: tuple[FieldSpec, ...]
) -> tuple[Any, list[dict[str, Any]], dict[str, Any]]:
    # Many calls of few rows each: threads would only wait for one another.
    with threadpool_limits(limits=1):
        model = tables_of(trained.scorecard, fields, trained.training.matrix)
    narrowly_approved = at_cutoff(trained)
    means = [
        round(float(np.array(entry["points"])[_numbers(column, entry)].mean()), PLACES)
        for column, entry in zip(narrowly_approved.T, model["fields"], strict=True)
    ]
    bins = [{key: value for key, value in entry.items() if key != "points"} for entry in model["fields"]]
    # Through JSON, so that equal strings are one object or not in the same places always: pickle writes which.
    reference = {"points": means, "score": round(model["intercept"] + sum(means), PLACES)}
    return json.loads(json.dumps(model)), bins, reference


def _as_sklearn(trained: Candidate, fields: tuple[FieldSpec, ...]) -> tuple[Any, list[dict[str, Any]], dict[str, Any]]:
    bins = [
        {"name": spec.name, "words": list(spec.words)}
        if spec.kind == "choice"
        else {"name": spec.name, "edges": _quantile_edges(column)}
        for spec, column in zip(fields, trained.training.matrix.T, strict=True)
    ]
    share = AT_CUTOFF_SHARE
    while share < 2:  # from half on, the next is all of the approved
        # An invented applicant, typical of those at the cut-off: no real one's values leave the training data.
        typical = np.array(
            [_typical(column, spec) for column, spec in zip(at_cutoff(trained, share).T, fields, strict=True)]
        )
        if trained.scorecard.predict_proba(typical[np.newaxis])[0, 1] >= trained.threshold:
            return trained.scorecard, bins, {"values": values_of(typical, fields)}
        share *= 2
    raise ExportError("no typical applicant at the cut-off would be approved, so denials could not be explained")


FORMATS: dict[str, Callable[[Candidate, tuple[FieldSpec, ...]], tuple[Any, list[dict[str, Any]], dict[str, Any]]]] = {
    "scorecard": _as_scorecard,
    "sklearn": _as_sklearn,
}


def at_cutoff(trained: Candidate, share: float = AT_CUTOFF_SHARE) -> Floats:
    """The training rows that are approved most narrowly, which a denial is compared with.

    These are the lowest scores at or above the cut-off: a share of the approved, at least 100 rows. Rows of one score
    are all taken or none, so that their order in the data is nothing to a reason.

    Returns
    -------
    ndarray of float64, shape (n, fields)
    """
    matrix = trained.training.matrix
    probabilities = np.round(trained.scorecard.predict_proba(matrix)[:, 1], PLACES)
    approved = np.sort(probabilities[probabilities >= trained.threshold])
    rows = min(max(AT_CUTOFF_ROWS, int(len(approved) * share)), len(approved))
    taken: Floats = matrix[(probabilities >= trained.threshold) & (probabilities <= approved[rows - 1])]
    return taken


def _typical(column: Floats, spec: FieldSpec) -> float:
    if spec.kind == "float":
        return float(np.nanmedian(column)) if not np.isnan(column).all() else float("nan")
    values, counts = np.unique(column, return_counts=True)
    if spec.kind == "int":
        return float(np.nanpercentile(column, 50, method="nearest")) if not np.isnan(column).all() else float("nan")
    return float(values[np.argmax(counts)])


def _quantile_edges(column: Floats) -> list[float]:
    known = column[~np.isnan(column)]
    edges = np.unique(np.quantile(known, np.arange(1, QUANTILES) / QUANTILES, method="nearest"))
    return [float(edge) for edge in edges if edge < known.max()]


def _numbers(column: Floats, entry: dict[str, Any]) -> NDArray[np.intp]:
    edges = np.array(entry["edges"]) if "edges" in entry else None
    return bins_of(column, edges, len(entry.get("words", ())))


def _shares(column: Floats, entry: dict[str, Any]) -> list[float]:
    """The share of training rows in each bin, a missing value's last."""
    bins = len(entry["words"]) if "words" in entry else len(entry["edges"]) + 1
    counts = np.bincount(_numbers(column, entry), minlength=bins + 1)
    return [round(float(share), 6) for share in counts / len(column)]


def _score_bins(probabilities: Floats) -> dict[str, Any]:
    edges = [round(edge, 6) for edge in _quantile_edges(probabilities)]
    counts = np.bincount(bins_of(probabilities, np.array(edges), 0), minlength=len(edges) + 1)
    return {"edges": edges, "shares": [round(float(share), 6) for share in counts / len(probabilities)]}
