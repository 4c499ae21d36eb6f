"""A second contract, for real data: loan applications with words and missing values (see README.md)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from model.contract import Contract, Outcome, Reason, Scored, Sensitive

MONEY = "the data's own unit of money"


class Applicant(Contract):
    """An application for a loan to buy a good."""

    Seniority: Annotated[
        int,
        Field(ge=0, le=60, description="Years in the present job"),
        Scored("up", "years", "SENIORITY", "Too few years in the present job"),
    ]
    Home: Annotated[
        Literal["owner", "rent", "parents", "priv", "other", "ignore"] | None,
        Field(description="Type of housing, in the data's words"),
        Scored(
            "free",
            "word",
            "HOME",
            "Type of housing",
            missing=Reason("HOME_NOT_STATED", "Type of housing not stated"),
            words={
                "rent": Reason("HOME_RENTED", "Rented housing"),
                "parents": Reason("HOME_PARENTS", "Housing with parents"),
            },
        ),
    ] = None
    Time: Annotated[
        int,
        Field(ge=1, le=120, description="Term of the loan asked for"),
        Scored("down", "months", "TERM", "Term of the loan too long", change="any"),
    ]
    Records: Annotated[
        Literal["no", "yes"],
        Field(description="Whether there are records of trouble with earlier credit"),
        Scored("down", "word", "RECORDS", "Records of trouble with earlier credit"),
    ]
    Job: Annotated[
        Literal["fixed", "freelance", "partime", "others"] | None,
        Field(description="Type of employment, in the data's words"),
        Scored(
            "free",
            "word",
            "JOB",
            "Type of employment",
            missing=Reason("JOB_NOT_STATED", "Type of employment not stated"),
            words={
                "freelance": Reason("JOB_FREELANCE", "Freelance employment"),
                "partime": Reason("JOB_PART_TIME", "Part-time employment"),
            },
            change="any",
        ),
    ] = None
    Expenses: Annotated[
        int,
        Field(ge=0, le=10_000, description="Living expenses"),
        Scored("down", MONEY, "EXPENSES", "Living expenses too high", change="down"),
    ]
    Income: Annotated[
        float | None,
        Field(ge=0, le=100_000, description="Income"),
        Scored(
            "up",
            MONEY,
            "INCOME",
            "Income too low",
            missing=Reason("INCOME_NOT_STATED", "Income not stated"),
            change="up",
        ),
    ] = None
    Assets: Annotated[
        float | None,
        Field(ge=0, le=10_000_000, description="Value of what the applicant owns"),
        Scored(
            "up",
            MONEY,
            "ASSETS",
            "Value of assets too low",
            missing=Reason("ASSETS_NOT_STATED", "Assets not stated"),
            change="up",
        ),
    ] = None
    Debt: Annotated[
        float | None,
        Field(ge=0, le=10_000_000, description="Debts outstanding"),
        Scored(
            "down",
            MONEY,
            "DEBT",
            "Outstanding debts too high",
            missing=Reason("DEBT_NOT_STATED", "Debts not stated"),
            change="down",
        ),
    ] = None
    Amount: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Amount of the loan asked for"),
        Scored("down", MONEY, "AMOUNT", "Amount of the loan too high", change="down"),
    ]
    Price: Annotated[
        int,
        Field(ge=1, le=1_000_000, description="Price of the good that the loan is to buy"),
        Scored("up", MONEY, "PRICE", "Price of the good too low"),
    ]

    outcome: ClassVar[Outcome] = Outcome(column="Status", approve="good", deny="bad")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (
        Sensitive(
            "Marital",
            groups={
                "married": ("married",),
                # The few who are not single are too few creditworthy applicants to judge by.
                "not married": ("single", "separated", "divorced", "widow"),
            },
        ),
        Sensitive("Age", bands=(30, 45)),
    )
    consumer_report: ClassVar[tuple[str, ...]] = ("Records", "Debt")
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
