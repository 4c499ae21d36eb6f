"""Applications from CSV, Parquet or a data frame, with every row checked against the contract."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from model.contract import Contract
from model.contract.fields import FieldSpec, fields_of
from model.contract.file import File
from model.data import hints
from model.data.columns import Checked, Column, check_field, check_outcome, check_sensitive
from model.data.rejects import MAX_REJECT_SHARE, MissingColumns, Rejects, TooManyRejects, UnreadableFile, printable
from model.data.sheets import Sheet, frame_sheet, open_sheet
from model.data.suspicions import suspicions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


# A file of which nothing is declared.
PLAIN = File()


@dataclass(frozen=True)
class Applications:
    """The rows that passed the contract.

    Attributes
    ----------
    fields : tuple of FieldSpec
    matrix : ndarray of float64, shape (n, fields)
        Numbers as they are, a choice as the index of its word in `FieldSpec.words`, NaN where missing.
    approved : ndarray of bool, shape (n,)
        Empty if the data was read without outcomes.
    groups : dict of str to ndarray of str
        For each sensitive column: the name of each row's group, '' where the value is missing.
    rejects : Rejects
    accepted : ndarray of int64, shape (n,)
        The position of each row among the rows that were read, from 0; blank rows are not counted.
    digest : str
        SHA-256 of the accepted content: the same for the same rows in CSV, Parquet or memory, on any platform.
    source : str
        The file's name, or how the data was generated.
    dated : str or None
        ISO date of the data, UTC; None if unknown. The date of the file is not used: it may only say when the file was
        last copied.
    """

    fields: tuple[FieldSpec, ...]
    matrix: NDArray[np.float64]
    approved: NDArray[np.bool_]
    groups: dict[str, NDArray[np.object_]]
    rejects: Rejects
    accepted: NDArray[np.int64]
    digest: str
    source: str
    dated: str | None = None

    def take(self, rows: NDArray[np.int64]) -> Applications:
        """The rows at these positions; facts about the data as a whole (digest, rejects) stay the same."""
        return replace(
            self,
            matrix=self.matrix[rows],
            approved=self.approved[rows] if self.approved.size else self.approved,
            groups={name: values[rows] for name, values in self.groups.items()},
            accepted=self.accepted[rows],
        )


def read(
    path: Path,
    contract: type[Contract],
    *,
    dated: str | None = None,
    max_reject_share: float = MAX_REJECT_SHARE,
) -> Applications:
    """Read and check a file of labelled applications.

    Parameters
    ----------
    path : Path
        Text, Parquet (also a folder of files) or a spreadsheet; its looks are declared in the contract's `file`.
    contract : type of Contract
    dated : str, optional
        ISO date of the data, UTC.
    max_reject_share : float
        The share of rows that may break the contract, 0 to 1.

    Raises
    ------
    UnreadableFile, MissingColumns, TooManyRejects
    """
    fields, file = fields_of(contract), contract.file
    sheet = open_sheet(path, list(_steps(fields, contract, file)), file)
    return replace(_check(sheet, fields, contract, max_reject_share), dated=dated)


def read_unlabelled(
    path: Path, fields: tuple[FieldSpec, ...], file: File = PLAIN, *, max_reject_share: float = MAX_REJECT_SHARE
) -> Applications:
    """Read and check a file of applications to score; see `read`. Columns other than the fields are ignored."""
    sheet = open_sheet(path, list(_steps(fields, None, file)), file)
    return _check(sheet, fields, None, max_reject_share)


def check_frame(
    frame: pd.DataFrame,
    contract: type[Contract],
    *,
    source: str,
    dated: str | None,
    max_reject_share: float = MAX_REJECT_SHARE,
) -> Applications:
    """Check labelled applications that are in memory; see `read`.

    None and NaN are missing. Types are strict: an int field does not accept a float column, so a column of whole
    numbers with gaps needs pandas' `Int64`.
    """
    sheet = frame_sheet(frame, source, contract.file)
    return replace(_check(sheet, fields_of(contract), contract, max_reject_share), dated=dated)


def _check(
    sheet: Sheet, fields: tuple[FieldSpec, ...], contract: type[Contract] | None, max_reject_share: float
) -> Applications:
    """Check every column; without a contract, the outcome and the sensitive columns are ignored."""
    steps = _steps(fields, contract, sheet.file)
    if missing := [name for name in steps if name not in sheet.names]:
        shown = sheet.names if hints.is_header(sheet.names, list(steps)) else ()
        raise MissingColumns(sheet.source, missing, shown, sheet.hint)
    if twice := [name for name in steps if sheet.names.count(name) > 1]:
        raise UnreadableFile(sheet.source, f"has the column {printable(twice[0])} twice; keep one")
    rejects = sheet.rejects
    if contract is not None and not rejects.rows_read:
        raise UnreadableFile(sheet.source, "holds no rows")
    rejects.ignored_columns = tuple(name for name in sheet.names if name not in steps)

    passed = np.ones(len(sheet.places), dtype=np.bool_)
    decided = np.ones(len(sheet.places), dtype=np.bool_)
    values: dict[str, NDArray[Any]] = {}
    for name, step in tqdm(steps.items(), desc="Checking", unit="column", delay=2, leave=False, disable=None):
        column = sheet.column(name)
        try:
            checked = step.check(column)
        except pa.ArrowNotImplementedError as err:
            why = f"the type of column {printable(name)} cannot hold labels or groups; write it as numbers or text"
            raise UnreadableFile(sheet.source, why) from err
        values[name] = checked.content
        decided[checked.undecided] = False
        for rule, rows in checked.faults.items():
            rejects.add(step.field, rule, sheet.places[rows])
            passed[rows] = False
            if sheet.is_text and rule != "missing" and (hint := step.hint(column, rows)):
                rejects.hints[step.field] = hint

    kept = np.flatnonzero(passed & decided)
    # Whoever is not decided needs no other correct value.
    rejects.rows_left_out = int((~decided).sum())
    rejects.rows_rejected = rejects.rows_read - int(kept.size) - rejects.rows_left_out
    if rejects.share > max_reject_share:
        raise TooManyRejects(sheet.source, rejects, max_reject_share)
    in_file = sheet.file.column_of
    matrix = np.column_stack([values[in_file(spec.name)][kept] for spec in fields]) + 0.0  # -0.0 becomes 0.0
    approved = np.empty(0, dtype=np.bool_) if contract is None else values[contract.outcome.column][kept]
    groups = {} if contract is None else {rule.column: values[rule.column][kept] for rule in contract.sensitive}
    if contract is not None:
        rejects.warnings = suspicions(contract, sheet, matrix, approved, groups)
    return Applications(
        fields=fields,
        matrix=matrix,
        approved=approved,
        groups=groups,
        rejects=rejects,
        accepted=sheet.positions[kept],
        digest=_digest(fields, matrix, approved, groups),
        source=sheet.source,
    )


@dataclass(frozen=True)
class Step:
    """What is done with one column of the file.

    Attributes
    ----------
    field : str
        The field's name, or the column's if it holds none.
    check : callable
    words : tuple of str, optional
        What the column may hold; None for a number.
    spec : FieldSpec, optional
    """

    field: str
    check: Callable[[Column], Checked]
    words: tuple[str, ...] | None
    spec: FieldSpec | None = None

    def hint(self, column: Column, rows: NDArray[np.int64]) -> str:
        """What the cells of a text column that broke a rule look like."""
        cells = column.cells.take(pa.array(rows[: hints.MOST])).unique().to_pylist()
        if self.words is not None:
            return hints.of_word(cells, self.words, column.file)
        return hints.of_number(cells, self.spec, column.file)


def _steps(fields: tuple[FieldSpec, ...], contract: type[Contract] | None, file: File) -> dict[str, Step]:
    """What is done with each column, by its name in the file."""
    steps = {
        file.column_of(spec.name): Step(
            spec.name, partial(check_field, spec=spec), spec.words if spec.kind == "choice" else None, spec
        )
        for spec in fields
    }
    if contract is not None:
        outcome = contract.outcome
        labels = tuple(str(label) for label in (outcome.approve, outcome.deny, *outcome.leave_out))
        steps[outcome.column] = Step(outcome.column, partial(check_outcome, outcome=outcome), labels)
        for rule in contract.sensitive:
            groups = tuple(str(value) for values in (rule.groups or {}).values() for value in values)
            words = groups if rule.bands is None else None
            steps[rule.column] = Step(rule.column, partial(check_sensitive, sensitive=rule), words)
    return steps


def _digest(
    fields: tuple[FieldSpec, ...],
    matrix: NDArray[np.float64],
    approved: NDArray[np.bool_],
    groups: dict[str, NDArray[np.object_]],
) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([[spec.name, spec.words] for spec in fields]).encode())
    for column in matrix.T:
        # One bit pattern for every NaN, one byte order for every platform.
        digest.update(np.where(np.isnan(column), np.nan, column).astype("<f8").tobytes())
    digest.update(approved.tobytes())
    for column_name, names in groups.items():
        distinct, codes = np.unique(names.astype(str), return_inverse=True)
        digest.update(json.dumps([column_name, distinct.tolist()]).encode())
        digest.update(codes.astype("<i4").tobytes())
    return digest.hexdigest()
