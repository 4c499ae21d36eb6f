"""Labelled applications that are made up in memory, for tests of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.applicant import Applicant
from model.contract.fields import fields_of
from model.data.applications import Applications
from model.data.rejects import Rejects

if TYPE_CHECKING:
    from numpy.typing import NDArray


def judged(truth: NDArray[np.bool_], **groups: NDArray[Any]) -> Applications:
    """Labelled applications with only an outcome and groups."""
    return Applications(
        fields=fields_of(Applicant),
        matrix=np.zeros((len(truth), 4)),
        approved=truth,
        groups={name: values.astype(object) for name, values in groups.items()},
        rejects=Rejects(),
        accepted=np.arange(len(truth)),
        digest="",
        source="",
        dated="",
    )


def invented(rows: int, seed: int) -> tuple[Applications, NDArray[np.float64], NDArray[np.bool_]]:
    """Applications of two groups, informative estimates, and decisions at 0.5."""
    generator = np.random.default_rng(seed)
    group = generator.integers(0, 2, rows)
    truth = generator.random(rows) < 0.3 + 0.3 * group
    probabilities = np.clip(0.25 + 0.4 * truth + 0.1 * group + generator.normal(0, 0.2, rows), 0, 1)
    return judged(truth, Group=group.astype(str)), probabilities, probabilities >= 0.5
