"""Trained models for the tests, small enough to train once per session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lambda_app import artifact
from model.contract.loading import load_contract
from model.data.applications import check_frame, read
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.fit.task import TrainingTask
from model.fit.train import train
from model.formats import find
from model.formats.export import export
from model.judge.limits import limits_of
from model.run import publish, run
from tests.artifacts import loans
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.artifact import Artifact
    from model.contract import Contract
    from model.data.applications import Applications
    from model.formats import Columns
    from model.formats.export import Exported
    from model.run import TrainingRun

CONTRACTS = ROOT / "tests" / "contracts"
SMALL = f"{CONTRACTS / 'small.py'}:Applicant"
MIXED = f"{CONTRACTS / 'mixed.py'}:Loan"
EXAMPLE = ROOT / "examples" / "credit_data"
# Fewer rounds than the default: the tests check that the model is exported exactly, not how good it is.
FAST = TrainingSettings(folds=3, max_iter=60, most_iterations=60)


def task_of(contract: type[Contract], applications: Applications, settings: TrainingSettings = FAST) -> TrainingTask:
    """A training task without a champion, under the contract's own limits."""
    return TrainingTask(contract, applications, limits_of(contract), settings)


def columns_of(directory: Path) -> Columns:
    """A scorer of whole columns for the artifact in a directory."""
    opened = artifact.load(str(directory))
    return find(opened.manifest["format"]).columns(opened)


def train_small(out: Path) -> TrainingRun:
    """A scorecard of the default contract, on a few thousand generated applications."""
    contract = load_contract(SMALL)
    applications = check_frame(generate(20_000, 0), contract, source="test", dated="2026-01-01")
    return run(task_of(contract, applications), out)


def train_mixed(out: Path) -> TrainingRun:
    """A scorecard of a contract with optional fields, words and floats."""
    return run(loan_task(), out)


def as_sklearn(mixed: TrainingRun, out: Path) -> TrainingRun:
    """The same model in format `sklearn`."""
    return publish(replace(loan_task(), format="sklearn"), mixed.candidate, out)


def export_example() -> tuple[Artifact, Applications]:
    """A scorecard of the example's contract that nobody has judged, and the applications that it was trained on."""
    exported, applications = example_to_write()
    return exported.opened, applications


def example_to_write() -> tuple[Exported, Applications]:
    """The same with the bytes of its file."""
    contract = load_contract(f"{EXAMPLE / 'applicant.py'}:Applicant")
    task = task_of(contract, read(EXAMPLE / "credit_data.csv", contract))
    candidate = train(task)
    return export(task, candidate), candidate.training


def shuffled(applications: Applications, rows: int, seed: int) -> Applications:
    """Invented applications without outcomes: each value is some applicant's, drawn field by field."""
    generator = np.random.default_rng(seed)
    matrix = np.column_stack([generator.choice(column, rows) for column in applications.matrix.T])
    return replace(applications, matrix=matrix, approved=np.empty(0, bool), groups={}, accepted=np.arange(rows))


def loan_task() -> TrainingTask:
    """The task that `train_mixed` runs."""
    contract = load_contract(MIXED)
    applications = check_frame(loans(3_000, 0), contract, source="test", dated="2026-01-01")
    return task_of(contract, applications)
