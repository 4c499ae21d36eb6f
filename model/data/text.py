"""Text as sheets: splits a file's blocks of lines into cells, and accounts for each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from model.data import hints
from model.data.columns import trimmed
from model.data.lines import blank_lines, inside_quotes, read_lines, unclosed
from model.data.rejects import Rejects, UnreadableFile
from model.data.sheet import Sheet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from model.contract.file import File
    from model.data.lines import Lines

CODED = pa.dictionary(pa.int32(), pa.string())


def text_sheets(path: Path, wanted: Collection[str], file: File, as_they_are: Collection[str]) -> Iterator[Sheet]:
    row, opened = 0, False
    for lines in read_lines(path, file):
        if not any(name in lines.header for name in wanted):
            below = [lines.line(place) for place in range(min(hints.FEW, len(lines)))]
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
        below = [lines.line(place) for place in range(min(hints.FEW, len(lines)))]
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
