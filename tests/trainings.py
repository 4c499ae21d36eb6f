"""Trained models for the tests, small enough to train once a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.contract.loading import load_contract
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.run import publish, run
from tests.artifacts import loans
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from model.data.applications import Applications
    from model.run import TrainingRun

CONTRACTS = ROOT / "tests" / "contracts"
SMALL = f"{CONTRACTS / 'small.py'}:Applicant"
MIXED = f"{CONTRACTS / 'mixed.py'}:Loan"
# Fewer rounds than by default: the tests ask whether the model is carried over exactly, not how good it is.
FAST = TrainingSettings(folds=3, max_iter=60)


def train_small(out: Path) -> TrainingRun:
    """A scorecard of the default contract, on a few thousand generated applications."""
    contract = load_contract(SMALL)
    return run(contract, check_frame(generate(20_000, 0), contract, source="test", dated="2026-01-01"), out, FAST)


def train_mixed(out: Path) -> TrainingRun:
    """A scorecard of a contract with optional fields, words and floats."""
    return run(load_contract(MIXED), _loans(), out, FAST)


def as_sklearn(mixed: TrainingRun, out: Path) -> TrainingRun:
    """The same model in format `sklearn`."""
    return publish(load_contract(MIXED), _loans(), mixed.trained, out, FAST, "sklearn", None)


def _loans() -> Applications:
    return check_frame(loans(3_000, 0), load_contract(MIXED), source="test", dated="2026-01-01")
