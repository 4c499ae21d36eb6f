"""Warns of reasons whose text names what the model does not score."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.contract.fields import FieldSpec

# A reason is given for one field's value. These terms, common in sample forms, relate it to something else.
RELATIONS = (
    "amount of credit",
    "compared to",
    "compared with",
    "credit requested",
    "debt to income",
    "for the amount",
    "for the loan",
    "in proportion to",
    "in relation to",
    "loan to value",
    "ratio",
    "relative to",
)


def doubtful(fields: tuple[FieldSpec, ...]) -> list[str]:
    """One sentence for each reason that relates its field to something else.

    A term that stands in the field's own name or description is what the field measures, and raises no doubt.
    """
    found = []
    for spec in fields:
        own = _words(f"{spec.name} {spec.description}")
        for reason in dict.fromkeys(spec.scored.reasons):
            said = _words(reason.text)
            found += [
                f"field {spec.name}: the text of {reason.code} says '{term}', but the model scores the field by itself"
                for term in RELATIONS
                if f" {term} " in said and f" {term} " not in own
            ]
    return found


def _words(text: str) -> str:
    """The words in lower case, between single blanks: ' debt to income ' for 'Debt-to-income' and 'DebtToIncome'."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(["", *re.findall(r"[^\W_]+", parted), ""]).lower()
