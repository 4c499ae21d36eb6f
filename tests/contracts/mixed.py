"""A contract for training with every kind of field: int, float, 0/1 and words, required and optional."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from model.contract import Contract, Outcome, Reason, Scored, Sensitive

# Two fields give this one, so that an applicant may deserve it twice.
EMPLOYMENT_NOT_STATED = Reason("EMPLOYMENT_NOT_STATED", "Employment not stated")


class Loan(Contract):
    """An application for a loan."""

    Amount: Annotated[
        float,
        Field(ge=0, le=50_000, description="Amount asked for"),
        Scored("down", "units", "AMOUNT", "Too much", change="down"),
    ]
    Years: Annotated[
        int | None,
        Field(ge=0, le=60, description="Years in the present employment"),
        Scored("up", "years", "YEARS", "Length of employment", missing=EMPLOYMENT_NOT_STATED),
    ] = None
    Home: Annotated[
        Literal["own", "rent", "parents"],
        Field(description="Housing"),
        Scored("free", "word", "HOME", "Housing", change="any"),
    ]
    Job: Annotated[
        Literal["fixed", "freelance", "none", "unseen"] | None,
        Field(description="Employment"),
        Scored(
            "free",
            "word",
            "JOB",
            "Kind of employment",
            missing=EMPLOYMENT_NOT_STATED,
            words={"none": Reason("NO_JOB", "No employment")},
            change="any",
        ),
    ] = None
    Savings: Annotated[
        float | None,
        Field(ge=-1_000, le=1_000_000, description="Savings"),
        Scored(
            "up", "units", "SAVINGS", "Savings too low", missing=Reason("NO_SAVINGS", "Savings not stated"), change="up"
        ),
    ] = None
    Guarantor: Annotated[
        int,
        Field(ge=0, le=1, description="1 if somebody guarantees"),
        Scored("up", "0 or 1", "GUARANTOR", "None", change="up"),
    ]
    Constant: Annotated[
        int, Field(ge=0, le=9, description="The same in all training rows"), Scored("free", "units", "CONST", "Never")
    ]

    outcome: ClassVar[Outcome] = Outcome(column="Status", approve="good", deny="bad")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (Sensitive("Age", bands=(40.0,)),)
    samples: ClassVar[tuple[dict[str, object], ...]] = (
        {"Amount": 900.5, "Home": "own", "Guarantor": 1, "Constant": 3, "Years": 12, "Savings": 5000.0},
        {"Amount": 30_000.0, "Home": "rent", "Guarantor": 0, "Constant": 3, "Job": "none"},
    )
