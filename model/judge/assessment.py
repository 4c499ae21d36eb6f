"""Assesses an exported model: its figures, its rivals' figures, its golden cases, and the gate's verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_app.artifact import Artifact
from model.judge.champion import compare_with_champion, identity_of, read_champion
from model.judge.comparison import compare_models
from model.judge.explained import explained
from model.judge.figures import evaluate
from model.judge.gate import against, gate_question, judge
from model.judge.golden import golden_cases
from model.judge.leakage import leakage
from model.judge.monotonicity import monotonicity
from model.judge.parity import compare, decide_all
from model.judge.strength import strength

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate
    from model.judge.comparison import Metrics
    from model.judge.gate import GateQuestion, Verdict


@dataclass(frozen=True)
class Assessment:
    """The assessment of an exported model.

    Attributes
    ----------
    artifact : Artifact
        The opened artifact, with its complete manifest.
    metrics : Metrics
    question : GateQuestion
        The gate's input.
    verdict : Verdict
        The gate's answer.
    """

    artifact: Artifact
    metrics: Metrics
    question: GateQuestion
    verdict: Verdict


def assess(task: TrainingTask, candidate: Candidate, opened: Artifact) -> Assessment:
    """Judge an exported model on the hold-out, and ask the gate.

    Parameters
    ----------
    task : TrainingTask
    candidate : Candidate
    opened : Artifact
        The candidate as exported by `model.formats.export`.

    Raises
    ------
    GateError
        The policy cannot be evaluated.
    """
    holdout, rule = candidate.holdout, task.limits["cutoff"]
    decided = decide_all(opened, holdout)
    manifest: Manifest = {
        **opened.manifest,
        "golden": golden_cases(opened, task.contract.samples),
        "metrics": evaluate(decided.probabilities, decided.approved, holdout, rule),
        "leakage": leakage(candidate.training, holdout, decided.probabilities),
        "parity": compare(opened, candidate, decided),
        "monotonicity": monotonicity(opened, holdout, task.settings.seed),
        "explained": explained(opened, decided),
        "strength": strength(opened.manifest, candidate, decided.probabilities),
    }
    question = gate_question(manifest, task.limits, task.contract)
    if task.champion is not None:
        champion = compare_with_champion(task.champion, Artifact(manifest, opened.scorer), decided, holdout)
        question = against(question, champion, identity_of(read_champion(task.champion)))
    verdict = judge(question)
    manifest["gate"] = verdict.as_dict()
    return Assessment(Artifact(manifest, opened.scorer), compare_models(candidate, manifest, rule), question, verdict)
