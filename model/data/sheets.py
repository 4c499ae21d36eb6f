"""A file or a data frame as sheets: the wanted columns, some rows at a time, and where each row is in the file.

A sheet holds as many rows as fit some megabytes, so a file may be larger than memory.
"""

from __future__ import annotations

import zipfile
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

from model.contract.file import File
from model.data import hints
from model.data.columns import trimmed
from model.data.rejects import Rejects, UnreadableFile, printable
from model.data.sheet import Sheet
from model.data.text import text_sheets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import pandas as pd

TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
TABLES = (".parquet",)
SHEETS = (".xlsx", ".xlsm", ".xlsb", ".ods", ".xls")
# The cells that a sheet of a typed table has, about.
CELLS = 1 << 21
STREAMED = pa.dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)


def open_sheets(path: Path, wanted: Collection[str], file: File, as_they_are: Collection[str] = ()) -> Iterator[Sheet]:
    """Read the wanted columns of a file: text, a Parquet file or a folder of them, or an Excel sheet.

    Parameters
    ----------
    path : Path
    wanted : collection of str
    file : File
    as_they_are : collection of str
        Columns to read besides, whose text has too many different values to be encoded, such as an id.

    Yields
    ------
    Sheet
        At least one, maybe without rows.

    Raises
    ------
    UnreadableFile
    """
    if not path.exists():
        raise UnreadableFile(str(path), "no such file")
    name = path.name.lower()
    if path.is_dir() or name.endswith(TABLES):
        yield from _parquet_sheets(path, [*wanted, *as_they_are], file)
    elif name.endswith(TEXTS):
        yield from text_sheets(path, wanted, file, as_they_are)
    elif name.endswith(SHEETS):
        yield _excel_sheet(path, [*wanted, *as_they_are], file)
    else:
        raise UnreadableFile(path.name, "must be .csv, .tsv (also .gz), .parquet (also a folder of it), or .xlsx")


def frame_sheet(frame: pd.DataFrame, source: str, file: File) -> Sheet:
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
            raise UnreadableFile(source, f"column {printable(str(name))} mixes types; convert it to one") from None
    names = tuple(str(name) for name in frame.columns)
    return _typed_sheet(pa.table(columns, names=list(names)), source, names, file)


def _parquet_sheets(path: Path, wanted: Collection[str], file: File) -> Iterator[Sheet]:
    if path.is_dir() and not any(part.suffix.lower() == ".parquet" for part in path.rglob("*")):
        raise UnreadableFile(path.name, "is a folder without a .parquet file")
    try:
        names = tuple(pa.parquet.read_schema(path).names) if path.is_file() else ()
        if any(names.count(name) > 1 for name in wanted):  # the caller says so
            yield _typed_sheet(pa.table({}), path.name, names, file)
            return
        looks = pa.dataset.ParquetFileFormat(default_fragment_scan_options=STREAMED)
        # Columns may also be in the names of folders, as in marital=single/part-0.parquet.
        data = pa.dataset.dataset(path, format=looks, partitioning="hive" if path.is_dir() else None)
        _check_parts(data, path, wanted)
        names = tuple(data.schema.names)
        # A column that nobody asked for may be huge, whatever it says of itself.
        once = [name for name in dict.fromkeys(names) if name in wanted]
        batches = data.to_batches(
            columns={name: pa.dataset.field(name) for name in once},
            batch_size=CELLS // (4 * max(1, -(-len(once) // 4))),
            batch_readahead=0,
            fragment_readahead=0,
            use_threads=False,
        )
        row = 0
        yield _typed_sheet(
            pa.table([pa.array([], data.schema.field(name).type) for name in once], once), path.name, names, file
        )
        for batch in batches:
            yield _typed_sheet(pa.table(batch), path.name, names, file, row)
            row += len(batch)
    except (pa.ArrowException, OSError) as err:
        kind = "a folder of Parquet files of one kind" if path.is_dir() else "Parquet"
        raise UnreadableFile(path.name, f"is not {kind}; export it again ({type(err).__name__})") from err


def _check_parts(data: pa.dataset.FileSystemDataset, path: Path, wanted: Collection[str]) -> None:
    """Check that every file of a folder has the columns that any of them has; Arrow would read nulls instead."""
    if path.is_file():
        return
    parts = {
        part.path: {*part.physical_schema.names, *pa.dataset.get_partition_keys(part.partition_expression)}
        for part in data.get_fragments()
    }
    known = set().union(*parts.values())
    for name in wanted:
        if lacking := [part for part, names in parts.items() if name in known and name not in names]:
            where = printable(PurePath(lacking[0]).name)
            raise UnreadableFile(path.name, f"{where} has no column {printable(name)}, which other files of it have")


def _typed_sheet(columns: pa.Table, source: str, names: tuple[str, ...], file: File, row: int = 0) -> Sheet:
    # A single text type: pandas writes the same words as large_string or as a dictionary.
    columns = columns.cast(
        pa.schema([(entry.name, pa.string() if _is_text(entry.type) else entry.type) for entry in columns.schema])
    )
    positions = np.arange(row, row + len(columns), dtype=np.int64)
    rejects = Rejects(rows_read=len(columns), unit="row")
    return Sheet(source, names, columns, False, positions, positions + 1, rejects, file)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _excel_sheet(path: Path, wanted: Collection[str], file: File) -> Sheet:
    from python_calamine import CalamineError, CalamineWorkbook  # only for those who have such files

    try:
        book = CalamineWorkbook.from_path(path)
        if file.sheet is None and len(book.sheet_names) > 1:
            listed = ", ".join(printable(name) for name in book.sheet_names)
            why = f'has the sheets {listed}: declare which one, file = File(sheet="…")'
            raise UnreadableFile(path.name, why)
        rows = book.get_sheet_by_name(file.sheet or book.sheet_names[0]).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError, IndexError) as err:
        raise UnreadableFile(path.name, f"cannot be read as a spreadsheet ({type(err).__name__})") from err
    if len(rows) <= file.skip_lines:
        raise UnreadableFile(path.name, f"has no header in row {file.skip_lines + 1}")
    names = tuple(_as_text(cell).strip() for cell in rows[file.skip_lines])
    body = [[_as_text(cell) for cell in row] for row in rows[file.skip_lines + 1 :]]
    blank = np.array([not any(cell.strip() for cell in row) for row in body], dtype=np.bool_)
    kept = [name for name in dict.fromkeys(names) if name in wanted]
    columns = pa.table(
        {
            name: trimmed(pa.chunked_array([pa.array([row[names.index(name)] for row in body], pa.string())]))
            for name in kept
        }
    )
    rejects = Rejects(rows_read=int((~blank).sum()), blank_rows=int(blank.sum()), unit="row")
    places = np.arange(len(body), dtype=np.int64) + file.skip_lines + 2
    below = ["\t".join(row) for row in body[: hints.FEW]]
    hint = hints.of_header(names, below, list(wanted), File(separator="\t", skip_lines=file.skip_lines))
    positions = np.cumsum(~blank) - 1
    table = columns.filter(pa.array(~blank)) if kept else columns
    return Sheet(path.name, names, table, True, positions[~blank], places[~blank], rejects, file, hint)


def _as_text(cell: object) -> str:
    """A cell as a CSV would hold it: Excel knows no whole numbers, only numbers that are whole."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)
