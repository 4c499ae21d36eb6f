"""The contract as an artifact carries it: what the model was trained with, whatever the contract's file says by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambda_app.manifest import CarriedContract, Field

from model.contract.declarations import Contract, ContractError, Scored
from model.contract.fields import FieldSpec, core_schema_of, fields_of, json_schema_of


def contract_as_data(contract: type[Contract]) -> CarriedContract:
    """What of the contract travels with the model."""
    fields = fields_of(contract)
    return {
        "name": contract.__name__,
        "core_schema": core_schema_of(fields),
        "json_schema": json_schema_of(contract),
        "fields": [
            {
                "name": spec.name,
                "kind": spec.kind,
                "optional": spec.optional,
                "words": list(spec.words),
                "unit": spec.scored.unit,
                "description": spec.description,
                "direction": spec.scored.direction,
                "code": spec.scored.code,
                "text": spec.scored.text,
            }
            for spec in fields
        ],
    }


def exported_fields(exported: CarriedContract) -> tuple[FieldSpec, ...]:
    """The fields of a manifest's `contract`, in the order of the model's tables, each with its words in theirs."""
    return tuple(_field_spec(field, exported["core_schema"]["fields"][field["name"]]) for field in exported["fields"])


def refuse_another_contract(contract: type[Contract], exported: CarriedContract) -> None:
    """Check that a contract is the one that a manifest's `contract` was exported from.

    A model's tables are looked up by the place of a field and of a word, so a contract that names the same in another
    order would ask for another applicant's points.

    Raises
    ------
    ContractError
        Names the fields that differ.
    """
    own = contract_as_data(contract)
    if own["fields"] == exported["fields"] and own["core_schema"] == exported["core_schema"]:
        return
    ours, theirs = _by_name(own), _by_name(exported)
    different = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
    raise ContractError(
        f"{contract.__name__} is not the contract that the model was trained with; what differs: "
        f"{', '.join(different) or 'the order of the fields'}. Name that contract with --contract, or train again"
    )


def _field_spec(field: Field, in_schema: dict[str, Any]) -> FieldSpec:
    schema: dict[str, Any] = in_schema["schema"]
    plain = schema["schema"]["schema"] if field["optional"] else schema
    return FieldSpec(
        name=field["name"],
        kind=field["kind"],
        optional=field["optional"],
        description=field["description"],
        scored=Scored(field["direction"], field["unit"], field["code"], field["text"]),
        minimum=plain.get("ge"),
        maximum=plain.get("le"),
        words=tuple(field["words"]),
        core_schema=schema,
    )


def _by_name(exported: CarriedContract) -> dict[str, Any]:
    return {field["name"]: (field, exported["core_schema"]["fields"][field["name"]]) for field in exported["fields"]}
