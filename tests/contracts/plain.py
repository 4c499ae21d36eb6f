"""A contract with one field that tells good from bad and one that tells nothing, for models that must not pass."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from model.contract import Contract, Outcome, Scored, Sensitive


class Applicant(Contract):
    """An application for a loan."""

    Income: Annotated[
        int, Field(ge=0, le=100, description="Income"), Scored("up", "thousands a year", "INCOME", "Income too low")
    ]
    Shoe_Size: Annotated[
        int, Field(ge=0, le=100, description="Shoe size"), Scored("free", "sizes", "SHOES", "Shoes of the wrong size")
    ]

    outcome: ClassVar[Outcome] = Outcome(column="Repaid", approve="yes", deny="no")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (Sensitive("Group"),)
    samples: ClassVar[tuple[dict[str, object], ...]] = (
        {"Income": 90, "Shoe_Size": 40},
        {"Income": 10, "Shoe_Size": 40},
    )
