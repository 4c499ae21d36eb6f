"""What would have changed a denial: the smallest change of one field, and of two, that leads to an approval.

Only fields that the contract says a person can change are moved, and only in the direction that it allows. A missing
value is left alone: stating it is no change. Both answers are exact, because a scorecard's tables hold every bin: each
change was decided with the model's own scorer, and every smaller one was looked at or can be ruled out by its points.

The size of a change is the share of applicants that it passes: from the middle of its bin to the middle of the other,
among the training rows. Words without an order are as far apart as the two values of a flag, half of the applicants.
Where several values of a bin would do, the nearest is taken. Ustun, Spangher and Liu, "Actionable Recourse in Linear
Classification", https://arxiv.org/abs/1809.06514, measure so, too.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, combinations
from math import floor, inf, log, nextafter

from lambda_app.manifest import value_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Literal, TypedDict

    from lambda_app.artifact import Artifact
    from lambda_app.decision import Scored
    from lambda_app.formats.scorecard import FieldPoints, Scorecard
    from lambda_app.manifest import Field

    class Change(TypedDict):
        """Another value of one field; `share` is the share of applicants that it passes, 0 to 1."""

        field: str
        to: float | int | str
        share: float

    class Ways(TypedDict):
        """The smallest change of each field that is enough alone, smallest first; and the smallest of two fields.

        `two` is empty if no two changes, each too small alone, are enough together.
        """

        one: list[Change]
        two: list[Change]


# Rounding may hide a change that is just enough, so one that seems to fall short by no more is tried.
_TOLERANCE = 1e-9
# The size of a change of words without an order.
_HALF = 0.5


class Move:
    """One field in another bin.

    Attributes
    ----------
    place, number : int
        The field's place in the contract, and the bin.
    to : float or int or str
        The nearest value of that bin.
    size : tuple of (float, int)
        The share of applicants passed, and the number of bins, which tells apart bins that hold nobody.
    distance : float
        How far the value is away, in the field's own unit; for words, the number of bins.
    gain : float
        The points gained.
    """

    __slots__ = ("distance", "gain", "number", "place", "size", "to")

    def __init__(
        self, place: int, number: int, to: float | str, size: tuple[float, int], distance: float, gain: float
    ) -> None:
        self.place = place
        self.number = number
        self.to = to
        self.size = size
        self.distance = distance
        self.gain = gain


class Changes:
    """Finds the ways from a denial to an approval with one model.

    Parameters
    ----------
    artifact : Artifact
        Of the format `scorecard`; others hold no tables, and get no ways.
    """

    __slots__ = ("_fields", "_scorer", "_threshold")

    def __init__(self, artifact: Artifact) -> None:
        contract = artifact.manifest["contract"]
        self._threshold = artifact.manifest["threshold"]
        self._scorer: Scorecard | None = None
        self._fields: list[_Changeable] = []
        scorer: Any = artifact.scorer
        tables = getattr(scorer, "tables", None)
        if tables is None:
            return
        self._scorer = scorer
        for place, (field, bins) in enumerate(zip(contract["fields"], tables["fields"], strict=True)):
            if "change" in field:
                schema = value_schema(contract["core_schema"]["fields"][field["name"]]["schema"])
                shares = artifact.manifest["bins"]["fields"][place].get("shares")
                self._fields.append(_Changeable(place, field, bins, schema, shares))

    def ways(self, scored: Scored) -> Ways:
        """The smallest changes with which an application would have been approved; none if it was approved."""
        scorer, threshold = self._scorer, self._threshold
        if scored.approved or scorer is None:
            return {"one": [], "two": []}

        def approves(*moves: Move) -> bool:
            bins = scored.bins.copy()
            for move in moves:
                bins[move.place] = move.number
            return scorer.probability(scored.values, bins) >= threshold

        needed = (log(threshold / (1.0 - threshold)) if threshold < 1.0 else inf) - scorer.score(scored.bins)
        alone: list[Move] = []
        short: list[list[Move]] = []
        for field in self._fields:
            moves = field.moves(scored.values[field.name], scored.bins[field.place])
            enough = [move for move in moves if move.gain > needed - _TOLERANCE and approves(move)]
            if enough:
                alone.append(min(enough, key=_by_distance))
            short.append(_frontier(move for move in moves if move not in enough))
        alone.sort(key=_by_size)
        return {
            "one": [self._named(move) for move in alone],
            "two": [self._named(move) for move in _smallest_pair(short, needed, approves)],
        }

    def _named(self, move: Move) -> Change:
        name = next(field.name for field in self._fields if field.place == move.place)
        return {"field": name, "to": move.to, "share": round(move.size[0], 6)}


class _Changeable:
    """A field that a person can change."""

    __slots__ = (
        "_direction",
        "_edges",
        "_highest",
        "_lowest",
        "_middles",
        "_points",
        "_whole",
        "_words",
        "name",
        "place",
    )

    def __init__(
        self, place: int, field: Field, bins: FieldPoints, schema: dict[str, Any], shares: Sequence[float] | None
    ) -> None:
        self.place = place
        self.name: str = field["name"]
        self._direction: Literal["up", "down", "any"] = field["change"]
        self._points = bins["points"]
        self._edges, self._words = bins.get("edges"), bins.get("words", [])
        count = len(self._words) if self._edges is None else len(self._edges) + 1
        held = list(shares[:count]) if shares else [1.0] * count
        total = sum(held) or 1.0
        ordered = self._edges is not None or field["direction"] != "free"
        # Where the middle of each bin lies among the applicants, 0 to 1; None for words without an order.
        self._middles = (
            [(end - share / 2) / total for end, share in zip(accumulate(held), held, strict=True)] if ordered else None
        )
        self._whole = field["kind"] != "float"
        self._lowest, self._highest = schema.get("ge", -inf), schema.get("le", inf)

    def moves(self, value: Any, number: int) -> list[Move]:
        """Every other bin that the field can be moved to and that has more points, with the value nearest to it."""
        found: list[Move] = []
        if value is None:
            return found
        bins = len(self._words) if self._edges is None else len(self._edges) + 1
        for other in range(bins):
            gain = self._points[other] - self._points[number]
            towards = "up" if other > number else "down"
            if gain <= 0 or self._direction not in (towards, "any"):
                continue
            to = (
                self._words[other] if self._edges is None else self._nearest(self._edges, other, upwards=other > number)
            )
            if to is None:
                continue
            steps = abs(other - number) if self._middles else 1
            share = abs(self._middles[other] - self._middles[number]) if self._middles else _HALF
            distance = float(steps) if isinstance(to, str) else abs(to - value)
            found.append(Move(self.place, other, to, (share, steps), distance, gain))
        return found

    def _nearest(self, edges: list[float], other: int, *, upwards: bool) -> float | int | None:
        """The value of a bin that is nearest from below or from above; None if the contract allows none there."""
        if upwards:
            edge = edges[other - 1]
            to = max(floor(edge) + 1, self._lowest) if self._whole else max(nextafter(edge, inf), self._lowest)
        else:
            to = min(floor(edges[other]), self._highest) if self._whole else min(edges[other], self._highest)
        allowed = self._lowest <= to <= self._highest and bisect_left(edges, to) == other
        return to if allowed else None


def _frontier(moves: Iterator[Move]) -> list[Move]:
    """The moves that no smaller one equals or betters, smallest first, so that size and gain grow together."""
    found: list[Move] = []
    for move in sorted(moves, key=_by_size):
        if not found or move.gain > found[-1].gain:
            found.append(move)
    return found


def _smallest_pair(fields: list[list[Move]], needed: float, approves: Callable[..., bool]) -> tuple[Move, ...]:
    """The two moves in different fields that are enough together and smallest; empty without any.

    `fields` are the frontiers. For each move of one field, only the first of the other that gains enough can be best.
    """
    best: tuple[Move, ...] = ()
    smallest = (inf, 0)
    for firsts, seconds in combinations(fields, 2):
        gains = [move.gain for move in seconds]
        for first in firsts:
            for second in seconds[bisect_left(gains, needed - first.gain - _TOLERANCE) :]:
                size = first.size[0] + second.size[0], first.size[1] + second.size[1]
                if size >= smallest:
                    break
                if approves(first, second):
                    best, smallest = (first, second), size
                    break
    return best


def _by_size(move: Move) -> tuple[float, int, float]:
    return (*move.size, move.distance)


def _by_distance(move: Move) -> tuple[float, tuple[float, int]]:
    return move.distance, move.size
