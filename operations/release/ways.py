"""The ways back of an alias: which versions were live before, in the alias's own description.

One call moves the alias and leaves the ways back, or does neither. Whatever was live had been verified, and nothing
else is ever named:

    previous versions: 7 5 4; rolled back from: 8
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Lambda takes 256 characters.
KEPT = 15
# An earlier release wrote "previous version: 7", or "rolled back from version 8".
PREVIOUS = re.compile(r"previous versions?: ([0-9 ]+)")
WITHDRAWN = re.compile(r"rolled back from(?: version|:) ([0-9 ]+)")


@dataclass(frozen=True)
class Ways:
    """The versions that an alias can go back to.

    Parameters
    ----------
    previous : tuple of str
        The versions that were live before this one, the last of them first.
    withdrawn : tuple of str
        The versions that were live later, and were rolled back, the last of them first.
    """

    previous: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    @classmethod
    def of(cls, description: str) -> Ways:
        """Read an alias's description.

        >>> Ways.of("previous versions: 7 5; rolled back from: 8")
        Ways(previous=('7', '5'), withdrawn=('8',))
        >>> Ways.of("anything else")
        Ways(previous=(), withdrawn=())
        """
        return cls(*(tuple(found[1].split()) if (found := part.search(description)) else () for part in _PARTS))

    def __str__(self) -> str:
        """The description that `of` reads."""
        parts = []
        if self.previous:
            parts.append("previous versions: " + " ".join(self.previous))
        if self.withdrawn:
            parts.append("rolled back from: " + " ".join(self.withdrawn))
        return "; ".join(parts)

    def after_release(self, live: str, version: str) -> Ways:
        """The ways back once a release has moved the alias from a live version to another.

        >>> str(Ways(("3", "2")).after_release("4", "5"))
        'previous versions: 4 3 2'
        """
        return Ways(_distinct([live, *self.previous], version))

    def target(self, version: str) -> str:
        """The version to roll back to: the one asked for, or the one before; "" if there is none, or it was never live.

        >>> Ways(("3", "2")).target(""), Ways(("3", "2")).target("2"), Ways(("3", "2")).target("9")
        ('3', '2', '')
        """
        if not version:
            return self.previous[0] if self.previous else ""
        return version if version in (*self.previous, *self.withdrawn) else ""

    def after_rollback(self, live: str, version: str) -> Ways:
        """The ways back once a rollback has moved the alias from a live version to an earlier, or withdrawn, one.

        >>> str(Ways(("5", "4", "2", "1")).after_rollback("7", "2"))
        'previous versions: 1; rolled back from: 7 5 4'
        >>> str(Ways(("1",), ("7", "5")).after_rollback("2", "7"))
        'previous versions: 2 1; rolled back from: 5'
        """
        if version in self.previous:
            at = self.previous.index(version)
            skipped = self.previous[:at]
            return Ways(_distinct(self.previous[at:], version), _distinct([live, *skipped, *self.withdrawn], version))
        return Ways(_distinct([live, *self.previous], version), _distinct(self.withdrawn, version))


_PARTS = (PREVIOUS, WITHDRAWN)


def prunable(versions: Sequence[str], aliases: Iterable[str], kept: int) -> list[str]:
    """The versions that may be deleted: all but those that an alias names, in whatever way, and the newest others.

    Parameters
    ----------
    versions : sequence of str
        Every version of the function; `$LATEST` is none.
    aliases : iterable of str
        Each alias as text: its version, the versions that share its traffic, its description.
    kept : int
        How many of the others to keep.

    >>> prunable(["$LATEST", "1", "2", "3", "4", "10"], ["10 previous versions: 3"], 1)
    ['1', '2']
    """
    named = {number for alias in aliases for number in re.findall(r"\d+", alias)}
    others = sorted((version for version in versions if version.isdecimal() and version not in named), key=int)
    return others[: max(0, len(others) - kept)]


def _distinct(versions: Iterable[str], new: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(version for version in versions if version and version != new))[:KEPT]
