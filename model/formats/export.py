"""Turns a fitted model into an artifact: the bytes of `model.joblib`, and the manifest that describes it.

Nothing is written to disk here. The manifest is complete once the model has been judged (`model.judge.assessment`).
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lambda_app import artifact, formats
from lambda_app.manifest import MANIFEST_VERSION, digest, identity, model_version
from model.contract.carried import contract_as_data
from model.errors import ExportError
from model.fit.estimates import estimates
from model.fit.splitting import described
from model.formats import find
from model.formats.bins import score_bins, shares
from model.formats.pickled import pickled

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Data, Manifest
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate

LIBRARIES = ("scikit-learn", "numpy", "joblib", "pydantic", "pydantic-core", "fairlearn")


@dataclass(frozen=True)
class Exported:
    """An artifact in memory that has not been judged yet.

    Attributes
    ----------
    opened : Artifact
        Opened by the code that will serve it. Its manifest says that the gate has not passed it, and lacks `metrics`,
        `parity`, `monotonicity` and `explained`.
    content, pipeline : bytes
        The bytes of `model.joblib` and `pipeline.joblib`.
    """

    opened: Artifact
    content: bytes
    pipeline: bytes


def export(task: TrainingTask, candidate: Candidate) -> Exported:
    """Write a fitted model in the task's format, and open it as the service does.

    Raises
    ------
    ExportError
        The model does not fit the format, or the service does not know the format.
    ContractError
        The contract cannot become plain data.
    """
    served = formats.find(task.format)
    if served is None:
        raise ExportError(f"the service does not know the format '{task.format}'")
    written = find(task.format).write(candidate)
    matrix = candidate.training.matrix
    manifest = cast(
        "Manifest",  # judging adds the rest
        {
            "manifest_version": MANIFEST_VERSION,
            "format": task.format,
            "format_version": served.VERSION,
            "digest": digest(written.content),
            "size": len(written.content),
            "threshold": candidate.threshold,
            "contract": contract_as_data(task.contract, candidate.training.fields),
            "reference": {**written.reference, "least_share": task.limits["minimum_reason_share"]},
            "bins": {
                "fields": [
                    {**field, "shares": shares(column, field)}
                    for column, field in zip(matrix.T, written.bins, strict=True)
                ],
                "score": score_bins(estimates(candidate.pipeline, matrix)),
            },
            "freshness": {
                "warn_days": task.limits["warn_age_days"],
                "expire_days": task.limits["expire_age_days"],
            },
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "git_commit": _git_commit(),
            "libraries": {library: version(library) for library in LIBRARIES},
            "python": sys.version.split()[0],
            "settings": (candidate.settings or task.settings).as_dict(),
            "data": _data(task, candidate),
            "no_sensitive_reason": task.contract.no_sensitive_reason,
            "unsupported": list(candidate.unsupported),
            "gate": {"passed": False, "denials": []},
            "golden": [],
        },
    )
    manifest["identity"] = identity(manifest)
    manifest["model_version"] = model_version(manifest["identity"])
    return Exported(artifact.opened(manifest, written.content), written.content, pickled(candidate.pipeline))


def _data(task: TrainingTask, candidate: Candidate) -> Data:
    applications = task.applications
    return {
        "source": applications.source,
        "digest": applications.digest,
        "dated": applications.dated,
        "rows": len(applications.approved),
        "rejects": applications.rejects.as_dict(),
        "split": described(task.contract, candidate.training, candidate.holdout),
        "weighted_by": task.contract.weight,
    }


def _git_commit() -> str | None:
    """The commit of the code, or None outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()
