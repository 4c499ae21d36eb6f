"""Guesses what each column of a file is: a field, the outcome, a sensitive column, or nothing of these."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from model.contract import Contract
from model.contract.fields import RESERVED_NAMES
from model.data.columns import Column
from model.data.rejects import DataError, printable
from model.draft.looks import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.contract.file import File

# Names of an outcome, the surest first.
OUTCOMES = (
    *("approved?", "approval", "outcome", "default(ed)?", "creditworthy", "decision", "target", "label"),
    *("status", "good", "bad", "risk", "result", "class"),
)
GOOD = (
    "good",
    "approve",
    "approved",
    "accept",
    "accepted",
    "paid",
    "fully paid",
    "repaid",
    "creditworthy",
    "yes",
    "true",
)
BAD_WHEN_ONE = r"(default|bad|risk|delinquen|charge|late|fraud)"
SENSITIVE = r"(sex|gender|age|race|ethnic|marital|married|religio|national|disab|veteran|color|colour)"
IDENTIFIER = r"(^|_)(id|key|no|nr|number|uuid)$"
MOST_WORDS, FEW_WORDS = 30, 2
MOST_LABELS = 6
# From this rank correlation with the outcome on, a direction is guessed.
CORRELATED = 0.05


@dataclass(frozen=True)
class Guess:
    """A column that looks like a field.

    Attributes
    ----------
    column, name : str
        As the file has it, and as an application would.
    kind : {"int", "float", "choice"}
    optional : bool
        Whether cells are missing.
    minimum, maximum : float
        A range with room around the values.
    words : tuple of str
    direction : {"up", "down", "free"}
    typical : int, float, str or None
    """

    column: str
    name: str
    kind: Literal["int", "float", "choice"]
    optional: bool
    direction: Literal["up", "down", "free"]
    minimum: float = 0
    maximum: float = 0
    words: tuple[str, ...] = ()
    typical: float | str | None = None


@dataclass(frozen=True)
class Guesses:
    """What the columns of a file look like.

    Attributes
    ----------
    outcome : str
        The column.
    approve, deny : object
        Its labels.
    leave_out : tuple
        Other labels.
    fields : list of Guess
    sensitive : dict of str to tuple of float or None
        By column: the bands of a number.
    identifier : str, optional
    ignored : dict of str to str
        By column: why.
    """

    outcome: str
    approve: object
    deny: object
    leave_out: tuple[object, ...]
    fields: list[Guess]
    sensitive: dict[str, tuple[float, ...] | None]
    identifier: str | None
    ignored: dict[str, str]


def guess(frame: pd.DataFrame, file: File, outcome: str | None = None) -> Guesses:
    """Guess the role of each column.

    Parameters
    ----------
    frame : DataFrame
        The first rows: text, or typed cells.
    file : File
        The marks in numbers.
    outcome : str, optional
        The outcome's column; by default the one that is named like one.

    Raises
    ------
    DataError
        No column looks like the outcome, or it has no two labels.
    """
    column = _outcome(frame, outcome)
    labels = frame[column].dropna().value_counts().index.tolist()[:MOST_LABELS]
    approve, deny = _labels(column, labels)
    approved = frame[column].map({approve: 1.0, deny: 0.0})
    taken: set[str] = set()
    fields: list[Guess] = []
    sensitive: dict[str, tuple[float, ...] | None] = {}
    ignored: dict[str, str] = {}
    identifier = None
    for name in frame.columns.drop(column):
        cells = frame[name]
        numbers = _numbers(cells, file)
        distinct = cells.dropna().nunique()
        if distinct < FEW_WORDS:
            ignored[name] = "every application has the same value"
        elif re.search(IDENTIFIER, _plain(name)) and distinct == len(cells):
            ignored[name], identifier = "it names the application", identifier or name
        elif re.search(rf"(^|_){SENSITIVE}", _plain(name)) and (numbers is not None or distinct <= MOST_WORDS):
            sensitive[name] = None if numbers is None or distinct <= MOST_LABELS else _bands(numbers)
        elif numbers is None and (distinct > MOST_WORDS or not pd.api.types.is_string_dtype(cells)):
            ignored[name] = f"it is neither a number nor one of few words ({distinct:,} different values)"
        else:
            fields.append(_field(name, _identifier(name, taken), cells, numbers, approved))
    if not fields:
        raise DataError("no column looks like a field: besides the outcome, none is a number or one of few words")
    others = tuple(label for label in labels if label not in (approve, deny))
    return Guesses(column, approve, deny, others, fields, sensitive, identifier, ignored)


def _outcome(frame: pd.DataFrame, named: str | None) -> str:
    few = [str(name) for name in frame if FEW_WORDS <= frame[name].dropna().nunique() <= MOST_LABELS]
    if named is not None:
        if named not in few:
            why = "is not in the file" if named not in frame else f"has not from {FEW_WORDS} to {MOST_LABELS} labels"
            raise DataError(f"the outcome {printable(named)} {why}")
        return named
    likely = [name for pattern in OUTCOMES for name in few if re.search(rf"(^|_){pattern}($|_)", _plain(name))]
    if not likely:
        listed = ", ".join(printable(name) for name in few) or "none"
        raise DataError(f"no column is named like an outcome; name it with --outcome. Columns of few labels: {listed}")
    return likely[0]


def _labels(column: str, labels: list[Any]) -> tuple[Any, Any]:
    """The labels that approve and deny."""
    first, second = labels[:2]
    if isinstance(first, str):
        good = [label for label in labels if label.strip().casefold() in GOOD]
        if good:
            return good[0], next(label for label in labels if label != good[0])
    low, high = sorted((first, second), key=str)
    return (low, high) if re.search(BAD_WHEN_ONE, _plain(column)) else (high, low)


def _field(
    column: str, name: str, cells: pd.Series[Any], numbers: pd.Series[float] | None, approved: pd.Series[float]
) -> Guess:
    optional = bool(cells.isna().any())
    if numbers is None:
        words = sorted(cells.dropna().unique().tolist())
        return Guess(column, name, "choice", optional, "free", words=tuple(words), typical=str(cells.mode()[0]))
    whole = not pd.api.types.is_float_dtype(cells) and bool((numbers.dropna() % 1 == 0).all())
    if pd.api.types.is_string_dtype(cells):  # text: `5.0` is not a whole number
        whole = whole and not cells.dropna().str.contains(r"[.,eE]").any()
    low, high = float(numbers.min()), float(numbers.max())
    flag = whole and {low, high} == {0.0, 1.0}
    rank = numbers.corr(approved, method="spearman")
    direction: Literal["up", "down", "free"] = "free"
    if np.isfinite(rank) and abs(rank) >= CORRELATED:
        direction = "up" if rank > 0 else "down"
    middle = float(numbers.median())
    return Guess(
        column,
        name,
        "int" if whole else "float",
        optional,
        direction,
        minimum=0 if low >= 0 else -_round_above(-low),
        maximum=1 if flag else _round_above(high),
        typical=round(middle) if whole else middle,
    )


def _numbers(cells: pd.Series[Any], file: File) -> pd.Series[float] | None:
    """The numbers of a column; None if it holds anything else."""
    if not pd.api.types.is_string_dtype(cells):
        known = cells.dropna()
        number = pd.api.types.is_numeric_dtype(known) and not pd.api.types.is_bool_dtype(known)
        return cells.astype("float64") if number else None
    import pyarrow as pa

    column = Column(pa.chunked_array([pa.array(cells.dropna().astype(str), pa.string())]), is_text=True, file=file)
    text = pd.Series(column.numbers().to_pylist(), index=cells.dropna().index, dtype=str)
    if not text.str.fullmatch(NUMBER).all():
        return None
    return text.astype("float64").reindex(cells.index)


def _bands(numbers: pd.Series[float]) -> tuple[float, ...]:
    """Bounds that part a column about in thirds."""
    bounds = sorted({float(f"{bound:.2g}") for bound in numbers.quantile([1 / 3, 2 / 3]).tolist()})
    return tuple(int(bound) if bound.is_integer() else bound for bound in bounds)


def _round_above(value: float) -> float:
    """A round number of at least twice a value.

    >>> [_round_above(value) for value in (0.3, 7, 60, 1_234)]
    [1, 20, 200, 5000]
    """
    magnitude = 1
    while True:
        for step in (1, 2, 5):
            if step * magnitude >= 2 * value:
                return step * magnitude
        magnitude *= 10


def _plain(name: str) -> str:
    """A name in lower case, with its words parted by underscores."""
    return re.sub(r"\W+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)).strip("_").lower()


def _identifier(column: str, taken: set[str]) -> str:
    """A field's name that Python and the contract accept, and that no other column has."""
    name = re.sub(r"\W+", "_", column).strip("_") or "field"
    name = f"field_{name}" if name[0].isdigit() else name
    if keyword.iskeyword(name) or name in RESERVED_NAMES or hasattr(Contract, name) or name in _DECLARED:
        name += "_"
    number, plain = 2, name
    # Codes are names in capitals.
    while name.upper() in taken:
        name, number = f"{plain}_{number}", number + 1
    taken.add(name.upper())
    return name


_DECLARED: Iterable[str] = frozenset(Contract.__annotations__)
