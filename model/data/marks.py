"""Checks the columns that say how a model is trained: on which side an application is, its date, group and weight."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.contract.declarations import Scored
from model.contract.fields import FieldSpec
from model.data.columns import Checked, Column, check_field, lookup

if TYPE_CHECKING:
    from model.contract import Contract, Split

WEIGHT = FieldSpec("weight", "float", False, "weight", Scored("free", "", "", ""), 1e-6, 1e6)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def mark_columns(contract: type[Contract]) -> dict[str, str]:
    """The columns that a contract declares for its split and weights: by `side`, `date`, `group`, `weight`."""
    split = contract.split
    declared = {"side": split.column, "date": split.date, "group": split.group, "weight": contract.weight}
    return {name: column for name, column in declared.items() if column is not None}


def check_side(column: Column, split: Split) -> Checked:
    """Check the column that names the side; `content` is True for the hold-out."""
    sides = {column.key(word): word in split.holdout for word in (*split.training, *split.holdout)}
    declared = {str(word) for word in (*split.training, *split.holdout)}
    found = _present(lookup(column, lambda value: sides.get(column.key(value)), declared=declared))
    return replace(found, content=np.equal(found.content, True).astype(np.bool_))


def check_group(column: Column) -> Checked:
    """Check the column whose equal values stay together; `content` holds them as text."""
    return _present(lookup(column, str))


def check_date(column: Column) -> Checked:
    """Check a column of dates: `content` is microseconds since 1970, int64, UTC where no zone is given.

    Text is in ISO 8601, or in the declared `date_format`; so are numbers such as 20240131.
    """
    kind = column.cells.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        cells = pc.cast(pc.cast(column.cells, pa.timestamp("us", zone), safe=False), pa.int64())
        missing = np.flatnonzero(column.missing())
        content = pc.fill_null(cells, 0).to_numpy()
        return Checked(content, {"missing": missing} if missing.size else {})
    if not column.is_text:
        column = replace(column, is_text=True, cells=pc.fill_null(pc.cast(column.cells, pa.string()), ""))
    found = _present(lookup(column, lambda cell: _microseconds(cell, column.file.date_format), "date_parsing"))
    known = [moment if isinstance(moment, int) else 0 for moment in found.content]
    return replace(found, content=np.array(known, dtype=np.int64))


def check_weight(column: Column) -> Checked:
    """Check a column of weights; `content` is float64."""
    return check_field(column, WEIGHT)


def _microseconds(cell: Any, date_format: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(cell) if date_format is None else datetime.strptime(cell, date_format)  # noqa: DTZ007  # where no zone is given, UTC is meant
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


def _present(found: Checked) -> Checked:
    """What `lookup` found, with the cells that hold no value named."""
    missing = np.flatnonzero(np.equal(found.content, ""))
    return replace(found, faults={**found.faults, "missing": missing}) if missing.size else found
