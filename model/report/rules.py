"""The policy's rules as the report shows them: what each requires, this model's value, the limit, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.report import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_app.manifest import ColumnFigures, Estimate, Figures, Leakage, Monotonicity
    from model.judge.champion import Comparison
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
        None if the rule does not apply: there are no groups, no date, or no model in service.
    """

    name: str
    asks: str
    value: str
    limit: str
    passed: bool | None

    @property
    def result(self) -> str:
        """How it went, in words."""
        return "not applicable" if self.passed is None else "passed" if self.passed else "failed"

    @property
    def order(self) -> int:
        """What failed comes first, and what does not apply last."""
        return {False: 0, True: 1, None: 2}[self.passed]


# A rule's name, what it requires, this model's value, and the limit.
Row = tuple[str, str, str, str]


def rules(question: GateQuestion, verdict: Verdict) -> list[Rule]:
    """Every rule of the policy, in the policy's order.

    Parameters
    ----------
    question : GateQuestion
    verdict : Verdict
        Rules that it does not name have passed.
    """
    denied = {rule for rule, _ in verdict.denials}
    idle = set(_idle(question)) - denied
    parts = (_the_question, _skill, _groups, _data, _export, _champion)
    return [
        Rule(name, asks, value, limit, None if name in idle else name not in denied)
        for part in parts
        for name, asks, value, limit in part(question)
    ]


def _idle(question: GateQuestion) -> Iterator[str]:
    """The rules that do not apply unless they deny."""
    if not question["metrics"]["groups"]:
        yield from ("sensitive", "known_groups", "group_size", "equal_opportunity", "proxy")
    if question["data_age_days"] is None:
        yield "data_age"
    if question["champion"] is None:
        yield "champion"


def _the_question(question: GateQuestion) -> Iterator[Row]:
    limits, contract = question["limits"], question["contract"]
    champion = f", champion's {contract['champion']}" if contract["champion"] else ""
    yield "limits", "Every limit is known and makes sense", f"{len(limits)} limits", "the ranges in docs/gate.md"
    yield (
        "contract",
        "Limits and champion belong to the model's own contract",
        f"limits' {contract['limits']}{champion}",
        f"the model's, {contract['model']}",
    )


def _skill(question: GateQuestion) -> Iterator[Row]:
    limits, metrics = question["limits"], question["metrics"]
    skill, fit, confusion = metrics["skill"], metrics["calibration_fit"], metrics["confusion"]
    recorded = (confusion["true_approve"] + confusion["false_deny"]) / metrics["rows"]
    yield (
        "skill",
        "Decides better than the best constant decision",
        words.NONE if skill is None else f"{skill['measure']}: better by {_estimate(skill['difference'])}",
        "the interval above 0",
    )
    area = metrics["intervals"]["roc_auc"]
    yield (
        "ranking",
        "Ranks applicants by creditworthiness",
        f"AUC {words.places(metrics['roc_auc'])}, at least {words.places(area['low'] if area else None)}",
        f"the interval from {words.places(limits.get('minimum_roc_auc'))}",
    )
    slope = fit["slope"]["value"] if fit else None
    brier = metrics["brier_skill"]
    yield (
        "calibration",
        "Estimates the right probabilities",
        f"slope {words.places(slope)}; Brier skill {words.NONE if brier is None else _estimate(brier)}",
        f"slope {words.places(limits.get('minimum_calibration_slope'))} to "
        f"{words.places(limits.get('maximum_calibration_slope'))}; Brier skill's interval from "
        f"{words.places(limits.get('minimum_brier_skill'))}",
    )
    yield (
        "accuracy",
        "Agrees with the recorded outcomes",
        words.percent(metrics["accuracy"]),
        f"at least {words.percent(limits.get('minimum_accuracy'))}",
    )
    yield (
        "approvals",
        "Approves about as many as are labelled approve",
        f"{words.percent(metrics['approval_rate'])} approved, {words.percent(recorded)} labelled approve",
        f"at most {words.points(limits.get('maximum_approval_shift'))} apart",
    )


def _groups(question: GateQuestion) -> Iterator[Row]:
    limits, metrics = question["limits"], question["metrics"]
    reason = question["no_sensitive_reason"]
    yield (
        "sensitive",
        "There are groups to judge by",
        ", ".join(metrics["groups"]) or f"no sensitive column{f': {reason}' if reason else ''}",
        "at least 1 sensitive column, or a reason why there is none",
    )
    yield (
        "known_groups",
        "The groups of most applicants are known",
        _each(metrics, lambda column: f"{words.percent(column['rows_without_group'] / metrics['rows'])} unknown"),
        f"at most {words.percent(limits.get('maximum_unknown_group_share'))}",
    )
    yield (
        "group_size",
        "Each group is large enough to judge by",
        _each(
            metrics,
            lambda column: (
                f"{column['smallest_group']:,} applications and {column['smallest_creditworthy']:,} labelled approve "
                "in the smallest"
            ),
        ),
        f"at least {words.whole(limits.get('minimum_group_size'))} and "
        f"{words.whole(limits.get('minimum_creditworthy'))}",
    )
    yield (
        "equal_opportunity",
        "Approves the creditworthy of all groups alike",
        _each(metrics, _gap),
        f"the interval up to {words.points(limits.get('maximum_equal_opportunity_gap'))}",
    )


