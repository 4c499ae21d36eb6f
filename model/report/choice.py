"""How the cut-off was chosen, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.judge.comparison import models_of
from model.report import measures, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.fit.task import CutoffRule
    from model.judge.comparison import Metrics


def choice_words(choice: Mapping[str, Any] | None, rule: CutoffRule, threshold: float, *, groups: bool) -> list[str]:
    """What the choice was for, whether the policy's limit affected it, and what the tie-break was worth.

    Parameters
    ----------
    choice : mapping, optional
        `model.fit.cutoff.Choice` as plain data; None if an existing model was exported again.
    rule : CutoffRule
    threshold : float
        The cut-off.
    groups : bool
        Whether there is a sensitive column.
    """
    cutoff = f"The cut-off of {words.places(threshold)}"
    if choice is None:
        return [f"{cutoff} was chosen when the model was first trained; the report of that run says how."]
    if rule["by"] == "value":
        given = f"{cutoff} is the one that {measures.aim(rule)}."
        return [f"{given} Nothing was chosen, so nothing mitigates a gap between groups."]
    asked = (
        f"{cutoff} was chosen among {choice['candidates']:,} on the training applications, each estimated by a model "
        f"that had not seen it: the policy asks for the cut-off that {measures.aim(rule)}."
    )
    if not groups:
        return [asked]
    mitigates = choice["binding"] or choice["gap"] < choice["best_gap"]
    end = (
        "This mitigates a difference between groups but does not remove it."
        if mitigates
        else "So the cut-off serves that aim alone; it does not mitigate the difference between groups."
    )
    return [asked, _limit(choice), f"{_ties(choice)} {end}"]


def _limit(choice: Mapping[str, Any]) -> str:
    kept = (
        f"the interval of the equal-opportunity gap, as wide as on the hold-out, within "
        f"{words.percentage_points(choice['limit'])}, the policy's limit minus a margin"
    )
    within, measure = choice["within"], measures.of(choice["by"])
    if not within:
        return f"None of these keeps {kept}, so only those with the lowest upper end were considered."
    if choice["binding"]:
        return (
            f"The policy's limit was binding: {within:,} keep {kept}. At the best of these, {measure.name} is "
            f"{measure.say(choice['best_value'])}; at the best of all, {measure.say(choice['most'])}."
        )
    if within == choice["candidates"]:
        return f"The policy's limit was not binding: all of these keep {kept}."
    return f"The policy's limit was not binding: {within:,} keep {kept}, and no other that the rule allows is better."


def _ties(choice: Mapping[str, Any]) -> str:
    measure = measures.of(choice["by"])
    if choice["tied"] < 2:
        return "No other cut-off is within one standard error of the best."
    close = f"{choice['tied']:,} cut-offs are within one standard error of the best, too close to tell apart."
    if choice["gap"] >= choice["best_gap"]:
        return f"{close} Of these, the best itself has the smallest gap."
    smaller, wider = words.percentage_points(choice["gap"]), words.percentage_points(choice["best_gap"])
    return (
        f"{close} Of these, the one with the smallest gap was chosen: a gap of {smaller} instead of {wider}, at a cost "
        f"of {measure.apart(choice['best_value'] - choice['value'])} in {measure.name}, which these applications "
        "cannot tell from nothing."
    )


def smaller_gaps(metrics: Metrics) -> str:
    """What the listed cut-offs with a smaller gap cost in accuracy, as far as the hold-out can tell."""
    scorecard = models_of(metrics)["scorecard"]
    gap, accuracy = scorecard["equal_opportunity_gap"], scorecard["intervals"]["accuracy"]
    others = [point for point in metrics["alternatives"] if point["cutoff"] != metrics["threshold"]]
    narrower = [point for point in others if gap is not None and point["gap"] is not None and point["gap"] < gap]
    if not narrower or accuracy is None:
        return ""
    near = [point for point in narrower if point["accuracy"] >= accuracy["low"]]
    if not near:
        return (
            "Every listed cut-off with a smaller gap has an accuracy below the 95\xa0% interval of the chosen one's "
            f"({words.interval(accuracy, 2)})."
        )
    least = min(near, key=lambda point: point["gap"] or 0.0)
    return (
        f"At {least['cutoff']:g} the gap is {words.percentage_points(least['gap'])}, and the accuracy of "
        f"{words.percent(least['accuracy'], 2)} is not below the 95\xa0% interval of the chosen one's "
        f"({words.interval(accuracy, 2)})."
    )
