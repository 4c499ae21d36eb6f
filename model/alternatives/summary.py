"""What a search for alternatives found, in lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.alternatives.search import Alternatives
    from model.alternatives.trial import Point, Tried

# At most this many alternatives are printed; the file has all.
SHOWN = 5


def lines(found: Alternatives) -> list[tuple[str, str]]:
    """What was found, as pairs of a heading and a line."""
    chosen = found["chosen"]
    before, after = chosen["training"], chosen["holdout"]
    said = [
        (
            "tried",
            f"{found['recipes']} recipes, {found['points']:,} of their cut-offs; figures are of the hold-out",
        ),
        (
            "chosen",
            f"{found['measure']} {after['value']:.4f}, gap {_points(after['gap'])}, approves "
            f"{after['approval_rate']:.1%}, from {chosen['cutoff']:.4f}",
        ),
        ("frontier", _place(found, before)),
    ]
    for heading, alternatives in (("fairer", found["equal"]), ("counsel", found["counsel"])):
        said += [(heading, _line(point, after, found["measure"])) for point in alternatives[:SHOWN]]
        if len(alternatives) > SHOWN:
            said.append((heading, f"and {len(alternatives) - SHOWN} more in the file"))
    if not found["equal"]:
        said.append(("fairer", "no alternative that reads no group is as good and fairer"))
    if found["counsel"]:
        said.append(("counsel", "these read the group while fitting (never while deciding): ask counsel first"))
    return said


def _place(found: Alternatives, chosen: Tried) -> str:
    gap = found["chosen"]["frontier_gap"]
    if gap is None or gap >= chosen["gap"]:
        return "the chosen model is on it: nothing tried is at least as good and fairer out-of-fold"
    return (
        f"out-of-fold, {_points(gap)} can be reached at no smaller {found['measure']}; "
        f"the chosen model has {_points(chosen['gap'])}"
    )


def _line(point: Point, chosen: Tried, measure: str) -> str:
    tried = point["holdout"]
    difference = tried["difference"]
    return (
        f"{point['recipe']}, from {point['cutoff']:.4f}: gap {_points(tried['gap'])}, "
        f"{(chosen['gap'] - tried['gap']) * 100:.1f} less; {measure} {difference['value']:+.4f} "
        f"[{difference['low']:+.4f}, {difference['high']:+.4f}]; approves {tried['approval_rate']:.1%}"
    )


def _points(gap: float) -> str:
    return f"{gap * 100:.1f} points"
