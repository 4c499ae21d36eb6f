"""Applications from CSV, Parquet or a data frame, with every row checked against the contract."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from model.contract import Contract
from model.contract.fields import FieldSpec, fields_of
from model.contract.file import File
from model.data.marks import mark_columns
from model.data.parts import check_parts, columns_of, steps_of
from model.data.rejects import MAX_REJECT_SHARE, Rejects, TooManyRejects, UnreadableFile
from model.data.sheets import frame_sheet, open_sheets
from model.data.suspicions import suspicions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from model.data.sheet import Sheet


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
    marks : dict of str to ndarray, shape (n,)
        What the contract declares about training: `side` (True for the hold-out), `date` (microseconds since 1970,
        int64), `group` (int64; equal numbers stay together) and `weight` (float64).
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
    marks: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """How much each row counts while a model is fitted; None if all count the same."""
        return self.marks.get("weight")

    def take(self, rows: NDArray[np.int64]) -> Applications:
        """The rows at these positions; facts about the data as a whole (digest, rejects) stay the same."""
        return replace(
            self,
            matrix=self.matrix[rows],
            approved=self.approved[rows] if self.approved.size else self.approved,
            groups={name: values[rows] for name, values in self.groups.items()},
            accepted=self.accepted[rows],
            marks={name: values[rows] for name, values in self.marks.items()},
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
    sheets = open_sheets(path, list(steps_of(fields, contract, file)), file)
    return replace(_gather(sheets, fields, contract, max_reject_share), dated=dated)


def read_unlabelled(
    path: Path, fields: tuple[FieldSpec, ...], file: File = PLAIN, *, max_reject_share: float = MAX_REJECT_SHARE
) -> Applications:
    """Read and check a file of applications to score; see `read`. Columns other than the fields are ignored."""
    return _gather(open_sheets(path, columns_of(fields, file), file), fields, None, max_reject_share)


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
    return replace(_gather([sheet], fields_of(contract), contract, max_reject_share), dated=dated)


def _gather(
    sheets: Iterable[Sheet], fields: tuple[FieldSpec, ...], contract: type[Contract] | None, max_reject_share: float
) -> Applications:
    """Check all rows of a file, and keep those that pass in memory."""
    rejects, source = Rejects(), ""
    rows: list[tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]] = []
    groups: dict[str, list[NDArray[np.object_]]] = {}
    marks: dict[str, list[NDArray[Any]]] = {}
    lost: dict[tuple[str, str], int] = {}
    for part in check_parts(sheets, fields, contract, rejects):
        source = part.sheet.source
        labels = np.empty(0, dtype=np.bool_) if contract is None else part.columns[contract.outcome.column][part.kept]
        rows.append((part.matrix(fields), labels, part.sheet.positions[part.kept]))
        for rule in () if contract is None else contract.sensitive:
            groups.setdefault(rule.column, []).append(part.columns[rule.column][part.kept])
        for name, column in () if contract is None else mark_columns(contract).items():
            marks.setdefault(name, []).append(part.columns[column][part.kept])
        for key, count in part.lost.items():
            lost[key] = lost.get(key, 0) + count
    if contract is not None and not rejects.rows_read:
        raise UnreadableFile(source, "holds no rows")
    if rejects.share > max_reject_share:
        raise TooManyRejects(source, rejects, max_reject_share)
    matrix, approved, accepted = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    named = {column: np.concatenate(names) for column, names in groups.items()}
    marked = {name: np.concatenate(values) for name, values in marks.items()}
    if "group" in marked:
        marked["group"] = np.unique(marked["group"].astype(str), return_inverse=True)[1]
    if contract is not None and contract.split.equal_rows:
        # NaN differs from NaN, and no field is infinite.
        marked["group"] = np.unique(np.where(np.isnan(matrix), np.inf, matrix), axis=0, return_inverse=True)[1].ravel()
    if contract is not None:
        rejects.warnings = suspicions(contract, source, lost, matrix, approved, named)
    return Applications(
        fields=fields,
        matrix=matrix,
        approved=approved,
        groups=named,
        rejects=rejects,
        accepted=accepted,
        digest=_digest(fields, matrix, approved, named, marked),
        source=source,
        marks=marked,
    )


def _digest(
    fields: tuple[FieldSpec, ...],
    matrix: NDArray[np.float64],
    approved: NDArray[np.bool_],
    groups: dict[str, NDArray[np.object_]],
    marks: dict[str, NDArray[Any]],
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
    for name, values in marks.items():
        digest.update(name.encode())
        digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