def _data(question: GateQuestion) -> Iterator[Row]:
    limits, metrics, leakage, age = (
        question["limits"],
        question["metrics"],
        question["leakage"],
        question["data_age_days"],
    )
    outcome, field = max((leak["outcome"], name) for name, leak in leakage["fields"].items())
    yield (
        "duplicates",
        "The hold-out does not repeat the training rows",
        f"{words.percent(leakage['copied_share'])} are copies",
        f"at most {words.percent(limits.get('maximum_copied_share'))}",
    )
    yield (
        "giveaway",
        "No field gives the outcome away",
        f"{field} alone explains {words.percent(outcome)}; AUC {words.places(metrics['roc_auc'])}",
        f"at most {words.percent(limits.get('maximum_outcome_explained'))}; AUC at most "
        f"{words.places(limits.get('maximum_roc_auc'))}",
    )
    yield (
        "proxy",
        "No field stands in for a sensitive column",
        _closest_proxy(leakage),
        f"at most {words.percent(limits.get('maximum_group_explained'))}",
    )
    yield (
        "data_age",
        "The data is recent",
        "of unknown date" if age is None else f"{age:,} days old",
        f"at most {words.whole(limits.get('maximum_data_age_days'))} days",
    )


def _export(question: GateQuestion) -> Iterator[Row]:
    parity, explained = question["parity"], question["explained"]
    yield (
        "parity",
        "The exported model decides like the trained one",
        f"{parity['different_decisions']:,} of {parity['rows'] + parity['edge_rows']:,} decided differently; "
        f"probabilities {words.number(parity['largest_difference'])} apart",
        f"0 decisions; at most {words.number(question['limits'].get('maximum_parity_difference'))}",
    )
    yield (
        "monotonicity",
        "No field moves a decision against its direction",
        _violations(question["monotonicity"]),
        "none",
    )
    yield (
        "reasons",
        "Every denial has a reason",
        f"{explained['without_reason']:,} of {explained['denials']:,} denials without"
        if explained["method"] == "sampled"
        else f"{'not ' if explained['without_reason'] else ''}proved from the tables",
        "none without",
    )


def _champion(question: GateQuestion) -> Iterator[Row]:
    limit, champion = question["limits"].get("maximum_champion_loss"), question["champion"]
    yield (
        "champion",
        "Not worse than the model in service",
        "no model in service to compare with" if champion is None else _against(champion),
        f"at most {words.points(limit)} worse; no group's accuracy shown to be",
    )


def _each(metrics: Figures, say: Callable[[ColumnFigures], str]) -> str:
    return "; ".join(f"{name}: {say(column)}" for name, column in metrics["groups"].items()) or "no sensitive column"


def _estimate(estimate: Estimate) -> str:
    return f"{words.places(estimate['value'])} ({words.interval(estimate, 4, 1)})"


def _violations(found: Monotonicity) -> str:
    if not found["directed_fields"]:
        return "no field has a direction, so no pairs were compared"
    of = "neighbouring bins" if found["method"] == "tables" else "applicants"
    return f"{found['violations']:,} of {found['pairs']:,} pairs of {of}"


def _gap(column: ColumnFigures) -> str:
    gap = column["equal_opportunity_difference"]
    return f"{words.points(gap['value'])} apart (95\u00a0% interval {words.interval(gap)})"


def _closest_proxy(leakage: Leakage) -> str:
    shares = [
        (share, field, column)
        for field, leak in leakage["fields"].items()
        for column, groups in leak["groups"].items()
        for share in groups.values()
    ]
    if not shares:
        return "no sensitive column"
    share, field, column = max(shares)
    return f"{field} alone explains {words.percent(share)} of a group of {column}"


def _against(champion: Comparison) -> str:
    changes = {
        name: None if estimate is None else estimate["value"]
        for name, estimate in (("AUC", champion["roc_auc"]), ("accuracy", champion["accuracy"]))
    }
    told = ", ".join(
        f"{name} {words.NONE if change is None else format(change * 100, '+.2f')}"
        for name, change in {**changes, "gap": champion["gap"]}.items()
    )
    return f"{told} percentage points, on {'the same rows' if champion['same_rows'] else 'rows of their own each'}"
