"""A file or a data frame as sheets: the wanted columns, some rows at a time, and where each row is in the file.

A sheet holds as many rows as fit some megabytes, so a file may be larger than memory.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from model.contract.file import File
from model.data import hints
from model.data.columns import trimmed
from model.data.lines import blank_lines, inside_quotes, read_lines, unclosed
from model.data.rejects import Rejects, UnreadableFile, printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from model.data.lines import Lines

TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
TABLES = (".parquet",)
SHEETS = (".xlsx", ".xlsm", ".xlsb", ".ods", ".xls")
# How many lines below the header are searched for another one.
FEW = 20
# The cells that a sheet of a typed table has, about.
CELLS = 1 << 21
STREAMED = pa.dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
CODED = pa.dictionary(pa.int32(), pa.string())


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
        yield from _text_sheets(path, wanted, file, as_they_are)
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
        data = pa.dataset.dataset(path, format=looks)
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
    below = ["\t".join(row) for row in body[:FEW]]
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


def _text_sheets(path: Path, wanted: Collection[str], file: File, as_they_are: Collection[str]) -> Iterator[Sheet]:
    row, opened = 0, False
    for lines in read_lines(path, file):
        if not any(name in lines.header for name in wanted):
            below = [lines.line(place) for place in range(min(FEW, len(lines)))]
            hint = hints.of_header(lines.header, below, list(wanted), file)
            nothing, none = pa.table({}), np.empty(0, np.int64)
            yield Sheet(lines.name, lines.header, nothing, True, none, none, Rejects(unit="line"), file, hint)
            return
        kinds: dict[str, pa.DataType] = {**dict.fromkeys(wanted, CODED), **dict.fromkeys(as_they_are, pa.string())}
        sheet, opened = _text_sheet(lines, kinds, file, row, opened)
        row += sheet.rejects.rows_read
        yield sheet


def _text_sheet(lines: Lines, kinds: dict[str, pa.DataType], file: File, row: int, opened: bool) -> tuple[Sheet, bool]:
    """A block's sheet, and whether the block ends inside a quoted cell.

    Parameters
    ----------
    lines : Lines
    kinds : dict of str to pyarrow.DataType
        How the cells of each wanted column are kept.
    file : File
    row : int
        How many applications were read before.
    opened : bool
        Whether the block starts inside a quoted cell.
    """
    quoted = opened or (file.quote != "" and file.quote.encode() in lines.text)
    if not quoted:
        # Most files: without a quote, there is nothing to look for but lines that do not fit.
        columns, unfit = _split(lines, lines.text, kinds, file)
        if not unfit and not _any_empty(columns):
            everything, nothing = np.ones(len(columns), np.bool_), np.zeros(len(columns), np.bool_)
            return _sheet_of(lines, columns, unfit, everything, nothing, [], row, file, kinds), False
    blank = blank_lines(lines, file)
    for every in (False, True):
        ranges = [] if file.line_breaks else inside_quotes(lines, file, every=every, opened=opened)
        kept = ~blank
        for first, last in ranges:
            kept[first : last + 1] = blank[first : last + 1] = False
        columns, unfit = _split(lines, lines.only(kept), kinds, file)
        if len(columns) + len(unfit) == int(kept.sum()) or file.line_breaks:
            break
    else:
        raise UnreadableFile(lines.name, 'has quotes that nobody can match; declare file = File(quote="") or mend it')
    ends_open = bool(ranges) and ranges[-1][1] == len(lines) - 1 and unclosed(lines, file, opened=opened) is not None
    if opened and ranges:
        # The line that opens the cell was named with the block before.
        first, last = ranges[0]
        sheet = _sheet_of(lines, columns, unfit, kept, blank, ranges[1:], row, file, kinds, range(first, last + 1))
    else:
        sheet = _sheet_of(lines, columns, unfit, kept, blank, ranges, row, file, kinds)
    return sheet, ends_open


def _any_empty(columns: pa.Table) -> bool:
    """Whether a row has no content in any wanted column, so that its line may be blank."""
    empty = None
    for column in columns.columns:
        cells = column.combine_chunks()
        if isinstance(cells, pa.ChunkedArray):
            return False
        is_dictionary = pa.types.is_dictionary(cells.type)
        found = np.asarray(pc.equal(cells.dictionary if is_dictionary else cells, "").to_numpy(zero_copy_only=False))
        if not found.any():
            return False
        if is_dictionary:  # several entries are empty once they are trimmed
            found = found[cells.indices.to_numpy()]
        empty = found if empty is None else empty & found
    return empty is not None and bool(empty.any())


def _sheet_of(
    lines: Lines,
    columns: pa.Table,
    unfit: Sequence[int],
    kept: NDArray[np.bool_],
    blank: NDArray[np.bool_],
    ranges: Sequence[tuple[int, int]],
    row: int,
    file: File,
    wanted: Collection[str],
    inside: range = range(0),
) -> Sheet:
    """The sheet of the lines that could be split; the others are counted, and named by their first line.

    `inside` are the lines at the start that belong to a cell which an earlier block opened.
    """
    numbers = np.arange(len(kept), dtype=np.int64) + lines.first
    rejects = Rejects(rows_read=int((~blank).sum()), blank_rows=int(blank.sum()), unit="line")
    if file.line_breaks:
        # Which line a row starts in is not known: rows are numbered instead.
        kept = np.ones(len(columns) + len(unfit), dtype=np.bool_)
        numbers, blank = np.arange(len(kept), dtype=np.int64) + row + 1, np.zeros(len(kept), dtype=np.bool_)
        rejects = Rejects(rows_read=len(kept), unit="row")
    has_columns = kept.copy()
    has_columns[np.flatnonzero(kept)[list(unfit)]] = False
    positions = np.cumsum(~blank) - 1 + row
    misfits = kept & ~has_columns
    rejects.add("line", "cell_count", numbers[misfits])
    unread = {"cell_count": positions[misfits]} if misfits.any() else {}
    if ranges or inside:
        lost = ~kept & ~blank
        rejects.add("line", "open_quote", numbers[[first for first, _ in ranges]], rows=int(lost.sum()))
        rejects.hints["line"] = (
            "A quote opens a cell and is not closed in its line, so the lines up to the closing one are not read. "
            'If no character quotes: declare file = File(quote=""); if cells may span lines: File(line_breaks=True)'
        )
        unread["open_quote"] = positions[lost]
    hint = ""
    if not set(wanted) <= set(lines.header):
        below = [lines.line(place) for place in range(min(FEW, len(lines)))]
        hint = hints.of_header(lines.header, below, list(wanted), file)
    return Sheet(
        lines.name,
        lines.header,
        columns,
        True,
        positions[has_columns],
        numbers[has_columns],
        rejects,
        file,
        hint,
        unread,
    )


def _split(lines: Lines, text: bytes, kinds: dict[str, pa.DataType], file: File) -> tuple[pa.Table, list[int]]:
    """The wanted columns of some lines, and which of these lines, counted from 0, have another number of cells."""
    unfit: list[int] = []

    def skip(row: pa.csv.InvalidRow) -> str:
        unfit.append(row.number - 1)
        return "skip"

    places = {name: f"c{place}" for place, name in enumerate(lines.header) if name in kinds}
    if not text:
        return pa.table({name: pa.chunked_array([], kinds[name]) for name in places}), unfit
    try:
        raw = pa.csv.read_csv(
            pa.BufferReader(text),
            read_options=pa.csv.ReadOptions(
                use_threads=False,  # rows are numbered only when read in order
                block_size=len(text) + 1,
                column_names=[f"c{place}" for place in range(len(lines.header))],
            ),
            parse_options=pa.csv.ParseOptions(
                delimiter=file.separator,
                quote_char=file.quote or False,
                newlines_in_values=file.line_breaks,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            convert_options=pa.csv.ConvertOptions(
                include_columns=list(places.values()),
                column_types={place: kinds[name] for name, place in places.items()},
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowException as err:
        raise UnreadableFile(lines.name, f"cannot be split into cells ({type(err).__name__}); export it again") from err
    return pa.table({name: trimmed(raw.column(place)) for name, place in places.items()}), unfit
