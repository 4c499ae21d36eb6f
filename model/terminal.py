"""Prepares the terminal for printing."""

from __future__ import annotations

import io
import sys


def print_anything() -> None:
    """Escape what standard output and standard error cannot encode.

    A name or a path may contain a character that the terminal cannot encode. Printing it must not end a training.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
