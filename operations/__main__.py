"""The door to the commands: `python -m operations COMMAND --help`."""

from __future__ import annotations

import sys

from operations.commands import main

if __name__ == "__main__":
    sys.exit(main())
