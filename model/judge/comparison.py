"""Compares the scorecard with its rivals and with other cut-offs: the content of `metrics.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

import numpy as np

from model.fit.cutoff import candidate_cutoffs, operating_curve
from model.fit.estimates import estimates
from model.judge.figures import evaluate
from model.judge.ranking import roc_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Figures, Manifest
    from model.data.applications import Applications
    from model.fit.task import CutoffRule
    from model.fit.train import Candidate
    from model.judge.ranking import RocPoint

    Floats = NDArray[np.float64]

CURVE_POINTS = 200
# The cut-off of the rivals, which have no policy to meet.
COMPARED_AT = 0.5
# The cut-offs that the report shows beside the chosen one.
ALTERNATIVES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class CutoffFigures(TypedDict):
    """The scorecard on the hold-out at one cut-off; `gap` is None if there are no groups to compare."""

    cutoff: float
    accuracy: float
    gap: float | None
    approval_rate: float


class Metrics(TypedDict):
    """The content of `metrics.json`: every model's figures on the hold-out, each under its own name.

    `choice` holds `model.fit.cutoff.Choice` as data, or null. `cutoffs` lists the models, the scorecard first. The
    rivals are present only if they were trained.
    """

    identity: str
    threshold: float
    choice: dict[str, float | str] | None
    cutoffs: dict[str, float]
    scorecard: Figures
    tree: NotRequired[Figures]
    boosted: NotRequired[Figures]
    roc: dict[str, list[RocPoint]]
    curve: list[CutoffFigures]
    alternatives: list[CutoffFigures]


def compare_models(candidate: Candidate, manifest: Manifest, rule: CutoffRule) -> Metrics:
    """Judge the rivals on the hold-out, and the scorecard at other cut-offs.

    Parameters
    ----------
    candidate : Candidate
    manifest : Manifest
        Holds the figures of the exported scorecard.
    rule : CutoffRule
        How the scorecard's cut-off was chosen.
    """
    holdout, threshold = candidate.holdout, candidate.threshold
    probabilities = estimates(candidate.pipeline, holdout.matrix)
    rivals = {name: pipeline.predict_proba(holdout.matrix)[:, 1] for name, pipeline in candidate.rivals.items()}
    cutoffs = candidate_cutoffs(probabilities)
    found = {
        "identity": manifest["identity"],
        "threshold": threshold,
        "choice": None if candidate.choice is None else candidate.choice.as_dict(),
        "cutoffs": {"scorecard": threshold, **dict.fromkeys(rivals, COMPARED_AT)},
        "scorecard": manifest["metrics"],
        **{name: evaluate(given, given >= COMPARED_AT, holdout, rule) for name, given in rivals.items()},
        "roc": {
            name: roc_points(given, holdout.approved) for name, given in {"scorecard": probabilities, **rivals}.items()
        },
        "curve": _at_each(probabilities, holdout, cutoffs[:: max(1, len(cutoffs) // CURVE_POINTS)]),
        "alternatives": _at_each(probabilities, holdout, np.unique([*ALTERNATIVES, threshold])),
    }
    return cast("Metrics", found)


def models_of(metrics: Metrics) -> dict[str, Figures]:
    """The figures of each model by its name, the scorecard first."""
    return {name: metrics[name] for name in metrics["cutoffs"]}  # type: ignore[literal-required]  # these are its keys


def _at_each(probabilities: Floats, holdout: Applications, cutoffs: Floats) -> list[CutoffFigures]:
    curve = operating_curve(probabilities, holdout, cutoffs)
    columns = (curve.cutoffs, curve.accuracy, curve.gap, curve.approval_rate)
    return [
        {"cutoff": cutoff, "accuracy": accuracy, "gap": gap if holdout.groups else None, "approval_rate": rate}
        for cutoff, accuracy, gap, rate in zip(*(column.tolist() for column in columns), strict=True)
    ]
