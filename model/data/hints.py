"""Says what refused data looks like, and which line of the contract would accept it. Nothing is accepted by a guess.

A hint names marks and words from the lists here, never another cell.
"""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from model.contract.fields import FieldSpec
    from model.contract.file import File

SEPARATORS = {";": ";", "\t": "\\t", "|": "|", ",": ","}
MISSING = ("NaN", "nan", "N/A", "n/a", "NULL", "Null", "null", "None", "none", "NA", "#N/A", "-", "--", "?", ".", "..")
YES = ("yes", "Yes", "YES", "true", "True", "TRUE", "1.0", "y", "Y", "t", "T", "on", "ja", "Ja", "oui", "si", "x", "X")
NO = ("no", "No", "NO", "false", "False", "FALSE", "0.0", "n", "N", "f", "F", "off", "nein", "Nein", "non")
CURRENCIES = ("€", "$", "£", "¥", "₹", "EUR", "USD", "GBP", "CHF", "INR")
DATES = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d", "%Y-%m", "%Y%m", "%Y"),
    *(
        "%d.%m.%y",
        "%d/%m/%y",
        "%m/%d/%y",
        "%d-%b-%Y",
        "%d-%b-%y",
        "%d %b %Y",
        "%d %B %Y",
        "%b %d, %Y",
        "%b-%Y",
        "%b-%y",
    ),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p"),
)
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# How many cells of a column are looked at, and how many lines below the header are searched for another one.
MOST = 1_000
FEW = 20
DECLARE = "declare file = File("
DATE = "Dates are written otherwise"
WHOLE = f"Whole numbers are written or stored with decimals: {DECLARE}whole_floats=True)"
BOOLEAN = "It holds true and false: declare True and False as the labels or groups"


def encoding_of(content: bytes) -> str:
    """The encoding that bytes look to be in; empty if they could be in any."""
    for mark, name in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return name
    if content[:4_000].count(0) > len(content[:4_000]) // 4:
        return "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    try:
        content.decode()
    except UnicodeDecodeError:
        # Bytes from 0x80 to 0x9f are control characters in Latin-1, and letters in Windows' code page.
        return "cp1252" if re.search(rb"[\x80-\x9f]", content) else "latin-1"
    return "utf-8"


def of_header(header: Sequence[str], below: Sequence[str], wanted: Sequence[str], file: File) -> str:
    """Why a header may lack columns: another separator, lines above it, other spellings; empty if none of these.

    Parameters
    ----------
    header : sequence of str
        The names that were found.
    below : sequence of str
        The first lines below the header.
    wanted : sequence of str
        The names that the contract needs.
    file : File
    """
    line = file.separator.join(header)
    for separator, written in SEPARATORS.items():
        others = _cells(line, separator)
        if separator != file.separator and len(others) > len(header) and set(wanted) & set(others):
            return f"It looks separated by '{written}': declare file = File(separator=\"{written}\")"
    for number, text in enumerate(below, start=1):
        for separator, written in SEPARATORS.items():
            if len(set(wanted) & set(_cells(text, separator))) > len(set(wanted) & set(header)):
                other = "" if separator == file.separator else f', separator="{written}"'
                return (
                    f"The header looks to be in line {file.skip_lines + number + 1}: declare "
                    f"file = File(skip_lines={file.skip_lines + number}{other})"
                )
    spelled = {_plain(name): name for name in header}
    found = {name: spelled[_plain(name)] for name in wanted if name not in header and _plain(name) in spelled}
    if found:
        listed = ", ".join(f'"{name}": "{column}"' for name, column in found.items())
        return f"Other spellings are there: declare file = File(columns={{{listed}}})"
    return ""


