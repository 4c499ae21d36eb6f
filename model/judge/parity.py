"""Checks that the exported artifact, run by the code that will serve it, decides as the fitted pipeline does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from lambda_app.decision import Decider
from model.data.encoding import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Expected, FieldBins, Parity
    from model.data.applications import Applications
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Decided:
    """The service's decisions on labelled applications.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n,)
    approved : ndarray of bool, shape (n,)
    expected : Expected
        How many were approved, fell into each bin of the score, and were denied for each first reason: decisions in
        service are compared with it.
    """

    probabilities: Floats
    approved: Flags
    expected: Expected

    @property
    def without_reason(self) -> int:
        """How many denials came without a reason."""
        denials = self.expected["rows"] - self.expected["approved"]
        return denials - sum(self.expected["reasons"].values())


def decide_all(opened: Artifact, judged: Applications) -> Decided:
    """Decide every application as the service does, including validation."""
    decider = Decider(opened)
    probabilities = np.empty(len(judged.matrix))
    approved = np.empty(len(judged.matrix), dtype=np.bool_)
    score = [0] * (len(opened.manifest["bins"]["score"]["edges"]) + 1)
    reasons: Counter[str] = Counter()
    rows = tqdm(
        judged.matrix, desc="decide the hold-out", unit=" applications", unit_scale=True, leave=False, disable=None
    )
    for place, row in enumerate(rows):
        decision = decider.decide(values_of(row, judged.fields), "hold-out")
        answer = decision.answer
        probabilities[place], approved[place] = answer["probability"], answer["prediction"] == 1
        score[decision.scored.score_bin] += 1
        reasons.update(reason["code"] for reason in answer["reasons"][:1])
    return Decided(
        probabilities,
        approved,
        {
            "rows": len(approved),
            "approved": int(np.count_nonzero(approved)),
            "score": score,
            "reasons": dict(sorted(reasons.items())),
        },
    )


def compare(opened: Artifact, candidate: Candidate, decided: Decided) -> Parity:
    """Compare the artifact with the fitted pipeline.

    They are compared on every hold-out row; and, for each field, at every edge, at the next float on either side of it,
    at each word, and with the value missing.

    Parameters
    ----------
    opened : Artifact
    candidate : Candidate
        The candidate that the artifact was exported from.
    decided : Decided
        The artifact's decisions on the hold-out.

    Returns
    -------
    Parity
        `largest_difference` is a difference of probabilities.
    """
    threshold, holdout, scorer = opened.manifest["threshold"], candidate.holdout, opened.scorer
    beside = _beside_edges(opened.manifest["bins"]["fields"], holdout)
    scored = []
    for row in beside:
        values = values_of(row, holdout.fields)
        scored.append(scorer.probability(values, scorer.bins(values)))
    ours = np.concatenate([decided.probabilities, scored])
    approved = np.concatenate([decided.approved, np.array(scored) >= threshold])
    theirs = candidate.pipeline.predict_proba(np.concatenate([holdout.matrix, beside]))[:, 1]
    return {
        "rows": len(decided.probabilities),
        "edge_rows": len(beside),
        "different_decisions": int(np.count_nonzero(approved != (theirs >= threshold))),
        "largest_difference": float(np.max(np.abs(ours - theirs))),
    }


def _beside_edges(bins: list[FieldBins], holdout: Applications) -> Floats:
    """Copies of the first hold-out row, each with one field at or next to an edge of its bins, or at another value."""
    rows = []
    for place, (spec, field) in enumerate(zip(holdout.fields, bins, strict=True)):
        edges = np.array(field.get("edges", ()))
        around = [edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf), np.arange(len(spec.words))]
        if spec.optional:
            around.append(np.array([np.nan]))
        for value in np.concatenate(around):
            changed = holdout.matrix[0].copy()
            changed[place] = value
            rows.append(changed)
    return np.array(rows).reshape(-1, len(holdout.fields))
