"""What the commands share: the type of a command, and NAME=VALUE lines, which pipelines read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Command = Callable[[Namespace], None]
    # Adds a command to the parser: its name, what it runs, and its summary.
    Add = Callable[[str, Command, str], ArgumentParser]


def tell(variables: Mapping[str, str], output: Path | None) -> None:
    """Print the variables, and append them to a file."""
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    print(lines, end="")
    if output:
        with output.open("a", encoding="utf-8") as file:
            file.write(lines)
