"""The rows of a file, some at a time, with every column checked against the contract."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from model.data import hints
from model.data.columns import (
    Checked,
    Column,
    check_field,
    check_outcome,
    check_range,
    check_sensitive,
    distinct,
    has_decimals,
    trimmed,
)
from model.data.marks import check_date, check_group, check_side, check_weight, mark_columns
from model.data.rejects import MissingColumns, UnreadableFile, printable
from model.data.suspicions import lost_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from model.contract import Contract
    from model.contract.fields import FieldSpec
    from model.contract.file import File
    from model.data.rejects import Rejects
    from model.data.sheet import Sheet


def columns_of(fields: tuple[FieldSpec, ...], file: File) -> list[str]:
    """The columns of a file that hold fields."""
    return [file.column_of(spec.name) for spec in fields]


@dataclass(frozen=True)
class Part:
    """Some rows of a file, checked.

    Attributes
    ----------
    sheet : Sheet
        The rows before.
    columns : dict of str to ndarray, shape (n,)
        By the column's name in the file: what `model.data.columns` makes of it. Meaningless in rows with a fault.
    kept : ndarray of int64
        The rows that passed, counted from 0 in this part.
    faults : list of (str, str, ndarray of int64)
        Field, rule, and the rows that break it.
    lost : dict of (str, str) to int
        How many cells of a sensitive column hold a word that was read as missing.
    """

    sheet: Sheet
    columns: dict[str, NDArray[Any]]
    kept: NDArray[np.int64]
    faults: list[tuple[str, str, NDArray[np.int64]]]
    lost: dict[tuple[str, str], int]

    def matrix(self, fields: tuple[FieldSpec, ...]) -> NDArray[np.float64]:
        """The rows that passed, as `Applications.matrix`; each column is contiguous."""
        in_file = self.sheet.file.column_of
        every = len(self.kept) == len(self.sheet.positions)
        found = np.empty((len(fields), len(self.kept)))
        for row, spec in zip(found, fields, strict=True):
            values = self.columns[in_file(spec.name)]
            np.add(values if every else values[self.kept], 0.0, out=row)  # -0.0 becomes 0.0
        return found.T


def check_parts(
    sheets: Iterable[Sheet], fields: tuple[FieldSpec, ...], contract: type[Contract] | None, rejects: Rejects
) -> Iterator[Part]:
    """Check sheet after sheet, and count in `rejects`; without a contract, outcome and sensitive columns are ignored.

    Raises
    ------
    UnreadableFile, MissingColumns
    """
    steps: dict[str, Step] = {}
    progress = tqdm(unit=" rows", unit_scale=True, desc="read", delay=2, leave=False, disable=None)
    with progress:
        for sheet in sheets:
            if not steps:
                steps = steps_of(fields, contract, sheet.file)
                _check_columns(sheet, steps)
                rejects.ignored_columns = tuple(name for name in sheet.names if name not in steps)
            yield _check(sheet, steps, contract, rejects)
            progress.update(sheet.rejects.rows_read)


def _check_columns(sheet: Sheet, steps: Mapping[str, Step]) -> None:
    if missing := [name for name in steps if name not in sheet.names]:
        shown = sheet.names if hints.is_header(sheet.names, list(steps)) else ()
        raise MissingColumns(sheet.source, missing, shown, sheet.hint)
    if twice := [name for name in steps if sheet.names.count(name) > 1]:
        raise UnreadableFile(sheet.source, f"has the column {printable(twice[0])} twice; keep one")


def _check(sheet: Sheet, steps: Mapping[str, Step], contract: type[Contract] | None, rejects: Rejects) -> Part:
    rejects.include(sheet.rejects)
    sensitive = {} if contract is None else {rule.column: rule for rule in contract.sensitive}
    passed = np.ones(len(sheet.places), dtype=np.bool_)
    decided = np.ones(len(sheet.places), dtype=np.bool_)
    values: dict[str, NDArray[Any]] = {}
    faults: list[tuple[str, str, NDArray[np.int64]]] = []
    lost: dict[tuple[str, str], int] = {}
    for name, step in steps.items():
        column = _column(sheet, name)
        checked = check_range(column, step.spec) if step.spec is not None and not column.is_text else None
        if checked is None:
            # Few different cells make many rows, and each needs to be checked once.
            try:
                cells, codes = distinct(column.cells)
                checked = step.check(replace(column, cells=cells)).spread(codes)
            except pa.ArrowNotImplementedError as err:
                if step.spec is None:
                    why = "cannot hold labels or groups; write it as numbers or text"
                    raise UnreadableFile(sheet.source, f"the type of column {printable(name)} {why}") from err
                checked = step.check(column)
            else:
                if name in sensitive:
                    words = lost_words(sensitive[name], cells, codes, sheet.file)
                    lost |= {(name, word): rows for word, rows in words.items()}
        values[name] = checked.content
        decided[checked.undecided] = False
        for rule, rows in checked.faults.items():
            rejects.add(step.field, rule, sheet.places[rows])
            faults.append((step.field, rule, rows))
            passed[rows] = False
            if rule != "missing" and (hint := _hint(step, column, rows)):
                rejects.hints.setdefault(step.field, hint)
    kept = np.flatnonzero(passed & decided)
    # Whoever is not decided needs no other correct value.
    left_out = int((~decided).sum())
    rejects.rows_left_out += left_out
    rejects.rows_rejected += sheet.rejects.rows_read - int(kept.size) - left_out
    return Part(sheet, values, kept, faults, lost)


def _column(sheet: Sheet, name: str) -> Column:
    cells = sheet.columns.column(name)
    if sheet.file.as_text and pa.types.is_string(cells.type):
        return Column(trimmed(pc.fill_null(cells, "")), True, sheet.file)
    return Column(cells, sheet.is_text, sheet.file)


def _hint(step: Step, column: Column, rows: NDArray[np.int64]) -> str:
    """What the cells that broke a rule look like, and what would accept them."""
    cells = column.cells.take(pa.array(rows[: hints.MOST]))
    looks = step.hint(pc.cast(cells, pa.string()).unique().to_pylist())
    if column.is_text or looks.startswith(hints.DATE):
        return looks
    kind = cells.type
    if pa.types.is_boolean(kind):
        return looks or hints.BOOLEAN
    if pa.types.is_string(kind):
        return looks if looks and hints.DECLARE not in looks else hints.in_table(looks, step.spec)
    if has_decimals(kind) and all(isnan(cell) or cell % 1 == 0 for cell in cells.to_pylist()):
        return hints.WHOLE
    return ""


@dataclass(frozen=True)
class Step:
    """What is done with one column of the file.

    Attributes
    ----------
    field : str
        The field's name, or the column's if it holds none.
    check : callable
    hint : callable
        Says what cells of text that broke a rule look like.
    spec : FieldSpec, optional
    """

    field: str
    check: Callable[[Column], Checked]
    hint: Callable[[list[str]], str]
    spec: FieldSpec | None = None


def steps_of(fields: tuple[FieldSpec, ...], contract: type[Contract] | None, file: File) -> dict[str, Step]:
    """What is done with each column, by its name in the file."""
    number = partial(hints.of_number, spec=None, file=file)

    def word(words: Iterable[object]) -> Callable[[list[str]], str]:
        return partial(hints.of_word, words=[str(word) for word in words], file=file)

    steps: dict[str, Step] = {}
    for spec in fields:
        hint = word(spec.words) if spec.kind == "choice" else partial(hints.of_number, spec=spec, file=file)
        steps[file.column_of(spec.name)] = Step(spec.name, partial(check_field, spec=spec), hint, spec)
    if contract is None:
        return steps
    outcome, split = contract.outcome, contract.split
    labels = (outcome.approve, outcome.deny, *outcome.leave_out)
    steps[outcome.column] = Step(outcome.column, partial(check_outcome, outcome=outcome), word(labels))
    for rule in contract.sensitive:
        hint = number if rule.bands is not None else word(chain.from_iterable((rule.groups or {}).values()))
        steps[rule.column] = Step(rule.column, partial(check_sensitive, sensitive=rule), hint)
    checks: dict[str, tuple[Callable[[Column], Checked], Callable[[list[str]], str]]] = {
        "side": (partial(check_side, split=split), word((*split.training, *split.holdout))),
        "date": (check_date, partial(hints.of_date, file=file)),
        "group": (check_group, word(())),
        "weight": (check_weight, number),
    }
    for mark, column in mark_columns(contract).items():
        steps[column] = Step(column, *checks[mark])
    return steps
