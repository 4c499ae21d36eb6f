"""Splitting, the cut-off, and the same bytes from the same seed everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.errors import TrainingError
from model.fit.cutoff import RESOLUTION, candidate_cutoffs, choose_cutoff
from model.fit.settings import TrainingSettings
from model.fit.train import split, train
from tests.applications import invented, judged
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
        pytest.param({"Savings": np.nan}, "Savings has no value in any row", id="field-missing-everywhere"),
    ],
)
def test_data_that_cannot_train_a_model_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        train(task_of(load_contract(MIXED), loan_applications(**changes)))


@given(
    probabilities=st.lists(st.floats(0, 1), min_size=2, max_size=60).filter(
        lambda found: max(found) - min(found) > 0.01
    )
)
def test_candidate_cutoffs_keep_a_distance_from_every_probability(probabilities: list[float]) -> None:
    cutoffs = candidate_cutoffs(np.array(probabilities))
    assert 1 <= len(cutoffs) <= len(set(probabilities)) - 1
    assert list(cutoffs) == sorted(cutoffs)
    for cutoff in cutoffs:
        assert min(abs(cutoff - probability) for probability in probabilities) > RESOLUTION / 3
        assert min(probabilities) < cutoff < max(probabilities)


def test_many_probabilities_give_no_more_than_a_thousand_candidates() -> None:
    cutoffs = candidate_cutoffs(np.random.default_rng(0).random(20_000))
    assert 990 <= len(cutoffs) <= 1000
    assert cutoffs[0] < 0.01
    assert cutoffs[-1] > 0.99


def test_model_with_one_probability_for_all_is_refused() -> None:
    with pytest.raises(TrainingError, match="same probability"):
        candidate_cutoffs(np.full(10, 0.4) + np.arange(10) * 1e-9)


@settings(max_examples=40)
@given(seed=st.integers(0, 9_999), limit=st.floats(0.05, 0.6))
def test_cutoff_is_the_most_accurate_one_that_the_policy_allows(seed: int, limit: float) -> None:
    # Given the accuracy and the gap of every candidate, calculated one by one
    applications, probabilities, _ = invented(300, seed)
    truth, groups = applications.approved, applications.groups["Group"]
    candidates = candidate_cutoffs(probabilities)[::7]
    found = {}
    for cutoff in candidates:
        approved = probabilities >= cutoff
        rates = [approved[truth & (groups == name)].mean() for name in ("0", "1")]
        found[float(cutoff)] = abs(rates[0] - rates[1]), accuracy_score(truth, approved)
    allowed = {cutoff: accuracy for cutoff, (gap, accuracy) in found.items() if gap <= limit}
    best = max(accuracy for _, accuracy in found.values())
    # When one is chosen
    choice = choose_cutoff(candidates, probabilities, applications, limit)
    # Then no allowed one is more accurate or, if none is allowed, no gap is smaller; and the choice says which it was
    gap, accuracy = found[choice.cutoff]
    if allowed:
        assert allowed[choice.cutoff] == pytest.approx(max(allowed.values()))
    else:
        assert gap == pytest.approx(min(gap for gap, _ in found.values()))
    assert (choice.candidates, choice.within) == (len(candidates), len(allowed))
    assert choice.binding is (accuracy < best - 1e-9)
    assert choice.accuracy == pytest.approx(accuracy)
    assert choice.most_accurate == pytest.approx(best)


def test_if_no_cutoff_meets_the_limit_the_most_accurate_with_the_smallest_gap_is_chosen() -> None:
    # Given three cut-offs: two approve both creditworthy applicants, the third approves only one of them
    truth = np.array([True, True, False, False])
    applications = judged(truth, Group=np.array(["a", "b", "a", "b"]))
    probabilities = np.array([0.9, 0.5, 0.3, 0.1])
    cutoffs = np.array([0.2, 0.4, 0.7])
    # When no gap is small enough
    choice = choose_cutoff(cutoffs, probabilities, applications, -0.1)
    # Then the more accurate of the two without a gap is chosen
    assert (choice.cutoff, choice.within, choice.accuracy) == (0.4, 0, 1.0)
