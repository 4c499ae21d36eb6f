"""A second contract, for real data: loan applications with words and missing values (see README.md)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from model.contract import Contract, Outcome, Scored, Sensitive

MONEY = "the data's own unit of money"


class Applicant(Contract):
    """An application for a loan to buy a good."""

    Seniority: Annotated[
        int,
        Field(ge=0, le=60, description="Years in the present job"),
        Scored("up", "years", "SENIORITY", "Length of employment"),
    ]
    Home: Annotated[
        Literal["owner", "rent", "parents", "priv", "other", "ignore"] | None,
        Field(description="Housing, in the data's words"),
        Scored("free", "word", "HOME", "Type of housing"),
    ] = None
    Time: Annotated[
        int,
        Field(ge=1, le=120, description="Term of the loan asked for"),
        Scored("down", "months", "TERM", "Term of the loan too long"),
    ]
    Records: Annotated[
        Literal["no", "yes"],
        Field(description="Whether there are records of trouble with earlier credit"),
        Scored("free", "word", "RECORDS", "Records of trouble with earlier credit"),
    ]
    Job: Annotated[
        Literal["fixed", "freelance", "partime", "others"] | None,
        Field(description="Type of employment, in the data's words"),
        Scored("free", "word", "JOB", "Temporary or irregular employment"),
    ] = None
    Expenses: Annotated[
        int,
        Field(ge=0, le=10_000, description="Living expenses"),
        Scored("down", MONEY, "EXPENSES", "Excessive expenses in relation to income"),
    ]
    Income: Annotated[
        float | None,
        Field(ge=0, le=100_000, description="Income"),
        Scored("up", MONEY, "INCOME", "Income insufficient for the amount of credit requested, or not stated"),
    ] = None
    Assets: Annotated[
        float | None,
        Field(ge=0, le=10_000_000, description="Value of what the applicant owns"),
        Scored("up", MONEY, "ASSETS", "Insufficient assets, or assets not stated"),
    ] = None
    Debt: Annotated[
        float | None,
        Field(ge=0, le=10_000_000, description="Debts outstanding"),
        Scored("down", MONEY, "DEBT", "Excessive obligations, or obligations not stated"),
    ] = None
    Amount: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Amount of the loan asked for"),
        Scored("down", MONEY, "AMOUNT", "Amount of credit requested too high"),
    ]
    Price: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Price of the good that the loan is to buy"),
        Scored("up", MONEY, "PRICE", "Loan too high in relation to the price of the good"),
    ]

    outcome: ClassVar[Outcome] = Outcome(column="Status", approve="good", deny="bad")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (
        Sensitive(
            "Marital",
            groups={
                "married": ("married",),
                "single": ("single",),
                # Each of these alone is too few to judge the model by.
                "separated, divorced or widowed": ("separated", "divorced", "widow"),
            },
        ),
        Sensitive("Age", bands=(30, 45)),
    )
    samples: ClassVar[tuple[dict[str, object], ...]] = (
        {
            "Seniority": 12,
            "Home": "owner",
            "Time": 36,
            "Records": "no",
            "Job": "fixed",
            "Expenses": 50,
            "Income": 210.0,
            "Assets": 6500.0,
            "Debt": 0.0,
            "Amount": 800,
            "Price": 1600,
        },
        {
            "Seniority": 0,
            "Home": "rent",
            "Time": 60,
            "Records": "yes",
            "Job": "partime",
            "Expenses": 45,
            "Assets": 0.0,
            "Debt": 0.0,
            "Amount": 1500,
            "Price": 1550,
        },
    )
