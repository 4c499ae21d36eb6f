"""Guesses what a file looks like: the `File` that a person then confirms."""

from __future__ import annotations

import codecs
import gzip
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from model.contract.file import File
from model.data.hints import MISSING, SEPARATORS, encoding_of, marks_of
from model.data.rejects import UnreadableFile
from model.data.sheets import SHEETS, TEXTS, open_sheets

if TYPE_CHECKING:
    from pathlib import Path

# How much of a text is looked at, and how many applications of any file.
HEAD = 1 << 20
LINES = 200
ROWS = 200_000
NUMBER = r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?"


def looks_of(path: Path) -> tuple[File, pd.DataFrame]:
    """What a file looks like, and its first rows: text without the words for a missing value, or typed cells.

    Raises
    ------
    UnreadableFile
    """
    if not path.exists():
        raise UnreadableFile(str(path), "no such file")
    name = path.name.lower()
    file = _text(path) if name.endswith(TEXTS) else File()
    columns = next(open_sheets(path, (), file)).names
    found, rows = [], 0
    is_text = name.endswith((*TEXTS, *SHEETS))
    for sheet in open_sheets(path, list(dict.fromkeys(columns)), file):
        found.append(sheet.columns.to_pandas())
        rows += len(found[-1])
        if rows >= ROWS:
            break
    if not rows:
        raise UnreadableFile(path.name, "holds no rows")
    frame = pd.concat(found, ignore_index=True).head(ROWS)
    return _cells(file, frame) if is_text else (file, frame)


def _text(path: Path) -> File:
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        head = stream.read(HEAD)
    encoding = encoding_of(head)
    # A letter may be cut in two at the end.
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head).removeprefix("\ufeff")
    lines = text.splitlines()[:LINES]
    best = (0.0, ",", 1)
    for separator in SEPARATORS:
        counts = Counter(line.count(separator) for line in lines if separator in line)
        if counts:
            count, times = counts.most_common(1)[0]
            # Nearly every line has the same number of separators.
            best = max(
                best, (times / len(lines), separator, count), key=lambda found: (found[0] > 0.8, found[2], found[0])
            )
    _, separator, count = best
    above = next((place for place, line in enumerate(lines) if line.count(separator) >= count), 0)
    return File(encoding=encoding, separator=separator, skip_lines=above)


def _cells(file: File, frame: pd.DataFrame) -> tuple[File, pd.DataFrame]:
    """Declare the marks and the words in cells of text, and take the missing ones away."""
    missing = list(file.missing)
    marks: dict[str, Any] = {}
    cleaned = {}
    for name in frame:
        cells = frame[name].astype(str)
        distinct = set(cells.unique()) - {""}
        words = [word for word in MISSING if word in distinct]
        known = distinct - set(words)
        series = pd.Series(sorted(known), dtype=str)
        if not series.str.fullmatch(NUMBER).all():
            marks |= marks_of(series.head(1_000).tolist())
        missing += [word for word in words if word not in missing]
        cleaned[name] = cells.mask(cells.isin(["", *words]))
    declared = replace(file, missing=tuple(missing), **marks)
    return declared, pd.DataFrame(cleaned)
