"""`python -m model COMMAND --help`."""

from __future__ import annotations

import sys

from model.commands import main
from model.terminal import print_anything

if __name__ == "__main__":
    print_anything()
    sys.exit(main())
