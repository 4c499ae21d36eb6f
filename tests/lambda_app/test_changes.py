"""What would have changed a denial, against every value that the contract allows, decided by the service itself."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import combinations, product
from math import floor, inf, nextafter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import pytest
from pydantic import Field

from lambda_app import artifact
from lambda_app.changes import Changes
from lambda_app.decision import Decider
from lambda_app.manifest import value_schema
from model.contract import Contract, Outcome, Scored
from model.contract.carried import carried_fields
from tests.artifacts import TABLES, write_by_hand
from tests.near_edges import beside, sent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Application
    from lambda_app.manifest import Field as Carried

# Of each of four models.
SINGLES, PAIRS = 2_500, 250
# Shares are rounded.
SLACK = 2e-6


@dataclass
class Bench:
    """A model, and what may be changed, worked out anew from its manifest."""

    opened: Artifact

    def __post_init__(self) -> None:
        self.decider, self.changes = Decider(self.opened), Changes(self.opened)
        contract = self.opened.manifest["contract"]
        self.fields: list[Carried] = [field for field in contract["fields"] if "change" in field]
        self.bins = {bins["name"]: bins for bins in self.opened.scorer.fields}
        self.shares = {bins["name"]: bins.get("shares") for bins in self.opened.manifest["bins"]["fields"]}
        self.schemas = {
            name: value_schema(field["schema"]) for name, field in contract["core_schema"]["fields"].items()
        }

    def approves(self, application: Application) -> bool:
        """The service's own decision."""
        return self.decider.decide(application, "test").answer["decision"] == "approve"

    def number(self, name: str, value: Any) -> int:
        """The bin of a value."""
        edges = self.bins[name].get("edges")
        return self.bins[name]["words"].index(value) if edges is None else bisect_left(edges, value)

    def size(self, field: Carried, value: Any, to: Any) -> float:
        """The share of applicants between the middles of two values' bins."""
        name = field["name"]
        if field["words"] and field["direction"] == "free":
            return 0.5
        count = len(self.bins[name].get("words", [])) or len(self.bins[name]["edges"]) + 1
        shares = (self.shares[name] or [1.0] * count)[:count]
        low, high = sorted((self.number(name, value), self.number(name, to)))
        inner = sum(shares[low : high + 1]) - (shares[low] + shares[high]) / 2
        return inner / (sum(shares) or 1.0)

    def others(self, field: Carried, value: Any) -> list[Any]:
        """Every value worth trying instead: each word; of a number, both ends of each bin, and the limits."""
        name, change = field["name"], field["change"]
        if value is None:
            return []
        candidates: list[Any]
        if field["words"]:
            candidates = field["words"]
            order: Any = candidates.index
        else:
            edges, schema = self.bins[name]["edges"], self.schemas[name]
            whole = field["kind"] != "float"
            ends = [floor(edge) for edge in edges] if whole else edges
            over = [end + 1 for end in ends] if whole else [nextafter(end, inf) for end in ends]
            candidates = [
                each for each in (*ends, *over, schema["ge"], schema["le"]) if schema["ge"] <= each <= schema["le"]
            ]
            order = float
        up, down = change in ("up", "any"), change in ("down", "any")
        return [
            each for each in candidates if (up and order(each) > order(value)) or (down and order(each) < order(value))
        ]


class Crooked(Contract):
    """A contract whose numbers and words may be changed in either direction, whatever that does."""

    Whole: Annotated[int, Field(ge=-5, le=90, description="w"), Scored("free", "u", "W", "W", change="any")]
    Real: Annotated[float, Field(ge=-1, le=9.5, description="r"), Scored("free", "u", "R", "R", change="any")]
    Grade: Annotated[Literal["d", "c", "b", "a"], Field(description="g"), Scored("up", "word", "G", "G", change="up")]
    Kind: Annotated[Literal["x", "y", "z"], Field(description="k"), Scored("free", "word", "K", "K", change="any")]
    Less: Annotated[int, Field(ge=0, le=3, description="l"), Scored("free", "u", "L", "L", change="down")]

    outcome: ClassVar[Outcome] = Outcome("Good", approve=1, deny=0)


