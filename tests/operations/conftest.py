"""A consistent set of evidence, as a run leaves it on disk."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.manifest import digest, identity, model_version
from model.judge.limits import DEFAULTS
from operations.commands import main
from operations.evidence.coherence import JUDGED

if TYPE_CHECKING:
    from pathlib import Path

APPROVED = ["--by", "officer@bank.example", "--at", "2020-01-02T09:00:00+00:00", "--reference", "run 17"]
TRAINED_AT, TESTED_AT = "2020-01-01T09:00:00+00:00", "2020-01-01T09:05:00.123456+00:00"
JUNIT = f"""<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="1" tests="2" timestamp="{TESTED_AT}">
<testcase classname="credit_card_approval.ipynb" name="Cell 0"><system-out>well</system-out></testcase>
<testcase classname="credit_card_approval.ipynb" name="Cell 1"><skipped/></testcase>
</testsuite></testsuites>"""
REPORT = (
    "<!doctype html><title>Model {model_version}</title>"
    "<p>{identity}</p><p>{digest}</p><p>{data[digest]}</p><p>{git_commit}</p>"
)
COMMIT, BASE = "0123456789abcdef0123456789abcdef01234567", "public.ecr.aws/lambda/python:3.13"
LABELS = {
    "org.opencontainers.image.revision": COMMIT,
    "org.opencontainers.image.base.name": BASE,
    "org.opencontainers.image.base.digest": f"sha256:{'d' * 64}",
}
CHAMPION = {
    "model_version": "champion",
    "same_rows": False,
    "roc_auc": None,
    "accuracy": None,
    "gap": None,
    "groups": {},
}
PUSHED = {role: f"sha256:{digit * 64}" for role, digit in (("training", "a"), ("inference", "b"))}


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
        document = self.read(name) | changes
        path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))

    def read(self, name: str) -> dict[str, Any]:
        """What a JSON file holds."""
        document: dict[str, Any] = json.loads((self.root / name).read_text())
        return document

    def compare(
        self, differences: dict[str, Any] = CHAMPION, model: str = "", page: str = "{version} against champion"
    ) -> None:
        """Say that the model was compared with the one in service, and write the files that say so."""
        ours = self.read("artifacts/manifest.json")
        self.edit("artifacts/gate.json", input=self.read("artifacts/gate.json")["input"] | {"champion": CHAMPION})
        compared = {"champion": {"model_version": "champion"}, "model": {"identity": model or ours["identity"]}}
        (self.root / "artifacts/comparison.json").write_text(json.dumps(compared | {"differences": differences}))
        (self.root / "artifacts/comparison.html").write_text(page.format(version=ours["model_version"]))

    def gather(self) -> Path:
        """The archive for review."""
        assert main(["evidence", *self.arguments]) == 0
        return self.root / "review.zip"

    def approve(self, *flags: str) -> Path:
        """The archive for release."""
        release = self.root / "release.zip"
        assert main(["approve", str(self.gather()), *APPROVED, *flags, "--out", str(release)]) == 0
        return release

    def verify(self, archive: Path, *flags: str) -> int:
        """Whether the archive may be released, by what this run's own branch says."""
        branch = ("--rules", "release.json", "--policy", "model_gate.rego", "--limits", "limits.json")
        paths = [word if word.startswith("--") else str(self.root / word) for word in branch]
        return main(["verify", str(archive), "--purpose", "release", *paths, *flags])

    @property
    def arguments(self) -> list[str]:
        """The arguments that tell `python -m operations evidence` where the files are."""
        return [
            *("--artifacts", str(self.root / "artifacts"), "--junit", str(self.root / "report.xml")),
            *("--images", str(self.root / "images"), "--benchmarks", str(self.root / "bench.json")),
            *("--limits", str(self.root / "limits.json"), "--policy", str(self.root / "model_gate.rego")),
            *("--out", str(self.root / "review.zip")),
        ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run whose evidence is complete and consistent."""
    return write_run(tmp_path)


def new_key(directory: Path, name: str) -> tuple[Path, Path]:
    """A private key and its public half, as the documents make them."""
    private, public = directory / f"{name}.pem", directory / f"{name}.pub.pem"
    for words in (
        ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(private)),
        ("pkey", "-in", str(private), "-pubout", "-out", str(public)),
    ):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return private, public


def write_run(root: Path) -> Run:
    """Write complete and consistent evidence."""
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
        "trained_at": TRAINED_AT,
        "git_commit": COMMIT,
        "data": {"dated": "2020-01-01", "digest": "feed" * 16},
        "metrics": metrics,
        "parity": {"rows": 100, "different_decisions": 0},
        "monotonicity": {"pairs": 100, "violations": 0},
        "leakage": {"copied_share": 0.0},
        "explained": {"denials": 9, "without_reason": 0},
        "no_sensitive_reason": None,
        "gate": {"passed": True, "denials": []},
    }
    manifest["identity"] = identity(manifest)
    manifest["model_version"] = model_version(manifest["identity"])
    limits = {"minimum_accuracy": 0.9}
    asked_of = DEFAULTS | limits
    asked = {key: manifest[key] for key in JUDGED} | {"contract": {"model": "a", "limits": "a"}, "data_age_days": 1}
    files: dict[str, Any] = {
        "artifacts/manifest.json": manifest,
        "artifacts/metrics.json": {key: manifest[key] for key in ("identity", "threshold")} | {"scorecard": metrics},
        "artifacts/alternatives.json": {"identity": manifest["identity"], "equal": []},
        "artifacts/gate.json": {"input": asked | {"limits": asked_of, "champion": None}, "decision": manifest["gate"]},
        "limits.json": limits,
        "release.json": {"registries": ["registry.example"], "base_images": [BASE], "approval_days": 36_500},
        "bench.json": {"cold_start": 1.4},
    }
    for role, inside in (("training", None), ("inference", manifest["identity"])):
        image_id = f"sha256:{role}"
        files[f"images/{role}.json"] = {
            "image": f"{role}:latest",
            "id": image_id,
            "digests": [f"registry.example/{role}@{PUSHED[role]}"],
            "identity": inside,
            "labels": LABELS,
        }
        files[f"images/{role}.scan.json"] = {
            "repository": role,
            "image": "latest",
            "digest": PUSHED[role],
            "status": "COMPLETE",
            "counts": {"LOW": 1},
            "findings": [{"name": "CVE-2020-1", "severity": "LOW", "package": "zlib", "version": "1"}],
        }
        files[f"images/{role}.cdx.json"] = {
            "bomFormat": "CycloneDX",
            "metadata": {"component": {"version": image_id}},
            "components": [{"name": "numpy"}],
        }
    for name, document in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(json.dumps(document))
    (root / "artifacts/model.joblib").write_bytes(model)
    (root / "artifacts/model_metrics.html").write_text(REPORT.format(**manifest))
    (root / "model_gate.rego").write_text("package model_gate\n")
    (root / "report.xml").write_text(JUNIT)
    return Run(root)
