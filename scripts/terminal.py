"""Output that stays readable on a terminal whose encoding lacks a character."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

SPELT_OUT = {"→": "->"}  # compatibility forms, such as "..." for an ellipsis, are Unicode's own


def make_readable() -> None:
    """Let standard output and error spell out what their encoding lacks, instead of failing.

    UTF-8 shows everything as it is. ASCII and Latin-1 get `->` for an arrow, the bare letter for an accented one that
    they lack, and `?` for what has no such spelling.
    """
    codecs.register_error("spelt out", _spelt_out)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="spelt out")


def _spelt_out(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelling, error.object[error.start : error.end])), error.end


def _spelling(character: str) -> str:
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
    return SPELT_OUT.get(character, bare or "?")