def crooked(directory: Path) -> Artifact:
    """A model with points up and down, bins that hold no whole number or nobody, and edges beyond the range."""
    generator = np.random.default_rng(0)
    fields: list[Any] = [
        {"name": "Whole", "edges": [-7.5, 0.0, 3.25, 3.75, 10.0, 40.0, 88.5, 90.0]},
        {"name": "Real", "edges": [-0.5, 0.1, 0.3, 4.0, 9.5]},
        {"name": "Grade", "words": ["d", "c", "b", "a"]},
        {"name": "Kind", "words": ["x", "y", "z"]},
        {"name": "Less", "edges": [0.0, 1.0, 2.0]},
    ]
    for field in fields:
        count = len(field.get("words", [])) or len(field["edges"]) + 1
        field["points"] = generator.normal(0, 1, count).round(2).tolist()
        field["shares"] = [*(generator.integers(0, 4, count) / 10).tolist(), 0.0]
    bins = {"fields": fields, "score": {"edges": [0.5], "shares": [0.5, 0.5]}}
    reference = {"points": [0.0] * len(fields), "score": 0.0}
    write_by_hand(
        directory, Crooked, model={"intercept": -1.5, "fields": fields}, bins=bins, reference=reference, threshold=0.6
    )
    return artifact.load(str(directory))


