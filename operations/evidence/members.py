"""Reads what the members of an evidence archive hold, taking nothing about their shape for granted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from operations.errors import EvidenceMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T", str, int, dict[str, Any], list[Any])

MAXIMUM_DEPTH = 50
_NAMES = {str: "text", int: "a whole number", dict: "an object", list: "a list"}


def read_object(members: Mapping[str, bytes], member: str) -> dict[str, Any]:
    """A member's JSON object, if every reader reads the same in it.

    Raises
    ------
    EvidenceMismatch
        It is no JSON object, has a key twice, holds NaN or Infinity, or is nested too deeply.
    """
    try:
        document = json.loads(members[member], object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as err:
        raise EvidenceMismatch(member, "is not JSON, or not such that every reader reads the same in it") from err
    if not isinstance(document, dict):
        raise EvidenceMismatch(member, "is not a JSON object")
    level: list[Any] = [document]
    for _ in range(MAXIMUM_DEPTH):
        level = [child for value in level for child in _children(value)]
    if level:
        raise EvidenceMismatch(member, f"is nested deeper than {MAXIMUM_DEPTH} levels")
    return document


def need(document: Mapping[str, Any], member: str, key: str, kind: type[T]) -> T:
    """The value of a key, if it is there and of the right type.

    Raises
    ------
    EvidenceMismatch
    """
    value = document.get(key)
    # JSON's true is no number, though Python's is.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise EvidenceMismatch(member, f"{key} is missing, or is not {_NAMES[kind]}")
    return value


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON; Python's own == takes true for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 date in UTC, or None for what is none, or does not say its time zone."""
    try:
        when = datetime.fromisoformat(text or "")
        return when.astimezone(UTC) if when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is there twice")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
