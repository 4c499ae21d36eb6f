"""The sentences about skill and calibration, and the table of the compared models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from model.judge.comparison import models_of
from model.report import quality

if TYPE_CHECKING:
    from lambda_app.manifest import Figures, Skill
    from model.run import TrainingRun

FIT = {"slope": {"value": 1.02, "low": 0.98, "high": 1.06}, "intercept": -0.013}
SKILL: Skill = {
    "measure": "accuracy",
    "constant": "deny all",
    "value": 0.9332,
    "constant_value": 0.6139,
    "difference": {"value": 0.3193, "low": 0.3164, "high": 0.3222},
}


def changed(small: TrainingRun, **changes: Any) -> Figures:
    return cast("Figures", {**small.manifest["metrics"], **changes})


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_compares_with_the_same_decision_for_everybody() -> None:
    assert plain(quality.skill_words(SKILL)) == (
        "Accuracy is 93.32 %, against 61.39 % for denying everybody: better by 31.93 percentage points (95 % interval "
        "of the difference 31.64 to 32.22)."
    )


def test_a_cost_is_not_a_share() -> None:
    # Given a model that is chosen by cost, and costs more than approving everybody
    skill: Skill = {
        "measure": "cost",
        "constant": "approve all",
        "value": -1.25,
        "constant_value": -1.2,
        "difference": {"value": -0.05, "low": -0.09, "high": -0.01},
    }
    # When it is put in words, then costs are positive numbers, and worse is worse
    assert plain(quality.skill_words(skill)) == (
        "The cost of wrong decisions is 1.25 an application, against 1.2 an application for approving everybody: worse "
        "by 0.05 an application (95 % interval of the difference \u22120.09 to \u22120.01)."
    )


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.98, 1.06, "neither too extreme nor too cautious"),
        (0.7, 0.9, "the estimates are too extreme"),
        (1.1, 1.3, "the estimates are too cautious"),
    ],
)
def test_says_what_the_slope_means(low: float, high: float, expected: str, small: TrainingRun) -> None:
    fit = {"slope": {"value": (low + high) / 2, "low": low, "high": high}, "intercept": 0.1}
    assert expected in quality.calibration_words(changed(small, calibration_fit=fit))[0]


def test_gives_the_calibration_in_words(small: TrainingRun) -> None:
    # Given figures with a tenth that is far from the record
    tenths = [
        {"predicted": 0.037, "observed": 0.005, "rows": 1000, "interval": {"low": 0.002, "high": 0.012}},
        {"predicted": 0.5, "observed": 0.51, "rows": 1000, "interval": {"low": 0.47, "high": 0.55}},
    ]
    skill = {"value": 0.81, "low": 0.8, "high": 0.82}
    # When they are put in words
    said = quality.calibration_words(changed(small, calibration=tenths, calibration_fit=FIT, brier_skill=skill))
    words = plain(" ".join(said))
    # Then slope, intercept, skill and that tenth are there
    assert (
        "a slope of 1.02 (95 % interval 0.98 to 1.06) and an intercept of \u22120.01, where 1 and 0 are exact" in words
    )
    assert "The squared error is 81.0 % smaller than with the overall share as the estimate for everybody" in words
    assert "of those estimated at 3.7 % on average, 0.5 % are labelled approve (95 % interval 0.2 to 1.2)." in words


def test_a_model_without_these_figures_is_said_to_have_none(small: TrainingRun) -> None:
    # Given the figures of an older artifact
    older = changed(small, calibration_fit=None, brier_skill=None)
    # When they are put in words, then each says that it is not known
    assert "not known" in quality.skill_words(None)
    assert [sentence.count("not known") for sentence in quality.calibration_words(older)] == [1, 1, 0]


def test_puts_the_models_side_by_side(small: TrainingRun) -> None:
    # Given three models, of which one has the new figures
    models = models_of(small.assessment.metrics)
    new = {"calibration_fit": FIT, "log_loss": 0.161, "ks": 0.9, "gini": 0.976, "brier_skill": FIT["slope"]}
    none = dict.fromkeys(new)
    given = {name: cast("Figures", {**figures, **none}) for name, figures in models.items()}
    given["scorecard"] = cast("Figures", {**models["scorecard"], **new})
    # When they are compared
    rows = quality.compared(given, small.assessment.metrics["cutoffs"])
    # Then each row has a cell for each model, in their order
    assert {len(cells) for cells in rows.values()} == {3}
    assert [cell.value for cell in rows["KS"]] == ["0.9000", "not known", "not known"]
    assert [cell.value for cell in rows["Calibration slope"]] == ["1.02", "not known", "not known"]
    assert rows["Calibration slope"][0].interval == "0.98 to 1.06"
    assert [cell.value for cell in rows["Brier score"]] == [f"{figures['brier']:.4f}" for figures in models.values()]
