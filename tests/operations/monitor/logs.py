"""Decision logs as the service itself writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from model.data.generator import generate
from tests.serving import Service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

FIELDS = ["Num_Children", "Income", "Own_Car", "Own_Housing"]


def applications(rows: int, seed: int, change: Callable[[pd.DataFrame], None] | None = None) -> list[dict[str, Any]]:
    """Applications of the default contract, maybe with something changed."""
    table = generate(rows, seed)
    if change is not None:
        change(table)
    return [dict(zip(FIELDS, row, strict=True)) for row in table[FIELDS].astype(int).to_numpy().tolist()]


def decide(directory: Path, sent: list[dict[str, Any]], log: Path, **environ: str) -> Path:
    """Decide them in batches, and append what the service prints to a log."""
    service = Service(directory, **environ)
    with log.open("a", encoding="utf-8") as file:
        for start in range(0, len(sent), 1000):
            file.write(service(sent[start : start + 1000], "live").printed)
    return log


def records(log: Path) -> list[dict[str, Any]]:
    """The decisions of a log."""
    parsed = (json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    return [record for record in parsed if record["event"] == "decision"]
