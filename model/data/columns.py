"""Checks one column at a time with the contract's own validator.

A column of numbers goes through pydantic-core in one call, as a list, so a file is judged by the very rules that the
service applies to a request. Text (a CSV) is read like JSON: `5.0` is not a whole number; `true` and `007` are not
numbers. Whitespace around a cell is stripped; an empty cell and `NA` are missing. What a contract's `file` declares
(`model.contract.file`) is taken away before: other marks in numbers, words for 1 and 0, words for a missing value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic_core import SchemaValidator, ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from model.contract import Outcome, Sensitive
    from model.contract.fields import FieldSpec
    from model.contract.file import File

    Rows = NDArray[np.int64]
    # The rows that break each rule, in ascending order.
    Faults = dict[str, Rows]

# A JSON number, or a token that pydantic-core reads as a number and then rejects. The limit on digits is beyond what a
# float can hold, and keeps any cell from stopping the parser.
NUMBER = r"^(-?(0|[1-9][0-9]{0,999})(\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity)$"
# A whole number with decimals.
WHOLE = r"^(-?\d+)\.0+$"
BLANKS = " \t\r\n"
# What a row's outcome is if the contract says that it is not decided.
UNDECIDED = "undecided"


@dataclass(frozen=True)
class Column:
    """A column before checking.

    Attributes
    ----------
    cells : pyarrow.ChunkedArray, n values
        Those of the rows, or the different ones among them.
    is_text : bool
        Whether every cell is trimmed text, as in a CSV; otherwise the cells have their types.
    file : File
        What the contract declares about the file.
    """

    cells: pa.ChunkedArray
    is_text: bool
    file: File

    def missing(self, words: Collection[str] = ()) -> NDArray[np.bool_]:
        """Which cells hold no value. A word that the contract declares for the column counts as that word."""
        if not self.is_text:
            return _bools(pc.is_null(self.cells, nan_is_null=self.file.whole_floats))
        marks = pa.array([mark for mark in ("", *self.file.missing) if mark not in words], pa.string())
        return _bools(pc.is_in(self.cells, value_set=marks))

    def numbers(self) -> pa.ChunkedArray:
        """Text cells with the marks of JSON: without currency and thousands separators, and with a decimal point.

        A cell whose marks are not where they belong stays as it is, or becomes what no number is.
        """
        cells, file = self.cells, self.file
        for mark in sorted(file.currency, key=len, reverse=True):
            escaped = re.escape(mark)
            cells = pc.replace_substring_regex(cells, rf"^(-?)\s*{escaped}\s*|\s*{escaped}$", r"\1")
        if file.thousands is not None:
            mark = "[ \u00a0\u202f]" if file.thousands == " " else re.escape(file.thousands)
            grouped = rf"^-?\d{{1,3}}({mark}\d{{3}})+({re.escape(file.decimal)}\d+)?$"
            joined = pc.replace_substring_regex(cells, mark, "")
            cells = pc.if_else(pc.match_substring_regex(cells, grouped), joined, cells)
        if file.decimal != ".":
            # A point is no decimal mark here.
            cells = pc.replace_substring(pc.replace_substring(cells, ".", "?"), file.decimal, ".")
        return pc.replace_substring_regex(cells, WHOLE, r"\1") if file.whole_floats else cells

    def values(self) -> list[Any]:
        """The cells as Python's values, without the decimals of whole numbers if these are declared."""
        whole = self.file.whole_floats
        text = pc.replace_substring_regex(self.cells, WHOLE, r"\1") if whole and self.is_text else self.cells
        cells: list[Any] = text.to_pylist()
        if whole and has_decimals(self.cells.type):
            return [int(cell) if cell is not None and cell % 1 == 0 else cell for cell in cells]
        return cells

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
    undecided : ndarray of int64
        Of an outcome: the rows to leave out.
    """

    content: NDArray[Any]
    faults: Faults
    undecided: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def spread(self, codes: NDArray[np.int64]) -> Checked:
        """What was found for distinct cells, for the rows that hold them."""

        def rows(cells: Rows) -> Rows:
            marked = np.zeros(len(self.content), dtype=np.bool_)
            marked[cells] = True
            return np.flatnonzero(marked[codes])

        content = self.content[codes] if len(self.content) else self.content
        return Checked(content, {rule: rows(cells) for rule, cells in self.faults.items()}, rows(self.undecided))


def has_decimals(kind: pa.DataType) -> bool:
    """Whether a typed column's numbers may have decimals."""
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def distinct(cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, NDArray[np.int64]]:
    """The different cells of a column, and the number of each row's cell; a text column may repeat some.

    Raises
    ------
    pyarrow.ArrowNotImplementedError
        The type cannot be compared, such as a list.
    """
    if not len(cells):  # Arrow has no dictionary of no dates
        kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
        return pa.chunked_array([], kind), np.empty(0, np.int64)
    encoded = pc.dictionary_encode(cells, null_encoding="encode").combine_chunks()
    codes: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False)
    return pa.chunked_array([encoded.dictionary]), codes


def check_range(column: Column, spec: FieldSpec) -> Checked | None:
    """Check a typed column of numbers by its smallest and its largest; None if that does not say that all are valid."""
    cells = column.cells
    integer, floating = pa.types.is_integer(cells.type), pa.types.is_floating(cells.type)
    if not len(cells) or cells.null_count or not (integer or (floating and spec.kind == "float")):
        return None
    ends = pc.min_max(cells)
    values: NDArray[np.float64] = pc.cast(cells, pa.float64(), safe=False).to_numpy()
    if np.isnan(values).any():
        return None
    _, faults = _numbers(replace(column, cells=pa.chunked_array([pa.array([ends["min"], ends["max"]])])), spec, _NONE)
    return None if faults else Checked(values, {})


def trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text cells, dictionary-encoded or not, without the whitespace around them."""
    if not pa.types.is_dictionary(cells.type):
        return pc.utf8_trim(cells, characters=BLANKS)
    chunks = (
        pa.DictionaryArray.from_arrays(chunk.indices, pc.utf8_trim(chunk.dictionary, characters=BLANKS))
        for chunk in cells.chunks
    )
    return pa.chunked_array(chunks, cells.type)


def check_field(column: Column, spec: FieldSpec) -> Checked:
    """Check one of the applicant's fields.

    Returns
    -------
    Checked
        `content` as float64: a number as it is, a word as its index in `spec.words`, NaN where missing.
    """
    missing = column.missing(spec.words)
    if spec.kind == "flag":
        column = _with_flags(column)
    values, faults = (_choices if spec.kind == "choice" else _numbers)(column, spec, missing)
    if not spec.optional and missing.any():
        faults["missing"] = np.flatnonzero(missing)
    return Checked(values, faults)


def check_outcome(column: Column, outcome: Outcome) -> Checked:
    """Check the outcome column; `content` is True where the label means approve."""
    labels: dict[tuple[type, object], str | bool] = {
        **{column.key(label): label == outcome.approve for label in (outcome.approve, outcome.deny)},
        **{column.key(label): UNDECIDED for label in outcome.leave_out},
    }
    declared = {str(label) for label in (outcome.approve, outcome.deny, *outcome.leave_out)}
    found = lookup(column, lambda value: labels.get(column.key(value)), declared=declared)
    missing = column.missing(declared)
    if missing.any():
        found.faults["missing"] = np.flatnonzero(missing)
    undecided = np.flatnonzero(found.content == UNDECIDED)
    return Checked(np.equal(found.content, True).astype(np.bool_), found.faults, undecided)


def check_sensitive(column: Column, sensitive: Sensitive) -> Checked:
    """Find each row's group in a sensitive column; `content` holds the names, '' where the value is missing."""
    if sensitive.bands is not None:
        names = band_names(sensitive.bands)
        bounds = np.asarray(sensitive.bands, dtype=np.float64)

        if column.is_text:
            missing = column.missing()
            column = replace(column, cells=pc.if_else(pa.array(missing), column.cells, column.numbers()))

        def group(value: Any) -> str | None:
            if column.is_text:
                value = float(value) if pc.match_substring_regex(pa.scalar(value), NUMBER).as_py() else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                return None
            return names[int(np.searchsorted(bounds, value, side="right"))]

        return lookup(column, group, rule="float_type")
    if sensitive.groups is not None:
        known = {column.key(value): name for name, values in sensitive.groups.items() for value in values}
        declared = {str(value) for values in sensitive.groups.values() for value in values}
        return lookup(column, lambda value: known.get(column.key(value)), declared=declared)
    if pa.types.is_string(column.cells.type):
        # The same words are missing in a typed table as in text.
        column = replace(column, is_text=True, cells=trimmed(pc.fill_null(column.cells, "")))
    return lookup(column, str)


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
        tokens = column.numbers()
        bad_token = ~_bools(pc.match_substring_regex(tokens, NUMBER)) & ~missing
        if bad_token.any():
            faults[wrong_type] = np.flatnonzero(bad_token).tolist()
        cells: list[Any] = pc.if_else(pa.array(missing | bad_token), "null", tokens).to_pylist()
    else:
        cells = [None if gone else value for value, gone in zip(column.values(), missing, strict=True)]

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


_NONE = np.zeros(2, dtype=np.bool_)
_RULES = frozenset({"int_type", "float_type", "finite_number", "greater_than_equal", "less_than_equal"})


def _with_flags(column: Column) -> Column:
    """A column of flags with the declared words for 1 and 0 as numbers."""
    yes, no = column.file.yes, column.file.no
    if not yes and not no:
        return column
    cells = column.cells
    if pa.types.is_boolean(cells.type):  # as `true` and `false`
        cells = pc.cast(cells, pa.string())
    if not pa.types.is_string(cells.type):
        return column
    is_yes, is_no = (pc.is_in(cells, value_set=pa.array(words, pa.string())) for words in (yes, no))
    return Column(pc.if_else(is_yes, "1", pc.if_else(is_no, "0", pc.fill_null(cells, ""))), True, column.file)


def lookup(
    column: Column,
    find: Callable[[Any], str | bool | int | None],
    rule: str = "literal_error",
    declared: Collection[str] = (),
) -> Checked:
    """Map a column by its distinct values, '' where missing; `find` returns None for a value that breaks `rule`."""
    missing = column.missing(declared)
    if pa.types.is_floating(column.cells.type):
        missing |= _bools(pc.is_null(column.cells, nan_is_null=True))
    cells, codes = distinct(column.cells)
    found = [None if value is None else find(value) for value in replace(column, cells=cells).values()]
    values = np.array([*found, None], dtype=object)[codes]
    unknown = np.flatnonzero(np.array([value is None for value in found], dtype=np.bool_)[codes] & ~missing)
    values[missing] = ""
    return Checked(values, {rule: unknown} if unknown.size else {})


def _bools(cells: pa.ChunkedArray) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = np.asarray(cells.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return result
