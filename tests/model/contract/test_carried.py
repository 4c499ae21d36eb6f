"""The contract that an artifact carries has every fact of the original, and no other contract passes for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from model.applicant import Applicant
from model.contract import Contract, Outcome, Scored
from model.contract.carried import carried_fields, contract_as_data, refuse_another_contract
from model.contract.declarations import ContractError
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from tests.contracts.loan import Loan
from tests.trainings import MIXED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.manifest import CarriedContract

FREE = Scored("free", "word", "CODE", "Sentence")
Home = Annotated[Literal["own", "rent"], Field(description="home"), FREE]
Years = Annotated[int, Field(ge=0, le=50, description="years"), FREE]


class Trained(Contract):
    """What the model is trained with."""

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

    home: Annotated[Literal["rent", "own"], Field(description="home"), FREE]


class OtherRange(Trained):
    """A wider range."""

    years: Annotated[int, Field(ge=0, le=60, description="years"), FREE]


class OtherReason(Trained):
    """Another sentence for the applicant."""

    years: Annotated[int, Field(ge=0, le=50, description="years"), Scored("free", "word", "CODE", "Another")]


class OneMore(Trained):
    """Another field."""

    more: Years


def as_in_a_manifest(contract: type[Contract]) -> CarriedContract:
    """The contract after its journey as JSON."""
    carried: CarriedContract = json.loads(json.dumps(contract_as_data(contract, fields_of(contract))))
    return carried


@pytest.mark.parametrize(
    "contract", [lambda: Applicant, lambda: Loan, lambda: load_contract(MIXED)], ids=["default", "every-kind", "mixed"]
)
def test_an_artifact_carries_every_fact_of_its_fields(contract: Callable[[], type[Contract]]) -> None:
    # Given a contract in a manifest, when its fields are read back, then they are the contract's own
    assert carried_fields(as_in_a_manifest(contract())) == fields_of(contract())


def test_the_contract_of_the_training_is_accepted() -> None:
    # Given the contract itself, and one that differs only in what does not travel with the model
    class Judged(Trained):
        outcome: ClassVar[Outcome] = Outcome("z", "good", "bad")

    # When they are compared with the manifest, then nothing is raised
    refuse_another_contract(Trained, as_in_a_manifest(Trained))
    refuse_another_contract(Judged, as_in_a_manifest(Trained))


@pytest.mark.parametrize(
    ("contract", "what"),
    [
        pytest.param(OtherFieldOrder, "the order of the fields", id="field-order"),
        pytest.param(OtherWordOrder, "differs: home", id="word-order"),
        pytest.param(OtherRange, "differs: years", id="range"),
        pytest.param(OtherReason, "differs: years", id="reason"),
        pytest.param(OneMore, "differs: more", id="field"),
    ],
)
def test_another_contract_is_refused_with_what_differs(contract: type[Contract], what: str) -> None:
    # Given a contract other than the training's, when it is compared, then the error says what differs
    with pytest.raises(ContractError, match=what):
        refuse_another_contract(contract, as_in_a_manifest(Trained))
