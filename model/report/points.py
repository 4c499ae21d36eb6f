"""Tables of points for people: what each bin covers, its points, and the share of applicants in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any

from model.fit.support import NOT_GIVEN
from model.formats import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Field, FieldBins, Manifest


@dataclass(frozen=True)
class Bin:
    """One row of a field's table.

    Attributes
    ----------
    label : str
        The values it covers, in words.
    points : float
        Log-odds; 0 for the field's worst bin.
    share : float
        The share of training rows in it, 0 to 1.
    """

    label: str
    points: float
    share: float


@dataclass(frozen=True)
class PointsTable:
    """The points of one field.

    Attributes
    ----------
    name, description, unit, direction : str
        As stated in the contract.
    reference : float
        The mean points of applicants at the cut-off, which a denial is compared with.
    edges : tuple of float, optional
        For a number, the upper ends of all bins but the last; None for words.
    bins : tuple of Bin
    """

    name: str
    description: str
    unit: str
    direction: str
    reference: float
    edges: tuple[float, ...] | None
    bins: tuple[Bin, ...]


def points_tables(opened: Artifact) -> list[PointsTable]:
    """The points of each field of an opened artifact; empty if its format has no points."""
    manifest = opened.manifest
    tables = find(manifest["format"]).tables(opened)
    if tables is None:
        return []
    return [
        PointsTable(
            name=field["name"],
            description=field["description"],
            unit=field["unit"],
            direction=field["direction"],
            reference=reference,
            edges=tuple(entry["edges"]) if "edges" in entry else None,
            bins=tuple(
                Bin(label, points, share)
                for label, points, share in zip(
                    bin_labels(field, entry, minimum_of(manifest, field["name"])),
                    entry["points"],
                    # The share of missing values comes last, even for a required field, which has no points for it.
                    bins["shares"][: len(entry["points"])],
                    strict=True,
                )
            ),
        )
        for field, entry, bins, reference in zip(
            manifest["contract"]["fields"],
            tables["fields"],
            manifest["bins"]["fields"],
            manifest["reference"]["points"],
            strict=True,
        )
    ]


def idle(tables: Sequence[PointsTable]) -> list[str]:
    """The fields without points: they never affect a decision, and are never a reason."""
    return [table.name for table in tables if not any(row.points for row in table.bins)]


def bin_labels(field: Field, bins: FieldBins, minimum: float | None) -> list[str]:
    """What each bin covers, in words.

    Parameters
    ----------
    field : Field
        The field in the manifest's contract.
    bins : FieldBins
    minimum : float, optional
        The smallest value that the contract allows.
    """
    if "words" in bins:
        labels = list(bins["words"])
    elif not bins["edges"]:
        labels = ["any"]
    elif field["kind"] in ("int", "flag"):
        labels = _whole_numbers([floor(edge) for edge in bins["edges"]], minimum, flag=field["kind"] == "flag")
    else:
        edges = [f"{edge:,.6g}" for edge in bins["edges"]]
        between = [f"over {low} to {high}" for low, high in pairwise(edges)]
        labels = [f"to {edges[0]}", *between, f"over {edges[-1]}"]
    return [*labels, NOT_GIVEN] if field["optional"] else labels


def _whole_numbers(last: list[int], minimum: float | None, *, flag: bool) -> list[str]:
    first = [edge + 1 for edge in last]
    lowest = f"{last[0]:,}" if minimum == last[0] else f"up to {last[0]:,}"
    between = [
        f"{low:,}" if low == high else f"{low:,} to {high:,}" for low, high in zip(first, last[1:], strict=False)
    ]
    return [lowest, *between, f"{first[-1]:,}" if flag else f"{first[-1]:,} or more"]


def minimum_of(manifest: Manifest, name: str) -> float | None:
    """The smallest value of a field that the contract allows; None if there is none."""
    described = manifest["contract"]["json_schema"]["properties"][name]
    kinds: list[dict[str, Any]] = [described, *described.get("anyOf", ())]
    return next((kind["minimum"] for kind in kinds if "minimum" in kind), None)
