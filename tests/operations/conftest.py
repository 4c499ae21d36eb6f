"""A coherent set of evidence, as a run leaves it on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.artifact import digest, model_version

if TYPE_CHECKING:
    from pathlib import Path

JUNIT = '<testsuites><testsuite name="notebook" tests="3" failures="0" errors="0"/></testsuites>'


@pytest.fixture(autouse=True)
def _no_real_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that open nothing, and no endpoint from the developer's shell."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@dataclass(frozen=True)
class Run:
    """The files of a run, and how to change one of them."""

    root: Path

    def edit(self, name: str, **changes: Any) -> None:
        """Change keys of a JSON file; None takes a key out."""
        path = self.root / name
        document = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))

    @property
    def arguments(self) -> list[str]:
        """What tells `python -m operations evidence` where the files are."""
        return [
            *("--artifacts", str(self.root / "artifacts"), "--junit", str(self.root / "report.xml")),
            *("--images", str(self.root / "images"), "--benchmarks", str(self.root / "bench.json")),
            *("--out", str(self.root / "review.zip")),
        ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run whose evidence is complete and agrees."""
    model = b"a model's bytes"
    metrics = {"accuracy": 0.927, "equal_opportunity_gap": 0.2}
    manifest: dict[str, Any] = {
        "format": "scorecard",
        "format_version": 1,
        "digest": digest(model),
        "size": len(model),
        "contract": {"name": "Applicant"},
        "threshold": 0.5,
        "reference": {},
        "trained_at": "2026-01-01T00:00:00+00:00",
        "data": {"dated": "2026-01-01"},
        "metrics": metrics,
        "parity": {"rows": 100, "different_decisions": 0},
        "gate": {"passed": True, "denials": []},
    }
    manifest["model_version"] = model_version(manifest)
    asked = {key: manifest[key] for key in ("model_version", "metrics", "parity")}
    files: dict[str, Any] = {
        "artifacts/manifest.json": manifest,
        "artifacts/metrics.json": {key: manifest[key] for key in ("model_version", "threshold")}
        | {"scorecard": metrics},
        "artifacts/gate.json": {"input": asked, "decision": manifest["gate"]},
        "bench.json": {"cold_start": 1.4},
    }
    for role, version in (("training", None), ("inference", manifest["model_version"])):
        identity = f"sha256:{role}"
        files[f"images/{role}.json"] = {
            "id": identity,
            "digests": [f"registry/ccapproval-deploy@{identity}"],
            "model_version": version,
        }
        files[f"images/{role}.cdx.json"] = {
            "bomFormat": "CycloneDX",
            "metadata": {"component": {"version": identity}},
            "components": [{"name": "numpy"}],
        }
    for name, document in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document))
    (tmp_path / "artifacts/model.joblib").write_bytes(model)
    (tmp_path / "artifacts/model_metrics.html").write_text("<!doctype html><title>Model</title>")
    (tmp_path / "report.xml").write_text(JUNIT)
    return Run(tmp_path)
