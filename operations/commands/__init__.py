"""Release and watch a model in service: python -m operations COMMAND --help"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from operations.commands import canaries, monitoring, releases
from operations.errors import OperationsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operations.commands.output import Command

EXIT_CODES = (
    "exit codes: 0 success, or quiet; 1 unreadable input, or AWS refused; 2 usage error; 4 stale; 5 scan findings; "
    "6 scan unfinished; 7 evidence incomplete; 8 evidence altered or contradictory; 9 drifted, or behaves otherwise; "
    "10 too few decisions to tell; 11 canary rolled back"
)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(words)
    command: Command = arguments.command
    try:
        command(arguments)
    except OperationsError as error:
        print(f"{arguments.name}: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__, epilog=EXIT_CODES)
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def add(name: str, command: Command, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary, epilog=EXIT_CODES)
        added.set_defaults(command=command)
        return added

    monitoring.add_to(add)
    canaries.add_to(add)
    releases.add_to(add)
    return parser
