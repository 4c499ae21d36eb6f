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
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from model.data.hints import encoding_of
from model.data.rejects import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from model.contract.file import File

    Counts = NDArray[np.int64]

NEWLINE, SPACES = ord("\n"), b" \t\n"
# How much is read at a time, and how much a single line or quoted cell may hold.
BLOCK = 1 << 22
LONGEST = 1 << 26


@dataclass(frozen=True)
class Lines:
    """A block of a text file, line by line.

    Attributes
    ----------
    name : str
        The file's name.
    header : tuple of str
        The columns' names.
    text : bytes
        What is below the header, in UTF-8, each line ended by one line feed.
    first : int
        The number of the first of these lines in the file, from 1.
    """

    name: str
    header: tuple[str, ...]
    text: bytes
    first: int

    @cached_property
    def starts(self) -> Counts:
        """Where each line of `text` starts."""
        ends = np.flatnonzero(np.frombuffer(self.text, np.uint8) == NEWLINE)
        return np.concatenate([[0], ends[:-1] + 1]).astype(np.int64) if len(ends) else np.empty(0, np.int64)

    @cached_property
    def lengths(self) -> Counts:
        """How many bytes each line has, its line feed included."""
        return np.diff(np.append(self.starts, len(self.text)))

    def __len__(self) -> int:
        return self.text.count(b"\n")

    def count(self, characters: bytes) -> Counts:
        """How many of these bytes each line holds, its line feed included."""
        if not self.text:
            return np.empty(0, np.int64)
        found = np.isin(np.frombuffer(self.text, np.uint8), np.frombuffer(characters, np.uint8))
        counts: Counts = np.add.reduceat(found, self.starts, dtype=np.int64)
        return counts

    def line(self, place: int) -> str:
        """One line, without its line feed."""
        start = self.starts[place]
        return self.text[start : start + self.lengths[place] - 1].decode()

    def only(self, kept: NDArray[np.bool_]) -> bytes:
        """Some of the lines, joined."""
        if kept.all():
            return self.text
        return np.frombuffer(self.text, np.uint8)[np.repeat(kept, self.lengths)].tobytes()

    def parted(self, place: int) -> tuple[Lines, Lines]:
        """The lines before a place, and those from there on."""
        cut = int(self.starts[place])
        return replace(self, text=self.text[:cut]), replace(self, text=self.text[cut:], first=self.first + place)


def read_lines(path: Path, file: File) -> Iterator[Lines]:
    """Read a text file block by block; a file of a header alone is one block without lines.

    Where cells may span lines, a block ends where a row does.

    Raises
    ------
    UnreadableFile
        It is not in the declared encoding, is not a whole `.gz`, has no header, or a line or cell that is too long.
    """
    blocks = _blocks(path, file)
    text = b""
    while text.count(b"\n") <= file.skip_lines and (block := next(blocks, b"")):
        text += block
    number = text.count(b"\n")
    if number < file.skip_lines:
        raise UnreadableFile(path.name, f"has {number} lines, and the contract skips {file.skip_lines}")
    *_, head, text = [b"", *text.split(b"\n", file.skip_lines + 1)]
    if number == file.skip_lines or not head.strip():
        raise UnreadableFile(path.name, f"has no header in line {file.skip_lines + 1}")
    if ends_inside(head.decode(), file, inside=False):
        raise UnreadableFile(path.name, f"line {file.skip_lines + 1}, the header, has a quote that is not closed")
    header = tuple(name.strip() for name in next(csv.reader([head.decode()], **_dialect(file))))  # type: ignore[arg-type]
    found = _numbered(Lines(path.name, header, text, file.skip_lines + 2), blocks)
    return _whole_rows(found, file) if file.line_breaks else found


def _numbered(lines: Lines, blocks: Iterator[bytes]) -> Iterator[Lines]:
    yield lines
    for text in blocks:
        lines = replace(lines, text=text, first=lines.first + len(lines))
        yield lines


def _whole_rows(blocks: Iterator[Lines], file: File) -> Iterator[Lines]:
    """Blocks that end where a row does: what an open cell at the end of a block belongs to is read with the next."""
    lines = next(blocks)
    while True:
        place = unclosed(lines, file)
        following = next(blocks, None)
        if place is None:
            yield lines
            if following is None:
                return
            lines = following
            continue
        done, rest = lines.parted(place)
        if following is None or len(rest.text) > LONGEST:
            why = "no later line closes" if following is None else f"does not end within {LONGEST >> 20} MiB"
            raise UnreadableFile(lines.name, f"line {rest.first} opens a quoted cell that {why}")
        yield done
        lines = replace(rest, text=rest.text + following.text)


