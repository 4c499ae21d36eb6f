"""What the file of applications looks like, declared beside the fields and never guessed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from model.contract.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping

DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "'")


@dataclass(frozen=True)
class File:
    """A file of applications. By default: comma-separated text in UTF-8 with plain numbers, or a typed table.

    Most of it is about text: `.csv`, `.tsv`, `.csv.gz`, an Excel sheet, whose cells are read as text, and, if `as_text`
    says so, a typed table's columns of text.

    Parameters
    ----------
    columns : mapping of str to str
        The column of a field, where it has another name than the field.
    separator, quote : str
        One ASCII character each; an empty quote means that no character quotes.
    encoding : str
        As Python names it: `utf-8`, `latin-1`, `cp1252`, `utf-16`.
    skip_lines : int
        The lines above the header.
    decimal, thousands : str
        The marks in numbers; by default `.`, and none between thousands.
    currency : tuple of str
        What may stand before or after a number, such as `("€", "EUR")`.
    missing : tuple of str
        The words that mean that a value is missing; an empty cell always does. A word that the contract declares for a
        column, as a value, a label or a group, is always that word.
    yes, no : tuple of str
        The words for 1 and 0 in a field from 0 to 1, besides `1` and `0`.
    date_format : str, optional
        How dates are written, as `datetime.strptime` takes it, such as `%d.%m.%Y`; by default ISO 8601.
    as_text : bool
        Whether columns of text in a typed table are read like those of a CSV. If not, a number in text is refused, and
        only null is missing.
    whole_floats : bool
        Whether a whole number may be written or stored as 5.0, as pandas does where values are missing. NaN is missing.
    line_breaks : bool
        Whether a quoted cell may span lines. If not, such lines are rejected: a stray quote looks the same.
    sheet : str, optional
        The sheet of an Excel file; by default its only one.
    id : str, optional
        The column that names an application; `python -m model score` answers with it.

    Raises
    ------
    ContractError
        Two marks are the same, a word is both yes and no, or a value is of no use.
    """

    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    separator: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0
    decimal: str = "."
    thousands: str | None = None
    currency: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("NA",)
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    date_format: str | None = None
    as_text: bool = False
    whole_floats: bool = False
    line_breaks: bool = False
    sheet: str | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        for name in ("currency", "missing", "yes", "no"):
            words = getattr(self, name)
            if isinstance(words, str) or not all(isinstance(word, str) and word.strip() == word for word in words):
                raise ContractError(f"file: {name} must be a tuple of words without spaces around them")
        if len(self.separator) != 1 or not self.separator.isascii() or self.separator in "\r\n":
            raise ContractError("file: the separator must be one ASCII character, such as ';'")
        if len(self.quote) > 1 or not self.quote.isascii() or self.quote == self.separator:
            raise ContractError("file: the quote must be one ASCII character other than the separator, or empty")
        if self.decimal not in DECIMALS:
            raise ContractError("file: the decimal mark must be '.' or ','")
        if self.thousands is not None and (self.thousands not in THOUSANDS or self.thousands == self.decimal):
            raise ContractError(
                "file: the mark between thousands must be one of , . ' or a space, not the decimal mark"
            )
        if not isinstance(self.skip_lines, int) or self.skip_lines < 0:
            raise ContractError("file: skip_lines must be a whole number from 0")
        if both := sorted({*self.yes} & {*self.no}):
            raise ContractError(f"file: '{both[0]}' cannot mean both yes and no")
        try:
            "a".encode(self.encoding)
        except (LookupError, UnicodeError) as err:
            raise ContractError(f"file: there is no encoding of text named '{self.encoding}'") from err

        if self.date_format is not None and not _is_date_format(self.date_format):
            raise ContractError("file: date_format must say where the year is, such as %d.%m.%Y")

    def column_of(self, name: str) -> str:
        """The column that holds a field."""
        return self.columns.get(name, name)

    def as_data(self) -> dict[str, Any]:
        """Plain data for the manifest: what differs from the default."""
        default = File()
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != getattr(default, name)
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> File:
        """The inverse of `as_data`; keys of later versions are ignored."""
        known = {entry.name for entry in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items() if name in known
        }
        return cls(**given)


def _is_date_format(text: str) -> bool:
    """Whether a written date can be read again."""
    day = datetime(2024, 12, 31, tzinfo=UTC)
    try:
        return datetime.strptime(day.strftime(text), text).replace(tzinfo=UTC).year == day.year
    except ValueError:
        return False
