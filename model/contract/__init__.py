"""What a contract is: the applicant's fields, the outcome, and the columns that only judge.

A contract is a pydantic model that derives from `Contract`; `model/applicant.py` is the default one. Each field
is annotated with its type, its range or words, a description, and `Scored`:

    Income: Annotated[int, Field(ge=0, le=10_000_000, description="…"), Scored("up", "USD a year", "INC", "…")]

Optional fields are written `Annotated[int | None, Field(…), Scored(…)] = None`.
"""

from __future__ import annotations

from model.contract.declarations import Contract, ContractError, Direction, Outcome, Scored, Sensitive

__all__ = ["Contract", "ContractError", "Direction", "Outcome", "Scored", "Sensitive"]
