"""The input of one training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from model.fit.settings import TrainingSettings

if TYPE_CHECKING:
    from lambda_app.manifest import Figures
    from model.contract import Contract
    from model.data.applications import Applications


class Limits(TypedDict):
    """What a model must reach to pass the gate: the content of `limits.json`.

    Gaps, losses and differences are shares, 0 to 1. The file may have other keys, for another policy.
    """

    minimum_accuracy: float
    maximum_equal_opportunity_gap: float
    minimum_group_size: float
    maximum_champion_loss: float
    maximum_parity_difference: float


@dataclass(frozen=True)
class TrainingTask:
    """The input of one training run.

    Parameters
    ----------
    contract : type of Contract
    applications : Applications
        Checked and labelled.
    limits : Limits
        The cut-off is chosen to meet them, and the gate checks whether the model does.
    settings : TrainingSettings
    format : str
        The artifact's format.
    champion : Figures, optional
        The figures of the model in service.
    """

    contract: type[Contract]
    applications: Applications
    limits: Limits
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    format: str = "scorecard"
    champion: Figures | None = None
