"""The contract as an artifact carries it: the one used in training, even if the contract's file has changed since."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from lambda_app.manifest import value_schema
from model.contract.declarations import Contract, Reason, Scored
from model.contract.errors import ContractError
from model.contract.fields import FieldSpec, core_schema_of, fields_of, json_schema_of
from model.contract.file import File

if TYPE_CHECKING:
    from lambda_app.manifest import CarriedContract, Field, Sentence
    from model.contract.fields import Schema

# What a JSON Schema says to people; the rest decides which applications are accepted.
ANNOTATIONS = frozenset({"title", "description", "default", "examples", "x-unit"})


def contract_as_data(contract: type[Contract], fields: tuple[FieldSpec, ...]) -> CarriedContract:
    """The part of a contract that travels with the model; `fields` are those of the contract."""
    carried: CarriedContract = {
        "name": contract.__name__,
        "core_schema": core_schema_of(fields),
        "json_schema": json_schema_of(contract, fields),
        "fields": _as_data(fields),
        "file": contract.file.as_data(),
    }
    if contract.consumer_report:
        carried["report_fields"] = list(contract.consumer_report)
    return carried


def carried_file(carried: CarriedContract) -> File:
    """What the file of applications looks like, as a manifest's `contract` says; plain if it is silent."""
    return File.from_data(carried.get("file", {}))


def carried_fields(carried: CarriedContract) -> tuple[FieldSpec, ...]:
    """The fields of a manifest's `contract`, with fields and words in the order of the model's tables.

    The inverse of `contract_as_data`.
    """
    schemas = carried["core_schema"]["fields"]
    return tuple(_from_data(field, schemas[field["name"]]["schema"]) for field in carried["fields"])


def refuse_another_contract(contract: type[Contract], carried: CarriedContract) -> None:
    """Check that a contract is the one that a manifest carries.

    A model's tables are looked up by the positions of fields and words. A contract with the same names in another
    order would look up the wrong points.

    Raises
    ------
    ContractError
        Names the fields that differ.
    """
    fields = fields_of(contract)
    schema, data = core_schema_of(fields), _as_data(fields)
    if data == carried["fields"] and schema == carried["core_schema"]:
        return
    ours, theirs = _by_name(data, schema), _by_name(carried["fields"], carried["core_schema"])
    different = [name for name in {**theirs, **ours} if ours.get(name) != theirs.get(name)]
    raise ContractError(
        f"{contract.__name__} is not the contract that the model was trained with; different: "
        f"{', '.join(different) or 'the order of the fields'}. Name the right contract with --contract, or train again"
    )


def contract_identity(json_schema: object) -> str:
    """Twelve hexadecimal digits that are the same for contracts that accept the same applications.

    Only types, ranges, words and which fields are required count. Titles, descriptions, units, and the order of fields
    and of words do not.

    Parameters
    ----------
    json_schema : object
        `CarriedContract["json_schema"]`, or whatever a manifest from outside has in its place.

    Examples
    --------
    >>> one = {"properties": {"home": {"enum": ["own", "rent"], "title": "Home"}}, "required": ["home"]}
    >>> other = {"required": ["home"], "properties": {"home": {"enum": ["rent", "own"], "title": "Housing"}}}
    >>> contract_identity(one) == contract_identity(other)
    True
    >>> contract_identity(one) == contract_identity({**other, "required": []})
    False
    """
    rules = json.dumps(_rules(json_schema), sort_keys=True)
    return sha256(rules.encode()).hexdigest()[:12]


def _rules(schema: object) -> object:
    """A JSON Schema without annotations and without order."""
    if isinstance(schema, dict):
        # The keys of `properties` are names of fields, which may be called `title`.
        return {
            key: {name: _rules(field) for name, field in value.items()}
            if key == "properties" and isinstance(value, dict)
            else _rules(value)
            for key, value in schema.items()
            if key not in ANNOTATIONS
        }
    if isinstance(schema, list):
        return sorted((_rules(value) for value in schema), key=lambda rule: json.dumps(rule, sort_keys=True))
    # A range from 0.0 is the range from 0.
    return int(schema) if isinstance(schema, float) and schema.is_integer() else schema


def _as_data(fields: tuple[FieldSpec, ...]) -> list[Field]:
    return [_field_as_data(spec) for spec in fields]


def _field_as_data(spec: FieldSpec) -> Field:
    field: Field = {
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
    if spec.scored.missing:
        field["missing"] = _sentence(spec.scored.missing)
    if spec.scored.words:
        field["by_word"] = {word: _sentence(reason) for word, reason in spec.scored.words.items()}
    if spec.scored.change:
        field["change"] = spec.scored.change
    return field


def _sentence(reason: Reason) -> Sentence:
    return {"code": reason.code, "text": reason.text}


def _from_data(field: Field, schema: Schema) -> FieldSpec:
    value = value_schema(schema)
    return FieldSpec(
        name=field["name"],
        kind=field["kind"],
        optional=field["optional"],
        description=field["description"],
        scored=Scored(
            field["direction"],
            field["unit"],
            field["code"],
            field["text"],
            missing=Reason(**field["missing"]) if "missing" in field else None,
            words={word: Reason(**sentence) for word, sentence in field.get("by_word", {}).items()},
            change=field.get("change"),
        ),
        minimum=value.get("ge"),
        maximum=value.get("le"),
        words=tuple(field["words"]),
    )


def _by_name(fields: list[Field], schema: Schema) -> dict[str, tuple[Field, Schema]]:
    return {field["name"]: (field, schema["fields"][field["name"]]) for field in fields}
