"""Assesses an exported model: its figures, its rivals' figures, its golden cases, and the gate's verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambda_app import artifact
from lambda_app.artifact import Artifact
from model.errors import GateError
from model.judge.champion import compare_with_champion, identity_of, read_champion
from model.judge.comparison import compare_models
from model.judge.explained import explained
from model.judge.figures import evaluate
from model.judge.gate import Verdict, against, gate_question, judge
from model.judge.golden import golden_cases
from model.judge.leakage import leakage
from model.judge.monotonicity import monotonicity
from model.judge.parity import compare, decide_all
from model.judge.strength import strength

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.manifest import Manifest
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate
    from model.judge.comparison import Metrics
    from model.judge.gate import GateQuestion


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


def reopened(directory: Path) -> Assessment:
    """The assessment of a published model, read back from its artifact.

    Raises
    ------
    ArtifactError
        The artifact cannot be opened; see `lambda_app.errors`.
    GateError
        `metrics.json` or `gate.json` is not as it was written.
    """
    opened = artifact.load(str(directory))
    try:
        metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
        asked = json.loads((directory / "gate.json").read_text(encoding="utf-8"))
        denials = tuple((denial["rule"], denial["message"]) for denial in asked["decision"]["denials"])
        return Assessment(opened, metrics, asked["input"], Verdict(denials))
    except (ValueError, KeyError, TypeError) as err:
        raise GateError(f"{directory}: metrics.json or gate.json cannot be read; train the model again") from err


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
        "expected": decided.expected,
        "strength": strength(opened.manifest, candidate, decided.probabilities),
    }
    question = gate_question(manifest, task.limits, task.contract)
    if task.champion is not None:
        champion = compare_with_champion(task.champion, Artifact(manifest, opened.scorer), decided, holdout)
        question = against(question, champion, identity_of(read_champion(task.champion)))
    verdict = judge(question)
    manifest["gate"] = verdict.as_dict()
    return Assessment(Artifact(manifest, opened.scorer), compare_models(candidate, manifest, rule), question, verdict)
