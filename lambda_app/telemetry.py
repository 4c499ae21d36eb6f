"""Writes the log to standard output: one JSON line per record."""

from __future__ import annotations

import sys

from lambda_app.web.messages import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_app.web.records import Record


def write(records: Iterable[Record]) -> None:
    """Write records. They never hold an applicant's values (`lambda_app.web.records`)."""
    for record in records:
        sys.stdout.write(to_json(record) + "\n")
