"""Artifacts for the tests: one written by hand, so that its answers can be calculated by hand, and trained ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import joblib
import numpy as np
import pandas as pd

from lambda_app.manifest import digest, identity, model_version
from model.applicant import Applicant
from model.contract.carried import contract_as_data
from model.contract.fields import fields_of

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import Manifest, Reference
    from model.contract import Contract

# Points are sums of powers of two, so every score is exact.
TABLES: ScorecardTables = {
    "intercept": -4.0,
    "fields": [
        {"name": "Num_Children", "edges": [1.0, 2.0], "points": [0.5, 0.25, 0.0]},
        {"name": "Income", "edges": [30_000.0, 60_000.0, 90_000.0], "points": [0.0, 1.0, 2.5, 4.0]},
        {"name": "Own_Car", "edges": [0.0], "points": [0.0, 0.25]},
        {"name": "Own_Housing", "edges": [0.0], "points": [0.0, 1.5]},
    ],
}
REFERENCE: Reference = {"points": [0.25, 2.5, 0.25, 1.5], "score": 0.5}


def write_by_hand(directory: Path, contract: type[Contract] = Applicant, /, **changes: Any) -> Manifest:
    """Write an artifact with the tables above; `changes` replace keys of the manifest before its version is computed.

    Returns
    -------
    Manifest
        Only the keys that the service reads.
    """
    model = changes.pop("model", TABLES)
    joblib.dump(json.loads(json.dumps(model)), directory / "model.joblib", protocol=4)
    return vouch(directory, contract, **changes)


def vouch(directory: Path, contract: type[Contract] = Applicant, /, **changes: Any) -> Manifest:
    """Write a manifest that matches the bytes of `model.joblib`, whatever they are."""
    content = (directory / "model.joblib").read_bytes()
    manifest: dict[str, object] = {
        "manifest_version": 1,
        "format": "scorecard",
        "format_version": 1,
        "digest": digest(content),
        "size": len(content),
        "threshold": 0.5,
        "contract": contract_as_data(contract, fields_of(contract)),
        "reference": REFERENCE,
        "bins": {
            "fields": [{"name": field["name"], "edges": field["edges"]} for field in TABLES["fields"]],
            "score": {"edges": [0.5], "shares": [0.5, 0.5]},
        },
        "trained_at": "2026-01-02T03:04:05+00:00",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "data": {"source": "applications.csv", "digest": "0" * 64, "dated": "2026-01-01", "rows": 1000},
        "metrics": {"accuracy": 0.9},
        "gate": {"passed": True, "denials": []},
        "golden": [],
        **changes,
    }
    found = identity(manifest)
    manifest |= {"identity": found, "model_version": model_version(found)}
    write_manifest(directory, manifest)
    return cast("Manifest", manifest)


def write_manifest(directory: Path, manifest: object) -> None:
    """Write the manifest as given."""
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def loans(rows: int, seed: int) -> pd.DataFrame:
    """Labelled applications for `tests.contracts.mixed.Loan`, with missing values, ties and a constant column."""
    generator = np.random.default_rng(seed)
    amount = np.round(generator.gamma(2.0, 4_000.0, rows).clip(0, 50_000), 2)
    years = generator.integers(0, 41, rows)
    home = generator.choice(["own", "rent", "parents"], rows, p=[0.5, 0.4, 0.1])
    job = generator.choice(["fixed", "freelance", "none"], rows, p=[0.7, 0.2, 0.1])
    savings = np.round(generator.normal(3_000, 4_000, rows).clip(-1_000, 1_000_000), 1)
    guarantor = generator.integers(0, 2, rows)
    score = 1.5 - amount / 6_000 + years / 15 + (home == "own") + (job == "fixed") + savings / 8_000 + guarantor * 0.4
    missing = generator.random((3, rows)) < 0.1
    return pd.DataFrame(
        {
            "Amount": amount,
            "Years": pd.Series(years, dtype="Int64").mask(missing[0]),
            "Home": home,
            "Job": pd.Series(job).mask(missing[1]),
            "Savings": np.where(missing[2], np.nan, savings),
            "Guarantor": guarantor,
            "Constant": np.full(rows, 3),
            "Age": generator.integers(18, 80, rows),
            "Status": np.where(score + generator.logistic(0, 0.5, rows) > 1.5, "good", "bad"),
        }
    )