@pytest.fixture(params=["small", "mixed", "example", "crooked"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Three trained models and a crooked one."""
    if request.param == "crooked":
        return Bench(crooked(tmp_path))
    found: Any = request.getfixturevalue(request.param)
    return Bench(found[0] if isinstance(found, tuple) else found.assessment.artifact)


def denied(bench: Bench, count: int, seed: int) -> Iterator[Application]:
    """Random denials, many on the edges of the model's bins or beside them."""
    manifest = bench.opened.manifest
    specs = carried_fields(manifest["contract"])
    found = 0
    while found < count:
        for row in beside(manifest["bins"], specs, count, seed):
            application = sent(row, specs)
            if found < count and not bench.approves(application):
                found += 1
                yield application
        seed += 100


def test_the_smallest_change_flips_a_denial_and_no_smaller_one_does(bench: Bench) -> None:
    flipped = 0
    for application in denied(bench, SINGLES, 1):
        ways = bench.changes.ways(bench.decider.score(application))
        offered = {change["field"]: change for change in ways["one"]}
        assert [change["share"] for change in ways["one"]] == sorted(change["share"] for change in ways["one"])
        for field in bench.fields:
            name = field["name"]
            value: Any = application.get(name)
            enough = [to for to in bench.others(field, value) if bench.approves({**application, name: to})]
            assert (name in offered) == bool(enough), "a field is offered if and only if it can be enough"
            if not enough:
                continue
            flipped += 1
            to: Any = offered[name]["to"]
            assert bench.approves({**application, name: to})
            assert offered[name]["share"] == pytest.approx(bench.size(field, value, to), abs=SLACK)
            if not field["words"]:
                assert abs(to - value) == min(abs(other - value) for other in enough)
                back = to - (1 if to > value else -1) if field["kind"] != "float" else nextafter(to, value)
                assert back == value or not bench.approves({**application, name: back})
    assert flipped > 500


def test_the_smallest_pair_is_that_of_brute_force(bench: Bench) -> None:
    paired = 0
    for application in denied(bench, PAIRS, 2):
        offered = bench.changes.ways(bench.decider.score(application))["two"]
        smallest = smallest_pair(bench, application)
        assert bool(offered) == (smallest is not None)
        if smallest is None:
            continue
        paired += 1
        both = {change["field"]: change["to"] for change in offered}
        assert len(both) == 2
        assert bench.approves(application | both)
        for name in both:
            assert not bench.approves(application | {name: both[name]}), "both are needed"
        assert sum(change["share"] for change in offered) == pytest.approx(smallest, abs=SLACK)
    assert paired > 30


def smallest_pair(bench: Bench, application: Application) -> float | None:
    """The size of the smallest pair, each too small alone, with the bins' own points added up by the scorer."""
    scored = bench.decider.score(application)
    names = [field["name"] for field in bench.opened.manifest["contract"]["fields"]]
    scorer, threshold = bench.opened.scorer, bench.opened.manifest["threshold"]
    moves: dict[str, list[tuple[int, float]]] = {}

    def approves(**bins: int) -> bool:
        changed = [bins.get(name, bin_) for name, bin_ in zip(names, scored.bins, strict=True)]
        return scorer.probability(scored.values, changed) >= threshold

    for field in bench.fields:
        name, value = field["name"], scored.values[field["name"]]
        reached = {bench.number(name, to): bench.size(field, value, to) for to in bench.others(field, value)}
        moves[name] = [(number, size) for number, size in reached.items() if not approves(**{name: number})]
    sizes = [
        one_size + other_size
        for first, second in combinations(moves, 2)
        for (one, one_size), (other, other_size) in product(moves[first], moves[second])
        if approves(**{first: one, second: other})
    ]
    return min(sizes, default=None)


@pytest.fixture
def hand(by_hand: Path) -> Bench:
    """The model whose points can be added up by hand: intercept -4, approved from 0."""
    return Bench(artifact.load(str(by_hand)))


def test_by_hand(hand: Bench) -> None:
    # Given 0.5 + 0 + 0 + 0 - 4 points, which only four points of income make good, or more income and the home
    ways = hand.changes.ways(hand.decider.score({"Num_Children": 0, "Income": 20_000, "Own_Car": 0, "Own_Housing": 0}))
    # Then each is offered at the first unit above an edge; this manifest has no shares, so all bins weigh alike
    assert ways == {
        "one": [{"field": "Income", "to": 90_001, "share": 0.75}],
        "two": [{"field": "Income", "to": 60_001, "share": 0.5}, {"field": "Own_Housing", "to": 1, "share": 0.5}],
    }


def test_an_approval_has_nothing_to_change(hand: Bench) -> None:
    approved = {"Num_Children": 0, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
    assert hand.changes.ways(hand.decider.score(approved)) == {"one": [], "two": []}


def test_nobody_is_advised_to_change_what_they_cannot(tmp_path: Path) -> None:
    # Given a model in which only the children stand between the applicant and an approval
    write_by_hand(tmp_path, model={**TABLES, "intercept": -6.125})
    bench = Bench(artifact.load(str(tmp_path)))
    application = {"Num_Children": 2, "Income": 100_000, "Own_Car": 1, "Own_Housing": 1}
    assert not bench.approves(application)
    assert bench.approves({**application, "Num_Children": 0})
    # Then nothing is offered
    assert bench.changes.ways(bench.decider.score(application)) == {"one": [], "two": []}


def test_a_format_without_tables_offers_nothing(mixed_sklearn: Any) -> None:
    bench = Bench(mixed_sklearn.assessment.artifact)
    sample: Application = {"Amount": 50_000.0, "Home": "rent", "Guarantor": 0, "Constant": 3}
    assert not bench.approves(sample)
    assert bench.changes.ways(bench.decider.score(sample)) == {"one": [], "two": []}


def test_a_threshold_of_one_is_out_of_reach(tmp_path: Path) -> None:
    write_by_hand(tmp_path, threshold=1.0)
    bench = Bench(artifact.load(str(tmp_path)))
    scored = bench.decider.score({"Num_Children": 0, "Income": 0, "Own_Car": 0, "Own_Housing": 0})
    assert bench.changes.ways(scored) == {"one": [], "two": []}
