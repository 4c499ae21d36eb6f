"""Rejected rows, counted and located, and the errors that reject the data as a whole.

DataError
├── UnreadableFile    no such file, not a CSV or Parquet file, or no rows
├── MissingColumns    the data lacks columns of the contract
└── TooManyRejects    more rows break the contract than the caller allows

The command line imports this module for `--help` too, so it must not import anything heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from model.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from lambda_app.manifest import RejectSummary

# The share of rows that may break the contract, unless the caller says otherwise.
MAX_REJECT_SHARE = 0.01
EXAMPLES = 5
# How long a name out of a file may be where it is shown.
LONGEST = 80
MOST_NAMES = 60
REFERENCE = "docs/contract.md"


def one_line(text: str) -> str:
    """A text that holds names out of a file, safe for a terminal and a log: control characters are written as escapes.

    >>> one_line("a\\nb\\x1b[31m")
    'a\\\\nb\\\\x1b[31m'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def printable(name: str) -> str:
    """A name out of a file: one line, and not too long."""
    shown = one_line(name)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


@dataclass(frozen=True)
class Fault:
    """How often one field broke one rule.

    Attributes
    ----------
    rows : int
    first : tuple of int
        The positions of the first few, counted from 1: a CSV's header is line 1, a table's first row is row 1.
    """

    rows: int
    first: tuple[int, ...]


@dataclass
class Rejects:
    """The rejected rows. Falsy if there are none.

    Attributes
    ----------
    rows_read, rows_rejected, rows_left_out : int
        A row that breaks several rules is rejected once. Left out are those whose outcome is declared as not decided.
    faults : dict of str to dict of str to Fault
        By field, then by rule. Rules are named as in the service's answers (pydantic's error types), plus `cell_count`
        for a line of a text file with too few or too many cells, and `open_quote` for lines inside of a quoted cell.
    hints : dict of str to str
        By field, what its rejected cells look like, and what to declare.
    warnings : list of str
        What looks wrong without breaking the contract.
    ignored_columns : tuple of str
        Columns that are not in the contract.
    blank_rows : int
        Rows without any content. They are not applications, and no other figure counts them.
    unit : {"line", "row"}
        What the numbers in `Fault.first` count.
    """

    rows_read: int = 0
    rows_rejected: int = 0
    faults: dict[str, dict[str, Fault]] = field(default_factory=dict)
    ignored_columns: tuple[str, ...] = ()
    blank_rows: int = 0
    unit: Literal["line", "row"] = "row"
    rows_left_out: int = 0
    hints: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.rows_rejected > 0

    @property
    def share(self) -> float:
        """The share of the rows that were rejected, 0 to 1."""
        return self.rows_rejected / self.rows_read if self.rows_read else 0.0

    def add(self, name: str, rule: str, places: NDArray[np.int64], rows: int | None = None) -> None:
        """Record that the field `name` broke `rule` at these places, in ascending order; `rows` if they are more."""
        first = tuple(int(place) for place in places[:EXAMPLES])
        self._add(name, rule, Fault(int(places.size) if rows is None else rows, first))

    def include(self, other: Rejects) -> None:
        """Add those of the rows that follow."""
        self.unit = other.unit
        self.rows_read += other.rows_read
        self.blank_rows += other.blank_rows
        self.hints |= other.hints
        for name, rules in other.faults.items():
            for rule, fault in rules.items():
                self._add(name, rule, fault)

    def _add(self, name: str, rule: str, fault: Fault) -> None:
        if fault.rows:
            rules = self.faults.setdefault(name, {})
            before = rules.get(rule, Fault(0, ()))
            rules[rule] = Fault(before.rows + fault.rows, (*before.first, *fault.first)[:EXAMPLES])

    def as_dict(self) -> RejectSummary:
        """Plain data, ready for JSON."""
        return {
            "rows_read": self.rows_read,
            "rows_rejected": self.rows_rejected,
            "rows_left_out": self.rows_left_out,
            "blank_rows": self.blank_rows,
            "ignored_columns": list(self.ignored_columns),
            "by_field": {
                name: {
                    rule: {"rows": fault.rows, f"first_{self.unit}s": list(fault.first)}
                    for rule, fault in rules.items()
                }
                for name, rules in self.faults.items()
            },
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        lines = [f"{self.rows_rejected:,} of {self.rows_read:,} rows rejected ({self.share:.2%})"]
        for name, rules in self.faults.items():
            for rule, fault in rules.items():
                places = ", ".join(str(place) for place in fault.first)
                more = ", …" if fault.rows > len(fault.first) else ""
                plural = "s" if len(fault.first) > 1 else ""
                lines.append(f"  {printable(name)}: {rule} in {fault.rows:,} ({self.unit}{plural} {places}{more})")
            if name in self.hints:
                lines.append(f"    {self.hints[name]}")
        if self.rows_left_out:
            lines.append(f"  left out, because their outcome is not decided: {self.rows_left_out:,}")
        if self.blank_rows:
            lines.append(f"  blank rows skipped: {self.blank_rows:,}")
        if self.ignored_columns:
            lines.append(f"  columns ignored: {', '.join(printable(name) for name in self.ignored_columns)}")
        return "\n".join(lines)


class DataError(ModelError):
    """The applications cannot be used."""


class UnreadableFile(DataError):
    """The file or data frame cannot be read.

    Attributes
    ----------
    source : str
    """

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{printable(source)}: {why}")
        self.source = source


class MissingColumns(DataError):
    """The data lacks columns of the contract.

    Attributes
    ----------
    source : str
    missing, found : tuple of str
    """

    def __init__(self, source: str, missing: Iterable[str], found: Iterable[str], hint: str = "") -> None:
        self.source, self.missing, self.found = source, tuple(missing), tuple(found)
        shown = ", ".join(printable(name) for name in self.found[:MOST_NAMES])
        more = f" and {len(self.found) - MOST_NAMES} more" if len(self.found) > MOST_NAMES else ""
        has = f"the columns are {shown}{more}" if self.found else "the header's line holds values instead of names"
        what = hint or "Rename the columns, name them in the contract's file, or use a contract that fits"
        super().__init__(f"{printable(source)}: no column {', '.join(self.missing)}; {has}. {what} ({REFERENCE})")


class TooManyRejects(DataError):
    """More rows broke the contract than the caller allows.

    Attributes
    ----------
    source : str
    rejects : Rejects
    limit : float
        The share of rows that may be rejected, 0 to 1.
    """

    def __init__(self, source: str, rejects: Rejects, limit: float) -> None:
        self.source, self.rejects, self.limit = source, rejects, limit
        super().__init__(
            f"{printable(source)}: {rejects}\nAt most {limit:.2%} may be rejected. Correct the file where it says, "
            f"or the contract if its ranges, its words or what it says of the file are wrong ({REFERENCE})"
        )
