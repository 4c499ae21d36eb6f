"""Makes any terminal able to show the output, whatever its encoding lacks."""

from __future__ import annotations

import codecs
import io
import sys

SPELT_OUT = {"→": "->", "…": "...", "≤": "<=", "≥": ">=", "\u2011": "-", "\u00a0": " "}


def print_anything() -> None:
    """Spell out characters that standard output or standard error cannot encode, instead of failing.

    A UTF-8 terminal shows every character. On ASCII and Latin-1, an arrow becomes `->`, and a character without a
    spelling becomes an escape such as `\\u65e5`. A name or a path may contain one; printing it must not end a training.
    """
    codecs.register_error("spelt out", _spelt_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="spelt out")


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unencodable = error.object[error.start : error.end]
    return "".join(
        SPELT_OUT.get(character) or character.encode("ascii", "backslashreplace").decode() for character in unencodable
    ), error.end
