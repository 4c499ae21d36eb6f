"""What looks wrong in data without breaking the contract: told on the screen, in the manifest and in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.data.rejects import UnreadableFile, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from model.contract import Contract, Sensitive
    from model.contract.file import File

# From so many groups on, no policy compares each with each.
MOST_GROUPS = 200
MANY_GROUPS = 30
FEW_ROWS, FEW_LABELS = 1_000, 100
# The share of rows that repeat another one, in all fields, the outcome and the groups.
MANY_COPIES, FEW_VALUES = 0.2, 30


def suspicions(
    contract: type[Contract],
    source: str,
    lost: Mapping[tuple[str, str], int],
    matrix: NDArray[np.float64],
    approved: NDArray[np.bool_],
    groups: dict[str, NDArray[np.object_]],
) -> list[str]:
    """The warnings about accepted rows, one sentence each.

    Parameters
    ----------
    contract : type of Contract
    source : str
        The file's name.
    lost : mapping of (str, str) to int
        How many cells of a sensitive column hold a word that was read as missing.
    matrix, approved, groups
        As of `model.data.applications.Applications`.

    Raises
    ------
    UnreadableFile
        A sensitive column has so many values that it must be something else, such as an id.
    """
    return [
        *_size(approved),
        *(() if contract.split.equal_rows else _copies(matrix, approved, groups)),
        *(warning for rule in contract.sensitive for warning in _groups(rule, source, groups[rule.column])),
        *(
            f"{rows:,} cells of {printable(column)} hold '{word}', which is read as missing; if it is a group, declare "
            "the column's groups in the contract"
            for (column, word), rows in lost.items()
        ),
    ]


def _size(approved: NDArray[np.bool_]) -> Iterator[str]:
    rows, approvals = len(approved), int(approved.sum())
    if rows < FEW_ROWS or min(approvals, rows - approvals) < FEW_LABELS:
        yield (
            f"{rows:,} applications, {approvals:,} of them labelled approve, are few to train and judge a model on; "
            "bring more if you can"
        )


def _copies(
    matrix: NDArray[np.float64], approved: NDArray[np.bool_], groups: dict[str, NDArray[np.object_]]
) -> Iterator[str]:
    if not len(matrix):
        return
    codes = [np.unique(names.astype(str), return_inverse=True)[1] for names in groups.values()]
    rows = np.column_stack([matrix, approved, *codes])
    # Only where a number has many values, equal rows are a sign of copies.
    widest = max(len(np.unique(column)) for column in matrix.T)
    if widest < FEW_VALUES:
        return
    table = pa.table({str(place): column for place, column in enumerate(np.nan_to_num(rows, nan=np.inf).T)})
    copies = len(rows) - len(table.group_by(table.column_names).aggregate([]))
    if copies > MANY_COPIES * len(rows):
        yield (
            f"{copies:,} of {len(rows):,} applications repeat another one in every column, which makes a model look "
            "better than it is; keep each application once, or keep copies together: split = Split(equal_rows=True)"
        )


def _groups(rule: Sensitive, source: str, names: NDArray[np.object_]) -> Iterator[str]:
    distinct = sorted({str(name) for name in names} - {""})
    column = printable(rule.column)
    if len(distinct) > MOST_GROUPS:
        raise UnreadableFile(
            source,
            f"the sensitive column {column} has {len(distinct):,} different values, as an id or a number has; declare "
            "its groups or its bands in the contract",
        )
    if len(distinct) > MANY_GROUPS:
        yield f"the sensitive column {column} has {len(distinct)} groups; groups= in the contract joins some"
    spelled: dict[str, list[str]] = {}
    for name in distinct:
        spelled.setdefault(name.strip().casefold(), []).append(name)
    for alike in spelled.values():
        if len(alike) > 1:
            listed = ", ".join(printable(name) for name in alike)
            yield f"the groups {listed} of {column} differ by case alone; groups= in the contract joins them"


def lost_words(rule: Sensitive, cells: pa.ChunkedArray, codes: NDArray[np.int64], file: File) -> dict[str, int]:
    """How many cells of a sensitive column hold each word that was read as missing, and may be a group.

    Parameters
    ----------
    rule : Sensitive
    cells, codes
        The column's different cells, and the number of each row's; see `model.data.columns.distinct`.
    file : File
    """
    if rule.groups is not None or rule.bands is not None or not pa.types.is_string(cells.type):
        return {}
    found = {}
    for word in file.missing:
        holds = np.asarray(
            pc.fill_null(pc.equal(cells, word), fill_value=False).to_numpy(zero_copy_only=False), np.bool_
        )
        if rows := int(holds[codes].sum()):
            found[word] = rows
    return found
