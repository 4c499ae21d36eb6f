"""What the first screen says: whether the model may serve, what it does to whom, and what should worry the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.judge.comparison import models_of
from model.report import groups, words

if TYPE_CHECKING:
    from lambda_app.manifest import Figures, Manifest
    from model.alternatives.search import Alternatives
    from model.judge.assessment import Assessment
    from model.judge.comparison import Metrics

GENERATED = "the generator"
NAMES = {"scorecard": "Scorecard", "tree": "Tree of depth 3", "boosted": "Unconstrained boosting"}
# How many worries the first screen names; the others are in their sections.
MOST_WORRIES = 5


@dataclass(frozen=True)
class Summary:
    """The first screen.

    Attributes
    ----------
    passed : bool
        Whether the gate let the model through.
    verdict : str
    denials : tuple of (rule, message)
        What the gate said, in its order.
    does : tuple of str
        What the model does, and to whom.
    worries : tuple of str
        The worst first.
    """

    passed: bool
    verdict: str
    denials: tuple[tuple[str, str], ...]
    does: tuple[str, ...]
    worries: tuple[str, ...]


def summary(assessment: Assessment, alternatives: Alternatives | None) -> Summary:
    """The first screen about an assessed model.

    Parameters
    ----------
    assessment : Assessment
    alternatives : Alternatives, optional
        None if nobody has searched for any.
    """
    manifest = assessment.artifact.manifest
    denials = tuple((denial["rule"], denial["message"]) for denial in manifest["gate"]["denials"])
    passed = manifest["gate"]["passed"]
    found = [
        *_adopted(manifest),
        *_misjudged(manifest["metrics"]),
        *_alternatives(manifest["metrics"], alternatives),
        *_narrower(assessment.metrics),
        *_data(manifest),
    ]
    return Summary(
        passed,
        "It passed every rule of the policy, and may go into service once it is approved."
        if passed
        else "No. It did not pass the policy, and no artifact that could serve was kept.",
        denials,
        tuple(_does(manifest)),
        tuple(found[:MOST_WORRIES]),
    )


def is_generated(manifest: Manifest) -> bool:
    """Whether the applications were invented by this project's generator."""
    return manifest["data"]["source"].startswith(GENERATED)


def recorded_rate(judged: Figures) -> float:
    """The share of the hold-out that is labelled approve."""
    counts = judged["confusion"]
    return (counts["true_approve"] + counts["false_deny"]) / judged["rows"]


def _does(manifest: Manifest) -> list[str]:
    judged = manifest["metrics"]
    approved = (
        f"It approves {words.percent(judged['approval_rate'])} of applicants; "
        f"{words.percent(recorded_rate(judged))} are labelled approve."
    )
    if judged["groups"]:
        return [approved, *(groups.approved_less(name, column) for name, column in judged["groups"].items())]
    reason = manifest.get("no_sensitive_reason")
    because = f", because {reason}" if reason else ""
    return [approved, f"How it treats groups was not assessed: there is no sensitive column{because}."]


def _adopted(manifest: Manifest) -> list[str]:
    if manifest["format"] != "onnx":
        return []
    return ["It was fitted elsewhere, and nothing here can tell whether it has seen the applications that judge it."]


def _misjudged(judged: Figures) -> list[str]:
    """Groups that are estimated above or below their record."""
    found = [groups.misjudged(name, column) for name, column in judged["groups"].items()]
    return [sentence for sentence in found if "estimated:" in sentence]


def _alternatives(judged: Figures, alternatives: Alternatives | None) -> list[str]:
    if not judged["groups"]:
        return []
    if alternatives is None:
        return ["Nobody has looked for a model that decides as well and is fairer."]
    if not alternatives["equal"]:
        return []
    fairest = min(alternatives["equal"], key=lambda point: point["holdout"]["gap"])
    count = len(alternatives["equal"])
    told = f"{count} alternatives decide as well and are" if count > 1 else "An alternative decides as well and is"
    return [
        f"{told} fairer, as far as this data can tell. The fairest ({fairest['recipe']}) has a gap of "
        f"{words.points(fairest['holdout']['gap'])} instead of "
        f"{words.points(alternatives['chosen']['holdout']['gap'])}."
    ]


def _narrower(metrics: Metrics) -> list[str]:
    """The compared models with a smaller gap between groups than the scorecard; none if any gap is unknown."""
    models = models_of(metrics)
    gaps = {name: figures["equal_opportunity_gap"] for name, figures in models.items()}
    known = {name: gap for name, gap in gaps.items() if gap is not None}
    smaller = [name for name, gap in known.items() if known == gaps and gap < known["scorecard"]]
    if not smaller:
        return []
    whose = "both models" if len(smaller) > 1 else "one of the models"
    which = "; ".join(f"{NAMES[name]}, {words.percentage_points(known[name])}" for name in smaller)
    return [
        f"Its gap is wider than that of {whose} it was compared with: {which}, at a cut-off of "
        f"{metrics['cutoffs'][smaller[0]]}."
    ]


def _data(manifest: Manifest) -> list[str]:
    data, found = manifest["data"], []
    if is_generated(manifest):
        found.append("It was trained on generated applications, so its figures say nothing about real people.")
    if not data["dated"]:
        found.append("Nobody has said when the data is from.")
    rejected = data["rejects"]["rows_rejected"]
    if rejected:
        found.append(f"{rejected:,} rows of the data broke the contract and were left out.")
    found += [f"{warning[0].upper()}{warning[1:]}." for warning in data["rejects"].get("warnings", ())]
    return found