def _blocks(path: Path, file: File) -> Iterator[bytes]:
    """The file's whole lines in UTF-8, each ended by one line feed, some megabytes at a time."""
    decoder = codecs.getincrementaldecoder(file.encoding)()
    lines, at_start = 0, True
    held, pending = b"", [b""]
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        while True:
            try:
                raw = stream.read(BLOCK)
            except (gzip.BadGzipFile, EOFError, zlib.error) as err:
                raise UnreadableFile(path.name, "is not a whole gzip file; compress it again") from err
            try:
                decoded = decoder.decode(raw, final=not raw)
                text = held + (decoded.removeprefix("\ufeff") if at_start else decoded).encode()
            except UnicodeError as err:
                found = encoding_of(raw)
                looks = f'It looks like {found}: declare file = File(encoding="{found}")'
                hint = looks if found not in ("", file.encoding) else "Export it again"
                line = lines + getattr(err, "object", b"")[: getattr(err, "start", 0)].count(b"\n") + 1
                raise UnreadableFile(path.name, f"is not in {file.encoding} (line {line}). {hint}") from err
            at_start = at_start and not decoded
            lines += raw.count(b"\n")
            # A carriage return at the end may be half of a line's end.
            held = b"\r" if raw and text.endswith(b"\r") else b""
            text = text.removesuffix(held)
            if b"\r" in text:
                text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            whole, ended, rest = text.rpartition(b"\n")
            if ended:
                yield b"".join([*pending, whole, ended])
                pending = [rest]
            else:
                pending.append(rest)
            if sum(map(len, pending)) > LONGEST:
                raise UnreadableFile(path.name, f"has a line of more than {LONGEST >> 20} MiB after line {lines}")
            if not raw:
                break
    if last := b"".join(pending):
        yield last + b"\n"


def _dialect(file: File) -> dict[str, object]:
    quoting = csv.QUOTE_MINIMAL if file.quote else csv.QUOTE_NONE
    return {"delimiter": file.separator, "quotechar": file.quote or None, "quoting": quoting}


def blank_lines(lines: Lines, file: File) -> NDArray[np.bool_]:
    """The lines without any content: only separators, quotes and spaces. In a file of one column there are none."""
    if len(lines.header) == 1:
        return np.zeros(len(lines), dtype=np.bool_)
    idle = lines.count(SPACES + (file.separator + file.quote).encode())
    blank: NDArray[np.bool_] = idle == lines.lengths
    return blank


def inside_quotes(lines: Lines, file: File, *, every: bool, opened: bool = False) -> list[tuple[int, int]]:
    """The ranges of lines that a quoted cell covers: the first and the last place of each.

    Parameters
    ----------
    lines : Lines
    file : File
    every : bool
        Whether to look at every line that has a quote, rather than at those where their number is odd. Quotes inside of
        cells make that necessary now and then.
    opened : bool
        Whether the first line starts inside a quoted cell.
    """
    if not file.quote or not len(lines):
        return []
    quotes = lines.count(file.quote.encode())
    likely = np.flatnonzero(quotes if every else quotes % 2)
    return list(_ranges(lines, file, likely, np.flatnonzero(quotes), opened))


def unclosed(lines: Lines, file: File, *, opened: bool = False) -> int | None:
    """The place of the line that opens a quoted cell which none of these lines closes; None if there is none."""
    return _open_end(lines, file, inside_quotes(lines, file, every=True, opened=opened), opened=opened)


def _open_end(lines: Lines, file: File, ranges: Sequence[tuple[int, int]], *, opened: bool) -> int | None:
    if not ranges or ranges[-1][1] < len(lines) - 1:
        return None
    first, last = ranges[-1]
    inside = last > first or (opened and first == 0)
    return first if ends_inside(lines.line(last), file, inside=inside) else None


def _ranges(lines: Lines, file: File, likely: Counts, quoted: Counts, opened: bool) -> Iterator[tuple[int, int]]:
    last = -1
    if opened:
        last = _closed_in(lines, file, quoted)
        yield 0, last
    for first in likely.tolist():
        if first <= last or not ends_inside(lines.line(first), file, inside=False):
            continue
        last = _closed_in(lines, file, quoted[np.searchsorted(quoted, first + 1) :])
        yield first, last


def _closed_in(lines: Lines, file: File, quoted: Counts) -> int:
    """The line that closes an open cell, or the last one; only a line with a quote can close it."""
    for place in quoted.tolist():
        if not ends_inside(lines.line(place), file, inside=True):
            return int(place)
    return len(lines) - 1


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
