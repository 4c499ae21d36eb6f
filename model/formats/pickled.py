"""How everything that is pickled becomes bytes."""

from __future__ import annotations

from io import BytesIO

import joblib

PROTOCOL = 4


def pickled(value: object) -> bytes:
    """The bytes that `joblib.dump` writes; the same for the same value."""
    content = BytesIO()
    joblib.dump(value, content, protocol=PROTOCOL)
    return content.getvalue()
