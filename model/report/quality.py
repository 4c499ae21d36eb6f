"""What the report says about the decisions' skill and the estimates' quality, in sentences and rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.report import measures, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.manifest import CalibrationFit, Estimate, Figures, Skill

CONSTANTS = {"approve all": "approving everybody", "deny all": "denying everybody"}


@dataclass(frozen=True)
class Cell:
    """One figure of one model; the interval is empty where there is none."""

    value: str
    interval: str = ""


UNKNOWN = Cell(words.NONE)


def compared(models: Mapping[str, Figures], cutoffs: Mapping[str, float]) -> dict[str, list[Cell]]:
    """The figures of each model side by side: for each figure, a cell for each model, in the order given."""
    rows = {name: _cells(figures, cutoffs[name]) for name, figures in models.items()}
    return {label: [cells[label] for cells in rows.values()] for label in next(iter(rows.values()))}


def _cells(figures: Figures, cutoff: float) -> dict[str, Cell]:
    intervals = figures["intervals"]
    shares: dict[str, tuple[str, float]] = {
        "Accuracy": ("accuracy", figures["accuracy"]),
        "Precision": ("precision", figures["precision"]),
        "Recall": ("recall", figures["recall"]),
        "Approved": ("approval_rate", figures["approval_rate"]),
    }
    fit, skill = figures.get("calibration_fit"), figures.get("brier_skill")
    slope, intercept = (fit["slope"], fit["intercept"]) if fit else (None, None)
    return {
        "Cut-off": Cell(words.places(cutoff)),
        **{
            label: Cell(words.percent(share), words.interval(intervals[key], 2))
            for label, (key, share) in shares.items()
        },
        "F1": Cell(words.places(figures["f1"])),
        "Area under ROC": Cell(words.places(figures["roc_auc"]), words.interval(intervals["roc_auc"], 4, 1)),
        "Gini": Cell(words.places(figures.get("gini"))),
        "KS": Cell(words.places(figures.get("ks"))),
        "Log loss": Cell(words.places(figures.get("log_loss"))),
        "Brier score": Cell(words.places(figures["brier"])),
        "Brier skill": Cell(words.percent(skill["value"]), words.interval(skill, 2)) if skill else UNKNOWN,
        "Calibration slope": Cell(words.hundredths(slope["value"]), words.interval(slope, 2, 1)) if slope else UNKNOWN,
        "Calibration intercept": Cell(words.hundredths(intercept)),
        "Equal-opportunity gap": Cell(words.points(figures["equal_opportunity_gap"])),
    }


def skill_words(skill: Skill | None) -> str:
    """How much better the decisions are than the same decision for everybody."""
    if skill is None:
        return f"How much better this is than the same decision for everybody is {words.NONE}."
    difference, measure = skill["difference"], measures.of(skill["measure"])
    better = "better" if difference["value"] > 0 else "worse"
    name = measure.name[0].upper() + measure.name[1:]
    return (
        f"{name} is {measure.say(skill['value'])}, against {measure.say(skill['constant_value'])} for "
        f"{CONSTANTS[skill['constant']]}: {better} by {measure.apart(abs(difference['value']))} (95\xa0% interval of "
        f"the difference {words.interval(difference, 2, measure.scale)})."
    )


def calibration_words(figures: Figures) -> list[str]:
    """Whether the estimates can be taken at their word."""
    return [_slope(figures.get("calibration_fit")), _squared_error(figures.get("brier_skill")), *_deviation(figures)]


def _slope(fit: CalibrationFit | None) -> str:
    if fit is None:
        return f"The slope of the calibration is {words.NONE}."
    slope = fit["slope"]
    says = "as far as chance lets one tell, the estimates are neither too extreme nor too cautious"
    if slope["high"] < 1:
        says = "the estimates are too extreme: high ones too high, low ones too low"
    elif slope["low"] > 1:
        says = "the estimates are too cautious: high ones too low, low ones too high"
    return (
        f"A logistic regression of the outcomes on the estimates' log-odds has a slope of "
        f"{words.hundredths(slope['value'])} (95\xa0% interval {words.interval(slope, 2, 1)}) and an intercept of "
        f"{words.hundredths(fit['intercept'])}, where 1 and 0 are exact: {says}."
    )


def _squared_error(skill: Estimate | None) -> str:
    if skill is None:
        return f"The Brier skill is {words.NONE}."
    smaller = "smaller" if skill["value"] >= 0 else "larger"
    return (
        f"The squared error is {words.percent(abs(skill['value']))} {smaller} than with the overall share as the "
        f"estimate for everybody (Brier skill; 95\xa0% interval {words.interval(skill)})."
    )


def _deviation(figures: Figures) -> list[str]:
    """The tenth of the applicants whose estimate is furthest from the record."""
    if not figures["calibration"]:
        return []
    furthest = max(figures["calibration"], key=lambda tenth: abs(tenth["predicted"] - tenth["observed"]))
    ends = furthest.get("interval")
    chance = f" (95\xa0% interval {words.interval(ends)})" if ends else ""
    return [
        "The largest deviation by tenth of the applicants: of those estimated at "
        f"{words.percent(furthest['predicted'])} on average, {words.percent(furthest['observed'])} are labelled approve"
        f"{chance}."
    ]
