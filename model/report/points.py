"""The scorecard as people read it: what each bin covers, its points, and how many applicants fall into it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_app import artifact
from lambda_app.formats.scorecard import Scorecard

if TYPE_CHECKING:
    from lambda_app.formats.scorecard import FieldPoints
    from lambda_app.manifest import Field, Manifest

MISSING = "not given"


@dataclass(frozen=True)
class Bin:
    """One row of a field's table.

    Attributes
    ----------
    label : str
        The values that it covers.
    points : float
        Log-odds; 0 for the worst of the field.
    share : float
        Of the training rows, 0 to 1.
    """

    label: str
    points: float
    share: float


@dataclass(frozen=True)
class Table:
    """One field of the scorecard.

    Attributes
    ----------
    name, description, unit, direction : str
        As the contract says them.
    reference : float
        The mean points of applicants at the cut-off, which a denial is compared with.
    edges : tuple of float, optional
        The upper ends of all bins but the last of a number; None for words.
    bins : tuple of Bin
    """

    name: str
    description: str
    unit: str
    direction: str
    reference: float
    edges: tuple[float, ...] | None
    bins: tuple[Bin, ...]


def points_tables(directory: Path) -> list[Table]:
    """The tables of the scorecard in a directory; none if the artifact has another format.

    Raises
    ------
    lambda_app.errors.ArtifactError
        The artifact cannot be trusted or read.
    """
    loaded = artifact.load(str(directory))
    manifest = loaded.manifest
    if not isinstance(loaded.scorer, Scorecard):
        return []
    return [
        Table(
            name=spec["name"],
            description=spec["description"],
            unit=spec["unit"],
            direction=spec["direction"],
            reference=reference,
            edges=tuple(entry["edges"]) if "edges" in entry else None,
            bins=tuple(
                Bin(label, points, share)
                for label, points, share in zip(
                    bin_labels(spec, entry, _minimum(manifest, spec["name"])),
                    entry["points"],
                    # The share of missing values stands last also where a value must be given.
                    shares["shares"][: len(entry["points"])],
                    strict=True,
                )
            ),
        )
        for spec, entry, shares, reference in zip(
            manifest["contract"]["fields"],
            loaded.scorer.tables["fields"],
            manifest["bins"]["fields"],
            manifest["reference"]["points"],
            strict=True,
        )
    ]


def bin_labels(spec: Field, entry: FieldPoints, minimum: float | None) -> list[str]:
    """What each bin covers, in words.

    Parameters
    ----------
    spec : dict
        The field in the manifest's contract.
    entry : dict
        Its `edges` or `words`.
    minimum : float, optional
        The least value that the contract allows.
    """
    if "words" in entry:
        labels = list(entry["words"])
    elif not entry["edges"]:
        labels = ["any"]
    elif spec["kind"] in ("int", "flag"):
        labels = _whole_numbers([floor(edge) for edge in entry["edges"]], minimum, flag=spec["kind"] == "flag")
    else:
        edges = [f"{edge:,.6g}" for edge in entry["edges"]]
        between = [f"over {low} to {high}" for low, high in pairwise(edges)]
        labels = [f"to {edges[0]}", *between, f"over {edges[-1]}"]
    return [*labels, MISSING] if spec["optional"] else labels


def _whole_numbers(last: list[int], minimum: float | None, *, flag: bool) -> list[str]:
    first = [edge + 1 for edge in last]
    lowest = f"{last[0]:,}" if minimum == last[0] else f"up to {last[0]:,}"
    between = [
        f"{low:,}" if low == high else f"{low:,} to {high:,}" for low, high in zip(first, last[1:], strict=False)
    ]
    return [lowest, *between, f"{first[-1]:,}" if flag else f"{first[-1]:,} or more"]


def _minimum(manifest: Manifest, name: str) -> float | None:
    described = manifest["contract"]["json_schema"]["properties"][name]
    kinds: list[dict[str, Any]] = [described, *described.get("anyOf", ())]
    return next((kind["minimum"] for kind in kinds if "minimum" in kind), None)
