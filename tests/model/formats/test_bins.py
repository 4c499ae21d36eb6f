"""Bins, and the shares of the training rows in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from model.formats.bins import bins_of

if TYPE_CHECKING:
    from model.run import TrainingRun


def test_shares_are_those_of_the_training_rows_and_add_up(mixed: TrainingRun, mixed_sklearn: TrainingRun) -> None:
    for outcome in (mixed, mixed_sklearn):
        matrix = outcome.candidate.training.matrix
        for column, field in zip(matrix.T, outcome.manifest["bins"]["fields"], strict=True):
            numbers = bins_of(column, field)
            for number, share in enumerate(field["shares"]):
                assert share == pytest.approx(np.mean(numbers == number), abs=1e-6)
            assert sum(field["shares"]) == pytest.approx(1, abs=1e-4)
        assert sum(outcome.manifest["bins"]["score"]["shares"]) == pytest.approx(1, abs=1e-4)
