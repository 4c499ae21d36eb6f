"""Contracts as plain data: what travels with a model, and what is refused because it cannot."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, ValidationError, computed_field, model_validator
from pydantic_core import SchemaValidator
from pydantic_core import ValidationError as CoreValidationError

from model.applicant import Applicant
from model.contract import Contract, Outcome, Scored
from model.contract.errors import ContractError
from model.contract.fields import core_schema_of, fields_of, json_schema_of
from model.contract.loading import load_contract
from model.judge.limits import limits_path
from tests.contracts.loan import Loan
from tests.serving import ROOT

EXAMPLE = f"{ROOT / 'examples' / 'credit_data' / 'applicant.py'}:Applicant"
UP, FREE = Scored("up", "unit", "CODE", "Sentence"), Scored("free", "word", "CODE", "Sentence")
NUMBER = Field(ge=0, le=9, description="a number")


def contract_with(annotation: Any, *, name: str = "field", default: Any = ..., **namespace: Any) -> type[Contract]:
    """A contract of one field."""
    body = {"__annotations__": {name: annotation}, "outcome": Outcome("y", 1, 0), "__module__": __name__, **namespace}
    if default is not ...:
        body[name] = default
    return type("Made", (Contract,), body)


def test_the_default_contract_is_the_tutorials_wire_format() -> None:
    # Given the tutorial's sample, byte for byte
    sample = b'{"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1}'
    # When it is validated, then it is accepted as it is
    assert Applicant.model_validate_json(sample).model_dump() == json.loads(sample)
    assert [spec.name for spec in fields_of(Applicant)] == ["Num_Children", "Income", "Own_Car", "Own_Housing"]
    assert (Applicant.outcome.column, Applicant.outcome.approve, Applicant.outcome.deny) == ("Target", 1, 0)
    assert [rule.column for rule in Applicant.sensitive] == ["Group"]


def test_every_kind_of_field_becomes_plain_data() -> None:
    # Given a contract with one field of every kind, when it is read, then kinds, ranges and words are as declared
    facts = {spec.name: (spec.kind, spec.optional, spec.minimum, spec.maximum, spec.words) for spec in fields_of(Loan)}
    assert facts == {
        "years": ("int", False, 0, 50, ()),
        "debt": ("int", True, -5, 10**9, ()),
        "rate": ("float", False, -1.5, 2e6, ()),
        "assets": ("float", True, 0, 1e12, ()),
        "owner": ("flag", False, 0, 1, ()),
        "job": ("choice", False, None, None, ("fixed", "part time", "NA-like")),
        "home": ("choice", True, None, None, ("rent", "own")),
    }


@pytest.mark.parametrize(("direction", "sign"), [("up", 1), ("down", -1), ("free", 0)])
def test_a_direction_is_what_scikit_learn_calls_it(direction: Any, sign: int) -> None:
    # Given a field with a direction, when it is read, then the constraint has its sign
    contract = contract_with(Annotated[int, NUMBER, Scored(direction, "unit", "CODE", "Sentence")])
    assert fields_of(contract)[0].monotonic == sign


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 60),
    st.integers(),
    st.floats(),
    st.sampled_from(["fixed", "part time", "own", "rent", "1", "", "fixed "]),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=1),
)
LIKELY = {"years": 3, "debt": 7, "rate": 0.5, "assets": None, "owner": 1, "job": "fixed", "home": "own"}
APPLICATIONS = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | VALUES for name, value in {**LIKELY, "unknown": 1}.items()}
)


@given(application=APPLICATIONS)
def test_the_core_schema_accepts_what_the_contract_accepts(application: dict[str, object]) -> None:
    # Given the schema after a round trip through JSON, as in the artifact
    schema = json.loads(json.dumps(core_schema_of(fields_of(Loan))))
    # When both validate the same application
    text = json.dumps(application)
    try:
        expected: Any = Loan.model_validate_json(text).model_dump()
    except ValidationError as err:
        expected = sorted((fault["loc"], fault["type"]) for fault in err.errors())
    try:
        actual = SchemaValidator(schema).validate_json(text)
    except CoreValidationError as err:
        actual = sorted((fault["loc"], fault["type"]) for fault in err.errors())
    # Then they agree on the values, or on the faults
    assert actual == expected


def test_the_json_schema_tells_clients_ranges_words_and_units() -> None:
    # Given the default contract, when its JSON Schema is made, then a client can read the rules from it
    schema = json_schema_of(Applicant, fields_of(Applicant))
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["Num_Children", "Income", "Own_Car", "Own_Housing"]
    income = schema["properties"]["Income"]
    assert (income["minimum"], income["maximum"], income["type"]) == (0, 10_000_000, "integer")
    assert income["x-unit"] == "currency units a year"
    assert not any(rule.column in schema["properties"] for rule in Applicant.sensitive)


class Nested(BaseModel):
    """A nested model, which is not plain data."""

    inner: int


def even(value: int) -> int:
    """A rule that is code."""
    return value


@pytest.mark.parametrize(
    ("annotation", "options", "why"),
    [
        pytest.param(Annotated[int, NUMBER, AfterValidator(even), UP], {}, "function-after", id="custom-validator"),
        pytest.param(Annotated[Nested, Field(description="d"), UP], {}, "model", id="nested-model"),
        pytest.param(Annotated[str, Field(description="d"), FREE], {}, "'str'", id="free-text"),
        pytest.param(Annotated[bool, Field(description="d"), FREE], {}, "'bool'", id="bool"),
        pytest.param(Annotated[int, NUMBER], {}, "not marked with Scored", id="not-scored"),
        pytest.param(Annotated[int, Field(ge=0, le=9), UP], {}, "no description", id="no-description"),
        pytest.param(Annotated[int, Field(description="d"), UP], {}, "needs its range", id="no-range"),
        pytest.param(
            Annotated[float, Field(ge=0, le=float("inf"), description="d"), UP], {}, "needs its range", id="no-end"
        ),
        pytest.param(
            Annotated[int, Field(ge=0, le=9, multiple_of=3, description="d"), UP], {}, "multiple_of", id="other-rule"
        ),
        pytest.param(Annotated[Literal[1, 2], Field(description="d"), FREE], {}, "must be strings", id="literal-int"),
        pytest.param(Annotated[int, NUMBER, UP], {"default": 1}, "optional field must be written", id="default-value"),
        pytest.param(Annotated[int | None, NUMBER, UP], {}, "cannot travel", id="nullable-but-required"),
        pytest.param(Annotated[int, Field(alias="x", ge=0, le=9, description="d"), UP], {}, "has an alias", id="alias"),
        pytest.param(Annotated[int, NUMBER, UP], {"name": "Items"}, "envelope", id="reserved-name"),
    ],
)
def test_a_field_that_cannot_travel_as_plain_data_is_refused(annotation: Any, options: Any, why: str) -> None:
    # Given a contract with such a field
    contract = contract_with(annotation, **options)
    # When it is read, then the error names the field and the reason
    with pytest.raises(ContractError, match=why) as caught:
        fields_of(contract)
    assert caught.value.field == options.get("name", "field")


def test_rules_for_the_whole_model_are_refused() -> None:
    # Given contracts with code that spans fields
    def check(self: Any) -> Any:
        return self

    def twice(self: Any) -> int:
        return 2 * int(self.field)

    validated = contract_with(Annotated[int, NUMBER, UP], check=model_validator(mode="after")(check))
    computed = contract_with(Annotated[int, NUMBER, UP], twice=computed_field(twice))
    # When they are read, then both are refused
    for contract in (validated, computed):
        with pytest.raises(ContractError, match="model-wide rules in code"):
            fields_of(contract)


def test_a_contract_without_fields_or_outcome_is_refused() -> None:
    class NoFields(Contract):
        outcome: ClassVar[Outcome] = Outcome("y", 1, 0)

    class NoOutcome(Contract):
        field: Annotated[int, NUMBER, UP]

    # Given contracts without fields or without an outcome, when they are read, then they are refused
    with pytest.raises(ContractError, match="has no fields"):
        fields_of(NoFields)
    with pytest.raises(ContractError, match="names no outcome"):
        fields_of(NoOutcome)


@pytest.mark.parametrize("where", ["model.applicant:Applicant", EXAMPLE], ids=["module", "file"])
def test_a_contract_is_loaded_from_a_module_or_a_file(where: str) -> None:
    # Given a module or a file, when its contract is loaded, then it is a contract with limits beside it
    contract = load_contract(where)
    assert issubclass(contract, Contract)
    assert set(json.loads(limits_path(contract).read_text(encoding="utf-8"))) == {
        "minimum_accuracy",
        "maximum_equal_opportunity_gap",
        "minimum_group_size",
        "maximum_champion_loss",
        "maximum_parity_difference",
    }


@pytest.mark.parametrize(
    ("where", "why"),
    [
        pytest.param("model.applicant", "does not name a class", id="no-class"),
        pytest.param("model.nowhere:Applicant", "cannot be imported", id="no-module"),
        pytest.param("nowhere.py:Applicant", "cannot be imported", id="no-file"),
        pytest.param("model.applicant:Nobody", "no contract named", id="no-such-name"),
        pytest.param("model.applicant:Flag", "no contract named", id="not-a-contract"),
    ],
)
def test_a_contract_that_does_not_exist_is_named(where: str, why: str) -> None:
    # Given a name that leads to no contract, when it is loaded, then the error says what is wrong
    with pytest.raises(ContractError, match=why):
        load_contract(where)


@pytest.mark.parametrize("where", ["model.applicant:Applicant", EXAMPLE], ids=["default", "example"])
def test_samples_meet_their_contract(where: str) -> None:
    # Given a contract's samples, when they are validated, then they pass
    contract = load_contract(where)
    assert len(contract.samples) >= 2
    for sample in contract.samples:
        assert contract.model_validate(sample).model_dump(exclude_unset=True) == sample


def test_the_examples_samples_match_nobody_in_its_data() -> None:
    # Given the example's data
    contract = load_contract(EXAMPLE)
    with Path(EXAMPLE.rpartition(":")[0]).with_name("credit_data.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # When each sample is looked up by the fields that identify a person, then it matches nobody
    for sample in contract.samples:
        key = [str(sample[name]) for name in ("Seniority", "Time", "Expenses", "Amount", "Price")]
        assert key not in [[row[name] for name in ("Seniority", "Time", "Expenses", "Amount", "Price")] for row in rows]
