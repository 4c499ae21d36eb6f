"""The baseline: what Lambda's Python runtime costs by itself."""

from __future__ import annotations


def handler(_event: object, _context: object) -> dict[str, object]:
    """Return an empty answer in the usual envelope."""
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
