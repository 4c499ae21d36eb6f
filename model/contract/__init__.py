"""What a contract is: the applicant's fields, the outcome, and the columns used only for judging.

A contract is a pydantic model that derives from `Contract`; `model/applicant.py` is the default one. Each field
is annotated with its type, its range or words, a description, and `Scored`:

>>> from typing import Annotated, ClassVar, Literal
>>> from pydantic import Field
>>> class Applicant(Contract):
...     income: Annotated[
...         int,
...         Field(ge=0, le=10_000_000, description="Yearly income before tax"),
...         Scored("up", "USD a year", "INCOME", "Income too low"),
...     ]
...     home: Annotated[
...         Literal["owner", "tenant"] | None,
...         Field(description="Housing"),
...         Scored("free", "word", "HOME", "Kind of housing", missing=Reason("HOME_NOT_STATED", "Housing not stated")),
...     ] = None  # so an application may leave it out
...     outcome: ClassVar[Outcome] = Outcome("repaid", approve="yes", deny="no")
...     sensitive: ClassVar[tuple[Sensitive, ...]] = (Sensitive("age", bands=(25, 40)),)

The rest of the project reads a contract as plain data:

>>> from model.contract.fields import fields_of
>>> for field in fields_of(Applicant):
...     print(field.name, field.kind, field.optional, field.minimum, field.maximum, field.words)
income int False 0 10000000 ()
home choice True None None ('owner', 'tenant')
"""

# No `from __future__ import annotations`: pydantic could not resolve the annotations of the example.
from model.contract.declarations import Contract, Direction, Outcome, Reason, Scored, Sensitive, Split
from model.contract.errors import ContractError
from model.contract.file import File

__all__ = ["Contract", "ContractError", "Direction", "File", "Outcome", "Reason", "Scored", "Sensitive", "Split"]
