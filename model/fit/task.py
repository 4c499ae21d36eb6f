"""The input of one training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from model.fit.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from model.contract import Contract
    from model.data.applications import Applications


class CutoffRule(TypedDict):
    """How the cut-off is chosen; `limits.json` holds it as `cutoff`.

    `by` names the measure; the other keys belong to one measure each:

    - accuracy: the most decisions that agree with the recorded outcome;
    - cost: the least cost, where one wrong approval costs `false_approve` and one wrong denial `false_deny`;
    - bad_share: the most approvals with at most `at_most` of the approved labelled deny;
    - approved_share: approve the share `share` of the applicants;
    - value: exactly `cutoff`.
    """

    by: Literal["accuracy", "cost", "bad_share", "approved_share", "value"]
    false_approve: NotRequired[float]
    false_deny: NotRequired[float]
    at_most: NotRequired[float]
    share: NotRequired[float]
    cutoff: NotRequired[float]


class Limits(TypedDict):
    """What a model must reach to pass the gate: the content of `limits.json`, completed with defaults.

    Gaps, losses, shares and differences are 0 to 1. The first five must be given; `model.judge.limits.DEFAULTS` has the
    others. The policy holds the range that each may have.
    """

    minimum_accuracy: float
    maximum_equal_opportunity_gap: float
    minimum_group_size: float
    maximum_champion_loss: float
    maximum_parity_difference: float
    minimum_creditworthy: float
    maximum_unknown_group_share: float
    minimum_roc_auc: float
    maximum_roc_auc: float
    minimum_calibration_slope: float
    maximum_calibration_slope: float
    minimum_brier_skill: float
    maximum_approval_shift: float
    maximum_copied_share: float
    maximum_outcome_explained: float
    maximum_group_explained: float
    maximum_data_age_days: float
    minimum_reason_share: float
    warn_age_days: float
    expire_age_days: float
    cutoff: CutoffRule


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
    champion : Path, optional
        The model in service: its artifact's directory, or its manifest.
    """

    contract: type[Contract]
    applications: Applications
    limits: Limits
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    format: str = "scorecard"
    champion: Path | None = None
