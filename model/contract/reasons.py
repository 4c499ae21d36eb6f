"""Refuses adverse-action reasons that could not be read, or could be mistaken for others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from model.contract.declarations import Reason
from model.contract.errors import ContractError

if TYPE_CHECKING:
    from model.contract.declarations import Scored

# Parts the codes of a denial where they share one cell (`python -m model score`).
SEPARATOR = ";"


def check_reasons(name: str, scored: Scored, words: tuple[str, ...], *, optional: bool) -> None:
    """Check the reasons that one field declares.

    Parameters
    ----------
    name : str
        The field's name.
    scored : Scored
    words : tuple of str
        The field's words; empty for a number.
    optional : bool
        Whether the field's value may be missing.

    Raises
    ------
    ContractError
        There is a reason for a missing value of a required field, or for a word that the field does not have; a code or
        text is blank or has a character that is not printable; a code contains a semicolon; a reason is no `Reason`.
    """
    if not isinstance(scored.words, Mapping) or not all(isinstance(reason, Reason) for reason in scored.reasons):
        raise ContractError("write missing=Reason(code, text) and words={word: Reason(code, text)}", name)
    if scored.missing is not None and not optional:
        raise ContractError("has a reason for a missing value, but an application cannot leave it out", name)
    if unknown := [word for word in scored.words if word not in words]:
        raise ContractError(f"has a reason for {unknown[0]!r}, which is not one of its words", name)
    for reason in scored.reasons:
        check_line("reason's code", reason.code, name)
        check_line("reason's text", reason.text, name)
        if SEPARATOR in reason.code:
            raise ContractError(f"the code {reason.code!r} contains '{SEPARATOR}', which separates codes", name)


def check_codes(fields: Mapping[str, Scored]) -> None:
    """Check that each code stands for one text in the whole contract. Several fields may share both.

    Parameters
    ----------
    fields : mapping of str to Scored
        By the field's name.

    Raises
    ------
    ContractError
        A code has two texts.
    """
    texts: dict[str, str] = {}
    for name, scored in fields.items():
        for reason in scored.reasons:
            if texts.setdefault(reason.code, reason.text) != reason.text:
                raise ContractError(
                    f"the code {reason.code} has another text elsewhere; give it a code of its own", name
                )


def check_line(what: str, line: object, name: str) -> None:
    """Check that people can read a line as it is.

    Raises
    ------
    ContractError
        It is no text, is blank, begins or ends with a blank, or has a character that is not printable: a line break, or
        one that is invisible or turns the direction of writing.
    """
    if not isinstance(line, str) or not line.strip():
        raise ContractError(f"the {what} is blank", name)
    if line != line.strip():
        raise ContractError(f"the {what} begins or ends with a blank", name)
    if not line.isprintable():
        hidden = next(character for character in line if not character.isprintable())
        raise ContractError(f"the {what} has a character that is not printable, U+{ord(hidden):04X}", name)
