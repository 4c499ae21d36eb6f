"""Random applications where mistakes are likely: on the edges of a model's bins and right next to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.data.encoding import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import Application, Bins
    from model.contract.fields import FieldSpec


def beside(bins: Path | Bins, specs: tuple[FieldSpec, ...], rows: int, seed: int) -> NDArray[np.float64]:
    """Random applications as rows of the matrix: many on an edge or one float away, some with missing values.

    The edges are those of a manifest's bins, or of the manifest in a directory.
    """
    found: Bins = json.loads((bins / "manifest.json").read_text())["bins"] if isinstance(bins, Path) else bins
    generator = np.random.default_rng(seed)
    columns = []
    for spec, entry in zip(specs, found["fields"], strict=True):
        if spec.kind == "choice":
            column = generator.integers(0, len(spec.words), rows).astype(np.float64)
        else:
            assert spec.minimum is not None
            assert spec.maximum is not None
            edges = np.array(entry["edges"] or [spec.minimum])
            whole = spec.kind != "float"
            around = [edges, edges + 1, edges - 1] if whole else [np.nextafter(edges, side) for side in (-9e9, 9e9)]
            near = generator.choice(np.concatenate([edges, *around]), rows)
            anywhere = generator.uniform(spec.minimum, spec.maximum, rows)
            column = np.clip(np.where(generator.random(rows) < 0.5, near, anywhere), spec.minimum, spec.maximum)
            column = np.floor(column) if whole else column
        columns.append(np.where(generator.random(rows) < 0.15, np.nan, column) if spec.optional else column)
    return np.column_stack(columns)


def sent(row: NDArray[np.float64], specs: tuple[FieldSpec, ...]) -> Application:
    """A row as a caller sends it, without missing values."""
    return {name: value for name, value in values_of(row, specs).items() if value is not None}
