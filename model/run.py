"""One training run, from data to an artifact that may serve, or to the reasons why it may not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lambda_app.selfcheck import check
from model.contract import Contract
from model.contract.fields import fields_of
from model.data.applications import Applications
from model.fit.cutoff import candidate_cutoffs, operating_curve
from model.fit.settings import TrainingSettings
from model.fit.train import Candidate, train
from model.formats.export import GOLDEN_CASES, export
from model.judge.figures import evaluate, roc_points
from model.judge.gate import Verdict, gate_input, judge
from model.judge.limits import limits_of
from model.judge.parity import compare, decide_all, golden_cases, monotonicity

Floats = NDArray[np.float64]

LIBRARIES = ("scikit-learn", "numpy", "joblib", "pydantic", "pydantic-core", "fairlearn")
CURVE_POINTS = 200
# The cut-off of the models that the scorecard is compared with: they have no policy to meet.
COMPARED_AT = 0.5
# Cut-offs that the report tells beside the chosen one.
ALTERNATIVES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
REJECTED = "rejected"


@dataclass(frozen=True)
class TrainingRun:
    """What a run ended with.

    Attributes
    ----------
    manifest : dict
    verdict : Verdict
    directory : Path
        The artifact, or where the reports of a rejected one are.
    """

    manifest: dict[str, Any]
    verdict: Verdict
    directory: Path
    trained: Candidate


def run(
    contract: type[Contract],
    applications: Applications,
    out: Path,
    settings: TrainingSettings,
    form: str = "scorecard",
    champion: dict[str, Any] | None = None,
) -> TrainingRun:
    """Train, export, judge the export, ask the gate, and publish.

    Parameters
    ----------
    contract : type of Contract
    applications : Applications
        Checked and labelled.
    out : Path
        The artifact's directory. It changes only at the end and only if the gate passes; otherwise
        `out/rejected/` holds the reports, and nothing that could serve.
    settings : TrainingSettings
    form : str
        The artifact's format.
    champion : dict, optional
        The manifest of the model in service.
    """
    trained = train(applications, limits_of(contract), settings)
    return publish(contract, applications, trained, out, settings, form, champion)


def publish(
    contract: type[Contract],
    applications: Applications,
    trained: Candidate,
    out: Path,
    settings: TrainingSettings,
    form: str,
    champion: dict[str, Any] | None,
) -> TrainingRun:
    """What `run` does once the models are fitted; also how a fitted one is exported in another format."""
    from model.report import page  # matplotlib costs half a second, which only this needs to pay

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".candidate-") as name:
        candidate = Path(name)
        manifest = export(trained, contract, candidate, form, _facts(applications, settings))
        _write_json(candidate / "manifest.json", manifest)
        manifest |= _judged(candidate, trained, settings.seed)
        manifest["golden"] = golden_cases(candidate, contract.samples, fields_of(contract), GOLDEN_CASES)
        question = gate_input(manifest, limits_of(contract), champion)
        verdict = judge(question)
        manifest["gate"] = verdict.as_dict()
        _write_json(candidate / "manifest.json", manifest)
        _write_json(candidate / "metrics.json", _all_metrics(manifest, trained, settings.seed))
        _write_json(candidate / "gate.json", {"input": question, "decision": verdict.as_dict()})
        (candidate / "shared_env_variables.txt").write_text(variables(manifest), encoding="utf-8")
        (candidate / page.FILE).write_text(page.render(candidate), encoding="utf-8")
        if verdict.passed:
            check(str(candidate))
        return TrainingRun(manifest, verdict, _move(candidate, out, deployable=verdict.passed), trained)


def variables(manifest: dict[str, Any]) -> str:
    """The figures that a pipeline hands on, as shell-style assignments; one that the data cannot tell is empty."""
    metrics = manifest["metrics"]
    gap = metrics["equal_opportunity_gap"]
    return (
        f"ACCURACY={metrics['accuracy']:.5f}\n"
        f"EQUAL_OPPORTUNITY_FAIRNESS_PERCENT={'' if gap is None else format(gap * 100, '.3f')}\n"
        f"MODEL_VERSION={manifest['model_version']}\n"
    )


def _facts(applications: Applications, settings: TrainingSettings) -> dict[str, Any]:
    return {
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": _git_commit(),
        "libraries": {library: version(library) for library in LIBRARIES},
        "python": sys.version.split()[0],
        "settings": settings.as_dict(),
        "data": {
            "source": applications.source,
            "digest": applications.digest,
            "dated": applications.dated,
            "rows": len(applications.approved),
            "rejects": applications.rejects.as_dict(),
        },
    }


def _judged(candidate: Path, trained: Candidate, seed: int) -> dict[str, Any]:
    probabilities, approved = decide_all(candidate, trained.holdout)
    return {
        "metrics": evaluate(probabilities, approved, trained.holdout, seed),
        "parity": compare(candidate, trained.scorecard, trained.holdout, probabilities, approved),
        "monotonicity": monotonicity(candidate, trained.holdout, seed),
    }


def _all_metrics(manifest: dict[str, Any], trained: Candidate, seed: int) -> dict[str, Any]:
    holdout, threshold = trained.holdout, manifest["threshold"]
    probabilities = trained.scorecard.predict_proba(holdout.matrix)[:, 1]
    cutoffs = candidate_cutoffs(probabilities)
    estimated = {name: pipeline.predict_proba(holdout.matrix)[:, 1] for name, pipeline in trained.others.items()}
    return {
        "model_version": manifest["model_version"],
        "threshold": threshold,
        "choice": None if trained.choice is None else trained.choice.as_dict(),
        "cutoffs": {"scorecard": threshold, **dict.fromkeys(estimated, COMPARED_AT)},
        "scorecard": manifest["metrics"],
        **{name: evaluate(found, found >= COMPARED_AT, holdout, seed) for name, found in estimated.items()},
        "roc": {
            name: roc_points(found, holdout.approved)
            for name, found in {"scorecard": probabilities, **estimated}.items()
        },
        "curve": _at_each(probabilities, holdout, cutoffs[:: max(1, len(cutoffs) // CURVE_POINTS)]),
        "alternatives": _at_each(probabilities, holdout, np.unique([*ALTERNATIVES, threshold])),
    }


def _at_each(probabilities: Floats, holdout: Applications, cutoffs: Floats) -> list[dict[str, Any]]:
    """What the scorecard does to the hold-out at each cut-off; no gap where there is no group to compare."""
    curve = operating_curve(probabilities, holdout, cutoffs)
    columns = (curve.cutoffs, curve.accuracy, curve.gap, curve.approval_rate)
    points = [
        dict(zip(("cutoff", "accuracy", "gap", "approval_rate"), map(float, point), strict=True))
        for point in zip(*columns, strict=True)
    ]
    return points if holdout.groups else [{**point, "gap": None} for point in points]


def _move(candidate: Path, out: Path, *, deployable: bool) -> Path:
    """Move the candidate's files to where they belong; `manifest.json` last, since it vouches for the others."""
    target = out if deployable else out / REJECTED
    shutil.rmtree(out / REJECTED, ignore_errors=True)
    target.mkdir(exist_ok=True)
    names = sorted((path.name for path in candidate.iterdir()), key=lambda name: name == "manifest.json")
    for name in names:
        if deployable or not name.endswith(".joblib"):
            (candidate / name).replace(target / name)
    return target


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _git_commit() -> str | None:
    """The commit of the code, or None outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
