"""Splitting, the cut-off, and the same bytes from the same seed everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.errors import TrainingError
from model.fit.settings import TrainingSettings
from model.fit.splitting import split
from model.fit.train import train
from tests.artifacts import loans
from tests.serving import ROOT
from tests.trainings import MIXED, task_of

if TYPE_CHECKING:
    from pathlib import Path

    from model.data.applications import Applications
    from model.run import TrainingRun

# Trains as the fixtures do, in another interpreter, and prints the digests.
AGAIN = """
import sys
from pathlib import Path
from tests.trainings import train_mixed, train_small
for name, train in (("Applicant", train_small), ("Loan", train_mixed)):
    print(train(Path(sys.argv[1]) / name).manifest["digest"])
"""


@pytest.mark.parametrize(("hash_seed", "threads"), [("123", "1"), ("0", "2")], ids=["one-thread", "two-threads"])
def test_same_seed_gives_the_same_bytes_in_another_process(
    hash_seed: str, threads: str, tmp_path: Path, small: TrainingRun, mixed: TrainingRun
) -> None:
    # Given a run with another hash seed and another number of threads
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tmp_path)], env=environ, capture_output=True, text=True, check=True
    )
    # Then its models are byte-identical, and so is everything else that decides
    assert ended.stdout.split() == [small.manifest["digest"], mixed.manifest["digest"]]
    for outcome, name in ((small, "Applicant"), (mixed, "Loan")):
        same = (tmp_path / name / "model.joblib").read_bytes()
        assert same == (outcome.directory / "model.joblib").read_bytes()
        again = json.loads((tmp_path / name / "manifest.json").read_text())
        for key in ("model_version", "threshold", "reference", "bins", "golden", "metrics"):
            assert again[key] == outcome.manifest[key], key


def loan_applications(rows: int = 600, **changes: Any) -> Applications:
    """Labelled loans, with columns replaced."""
    return check_frame(loans(rows, 1).assign(**changes), load_contract(MIXED), source="test", dated="2026-01-01")


def test_split_uses_every_row_once_and_keeps_the_share_of_outcomes() -> None:
    applications = loan_applications()
    training, holdout = split(applications, TrainingSettings(holdout=0.25))
    assert sorted([*training.accepted, *holdout.accepted]) == list(range(600))
    assert len(holdout.matrix) == 150
    assert training.approved.mean() == pytest.approx(holdout.approved.mean(), abs=0.01)
    assert np.array_equal(split(applications, TrainingSettings(holdout=0.25))[1].accepted, holdout.accepted)
    assert not np.array_equal(split(applications, TrainingSettings(holdout=0.25, seed=1))[1].accepted, holdout.accepted)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"Status": "good"}, "600 approvals and 0 denials are too few", id="one-outcome"),
        pytest.param({"Age": 30}, "Age has fewer than two groups", id="one-group"),
        pytest.param({"Savings": np.nan}, "Savings has no value in any training row", id="field-missing-everywhere"),
    ],
)
def test_data_that_cannot_train_a_model_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        train(task_of(load_contract(MIXED), loan_applications(**changes)))
