"""The contract that an artifact carries is complete, and no other contract is accepted in its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from model.applicant import Applicant
from model.contract import Contract, Outcome, Reason, Scored
from model.contract.carried import carried_fields, contract_as_data, contract_identity, refuse_another_contract
from model.contract.errors import ContractError
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from tests.contracts.loan import Loan
from tests.trainings import MIXED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.manifest import CarriedContract

FREE = Scored("free", "word", "CODE", "Sentence")
Home = Annotated[Literal["own", "rent"], Field(description="home"), Scored("free", "word", "HOME", "Home")]
Years = Annotated[int, Field(ge=0, le=50, description="years"), FREE]


class Trained(Contract):
    """The contract that the model is trained with."""

    home: Home
    years: Years

    outcome: ClassVar[Outcome] = Outcome("y", 1, 0)


class OtherFieldOrder(Contract):
    """The same fields in another order."""

    years: Years
    home: Home

    outcome: ClassVar[Outcome] = Outcome("y", 1, 0)


class OtherWordOrder(Trained):
    """The same words in another order."""

    home: Annotated[Literal["rent", "own"], Field(description="home"), Scored("free", "word", "HOME", "Home")]


class OtherRange(Trained):
    """A wider range."""

    years: Annotated[int, Field(ge=0, le=60, description="years"), FREE]


class OtherReason(Trained):
    """A different reason text."""

    years: Annotated[int, Field(ge=0, le=50, description="years"), Scored("free", "word", "CODE", "Another")]


class OtherWordReason(Trained):
    """A reason of its own for one word."""

    home: Annotated[
        Literal["own", "rent"],
        Field(description="home"),
        Scored("free", "word", "HOME", "Home", words={"rent": Reason("RENT", "Rented home")}),
    ]


class OneMore(Trained):
    """An extra field."""

    more: Years


class OneOptional(Contract):
    """A field may be left out."""

    home: Home
    years: Annotated[int | None, Field(ge=0, le=50, description="years"), FREE] = None

    outcome: ClassVar[Outcome] = Outcome("y", 1, 0)


class OtherType(Contract):
    """Any number instead of a whole one."""

    home: Home
    years: Annotated[float, Field(ge=0, le=50, description="years"), FREE]

    outcome: ClassVar[Outcome] = Outcome("y", 1, 0)


class OneWordMore(Contract):
    """A further word."""

    home: Annotated[Literal["own", "rent", "parents"], Field(description="home"), FREE]
    years: Years

    outcome: ClassVar[Outcome] = Outcome("y", 1, 0)


class OtherDescription(Trained):
    """Other texts, and the same bounds as floats."""

    years: Annotated[int, Field(ge=0.0, le=50.0, description="Years at work"), Scored("up", "months", "YEARS", "Few")]


class NamedLikeAnAnnotation(Trained):
    """A field whose name is also a key of JSON Schema."""

    title: Years


def as_in_a_manifest(contract: type[Contract]) -> CarriedContract:
    """The contract after a round trip through JSON."""
    carried: CarriedContract = json.loads(json.dumps(contract_as_data(contract, fields_of(contract))))
    return carried


def identity(contract: type[Contract]) -> str:
    """The identity of the contract that a manifest carries."""
    return contract_identity(as_in_a_manifest(contract)["json_schema"])


@pytest.mark.parametrize(
    "contract", [lambda: Applicant, lambda: Loan, lambda: load_contract(MIXED)], ids=["default", "every-kind", "mixed"]
)
def test_an_artifact_carries_every_fact_of_its_fields(contract: Callable[[], type[Contract]]) -> None:
    # Given a contract in a manifest, when its fields are read back, then they are the contract's own
    assert carried_fields(as_in_a_manifest(contract())) == fields_of(contract())


def test_only_declared_reasons_of_missing_values_and_words_are_carried() -> None:
    # Given a contract of which some fields have such reasons, when it is written, then only these fields have the keys
    fields = {field["name"]: field for field in as_in_a_manifest(load_contract(MIXED))["fields"]}
    assert fields["Job"]["missing"] == {"code": "EMPLOYMENT_NOT_STATED", "text": "Employment not stated"}
    assert fields["Job"]["by_word"] == {"none": {"code": "NO_JOB", "text": "No employment"}}
    assert {name for name, field in fields.items() if "missing" in field} == {"Years", "Job", "Savings"}
    assert {name for name, field in fields.items() if "by_word" in field} == {"Job"}


def test_the_contract_of_the_training_is_accepted() -> None:
    # Given the contract itself, and one that differs only in parts that do not travel with the model
    class Judged(Trained):
        outcome: ClassVar[Outcome] = Outcome("z", "good", "bad")

    # When they are compared with the manifest, then nothing is raised
    refuse_another_contract(Trained, as_in_a_manifest(Trained))
    refuse_another_contract(Judged, as_in_a_manifest(Trained))


@pytest.mark.parametrize(
    ("contract", "what"),
    [
        pytest.param(OtherFieldOrder, "the order of the fields", id="field-order"),
        pytest.param(OtherWordOrder, "different: home", id="word-order"),
        pytest.param(OtherRange, "different: years", id="range"),
        pytest.param(OtherReason, "different: years", id="reason"),
        pytest.param(OtherWordReason, "different: home", id="reason-of-a-word"),
        pytest.param(OneMore, "different: more", id="field"),
    ],
)
def test_another_contract_is_refused_and_the_difference_is_named(contract: type[Contract], what: str) -> None:
    # Given a contract other than the training's, when they are compared, then the error names the difference
    with pytest.raises(ContractError, match=what):
        refuse_another_contract(contract, as_in_a_manifest(Trained))


@pytest.mark.parametrize("contract", [OtherFieldOrder, OtherWordOrder, OtherReason, OtherDescription])
def test_contracts_that_accept_the_same_applications_have_one_identity(contract: type[Contract]) -> None:
    assert identity(contract) == identity(Trained)


@pytest.mark.parametrize("contract", [OtherRange, OtherType, OneWordMore, OneOptional, OneMore, NamedLikeAnAnnotation])
def test_contracts_that_accept_other_applications_have_another_identity(contract: type[Contract]) -> None:
    assert identity(contract) != identity(Trained)


@pytest.mark.parametrize("stated", [None, "text", [], {}, {"properties": []}, {"maximum": 10**30}], ids=repr)
def test_any_json_has_an_identity(stated: object) -> None:
    # Given what a manifest from outside may have in place of a schema, then its identity is that of no contract
    assert len(contract_identity(stated)) == 12
    assert contract_identity(stated) != identity(Trained)
