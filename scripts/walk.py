"""Print how an event, or the rows of a CSV, walk through the rooms: `python -m scripts.walk event | rows`.

Each line is a call that goes from one room into another, indented below its caller. A call that is repeated (for each
row, or for each field) stands there once. docs/architecture.md shows both walks.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    Calls = dict[str, "Calls"]

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lambda_app", "model")
DENIED = '{"Num_Children": 3, "Income": 52000, "Own_Car": 0, "Own_Housing": 0}'
EVENT = {"rawPath": "/predict", "requestContext": {"http": {"method": "POST"}}, "body": DENIED}
# Enough for the default contract's gate.
ROWS = 12_000


class Walk:
    """Notes each call that goes from one room into another."""

    def __init__(self) -> None:
        # The calls in order, each with the calls that it makes.
        self._calls: Calls = {}
        # The calls that crossed into a room and have not returned yet: frame, room, function.
        self._inside: list[tuple[FrameType, str, str]] = []
        self._importing = 0

    def follow(self, work: Callable[[], object]) -> None:
        """Do some work, and note its calls; what it prints is thrown away."""
        with contextlib.redirect_stdout(io.StringIO()):
            sys.setprofile(self._event)
            try:
                work()
            finally:
                sys.setprofile(None)

    @property
    def lines(self) -> list[str]:
        """The calls, each indented below its caller."""
        return list(_indented(self._calls))

    def _event(self, frame: FrameType, event: str, _argument: object) -> None:
        if frame.f_code.co_name == "<module>":
            # What an import does is no walk.
            self._importing += {"call": 1, "return": -1}.get(event, 0)
        if event == "return" and self._inside and self._inside[-1][0] is frame:
            self._inside.pop()
        if event != "call" or self._importing or frame.f_code.co_name.startswith("<"):
            return
        room = room_of(frame.f_code.co_filename)
        if room is None or (self._inside and self._inside[-1][1] == room):
            return
        self._inside.append((frame, room, frame.f_code.co_qualname))
        calls = self._calls
        for _, room, function in self._inside:
            calls = calls.setdefault(f"{room}: {function}", {})


def _indented(calls: Calls, indent: str = "") -> Iterator[str]:
    for call, within in calls.items():
        yield indent + call
        yield from _indented(within, indent + "  ")


def room_of(file: str) -> str | None:
    """The room of a source file, such as "lambda_app/web"; None outside the packages."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return None
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "/".join(parts[:2]) if parts[0] in PACKAGES else None


def event(artifacts: Path) -> list[str]:
    """The walk of an application that is denied, from its event to its envelope."""
    with mock.patch.dict(os.environ, {"MODEL_DIR": str(artifacts)}):
        from lambda_app.handler import handler
    walk = Walk()
    walk.follow(lambda: handler(EVENT, None))
    return walk.lines


def rows(scratch: Path) -> list[str]:
    """The walk of the rows of a CSV, from the command line to an artifact in `scratch`."""
    from model.commands import main
    from model.data.generator import generate

    generate(ROWS, 0).to_csv(scratch / "applications.csv", index=False)
    words = ["train", "--no-track", "--data", str(scratch / "applications.csv"), "--out", str(scratch / "artifacts")]
    walk = Walk()
    walk.follow(lambda: main(words))
    return walk.lines


def walked(which: str) -> list[str]:
    """One of the two walks, with an artifact that is trained for it."""
    with tempfile.TemporaryDirectory() as name:
        found = rows(Path(name))
        return found if which == "rows" else event(Path(name) / "artifacts")


if __name__ == "__main__":
    if sys.argv[1:] not in (["event"], ["rows"]):
        sys.exit(__doc__)
    print("\n".join(walked(sys.argv[1])))
