"""The baseline: what Lambda's Python runtime costs by itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Return an empty answer in the usual envelope."""
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
