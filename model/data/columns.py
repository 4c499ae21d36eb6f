"""One column at a time: what the contract's own validator makes of it.

A number column goes through pydantic-core in one call, as a list, so a file is judged by the very rules by which
the service judges a request. Text (a CSV) is read as JSON is: `5.0` is no whole number, `true` and `007` are no
numbers. Whitespace around a cell is not part of it; an empty cell and `NA` are missing.
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
    from numpy.typing import NDArray

    from model.contract import Outcome, Sensitive
    from model.contract.fields import FieldSpec

# A JSON number, or what pydantic-core reads as one to name its fault. Whole parts end where no float could
# hold them, so that no cell stops the parser.
NUMBER = r"^(-?(0|[1-9][0-9]{0,999})(\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity)$"
BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Checked:
    """A column after checking.

    Attributes
    ----------
    content : ndarray, shape (n,)
        Meaningless in rows that `faults` names.
    faults : dict of str to ndarray of int64
        Rule to the rows that break it, ascending.
    """

    content: NDArray[Any]
    faults: dict[str, NDArray[np.int64]]


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text column without the whitespace around its cells."""
    return pc.utf8_trim(column, characters=BLANKS)


def check_field(column: pa.ChunkedArray, spec: FieldSpec, *, is_text: bool) -> Checked:
    """Check one of the applicant's fields.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Trimmed text if `is_text`, otherwise values with their types.
    spec : FieldSpec
    is_text : bool

    Returns
    -------
    Checked
        `content` as float64: a number as it is, a word as its index in `spec.words`, NaN where missing.
    """
    missing = _missing(column, spec.words, is_text=is_text)
    if spec.kind == "choice":
        values, faults = _choices(column, spec.words, missing)
    else:
        values, faults = _numbers(column, spec, missing, is_text=is_text)
    if not spec.optional and missing.any():
        faults["missing"] = np.flatnonzero(missing)
    return Checked(values, faults)


def check_outcome(column: pa.ChunkedArray, outcome: Outcome, *, is_text: bool) -> Checked:
    """Check the outcome column; `content` is True where the label means approve."""
    labels = {_key(label, is_text): label == outcome.approve for label in (outcome.approve, outcome.deny)}
    return _lookup(column, lambda value: labels.get(_key(value, is_text)), required=True, is_text=is_text)


def check_sensitive(column: pa.ChunkedArray, sensitive: Sensitive, *, is_text: bool) -> Checked:
    """Find each row's group in a sensitive column; `content` holds the names, '' where the value is missing."""
    if sensitive.bands is not None:
        names = band_names(sensitive.bands)
        bounds = np.asarray(sensitive.bands, dtype=np.float64)

        def group(value: Any) -> str | None:
            if is_text:
                value = float(value) if pc.match_substring_regex(pa.scalar(value), NUMBER).as_py() else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                return None
            return names[int(np.searchsorted(bounds, value, side="right"))]

        return _lookup(column, group, rule="float_type", is_text=is_text)
    if sensitive.groups is not None:
        known = {_key(value, is_text): name for name, values in sensitive.groups.items() for value in values}
        return _lookup(column, lambda value: known.get(_key(value, is_text)), is_text=is_text)
    return _lookup(column, str, is_text=is_text)


def band_names(bounds: tuple[float, ...]) -> list[str]:
    """The names of a numeric column's groups, lowest first: one more than there are bounds."""
    middle = [f"{low:g} to under {high:g}" for low, high in pairwise(bounds)]
    return [f"under {bounds[0]:g}", *middle, f"{bounds[-1]:g} and over"]


def _missing(column: pa.ChunkedArray, words: tuple[str, ...], *, is_text: bool) -> NDArray[np.bool_]:
    if not is_text:
        return _bools(pc.is_null(column))
    # A contract may have a word 'NA'; then it is a word.
    marks = pa.array([mark for mark in ("", "NA") if mark not in words], pa.string())
    return _bools(pc.is_in(column, value_set=marks))


def _choices(
    column: pa.ChunkedArray, words: tuple[str, ...], missing: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int64]]]:
    if not pa.types.is_string(column.type):
        values = np.full(len(column), np.nan)
    else:
        index = pc.index_in(column, value_set=pa.array(words, pa.string()))
        values = pc.cast(index, pa.float64()).to_numpy(zero_copy_only=False)
    unknown = np.flatnonzero(np.isnan(values) & ~missing)
    return values, {"literal_error": unknown} if unknown.size else {}


def _numbers(
    column: pa.ChunkedArray, spec: FieldSpec, missing: NDArray[np.bool_], *, is_text: bool
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.int64]]]:
    plain = spec.core_schema["schema"]["schema"] if spec.optional else spec.core_schema
    nullable = {"type": "nullable", "schema": plain}
    validator = SchemaValidator({"type": "list", "strict": True, "items_schema": nullable})
    wrong_type = "int_type" if plain["type"] == "int" else "float_type"

    if is_text:
        bad_token = ~_bools(pc.match_substring_regex(column, NUMBER)) & ~missing
        cells: list[Any] = pc.if_else(pa.array(missing | bad_token), "null", column).to_pylist()
    else:
        bad_token = np.zeros(len(column), dtype=np.bool_)
        cells = column.to_pylist()

    def validate() -> list[Any]:
        if is_text:
            values: list[Any] = validator.validate_json(f"[{','.join(cells)}]")
        else:
            values = validator.validate_python(cells)
        return values

    faults: dict[str, list[int]] = {}
    if bad_token.any():
        faults[wrong_type] = np.flatnonzero(bad_token).tolist()
    try:
        valid = validate()
    except ValidationError as err:
        for fault in err.errors(include_url=False, include_context=False, include_input=False):
            row = fault["loc"][0]
            # A Decimal or a date has error types of its own, which are no rules of a contract.
            faults.setdefault(fault["type"] if fault["type"] in _RULES else wrong_type, []).append(int(row))
            cells[int(row)] = "null" if is_text else None
        valid = validate()
    values = np.array(valid, dtype=np.float64)
    return values, {rule: np.unique(np.array(rows, dtype=np.int64)) for rule, rows in faults.items()}


_RULES = frozenset({"int_type", "float_type", "finite_number", "greater_than_equal", "less_than_equal"})


def _lookup(
    column: pa.ChunkedArray, find: Any, *, rule: str = "literal_error", required: bool = False, is_text: bool
) -> Checked:
    """Map a column by its distinct values; `find` gives None for a value that breaks `rule`."""
    missing = _missing(column, (), is_text=is_text)
    encoded = pc.dictionary_encode(column).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.string()).dictionary_encode()
    found = [find(value) for value in encoded.dictionary.to_pylist()]
    codes = pc.fill_null(encoded.indices, len(found)).to_numpy(zero_copy_only=False)
    unknown = np.array([value is None for value in found] + [False])[codes] & ~missing
    values = np.array([*found, None], dtype=object)[codes]
    if required:
        values = np.equal(values, True).astype(np.bool_)
    else:
        values[missing] = ""
    faults = {rule: np.flatnonzero(unknown), "missing": np.flatnonzero(missing) if required else _NONE}
    return Checked(values, {name: rows for name, rows in faults.items() if rows.size})


_NONE = np.empty(0, dtype=np.int64)


def _key(value: Any, is_text: bool) -> tuple[type, Any]:
    """A value with its type: True is not 1, and 1.0 is not 1. In a text file all are text."""
    return (str, str(value)) if is_text else (type(value), value)


def _bools(column: Any) -> NDArray[np.bool_]:
    result: NDArray[np.bool_] = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
    return result
