"""The reasons for a denial: which field gives one, what it says of the value, and how many are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app.decision import Decider
from lambda_app.reasons import MOST, by_bin, principal
from model.data.encoding import values_of
from model.formats import find
from tests.trainings import shuffled

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Field, FieldBins, Reason
    from model.data.applications import Applications

DENIALS = 10_000

INCOME: Any = {"name": "Income", "code": "LOW", "text": "Low", "missing": {"code": "NONE", "text": "Not stated"}}
HOME: Any = {"name": "Home", "code": "HOME", "text": "Type", "by_word": {"rent": {"code": "RENT", "text": "Rented"}}}


@pytest.mark.parametrize(
    ("field", "bins", "codes"),
    [
        pytest.param(INCOME, {"edges": [1.0, 2.0]}, ["LOW", "LOW", "LOW", "NONE"], id="number"),
        pytest.param(INCOME, {"edges": []}, ["LOW", "NONE"], id="number-with-one-bin"),
        pytest.param(HOME, {"words": ["own", "rent", "other"]}, ["HOME", "RENT", "HOME", "HOME"], id="words"),
        pytest.param({**HOME, "missing": INCOME["missing"]}, {"words": ["rent"]}, ["RENT", "NONE"], id="both"),
    ],
)
def test_each_bin_has_the_reason_of_its_value(field: Field, bins: FieldBins, codes: list[str]) -> None:
    [reasons] = by_bin([field], [bins])
    assert [reason["code"] for reason in reasons] == codes
    assert {reason["field"] for reason in reasons} == {field["name"]}


def one_bin(codes: list[str]) -> list[list[Reason]]:
    """The reasons of fields with one bin each."""
    return [[{"code": code, "field": f"f{place}", "text": code.lower()}] for place, code in enumerate(codes)]


# Few values and few codes, so that shortfalls tie and codes repeat.
ROWS = st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 2.0]), st.sampled_from("ABCDEF")), max_size=9)


@given(row=ROWS, least_share=st.sampled_from([0.0, 0.05, 0.125, 0.25, 1.0]))
def test_reasons_are_the_largest_shortfalls_that_matter(row: list[tuple[float, str]], least_share: float) -> None:
    # Given fields that fall short, largest first, without those whose code came before
    short = sorted((-value, place) for place, (value, _) in enumerate(row) if value > 0)
    total = -sum(value for value, _ in short)
    expected: dict[str, str] = {}
    for value, place in short:
        if not expected or -value >= least_share * total:
            expected.setdefault(row[place][1], f"f{place}")
    # When the reasons are given, then they are the first four of these
    found = principal(one_bin([code for _, code in row]), [0] * len(row), [value for value, _ in row], least_share)
    assert [(reason["code"], reason["field"]) for reason in found] == list(expected.items())[:MOST]


def test_the_first_reason_is_given_however_small_its_share() -> None:
    # Given many equal shortfalls, each a tenth of the whole, when a reason must explain half, then the first is given
    found = principal(one_bin(list("ABCDEFGHIJ")), [0] * 10, [0.1] * 10, 0.5)
    assert [reason["code"] for reason in found] == ["A"]


def test_nobody_who_falls_short_in_no_field_gets_a_reason() -> None:
    assert principal(one_bin(["A", "B"]), [0, 0], [0.0, -1.0]) == []


@pytest.mark.parametrize("shortfalls", [[], [1.0], [1.0, 2.0, 3.0]], ids=len)
def test_reasons_want_one_shortfall_for_each_field(shortfalls: list[float]) -> None:
    with pytest.raises(ValueError, match="shortfalls for 2 fields"):
        principal(one_bin(["A", "B"]), [0, 0], shortfalls)


def test_no_denial_repeats_a_code(explaining: tuple[Artifact, Applications]) -> None:
    # Given a model, and invented applications of which it denies more than 10,000
    opened, training = explaining
    decider = Decider(opened)
    invented = shuffled(training, 20 * DENIALS, seed=4).matrix
    denied = invented[
        find(opened.manifest["format"]).columns(opened).probabilities(invented) < opened.manifest["threshold"]
    ]
    assert len(denied) > DENIALS
    # When 10,000 are denied, then each denial has one to four reasons with as many codes
    for row in denied[:DENIALS]:
        codes = [reason["code"] for reason in decider.decide(values_of(row, training.fields), "test").answer["reasons"]]
        assert 1 <= len(codes) == len(set(codes)) <= MOST
