"""Compares a model with another one, the champion, on the same applications: who would be decided otherwise, and how.

`model.judge.champion` has the figures that the policy asks about; this has what people want to know besides.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from lambda_app import artifact
from lambda_app.errors import ArtifactUnsupported
from model.compare.tables import FieldChange, field_changes
from model.contract.carried import carried_fields
from model.contract.reasons import SEPARATOR
from model.errors import GateError
from model.formats.batch import decide
from model.intervals import estimate
from model.judge.champion import artifact_of, encoded_for, read_champion
from model.judge.figures import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Estimate, Figures, Gate, Manifest
    from model.data.applications import Applications
    from model.judge.champion import Comparison
    from model.judge.gate import GateQuestion, Verdict

FILE = "comparison.json"
# The policy's rules about a model and its champion.
RULES = ("champion", "contract")


class Swapped(TypedDict):
    """Applications that the two models decide otherwise: how many, and how many of them are labelled approve."""

    rows: int
    creditworthy: int


class GroupSwap(TypedDict):
    """The same in one group. `change` is the model's approval rate minus the champion's."""

    rows: int
    champion_rate: float
    model_rate: float
    change: Estimate
    approved_instead: Swapped
    denied_instead: Swapped


class Swap(TypedDict):
    """Who would be decided otherwise: approved or denied by the model instead of the champion."""

    rows: int
    change: Estimate
    approved_instead: Swapped
    denied_instead: Swapped
    groups: dict[str, dict[str, GroupSwap]]


class ReasonChange(TypedDict):
    """A reason: of those whom each model denies, the share that gets it."""

    code: str
    text: str
    champion: float
    model: float


class Side(TypedDict):
    """One of the two models."""

    model_version: str
    identity: str | None
    trained_at: str | None
    threshold: float | None
    format: str | None
    rows: int | None
    dated: str | None
    settings: dict[str, int | float]
    figures: Figures


class Compared(TypedDict):
    """The content of `comparison.json`.

    `swap` and `reasons` are null, and `fields` is empty, if the champion could not decide the same applications; then
    each model's `figures` are about its own hold-out, and `differences` have no intervals. `contract` says which fields
    are `added`, `removed` or `changed` (in what they allow, or in their words).
    """

    champion: Side
    model: Side
    verdict: Gate
    differences: Comparison
    contract: dict[str, list[str]]
    swap: Swap | None
    reasons: list[ReasonChange] | None
    fields: list[FieldChange]


@dataclass(frozen=True)
class Decisions:
    """What one model decides about the applications."""

    opened: Artifact
    frame: pd.DataFrame

    @property
    def approved(self) -> NDArray[np.bool_]:
        """Whom it approves."""
        found: NDArray[np.bool_] = self.frame["prediction"].to_numpy() == 1
        return found

    def figures(self, applications: Applications, rule: Any) -> Figures:
        """The same figures as a training run's."""
        return evaluate(self.frame["probability"].to_numpy(), self.approved, applications, rule)


def compare(
    where: Path, opened: Artifact, applications: Applications | None, question: GateQuestion, verdict: Verdict
) -> Compared:
    """Compare a model with the champion.

    Parameters
    ----------
    where : Path
        The champion's manifest, or its artifact's directory.
    opened : Artifact
        The model.
    applications : Applications, optional
        What both decide: usually the model's hold-out. None if there are none that both can decide.
    question : GateQuestion
        What the policy was asked about the two; it holds the figures' differences.
    verdict : Verdict
        What it answered.

    Raises
    ------
    GateError
        The champion's manifest is none, or one without figures, or the policy was not asked about a champion.
    """
    champion, manifest, differences = read_champion(where), opened.manifest, question["champion"]
    if differences is None:
        raise GateError("the policy was not asked about a champion")
    found: Compared = {
        "champion": _side(champion, champion["metrics"]),
        "model": _side(manifest, manifest["metrics"]),
        "verdict": _about_champion(verdict),
        "differences": differences,
        "contract": _contract_changes(champion, manifest),
        "swap": None,
        "reasons": None,
        "fields": [],
    }
    directory = artifact_of(where, manifest) if applications is not None else None
    if directory is None or applications is None:
        return found
    with suppress(ArtifactUnsupported):  # an older layout: only its figures can be read
        other = artifact.load(str(directory))
        ours = Decisions(opened, decide(opened, applications))
        theirs = Decisions(other, decide(other, encoded_for(carried_fields(other.manifest["contract"]), applications)))
        rule = question["limits"]["cutoff"]
        found["champion"]["figures"] = theirs.figures(applications, rule)
        found["model"]["figures"] = ours.figures(applications, rule)
        found["swap"] = _swap(theirs.approved, ours.approved, applications)
        found["reasons"] = _reasons(theirs, ours)
        found["fields"] = field_changes(other, opened)
    return found


