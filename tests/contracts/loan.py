"""A contract with every kind of field, required and optional, and an ordinary application as in a CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from model.contract import Contract, Outcome, Scored, Sensitive

if TYPE_CHECKING:
    from pathlib import Path

SCORED = Scored("free", "unit", "CODE", "Sentence")


class Loan(Contract):
    """One field of every kind."""

    years: Annotated[int, Field(ge=0, le=50, description="years"), SCORED]
    debt: Annotated[int | None, Field(ge=-5, le=10**9, description="debt"), SCORED] = None
    rate: Annotated[float, Field(ge=-1.5, le=2e6, description="rate"), SCORED]
    assets: Annotated[float | None, Field(ge=0, le=1e12, description="assets"), SCORED] = None
    owner: Annotated[int, Field(ge=0, le=1, description="owner"), SCORED]
    job: Annotated[Literal["fixed", "part time", "NA-like"], Field(description="job"), SCORED]
    # Of two optional Literals that differ by order alone, `typing` keeps the first: no test has these words otherwise.
    home: Annotated[Literal["rent", "own"] | None, Field(description="home"), SCORED] = None

    outcome: ClassVar[Outcome] = Outcome("status", approve="good", deny="bad")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (
        Sensitive("age", bands=(25, 40)),
        Sensitive("marital", groups={"married": ("married",), "not married": ("single", "widow")}),
    )


FIELDS = list(Loan.model_fields)
GOOD = {"years": "3", "debt": "7", "rate": "0.5", "assets": "", "owner": "1", "job": "fixed", "home": "own"}
JUDGED = {"status": "good", "age": "30", "marital": "single"}


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
