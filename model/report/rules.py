"""The policy's rules as the report shows them: what each requires, this model's value, the limit, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.report import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.manifest import ColumnFigures, Figures, Monotonicity
    from model.judge.gate import GateQuestion, Verdict


@dataclass(frozen=True)
class Rule:
    """One rule of the policy, and how this model fared.

    Attributes
    ----------
    name : str
        The policy's name for it.
    asks : str
        What it requires, in words.
    value, limit : str
    passed : bool or None
        None if the rule does not apply because another rule has failed.
    """

    name: str
    asks: str
    value: str
    limit: str
    passed: bool | None


def rules(question: GateQuestion, verdict: Verdict) -> list[Rule]:
    """Every rule of the policy, in the policy's order.

    Parameters
    ----------
    question : GateQuestion
    verdict : Verdict
        Rules that it does not name have passed.
    """
    limits, metrics, parity = question["limits"], question["metrics"], question["parity"]
    champion = question["champion"]
    denied = {rule for rule, _ in verdict.denials}
    found = [
        ("limits", "Every limit is given", f"{len(limits)} limits", "5 numbers"),
        (
            "accuracy",
            "Agrees with the recorded outcomes",
            words.percent(metrics["accuracy"]),
            f"at least {words.percent(limits.get('minimum_accuracy'))}",
        ),
        (
            "sensitive",
            "There are groups to judge by",
            ", ".join(metrics["groups"]) or "no sensitive column",
            "at least 1 sensitive column",
        ),
        (
            "equal_opportunity",
            "Approves the creditworthy of all groups alike",
            _each(
                metrics,
                lambda column: f"{words.percentage_points(column['equal_opportunity_difference']['value'])} apart",
            ),
            f"at most {words.percentage_points(limits.get('maximum_equal_opportunity_gap'))}",
        ),
        (
            "group_size",
            "Each group is large enough to judge by",
            _each(metrics, lambda column: f"{column['smallest_group']:,} applications"),
            f"at least {words.whole(limits.get('minimum_group_size'))}",
        ),
        (
            "parity",
            "The exported model decides like the trained one",
            f"{parity['different_decisions']:,} of {parity['rows'] + parity['edge_rows']:,} decided differently; "
            f"probabilities {words.number(parity['largest_difference'])} apart",
            f"0 decisions; at most {words.number(limits.get('maximum_parity_difference'))}",
        ),
        (
            "monotonicity",
            "No field moves a decision against its direction",
            _violations(question["monotonicity"]),
            "none",
        ),
        (
            "champion",
            "Not worse than the model in service",
            "no model in service to compare with" if champion is None else _against(metrics, champion),
            f"at most {words.percentage_points(limits.get('maximum_champion_loss'))} worse",
        ),
    ]
    unasked = () if metrics["groups"] else ("equal_opportunity", "group_size")
    return [
        Rule(name, asks, value, limit, None if name in unasked else name not in denied)
        for name, asks, value, limit in found
    ]


def _each(metrics: Figures, say: Callable[[ColumnFigures], str]) -> str:
    return "; ".join(f"{name}: {say(column)}" for name, column in metrics["groups"].items()) or "no sensitive column"


def _violations(found: Monotonicity) -> str:
    if not found["directed_fields"]:
        return "no field has a direction, so no pairs were compared"
    of = "neighbouring bins" if found["method"] == "tables" else "applicants"
    return f"{found['violations']:,} of {found['pairs']:,} pairs of {of}"


def _against(metrics: Figures, champion: Figures) -> str:
    gap, other = metrics["equal_opportunity_gap"], champion["equal_opportunity_gap"]
    if gap is None or other is None:
        return "a gap that the data cannot show"
    accuracy = metrics["accuracy"] - champion["accuracy"]
    return f"accuracy {accuracy * 100:+.2f}, gap {(gap - other) * 100:+.2f} percentage points"
