"""The types of the command line's values: what is no such value ends in a usage error, before any work."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What scikit-learn takes as a seed.
GREATEST_SEED = 2**32 - 1


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two others, both included."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ArgumentTypeError(f"write a whole number from {least:,} to {most:,}, not '{text}'")
        return int(text)

    return parse


def share(text: str) -> float:
    """A share, 0 to 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ArgumentTypeError(f"write a share from 0 to 1, not '{text}'")
    return found


def day(text: str) -> str:
    """An ISO date that is not in the future, UTC."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # Python reads other ISO forms too; one form is enough, and the manifest's readers know it.
    if found is None or found.isoformat() != text:
        raise ArgumentTypeError(f"write a date as YYYY-MM-DD, not '{text}'")
    if found > datetime.now(UTC).date():
        raise ArgumentTypeError(f"{text} lies in the future")
    return text
