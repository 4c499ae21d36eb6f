"""The fields as the report lists them: what each is, how strong it is, what it gives away, and its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.fit.support import NOT_GIVEN
from model.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.manifest import Field, Manifest, Sentence

DIRECTIONS = {"up": "helps", "down": "counts against", "free": "either"}
IDLE = "does not affect this model's decisions"


@dataclass(frozen=True)
class FieldRow:
    """One field.

    Attributes
    ----------
    name, description, unit : str
        As stated in the contract.
    direction : str
        What more of it may do.
    information_value, stability_index : str
        See `model.judge.strength`.
    reasons : tuple of (when, Sentence)
        Each adverse-action reason, and when it is given; empty if the field affects no decision.
    outcome : str
        The share of the outcome's variance that it explains alone.
    groups : dict of str to str
        By sensitive column, the share of each group's variance that it explains alone.
    """

    name: str
    description: str
    unit: str
    direction: str
    information_value: str
    stability_index: str
    reasons: tuple[tuple[str, Sentence], ...]
    outcome: str
    groups: dict[str, str]


def field_rows(manifest: Manifest, idle: Sequence[str]) -> list[FieldRow]:
    """The fields of a model, in the contract's order.

    Parameters
    ----------
    manifest : Manifest
    idle : sequence of str
        The fields that never affect a decision.
    """
    strengths = manifest["strength"]["fields"] if "strength" in manifest else {}
    leaks = manifest["leakage"]["fields"] if "leakage" in manifest else {}
    rows = []
    for field in manifest["contract"]["fields"]:
        name = field["name"]
        strength, leak = strengths.get(name), leaks.get(name)
        rows.append(
            FieldRow(
                name=name,
                description=field["description"],
                unit=field["unit"],
                direction=IDLE if name in idle else DIRECTIONS[field["direction"]],
                information_value=words.places(strength and strength["information_value"], 3),
                stability_index=words.places(strength and strength["stability_index"], 3),
                reasons=() if name in idle else _reasons(field),
                outcome=words.percent(leak and leak["outcome"]),
                groups={column: _shares(shares) for column, shares in leak["groups"].items()} if leak else {},
            )
        )
    return rows


def _reasons(field: Field) -> tuple[tuple[str, Sentence], ...]:
    """Every sentence of a field: the general one, those of single words, and that of a missing value."""
    general: Sentence = {"code": field["code"], "text": field["text"]}
    missing = [(NOT_GIVEN, field["missing"])] if "missing" in field else []
    return (("", general), *field.get("by_word", {}).items(), *missing)


def _shares(by_group: dict[str, float]) -> str:
    """The shares of each group; of two groups, what explains one explains the other."""
    distinct = {words.percent(share) for share in by_group.values()}
    if len(distinct) == 1:
        return distinct.pop()
    return "; ".join(f"{name} {words.percent(share)}" for name, share in by_group.items())