def is_header(header: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether names may be shown: they are not an applicant's values, as far as one can tell.

    >>> is_header(["Income", "Age"], ["income"]), is_header(["52000", "yes"], ["income"])
    (True, False)
    """
    return bool(set(wanted) & set(header)) or not any(re.fullmatch(r"[-+\d.,\s%€$]*", name) for name in header)


def of_number(cells: Iterable[str], spec: FieldSpec | None, file: File) -> str:
    """What cells that are not numbers look like; `spec` is the field's, None for a sensitive column with bands."""
    tokens = list(cells)
    if found := _missing(tokens, file):
        return found
    if spec is not None and spec.kind == "flag":
        yes, no = (tuple(word for word in words if word in tokens) for words in (YES, NO))
        return f"Words for 1 and 0: declare file = File(yes={_tuple(yes)}, no={_tuple(no)})" if yes or no else ""
    marks = marks_of(tokens)
    declared = [f"{name}={_written(mark)}" for name, mark in marks.items()]
    if declared:
        return f"It looks like {_kinds(declared)}: declare file = File({', '.join(declared)})"
    if spec is not None and spec.kind == "int" and any(re.fullmatch(r"-?\d+\.0+", token) for token in tokens):
        return WHOLE
    return ""


def marks_of(cells: Iterable[str]) -> dict[str, str | tuple[str, ...]]:
    """The marks in numbers, as they would be declared in `File`: decimal, thousands, currency.

    >>> marks_of(["1.234,50", "20,00"]), marks_of(["$1,000"]), marks_of(["12"])
    ({'decimal': ',', 'thousands': '.'}, {'currency': ('$',), 'thousands': ','}, {})
    """
    tokens = list(cells)
    found: dict[str, str | tuple[str, ...]] = {}
    currencies = tuple(mark for mark in CURRENCIES if any(mark in token for token in tokens))
    if currencies:
        found["currency"] = currencies
        for mark in currencies:
            tokens = [token.replace(mark, "").strip() for token in tokens]
    for thousands, decimal in ((",", "."), (".", ","), (" ", ","), ("'", "."), (" ", "."), ("\u00a0", ",")):
        grouped = re.compile(rf"-?\d{{1,3}}({re.escape(thousands)}\d{{3}})+({re.escape(decimal)}\d+)?")
        if any(grouped.fullmatch(token) for token in tokens) and not _is_decimal_comma(tokens, thousands):
            if any(grouped.fullmatch(token) and decimal in token and decimal == "," for token in tokens):
                found = {"decimal": ",", **found}
            found["thousands"] = " " if thousands == "\u00a0" else thousands
            return found
    if any(re.fullmatch(r"-?\d+,\d+", token) for token in tokens):
        found["decimal"] = ","
    return found


def of_word(cells: Iterable[str], words: Sequence[str], file: File) -> str:
    """What cells that are none of a column's words look like."""
    tokens = list(cells)
    if found := _missing(tokens, file):
        return found
    declared = {word.casefold(): word for word in words}
    spelled = sorted({declared[token.casefold()] for token in tokens if token.casefold() in declared})
    if spelled:
        return f"Words that differ by case only, such as '{spelled[0]}': write them as the contract does"
    if {"1", "0"} & set(words) and {"1.0", "0.0"} & set(tokens):
        return WHOLE
    if {"1", "0"} & set(words) and {*YES, *NO} & set(tokens):
        found_words = [word for word in (*YES, *NO) if word in tokens]
        return f"Labels are written as words: declare {_tuple(tuple(found_words[:2]))} as the labels or groups"
    return ""


def in_table(looks: str, spec: FieldSpec | None) -> str:
    """What the refused cells of a typed table's column of text look like, given what they look like in a CSV.

    >>> in_table('Words for a missing value: declare file = File(missing=("NA", "-"))', None)
    'Words for a missing value: declare file = File(as_text=True, missing=("NA", "-"))'
    """
    if spec is not None and spec.kind == "flag" and looks:
        return looks
    if looks:
        return looks.replace(DECLARE, f"{DECLARE}as_text=True, ")
    return f"Text in a table: {DECLARE}as_text=True), and it is read like a CSV"


def of_date(cells: Iterable[str], file: File) -> str:
    """What cells that are not dates in the declared format look like.

    >>> from model.contract import File
    >>> of_date(["31.01.2024", "02.03.2024"], File())
    'Dates are written otherwise: declare file = File(date_format="%d.%m.%Y")'
    """
    tokens = list(cells)
    if found := _missing(tokens, file):
        return found
    fitting = [f'date_format="{written}"' for written in DATES if all(_is_date(token, written) for token in tokens)]
    return f"{DATE}: {DECLARE}{') or File('.join(fitting)})" if fitting else ""


def _is_date(token: str, written: str) -> bool:
    try:
        datetime.strptime(token, written).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _missing(tokens: Sequence[str], file: File) -> str:
    words = tuple(word for word in MISSING if word in tokens)
    if not words:
        return ""
    return f"Words for a missing value: declare file = File(missing={_tuple((*file.missing, *words))})"


def _is_decimal_comma(tokens: Sequence[str], thousands: str) -> bool:
    """Whether a comma or point that could part thousands must be a decimal mark, as other cells show."""
    return any(re.fullmatch(rf"-?\d+{re.escape(thousands)}(\d{{1,2}}|\d{{4,}})", token) for token in tokens)


def _written(mark: str | tuple[str, ...]) -> str:
    return f'"{mark}"' if isinstance(mark, str) else _tuple(mark)


def _kinds(declared: Sequence[str]) -> str:
    kinds = {"currency": "currency signs", "decimal": "decimal commas", "thousands": "thousands separators"}
    return ", ".join(kinds[entry.partition("=")[0]] for entry in declared)


def _tuple(words: tuple[str, ...]) -> str:
    return f"({', '.join(f'{chr(34)}{word}{chr(34)}' for word in words)}{',' if len(words) == 1 else ''})"


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(separator)]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
