"""A file or a data frame as a sheet: its columns, and the position of each row in the file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from model.data.columns import Column, trimmed
from model.data.rejects import Rejects, UnreadableFile

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Sheet:
    """Columns before any checking.

    Attributes
    ----------
    source : str
        The file's name, or where the rows come from.
    columns : pyarrow.Table, n rows
    is_text : bool
        Whether every cell is trimmed text, as in a CSV; otherwise the cells have their types.
    positions : ndarray of int64, shape (n,)
        Each row's index among the applications in the file, from 0.
    places : ndarray of int64, shape (n,)
        The same for people: the line of a CSV, whose header is line 1, or the row of a table, from 1.
    rejects : Rejects
        The rows that cannot be split into columns and are therefore missing from `columns`.
    """

    source: str
    columns: pa.Table
    is_text: bool
    positions: NDArray[np.int64]
    places: NDArray[np.int64]
    rejects: Rejects

    @property
    def names(self) -> list[str]:
        """The columns' names, in the file's order; a file may repeat one."""
        names: list[str] = self.columns.column_names
        return names

    def column(self, name: str) -> Column:
        """The column of this name."""
        return Column(self.columns.column(name), self.is_text)


def open_sheet(path: Path) -> Sheet:
    """Read a `.csv` or `.parquet` file.

    Raises
    ------
    UnreadableFile
    """
    if not path.is_file():
        raise UnreadableFile(str(path), "no such file")
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            return _csv_sheet(path)
        if suffix == ".parquet":
            return _typed_sheet(pa.parquet.read_table(path), path.name)
    except (pa.ArrowException, csv.Error, UnicodeDecodeError) as err:
        kind = "CSV in UTF-8, with commas and a header" if suffix == ".csv" else "Parquet"
        raise UnreadableFile(path.name, f"is not {kind}; export it again ({type(err).__name__})") from err
    raise UnreadableFile(path.name, "must be a .csv or .parquet file")


def frame_sheet(frame: pd.DataFrame, source: str) -> Sheet:
    """Take a data frame; None and NaN are missing.

    Raises
    ------
    UnreadableFile
        A column mixes types.
    """
    columns: list[pa.Array] = []
    for name, (_, column) in zip(frame.columns, frame.items(), strict=True):
        try:
            columns.append(pa.Array.from_pandas(column))
        except (pa.ArrowException, TypeError):
            # Not chained: the cause's message quotes values.
            raise UnreadableFile(source, f"column {name} mixes types; convert it to one") from None
    return _typed_sheet(pa.table(columns, names=[str(name) for name in frame.columns]), source)


def _typed_sheet(columns: pa.Table, source: str) -> Sheet:
    # A single text type: pandas writes the same words as large_string or as a dictionary.
    columns = columns.cast(
        pa.schema([(field.name, pa.string() if _is_text(field.type) else field.type) for field in columns.schema])
    )
    positions = np.arange(len(columns), dtype=np.int64)
    return Sheet(source, columns, False, positions, positions + 1, Rejects(rows_read=len(columns), unit="row"))


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _csv_sheet(path: Path) -> Sheet:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    if not header:
        raise UnreadableFile(path.name, "has no header in its first line")
    skipped: dict[int, str] = {}

    def skip(row: pa.csv.InvalidRow) -> str:
        skipped[row.number] = row.text
        return "skip"

    raw = pa.csv.read_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=False),  # rows are numbered only when read in order
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    # The parser counts the header as row 1. Line breaks inside a cell shift the lines below it.
    numbers = np.arange(2, len(raw) + len(skipped) + 2, dtype=np.int64)
    has_columns = ~np.isin(numbers, list(skipped))
    breaks = np.zeros(len(numbers), dtype=np.int64)
    is_blank = np.zeros(len(numbers), dtype=np.bool_)
    for number, text in skipped.items():
        breaks[number - 2] = text.count("\n")
        is_blank[number - 2] = not text.strip()
    for column in raw.columns:
        breaks[has_columns] += pc.count_substring(column, "\n").to_numpy()
    lines = numbers + np.cumsum(breaks) - breaks

    columns = pa.table([trimmed(column) for column in raw.columns], names=[name.strip() for name in header])
    if columns.num_columns > 1:  # with one column, an empty cell is a missing value, not a blank row
        is_blank[has_columns] = np.logical_and.reduce([pc.equal(cells, "").to_numpy() for cells in columns.columns])
    rejects = Rejects(rows_read=int((~is_blank).sum()), blank_rows=int(is_blank.sum()), unit="line")
    rejects.add("line", "cell_count", lines[~has_columns & ~is_blank])
    kept = has_columns & ~is_blank
    positions = np.cumsum(~is_blank) - 1
    return Sheet(path.name, columns.filter(pa.array(kept[has_columns])), True, positions[kept], lines[kept], rejects)
