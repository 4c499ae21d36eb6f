"""The validator that the artifact carries accepts what the contract's pydantic model accepts, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lambda_app.errors import Invalid
from lambda_app.validation import Validator
from model.applicant import Applicant
from model.contract.fields import core_schema_of, fields_of
from model.contract.loading import load_contract
from tests.trainings import MIXED

if TYPE_CHECKING:
    from lambda_app.manifest import Application
    from model.contract import Contract

LOAN = load_contract(MIXED)
VALID: dict[str, Application] = {
    "Applicant": {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1},
    "Loan": {"Amount": 9.5, "Years": 3, "Home": "own", "Job": None, "Savings": -2.5, "Guarantor": 0, "Constant": 3},
}
NUMBERS = (
    st.integers() | st.floats() | st.integers(-2, 70) | st.sampled_from([10**7, 10**7 + 1, 50_000.0, 10**400, -0.0])
)
VALUES = (
    NUMBERS
    | st.sampled_from(["own", "rent", "Own", "own ", "fixed", "", "1", "5.0", b"own", True, False, None])
    | st.text(max_size=4)
    | st.lists(st.integers(0, 1), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(0, 1), max_size=2)
)


def validator(contract: type[Contract]) -> Validator:
    """The validator as the service builds it."""
    return Validator(core_schema_of(fields_of(contract)))


def rules(contract: type[Contract], application: object) -> set[tuple[str | None, str]]:
    """(field, rule) of each broken rule; empty for a valid application."""
    try:
        validator(contract).values(application)
    except Invalid as invalid:
        return {(error["field"], str(error["rule"])) for error in invalid.errors}
    return set()


@pytest.mark.parametrize("contract", [Applicant, LOAN], ids=["Applicant", "Loan"])
@settings(max_examples=800)
@given(data=st.data())
def test_accepts_exactly_what_the_contract_accepts(contract: type[Contract], data: st.DataObject) -> None:
    # Given a valid application with some members changed, removed or added
    application = dict(VALID[contract.__name__])
    for name in data.draw(st.sets(st.sampled_from([*application, "Extra"]), max_size=3), label="changed"):
        if data.draw(st.booleans(), label="taken out"):
            application.pop(name, None)
        else:
            application[name] = data.draw(VALUES, label=name)
    # When both validate it
    ours = rules(contract, application)
    try:
        expected: Application | None = contract.model_validate(application).model_dump()
        theirs = set()
    except ValidationError as err:
        expected = None
        found = err.errors(include_url=False, include_input=False)
        theirs = {(None if e["type"] == "extra_forbidden" else str(e["loc"][0]), e["type"]) for e in found}
    # Then they agree, rule by rule, and on the values
    assert ours == theirs
    if expected is not None:
        assert validator(contract).values(application) == expected


@given(value=VALUES)
def test_flag_accepts_only_the_integers_0_and_1(value: Any) -> None:
    accepted = not rules(Applicant, {**VALID["Applicant"], "Own_Car": value})
    assert accepted is (type(value) is int and value in (0, 1))


@pytest.mark.parametrize(
    ("contract", "change", "rule"),
    [
        pytest.param(Applicant, {"Own_Car": True}, ("Own_Car", "int_type"), id="true-for-a-flag"),
        pytest.param(Applicant, {"Own_Car": 2}, ("Own_Car", "less_than_equal"), id="2-for-a-flag"),
        pytest.param(Applicant, {"Income": 5.0}, ("Income", "int_type"), id="5.0-for-an-int"),
        pytest.param(Applicant, {"Income": "5"}, ("Income", "int_type"), id="text-for-an-int"),
        pytest.param(Applicant, {"Income": None}, ("Income", "int_type"), id="null-for-a-required"),
        pytest.param(Applicant, {"Income": -1}, ("Income", "greater_than_equal"), id="below-the-range"),
        pytest.param(Applicant, {"Income": 10_000_001}, ("Income", "less_than_equal"), id="above-the-range"),
        pytest.param(Applicant, {"Group": 1}, (None, "extra_forbidden"), id="sensitive-column"),
        pytest.param(Applicant, {"Target": 1}, (None, "extra_forbidden"), id="outcome-column"),
        pytest.param(LOAN, {"Amount": float("nan")}, ("Amount", "finite_number"), id="NaN"),
        pytest.param(LOAN, {"Amount": float("inf")}, ("Amount", "finite_number"), id="infinity"),
        pytest.param(LOAN, {"Savings": True}, ("Savings", "float_type"), id="true-for-an-optional-float"),
        pytest.param(LOAN, {"Home": "OWN"}, ("Home", "literal_error"), id="another-case"),
        pytest.param(LOAN, {"Home": None}, ("Home", "literal_error"), id="null-for-required-words"),
        pytest.param(LOAN, {"Job": "retired"}, ("Job", "literal_error"), id="unknown-word"),
        pytest.param(LOAN, {"Years": 3.0}, ("Years", "int_type"), id="3.0-for-an-optional-int"),
    ],
)
def test_refuses(contract: type[Contract], change: Application, rule: tuple[str | None, str]) -> None:
    assert rules(contract, {**VALID[contract.__name__], **change}) == {rule}


@pytest.mark.parametrize("name", ["\ud800", "Extra\udfff", "Extra", "", "income"], ids=ascii)
def test_unknown_name_hides_no_other_broken_rule(name: str) -> None:
    # Given an unknown name (possibly not even valid Unicode), a wrong type and a missing field
    application = {**VALID["Applicant"], name: 1, "Income": "x"}
    del application["Own_Car"]
    # When it is checked, then each fault is named
    with pytest.raises(Invalid) as caught:
        validator(Applicant).values(application)
    assert [(error["field"], error["rule"]) for error in caught.value.errors] == [
        ("Income", "int_type"),
        ("Own_Car", "missing"),
        (None, "extra_forbidden"),
    ]
    assert caught.value.errors[-1]["detail"] == "1 field that the model does not know"


def test_a_long_list_of_words_is_not_repeated_by_an_error() -> None:
    schema = {
        "type": "typed-dict",
        "fields": {
            f"F{number}": {
                "type": "typed-dict-field",
                "schema": {"type": "literal", "expected": [f"word {word:03}" for word in range(many)]},
            }
            for number, many in enumerate((2, 255))
        },
    }
    with pytest.raises(Invalid) as caught:
        Validator(schema).values({"F0": "?", "F1": "?"})
    assert [error["detail"] for error in caught.value.errors] == [
        "Input should be 'word 000' or 'word 001'",
        "Input should be one of the words that the contract lists; GET /model shows it",
    ]


@pytest.mark.parametrize("kind", [list, tuple, str, int, type(None)], ids=lambda kind: kind.__name__)
def test_value_that_is_not_an_object_breaks_one_rule(kind: type) -> None:
    assert rules(Applicant, kind()) == {(None, "dict_type")}


def test_optional_fields_may_be_left_out_or_null() -> None:
    needed = {"Amount": 1, "Home": "rent", "Guarantor": 1, "Constant": 0}
    without = validator(LOAN).values(needed)
    assert without == validator(LOAN).values({**needed, "Years": None, "Job": None, "Savings": None})
    assert (without["Years"], without["Job"], without["Savings"]) == (None, None, None)


@given(word=st.text())
def test_refusal_repeats_neither_values_nor_unknown_names(word: str) -> None:
    assume(len(word) > 2)
    with pytest.raises(Invalid) as caught:
        validator(Applicant).values({f"canary{word}": word, "Income": f"canary{word}"})
    assert "canary" not in repr(caught.value.problem("id"))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
