"""Output that stays readable on a terminal whose encoding lacks a character."""

from __future__ import annotations

import codecs
import io
import sys

SPELT_OUT = {"→": "->", "…": "...", "≤": "<=", "≥": ">=", "\u2011": "-", "\u00a0": " "}


def print_anything() -> None:
    """Spell out what standard output and standard error cannot encode, instead of failing.

    UTF-8 shows everything as it is. ASCII and Latin-1 get `->` for an arrow, and an escape such as `\\u65e5` for a
    character that has no spelling: a name or a path may hold one, and must not end a training.
    """
    codecs.register_error("spelt out", _spelt_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="spelt out")


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELT_OUT.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking), error.end
