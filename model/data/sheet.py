"""Some rows of a file before any checking: the wanted columns, and where each row is in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model.contract.file import File

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from model.data.rejects import Rejects


@dataclass(frozen=True)
class Sheet:
    """Columns before any checking.

    Attributes
    ----------
    source : str
        The file's name, or where the rows come from.
    names : tuple of str
        The names of all columns in the file's order, wanted or not; a file may repeat one.
    columns : pyarrow.Table, n rows
        The wanted ones. Text is dictionary-encoded, but for columns that were asked for as they are.
    is_text : bool
        Whether every cell is trimmed text, as in a CSV; otherwise the cells have their types.
    positions : ndarray of int64, shape (n,)
        Each row's index among the applications in the file, from 0.
    places : ndarray of int64, shape (n,)
        The same for people: the line of a text file, or the row of a table, from 1.
    rejects : Rejects
        The rows that cannot be split into columns and are therefore missing from `columns`.
    file : File
        What was declared about it.
    hint : str
        Why a column may be missing.
    unread : dict of str to ndarray of int64
        The positions of the missing rows, by the rule that they break.
    """

    source: str
    names: tuple[str, ...]
    columns: pa.Table
    is_text: bool
    positions: NDArray[np.int64]
    places: NDArray[np.int64]
    rejects: Rejects
    file: File = field(default_factory=File)
    hint: str = ""
    unread: dict[str, NDArray[np.int64]] = field(default_factory=dict)
