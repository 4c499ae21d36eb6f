"""Checks the exported artifact with the very code that will serve it."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from lambda_app import artifact
from lambda_app.decision import Decider
from model.contract.fields import FieldSpec
from model.data.applications import Applications
from model.data.encoding import values_of
from model.formats.batch import BatchScorer

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest

Floats = NDArray[np.float64]
# At least so many, shared out evenly among the fields that have a direction.
PAIRS = 100_000


def decide_all(directory: Path, judged: Applications) -> tuple[Floats, NDArray[np.bool_]]:
    """Decide every application with the service's own decider, from validation on.

    Returns
    -------
    probabilities : ndarray of float64, shape (n,)
    approved : ndarray of bool, shape (n,)
    """
    decider = Decider(artifact.load(str(directory)))
    probabilities = np.empty(len(judged.matrix))
    approved = np.empty(len(judged.matrix), dtype=np.bool_)
    rows = tqdm(
        judged.matrix, desc="decide the hold-out", unit=" applications", unit_scale=True, leave=False, disable=None
    )
    for place, row in enumerate(rows):
        answer = decider.decide(values_of(row, judged.fields), "hold-out").answer
        probabilities[place], approved[place] = answer["probability"], answer["prediction"] == 1
    return probabilities, approved


def compare(
    directory: Path, pipeline: Pipeline, judged: Applications, probabilities: Floats, approved: NDArray[np.bool_]
) -> dict[str, Any]:
    """Compare the artifact with the fitted pipeline.

    On every judged row, as it was decided; and for each field at every edge, at the next float on both sides, at each
    word, and without a value.

    Returns
    -------
    dict
        `rows`, `edge_rows`, `different_decisions`, and `largest_difference` between two probabilities.
    """
    loaded = artifact.load(str(directory))
    threshold = loaded.manifest["threshold"]
    beside = _beside_edges(loaded.manifest, judged.matrix[0], judged.fields)
    scored = []
    for row in beside:
        values: dict[str, Any] = {
            spec.name: _raw(value, spec) for spec, value in zip(judged.fields, row.tolist(), strict=True)
        }
        scored.append(loaded.scorer.probability(values, loaded.scorer.bins(values)))
    ours = np.concatenate([probabilities, scored])
    decided = np.concatenate([approved, np.array(scored) >= threshold])
    reference = pipeline.predict_proba(np.concatenate([judged.matrix, beside]))[:, 1]
    return {
        "rows": len(probabilities),
        "edge_rows": len(beside),
        "different_decisions": int(np.count_nonzero(decided != (reference >= threshold))),
        "largest_difference": float(np.max(np.abs(ours - reference))),
    }


def monotonicity(directory: Path, judged: Applications, seed: int) -> dict[str, Any]:
    """Look for pairs of applications, alike but for one field, that the model orders against that field's direction.

    Each pair is a judged application and the same one with another application's value in one field that has a
    direction. The two values always differ, and neither is missing: such pairs have no order to break.

    Returns
    -------
    dict
        `directed_fields` of the contract; `pairs` that were compared, 0 if none of these fields has two values;
        `violations` among them.
    """
    directed = [place for place, spec in enumerate(judged.fields) if spec.monotonic]
    known = {place: np.sort(judged.matrix[~np.isnan(judged.matrix[:, place]), place]) for place in directed}
    varied = [place for place in directed if len(known[place]) and known[place][0] < known[place][-1]]
    generator = np.random.default_rng(seed)
    scorer = BatchScorer(directory)
    pairs = violations = 0
    for place in varied:
        rows = np.flatnonzero(~np.isnan(judged.matrix[:, place]))
        one = judged.matrix[generator.choice(rows, ceil(PAIRS / len(varied)))]
        other = one.copy()
        other[:, place] = _different(one[:, place], known[place], generator)
        rise = np.sign(other[:, place] - one[:, place])
        change = scorer.probabilities(other) - scorer.probabilities(one)
        pairs += int(np.count_nonzero(rise))
        violations += int(np.count_nonzero(rise * change * judged.fields[place].monotonic < 0))
    return {"directed_fields": len(directed), "pairs": pairs, "violations": violations}


def _different(values: Floats, known: Floats, generator: np.random.Generator) -> Floats:
    """For each value another one, drawn from those of a sorted column that differ from it."""
    first = np.searchsorted(known, values, side="left")
    same = np.searchsorted(known, values, side="right") - first
    drawn = generator.integers(0, len(known) - same)
    drawn += np.where(drawn >= first, same, 0)
    found: Floats = known[drawn]
    return found


def golden_cases(
    directory: Path, samples: tuple[dict[str, Any], ...], fields: tuple[FieldSpec, ...], count: int
) -> list[dict[str, Any]]:
    """Invented applications with the decisions that every copy of this artifact must make.

    The contract's samples come first; the rest mix values just beside the edges, so that all of a table is touched.
    """
    loaded = artifact.load(str(directory))
    decider = Decider(loaded)
    generator = np.random.default_rng(0)
    requests = list(samples)
    for _ in range(count - len(samples)):
        request: dict[str, Any] = {}
        for spec, entry in zip(fields, loaded.manifest["bins"]["fields"], strict=True):
            if spec.optional and generator.random() < 0.2:
                continue
            if spec.kind == "choice":
                request[spec.name] = str(generator.choice(spec.words))
                continue
            low, high = spec.minimum or 0.0, spec.maximum or 0.0  # None for words only
            edges = [edge for edge in entry["edges"] if low <= edge <= high] or [low]
            value = min(max(float(generator.choice(edges)) + float(generator.integers(0, 2)), low), high)
            request[spec.name] = value if spec.kind == "float" else int(value)
        requests.append(request)
    return [{"request": request, "response": decider.decide(request, "golden").answer} for request in requests]


def _beside_edges(manifest: Manifest, row: Floats, fields: tuple[FieldSpec, ...]) -> Floats:
    rows = []
    for place, (spec, entry) in enumerate(zip(fields, manifest["bins"]["fields"], strict=True)):
        edges = np.array(entry.get("edges", ()))
        around = [edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf), np.arange(len(spec.words))]
        if spec.optional:
            around.append(np.array([np.nan]))
        for value in np.concatenate(around):
            changed = row.copy()
            changed[place] = value
            rows.append(changed)
    return np.array(rows).reshape(-1, len(fields))


def _raw(value: float, spec: FieldSpec) -> float | str | None:
    """Unlike `values_of`, an int's neighbouring floats stay floats."""
    if value != value:
        return None
    return spec.words[int(value)] if spec.kind == "choice" else value