def _side(manifest: Mapping[str, Any] | Manifest, figures: Any) -> Side:
    """What is known about one model; an older manifest lacks some of it."""
    data = manifest.get("data") or {}
    return {
        "model_version": str(manifest.get("model_version")),
        "identity": manifest.get("identity"),
        "trained_at": manifest.get("trained_at"),
        "threshold": manifest.get("threshold"),
        "format": manifest.get("format"),
        "rows": data.get("rows"),
        "dated": data.get("dated"),
        "settings": dict(manifest.get("settings") or {}),
        "figures": figures,
    }


def _about_champion(verdict: Verdict) -> Gate:
    denials = [denial for denial in verdict.as_dict()["denials"] if denial["rule"] in RULES]
    return {"passed": not denials, "denials": denials}


def _contract_changes(champion: Mapping[str, Any], manifest: Manifest) -> dict[str, list[str]]:
    theirs = ((champion.get("contract") or {}).get("json_schema") or {}).get("properties", {})
    ours = manifest["contract"]["json_schema"]["properties"]
    return {
        "added": [name for name in ours if name not in theirs],
        "removed": [name for name in theirs if name not in ours],
        "changed": [name for name in ours if name in theirs and ours[name] != theirs[name]],
    }


def _swapped(rows: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Swapped:
    return {"rows": int(rows.sum()), "creditworthy": int((rows & truth).sum())}


def _swap(theirs: NDArray[np.bool_], ours: NDArray[np.bool_], applications: Applications) -> Swap:
    truth, gained, lost = applications.approved, ours & ~theirs, theirs & ~ours
    change = ours.astype(np.float64) - theirs

    def of(rows: NDArray[np.bool_]) -> GroupSwap:
        return {
            "rows": int(rows.sum()),
            "champion_rate": float(theirs[rows].mean()),
            "model_rate": float(ours[rows].mean()),
            "change": estimate(change[rows], float(change[rows].mean())),
            "approved_instead": _swapped(gained & rows, truth),
            "denied_instead": _swapped(lost & rows, truth),
        }

    return {
        "rows": len(truth),
        "change": estimate(change, float(change.mean())),
        "approved_instead": _swapped(gained, truth),
        "denied_instead": _swapped(lost, truth),
        "groups": {
            column: {str(name): of(names == name) for name in np.unique(names[names != ""])}
            for column, names in applications.groups.items()
        },
    }


def _reasons(theirs: Decisions, ours: Decisions) -> list[ReasonChange]:
    """Every reason that either model can give, the one whose share changes most first."""
    before, after = _shares(theirs), _shares(ours)
    texts = _texts(theirs.opened.manifest) | _texts(ours.opened.manifest)
    found: list[ReasonChange] = [
        {"code": code, "text": text, "champion": before.get(code, 0.0), "model": after.get(code, 0.0)}
        for code, text in texts.items()
    ]
    return sorted(found, key=lambda reason: -abs(reason["model"] - reason["champion"]))


def _shares(decisions: Decisions) -> dict[str, float]:
    lists = decisions.frame["reasons"].to_numpy()[~decisions.approved]
    counts: dict[str, int] = {}
    for written, rows in zip(*np.unique(lists.astype(str), return_counts=True), strict=True):
        for code in written.split(SEPARATOR):
            counts[code] = counts.get(code, 0) + int(rows)
    return {code: count / len(lists) for code, count in counts.items()}


def _texts(manifest: Manifest) -> dict[str, str]:
    sentences = [
        sentence
        for field in manifest["contract"]["fields"]
        for sentence in (field, *field.get("by_word", {}).values(), *([field["missing"]] if "missing" in field else []))
    ]
    return {sentence["code"]: sentence["text"] for sentence in sentences}
