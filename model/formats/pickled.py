"""Pickles values, always in the same way."""

from __future__ import annotations

from io import BytesIO

import joblib

PROTOCOL = 4


def pickled(value: object) -> bytes:
    """The bytes that `joblib.dump` writes: equal bytes for the same value."""
    content = BytesIO()
    joblib.dump(value, content, protocol=PROTOCOL)
    return content.getvalue()
