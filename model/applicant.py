"""The default contract: the only file that names the applicant's fields."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from model.contract import Contract, Outcome, Scored, Sensitive

Flag = Annotated[int, Field(ge=0, le=1)]


class Applicant(Contract):
    """An application for a credit card."""

    Num_Children: Annotated[
        int,
        Field(ge=0, le=20, title="Children", description="Number of children who depend on the applicant"),
        Scored("down", "children", "DEPENDENTS", "Number of dependent children"),
    ]
    Income: Annotated[
        int,
        Field(ge=0, le=10_000_000, title="Yearly income", description="Yearly income before tax"),
        Scored("up", "currency units a year", "INCOME", "Yearly income too low", change="up"),
    ]
    Own_Car: Annotated[
        Flag,
        Field(title="Owns a car", description="1 if the applicant owns a car, otherwise 0"),
        Scored("up", "0 or 1", "CAR", "No car owned", change="up"),
    ]
    Own_Housing: Annotated[
        Flag,
        Field(title="Owns their home", description="1 if the applicant owns the home they live in, otherwise 0"),
        Scored("up", "0 or 1", "HOUSING", "Home not owned", change="up"),
    ]

    outcome: ClassVar[Outcome] = Outcome(column="Target", approve=1, deny=0)
    sensitive: ClassVar[tuple[Sensitive, ...]] = (Sensitive("Group"),)
    samples: ClassVar[tuple[dict[str, object], ...]] = (
        {"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1},
        {"Num_Children": 3, "Income": 52000, "Own_Car": 0, "Own_Housing": 0},
    )
