"""`python -m model COMMAND --help`."""

from __future__ import annotations

import io
import sys

from model.commands import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        # A name or a path may hold what the terminal cannot show; that must not end a training.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main())
