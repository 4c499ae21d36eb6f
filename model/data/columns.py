"""Checks one column at a time with the contract's own validator.

A column of numbers goes through pydantic-core in one call, as a list, so a file is judged by the very rules that the
service applies to a request. Text (a CSV) is read like JSON: `5.0` is not a whole number; `true` and `007` are not
numbers. Whitespace around a cell is stripped; an empty cell and `NA` are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import SchemaValidator, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from model.contract import Outcome, Sensitive
    from model.contract.fields import FieldSpec

    Rows = NDArray[np.int64]
    # The rows that break each rule, in ascending order.
    Faults = dict[str, Rows]

# A JSON number, or a token that pydantic-core reads as a number and then rejects. The limit on digits is beyond what a
# float can hold, and keeps any cell from stopping the parser.
NUMBER = r"^(-?(0|[1-9][0-9]{0,999})(\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity)$"
BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Column:
    """A column before checking.

    Attributes
    ----------
    cells : pyarrow.ChunkedArray, n values
    is_text : bool
        Whether every cell is trimmed text, as in a CSV; otherwise the cells have their types.
    """

    cells: pa.ChunkedArray
    is_text: bool

    def missing(self, words: tuple[str, ...] = ()) -> NDArray[np.bool_]:
        """Which cells hold no value. If the contract has a word 'NA', it counts as that word."""
        if not self.is_text:
            return _bools(pc.is_null(self.cells))
        marks = pa.array([mark for mark in ("", "NA") if mark not in words], pa.string())
        return _bools(pc.is_in(self.cells, value_set=marks))

    def key(self, value: object) -> tuple[type, object]:
        """A value with its type: True is not 1, and 1.0 is not 1. In a text file, everything is text."""
        return (str, str(value)) if self.is_text else (type(value), value)


@dataclass(frozen=True)
class Checked:
    """A column after checking.

    Attributes
    ----------
    content : ndarray, shape (n,)
        Meaningless in the rows that `faults` names.
    faults : dict of str to ndarray of int64
        The rows that break each rule, in ascending order.
    """

    content: NDArray[Any]
    faults: Faults


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text cells without the whitespace around them."""
    return pc.utf8_trim(cells, characters=BLANKS)


def check_field(column: Column, spec: FieldSpec) -> Checked:
    """Check one of the applicant's fields.

    Returns
    -------
    Checked
        `content` as float64: a number as it is, a word as its index in `spec.words`, NaN where missing.
    """
    missing = column.missing(spec.words)
    values, faults = (_choices if spec.kind == "choice" else _numbers)(column, spec, missing)
    if not spec.optional and missing.any():
        faults["missing"] = np.flatnonzero(missing)
    return Checked(values, faults)


def check_outcome(column: Column, outcome: Outcome) -> Checked:
    """Check the outcome column; `content` is True where the label means approve."""
    labels = {column.key(label): label == outcome.approve for label in (outcome.approve, outcome.deny)}
    found = _lookup(column, lambda value: labels.get(column.key(value)))
    missing = column.missing()
    if missing.any():
        found.faults["missing"] = np.flatnonzero(missing)
    return Checked(np.equal(found.content, True).astype(np.bool_), found.faults)


def check_sensitive(column: Column, sensitive: Sensitive) -> Checked:
    """Find each row's group in a sensitive column; `content` holds the names, '' where the value is missing."""
    if sensitive.bands is not None:
        names = band_names(sensitive.bands)
        bounds = np.asarray(sensitive.bands, dtype=np.float64)

        def group(value: Any) -> str | None:
            if column.is_text:
                value = float(value) if pc.match_substring_regex(pa.scalar(value), NUMBER).as_py() else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                return None
            return names[int(np.searchsorted(bounds, value, side="right"))]

        return _lookup(column, group, rule="float_type")
    if sensitive.groups is not None:
        known = {column.key(value): name for name, values in sensitive.groups.items() for value in values}
        return _lookup(column, lambda value: known.get(column.key(value)))
    return _lookup(column, str)


def band_names(bounds: tuple[float, ...]) -> list[str]:
    """The names of a numeric column's groups, lowest first: one more than there are bounds.

    >>> band_names((30, 45))
    ['under 30', '30 to under 45', '45 and over']
    """
    middle = [f"{low:g} to under {high:g}" for low, high in pairwise(bounds)]
    return [f"under {bounds[0]:g}", *middle, f"{bounds[-1]:g} and over"]


def _choices(column: Column, spec: FieldSpec, missing: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Faults]:
    if not pa.types.is_string(column.cells.type):
        values = np.full(len(column.cells), np.nan)
    else:
        index = pc.index_in(column.cells, value_set=pa.array(spec.words, pa.string()))
        values = pc.cast(index, pa.float64()).to_numpy(zero_copy_only=False)
    unknown = np.flatnonzero(np.isnan(values) & ~missing)
    return values, {"literal_error": unknown} if unknown.size else {}


def _numbers(column: Column, spec: FieldSpec, missing: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Faults]:
    nullable = {"type": "nullable", "schema": spec.value_schema}
    validator = SchemaValidator({"type": "list", "strict": True, "items_schema": nullable})
    wrong_type = "float_type" if spec.kind == "float" else "int_type"

    faults: dict[str, list[int]] = {}
    if column.is_text:
        bad_token = ~_bools(pc.match_substring_regex(column.cells, NUMBER)) & ~missing
        if bad_token.any():
            faults[wrong_type] = np.flatnonzero(bad_token).tolist()
        cells: list[Any] = pc.if_else(pa.array(missing | bad_token), "null", column.cells).to_pylist()
    else:
        cells = column.cells.to_pylist()

    def validate() -> list[float | None]:
        valid: list[float | None] = (
            validator.validate_json(f"[{','.join(cells)}]") if column.is_text else validator.validate_python(cells)
        )
        return valid

    try:
        valid = validate()
    except ValidationError as err:
        for fault in err.errors(include_url=False, include_context=False, include_input=False):
            row = int(fault["loc"][0])
            # A Decimal or a date has its own error types, which are not rules of a contract.
            faults.setdefault(fault["type"] if fault["type"] in _RULES else wrong_type, []).append(row)
            cells[row] = "null" if column.is_text else None
        valid = validate()
    values = np.array(valid, dtype=np.float64)
    return values, {rule: np.unique(np.array(rows, dtype=np.int64)) for rule, rows in faults.items()}


_RULES = frozenset({"int_type", "float_type", "finite_number", "greater_than_equal", "less_than_equal"})


def _lookup(column: Column, find: Callable[[Any], str | bool | None], *, rule: str = "literal_error") -> Checked:
    """Map a column by its distinct values, '' where missing; `find` returns None for a value that breaks `rule`."""
    missing = column.missing()
    encoded = pc.dictionary_encode(column.cells).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    found = [find(value) for value in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(found)).to_numpy(zero_copy_only=False)
    unknown = np.flatnonzero(np.array([value is None for value in found] + [False])[codes] & ~missing)
    values = np.array([*found, None], dtype=object)[codes]
    values[missing] = ""
    return Checked(values, {rule: unknown} if unknown.size else {})


def _bools(cells: pa.ChunkedArray) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = np.asarray(cells.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return result
