"""The lines of a text file: which can be split into cells, which are blank, and which lie inside a quoted cell.

A quote that opens a cell and is never closed, or is closed hundreds of lines later, would swallow all lines between
without a word. So a line that ends inside a quoted cell is not read, nor are those up to the one that closes the cell;
each of them is counted.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.data.hints import encoding_of
from model.data.rejects import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from model.contract.file import File

    Counts = NDArray[np.int64]

NEWLINE, SPACES = ord("\n"), b" \t\n"


@dataclass(frozen=True)
class Lines:
    """A text file, line by line.

    Attributes
    ----------
    name : str
        The file's name.
    header : tuple of str
        The columns' names.
    text : ndarray of uint8
        What is below the header, in UTF-8, each line ended by one line feed.
    starts : ndarray of int64
        Where each line of `text` starts.
    first : int
        The number of the first of these lines in the file, from 1.
    """

    name: str
    header: tuple[str, ...]
    text: NDArray[np.uint8]
    starts: Counts
    first: int

    def __len__(self) -> int:
        return len(self.starts)

    def count(self, characters: bytes) -> Counts:
        """How many of these bytes each line holds, its line feed included."""
        if not len(self):
            return np.empty(0, np.int64)
        found = np.isin(self.text, np.frombuffer(characters, np.uint8))
        counts: Counts = np.add.reduceat(found, self.starts, dtype=np.int64)
        return counts

    def line(self, place: int) -> str:
        """One line, without its line feed."""
        end = self.starts[place + 1] if place + 1 < len(self) else len(self.text)
        return self.text[self.starts[place] : end - 1].tobytes().decode()

    def only(self, kept: NDArray[np.bool_]) -> bytes:
        """Some of the lines, joined."""
        if kept.all():
            return self.text.tobytes()
        lengths = np.diff(np.append(self.starts, len(self.text)))
        return self.text[np.repeat(kept, lengths)].tobytes()


def read_lines(path: Path, file: File) -> Lines:
    """Read a text file.

    Raises
    ------
    UnreadableFile
        It is not in the declared encoding, is not a whole `.gz`, or has no header.
    """
    text = _text(path, file)
    for number in range(file.skip_lines):
        _, separator, text = text.partition(b"\n")
        if not separator:
            raise UnreadableFile(path.name, f"has {number + 1} lines, and the contract skips {file.skip_lines}")
    head, _, body = text.partition(b"\n")
    if not head.strip():
        raise UnreadableFile(path.name, f"has no header in line {file.skip_lines + 1}")
    if ends_inside(head.decode(), file, inside=False):
        raise UnreadableFile(path.name, f"line {file.skip_lines + 1}, the header, has a quote that is not closed")
    header = next(csv.reader([head.decode()], **_dialect(file)))  # type: ignore[arg-type]
    if body and not body.endswith(b"\n"):
        body += b"\n"
    data = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(data == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else np.empty(0, np.int64)
    return Lines(path.name, tuple(name.strip() for name in header), data, starts, file.skip_lines + 2)


def _text(path: Path, file: File) -> bytes:
    """The file in UTF-8, with line feeds alone."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as err:
        raise UnreadableFile(path.name, "is not a whole gzip file; compress it again") from err
    try:
        if codecs.lookup(file.encoding).name == "utf-8":
            content = content.removeprefix(codecs.BOM_UTF8)
            content.decode()
        else:
            content = content.decode(file.encoding).removeprefix("\ufeff").encode()
    except UnicodeError as err:
        found = encoding_of(content)
        hint = f'It looks like {found}: declare file = File(encoding="{found}")' if found else "Export it again"
        line = content[: getattr(err, "start", 0)].count(b"\n") + 1
        raise UnreadableFile(path.name, f"is not in {file.encoding} (line {line}). {hint}") from err
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def _dialect(file: File) -> dict[str, object]:
    quoting = csv.QUOTE_MINIMAL if file.quote else csv.QUOTE_NONE
    return {"delimiter": file.separator, "quotechar": file.quote or None, "quoting": quoting}


def blank_lines(lines: Lines, file: File) -> NDArray[np.bool_]:
    """The lines without any content: only separators, quotes and spaces. In a file of one column there are none."""
    if len(lines.header) == 1:
        return np.zeros(len(lines), dtype=np.bool_)
    idle = lines.count(SPACES + (file.separator + file.quote).encode())
    lengths = np.diff(np.append(lines.starts, len(lines.text)))
    blank: NDArray[np.bool_] = idle == lengths
    return blank


def inside_quotes(lines: Lines, file: File, *, every: bool) -> list[tuple[int, int]]:
    """The ranges of lines that a quoted cell covers: the first and the last place of each.

    Parameters
    ----------
    lines : Lines
    file : File
    every : bool
        Whether to look at every line that has a quote, rather than at those where their number is odd. Quotes inside of
        cells make that necessary now and then.
    """
    if not file.quote:
        return []
    quotes = lines.count(file.quote.encode())
    likely = np.flatnonzero(quotes if every else quotes % 2)
    quoted = np.flatnonzero(quotes)
    return list(_ranges(lines, file, likely, quoted))


def unclosed(lines: Lines, file: File) -> int | None:
    """The place of the line that opens a quoted cell which no line closes; None if there is none."""
    ranges = inside_quotes(lines, file, every=True)
    if not ranges or ranges[-1][1] < len(lines) - 1:
        return None
    first, last = ranges[-1]
    return first if ends_inside(lines.line(last), file, inside=last > first) else None


def _ranges(lines: Lines, file: File, likely: Counts, quoted: Counts) -> Iterator[tuple[int, int]]:
    last = -1
    for first in likely.tolist():
        if first <= last or not ends_inside(lines.line(first), file, inside=False):
            continue
        last = len(lines) - 1
        # Only a line with a quote can close the cell.
        for place in quoted[np.searchsorted(quoted, first + 1) :].tolist():
            if not ends_inside(lines.line(place), file, inside=True):
                last = place
                break
        yield first, last


def ends_inside(line: str, file: File, *, inside: bool) -> bool:
    """Whether a line ends inside a quoted cell; `inside` says whether it starts in one.

    A quote opens a cell only at its start; a doubled one inside stands for itself.

    >>> from model.contract.file import File
    >>> [ends_inside(line, File(), inside=False) for line in ('1,"see file', '1,"a ""b",2', '5" pipe,"a"', '"a"b,"')]
    [True, False, False, True]
    >>> [ends_inside(line, File(), inside=True) for line in ('file"', 'file",2', "file", 'file","again')]
    [False, False, True, True]
    """
    if not file.quote:
        return False
    quote, place = re.escape(file.quote), 0
    while True:
        if not inside and not line.startswith(file.quote, place):
            place = line.find(file.separator, place)
        else:
            closing = re.compile(f"(?:[^{quote}]|{quote}{quote})*+{quote}").match(line, place if inside else place + 1)
            if closing is None:
                return True
            place = line.find(file.separator, closing.end())
        if place < 0:
            return False
        place, inside = place + 1, False
