"""Reads an evidence archive's JSON members, and assumes nothing about their shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from operations.errors import EvidenceMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

# JSON from outside: whoever reads a key asks `need` for it.
Document = dict[str, Any]
T = TypeVar("T", str, int, Document, list[Any])

MAXIMUM_DEPTH = 50
_NAMES = {str: "text", int: "a whole number", dict: "an object", list: "a list"}


def read_object(members: Mapping[str, bytes], member: str) -> Document:
    """Parse a member that must hold a JSON object, one that every parser reads alike.

    Raises
    ------
    EvidenceMismatch
        It is not a JSON object, has a key twice, holds NaN or Infinity, or is nested too deeply.
    """
    try:
        document = json.loads(members[member], object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as err:
        raise EvidenceMismatch(member, "is not JSON that every parser reads alike") from err
    if not isinstance(document, dict):
        raise EvidenceMismatch(member, "is not a JSON object")
    level: list[Any] = [document]
    for _ in range(MAXIMUM_DEPTH):
        level = [child for value in level for child in _children(value)]
    if level:
        raise EvidenceMismatch(member, f"is nested deeper than {MAXIMUM_DEPTH} levels")
    return document


def need(document: Mapping[str, Any], member: str, key: str, kind: type[T]) -> T:
    """Get the value of a key, which must be of one type.

    Raises
    ------
    EvidenceMismatch
        The key is missing, or its value has another type.
    """
    value = document.get(key)
    # JSON's true is not a number, though Python's is.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise EvidenceMismatch(member, f"{key} is missing, or is not {_NAMES[kind]}")
    return value


def equal_json(one: object, other: object) -> bool:
    """Whether two values are the same JSON; Python's own == takes true for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _each_key_once(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
