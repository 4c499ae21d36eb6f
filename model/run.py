"""One training run: from applications to an artifact that may serve, or to the reasons why it must not."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_app import selfcheck
from model.alternatives.search import FILE, search
from model.fit.settings import TrainingSettings
from model.fit.train import train
from model.formats.export import export
from model.judge.assessment import assess

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest
    from model.alternatives.search import Alternatives
    from model.data.applications import Applications
    from model.fit.task import Limits, TrainingTask
    from model.fit.train import Candidate
    from model.judge.assessment import Assessment
    from model.judge.gate import Verdict

REJECTED = "rejected"


@dataclass(frozen=True)
class TrainingRun:
    """The result of a training run.

    Attributes
    ----------
    candidate : Candidate
        The fitted model.
    assessment : Assessment
        The exported model, its figures, and the verdict.
    directory : Path
        The artifact, or the reports of a rejected one.
    """

    candidate: Candidate
    assessment: Assessment
    directory: Path

    @property
    def manifest(self) -> Manifest:
        """The complete manifest, as in `manifest.json`."""
        return self.assessment.artifact.manifest

    @property
    def verdict(self) -> Verdict:
        """The gate's answer."""
        return self.assessment.verdict


def run(task: TrainingTask, out: Path) -> TrainingRun:
    """Train, export, judge the export, ask the gate, and publish.

    Parameters
    ----------
    task : TrainingTask
    out : Path
        The artifact's directory. It changes only at the very end, and only if the gate passes the model. Otherwise
        `out/rejected/` gets the reports, and nothing that could serve.

    Raises
    ------
    TrainingError, ExportError, ContractError, GateError
    """
    return publish(task, train(task), out)


def publish(task: TrainingTask, candidate: Candidate, out: Path) -> TrainingRun:
    """Export, judge and publish a fitted model: the second half of `run`, and all of `python -m model export`."""
    from model.report import page  # Jinja takes time to import, and only this needs it

    exported = export(task, candidate)
    assessment = assess(task, candidate, exported.opened)
    manifest = assessment.artifact.manifest
    passed = manifest["gate"]["passed"]
    files = {
        "model.joblib": exported.content,
        "pipeline.joblib": exported.pipeline,
        "metrics.json": _json(assessment.metrics),
        "gate.json": _json({"input": assessment.question, "decision": manifest["gate"]}),
        "shared_env_variables.txt": variables(manifest).encode(),
        page.FILE: page.render(assessment).encode(),
    }
    if task.champion is not None:
        files |= compared_with(task.champion, assessment, candidate.holdout)
    # Moved last: it vouches for the others.
    files["manifest.json"] = _json(manifest)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".candidate-") as name:
        written = Path(name)
        for file, content in files.items():
            (written / file).write_bytes(content)
        if passed:
            selfcheck.check(name)
        return TrainingRun(candidate, assessment, _move(written, list(files), out, deployable=passed))


def compared_with(champion: Path, assessment: Assessment, applications: Applications | None) -> dict[str, bytes]:
    """The files about a model beside the one in service: `comparison.json`, and the page.

    Parameters
    ----------
    champion : Path
        The champion's manifest, or its artifact's directory.
    assessment : Assessment
        Of the model, against this champion.
    applications : Applications, optional
        What both decide; None if there are none that both can decide.
    """
    from model.compare import comparison, page  # as above

    opened = assessment.artifact
    contract = opened.manifest["contract"]
    about = contract["json_schema"].get("description", contract["name"]).rstrip(".")
    found = comparison.compare(champion, opened, applications, assessment.question, assessment.verdict)
    return {comparison.FILE: _json(found), page.FILE: page.render(found, contract["name"], about).encode()}


def look_further(assessment: Assessment, applications: Applications, limits: Limits, directory: Path) -> Alternatives:
    """Search for models that are as good and treat groups more alike, and write the report again with what was found.

    Parameters
    ----------
    assessment : Assessment
        Of the chosen model.
    applications : Applications
        The rows that it was trained and judged on.
    limits : Limits
    directory : Path
        Where `alternatives.json` and the report belong: beside the model's manifest.
    """
    from model.report import page  # as above

    manifest = assessment.artifact.manifest
    found = search(applications, manifest, TrainingSettings(**manifest["settings"]), limits, directory)  # type: ignore[arg-type]  # the manifest's settings are those of the dataclass
    (directory / FILE).write_bytes(_json(found))
    (directory / page.FILE).write_text(page.render(assessment, found), encoding="utf-8")
    return found


def variables(manifest: Manifest) -> str:
    """The figures that a pipeline passes on, as shell-style assignments. An unknown figure is left empty."""
    metrics = manifest["metrics"]
    gap = metrics["equal_opportunity_gap"]
    return (
        f"ACCURACY={metrics['accuracy']:.5f}\n"
        f"EQUAL_OPPORTUNITY_FAIRNESS_PERCENT={'' if gap is None else format(gap * 100, '.3f')}\n"
        f"MODEL_VERSION={manifest['model_version']}\n"
    )


def _move(written: Path, names: list[str], out: Path, *, deployable: bool) -> Path:
    """Move the files, in order, to their final directory."""
    target = out if deployable else out / REJECTED
    shutil.rmtree(out / REJECTED, ignore_errors=True)
    target.mkdir(exist_ok=True)
    # What was found for the model that was here before says nothing about this one.
    for name in {FILE, "comparison.json", "comparison.html"} - set(names):
        (target / name).unlink(missing_ok=True)
    for name in names:
        if deployable or not name.endswith(".joblib"):
            (written / name).replace(target / name)
    return target


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
