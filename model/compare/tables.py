"""Two scorecards' tables of points beside each other, on one division of each field's values."""

from __future__ import annotations

from bisect import bisect_left
from math import floor
from typing import TYPE_CHECKING, TypedDict

from model.formats import find
from model.report.points import bin_labels, minimum_of

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import FieldPoints
    from lambda_app.manifest import FieldBins


class BinChange(TypedDict):
    """The points, in log-odds above the field's worst value, that a range of values gets from each model."""

    label: str
    champion: float
    model: float


class FieldChange(TypedDict):
    """A field; `moved` is the largest change of a value's points."""

    name: str
    description: str
    unit: str
    bins: list[BinChange]
    moved: float


def field_changes(champion: Artifact, opened: Artifact) -> list[FieldChange]:
    """The fields of two models with one contract, the most changed first; empty if one has no tables.

    Where the two divide a field's values differently, the ranges are those within which neither has an edge.
    """
    theirs, ours = (find(one.manifest["format"]).tables(one) for one in (champion, opened))
    if theirs is None or ours is None:
        return []
    places = {field["name"]: place for place, field in enumerate(champion.manifest["contract"]["fields"])}
    found: list[FieldChange] = []
    for field, entry in zip(opened.manifest["contract"]["fields"], ours["fields"], strict=True):
        other = theirs["fields"][places[field["name"]]]
        united = _united(other, entry, whole=field["kind"] in ("int", "flag"))
        labels = bin_labels(field, united, minimum_of(opened.manifest, field["name"]))
        bins: list[BinChange] = [
            {"label": label, "champion": before, "model": after}
            for label, before, after in zip(labels, _spread(other, united), _spread(entry, united), strict=True)
        ]
        found.append(
            {
                "name": field["name"],
                "description": field["description"],
                "unit": field["unit"],
                "bins": bins,
                "moved": max(abs(row["model"] - row["champion"]) for row in bins),
            }
        )
    return sorted(found, key=lambda change: -change["moved"])


def _united(one: FieldPoints, other: FieldPoints, *, whole: bool) -> FieldBins:
    """A division with every edge of both; words are the same in both, as the contract is.

    Of whole numbers, two edges between the same neighbours divide nothing.
    """
    if "words" in other:
        return {"name": other["name"], "words": other["words"]}
    edges = {*one["edges"], *other["edges"]}
    return {"name": other["name"], "edges": sorted({float(floor(edge)) for edge in edges} if whole else edges)}


def _spread(entry: FieldPoints, united: FieldBins) -> list[float]:
    """An entry's points for each range of a finer division, and last, if it has one, that of missing values."""
    points = list(entry["points"])
    if "words" in united:
        by_word = dict(zip(entry["words"], points, strict=False))
        return [by_word[word] for word in united["words"]] + points[len(entry["words"]) :]
    edges = entry["edges"]
    ranges = [points[bisect_left(edges, edge)] for edge in united["edges"]]
    return [*ranges, points[len(edges)], *points[len(edges) + 1 :]]
