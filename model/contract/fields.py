"""What a contract is: the applicant's fields, the outcome, and the columns that only judge.

A contract is a pydantic model that derives from `Contract`; `model/applicant.py` is the default one. Each field
is annotated with its type, its range or words, a description, and `Scored`:

    Income: Annotated[int, Field(ge=0, le=10_000_000, description="…"), Scored("up", "USD a year", "INC", "…")]

Optional fields are written `Annotated[int | None, Field(…), Scored(…)] = None`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from pydantic import ValidationError

from model.contract.declarations import Contract, ContractError, Direction, Scored

Kind = Literal["int", "float", "flag", "choice"]

# Keys by which the runtime tells an envelope from an application.
RESERVED_NAMES = frozenset({"Items", "BatchInput", "requestContext"})


@dataclass(frozen=True)
class FieldSpec:
    """One field of a contract as plain facts.

    `minimum` and `maximum` are None for a choice; `words` is empty for a number.
    """

    name: str
    kind: Kind
    optional: bool
    description: str
    scored: Scored
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()
    core_schema: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def monotonic(self) -> int:
        """The direction as scikit-learn's `monotonic_cst` writes it: 1, -1 or 0."""
        return {"up": 1, "down": -1, "free": 0}[self.scored.direction]


def fields_of(contract: type[Contract]) -> tuple[FieldSpec, ...]:
    """The contract's fields, in the order in which it names them.

    Raises
    ------
    ContractError
        A field that cannot become plain data (a custom validator, a nested model), or that lacks what every
        field must have (`Scored`, a description, a range); a column with two roles; a sample that breaks the contract.
    """
    if not hasattr(contract, "outcome"):
        raise ContractError(f"{contract.__name__} names no outcome column")
    if not contract.model_fields:
        raise ContractError(f"{contract.__name__} has no fields")
    _check_columns(contract)
    body = _model_fields(contract)
    fields = tuple(_field_spec(contract, name, body[name]["schema"]) for name in contract.model_fields)
    _check_samples(contract)
    return fields


def core_schema_of(fields: tuple[FieldSpec, ...]) -> dict[str, Any]:
    """A pydantic-core schema of plain data that accepts exactly what the contract accepts."""
    return {
        "type": "typed-dict",
        "extra_behavior": "forbid",
        "strict": True,
        "fields": {
            spec.name: {"type": "typed-dict-field", "required": not spec.optional, "schema": spec.core_schema}
            for spec in fields
        },
    }


def json_schema_of(contract: type[Contract]) -> dict[str, Any]:
    """The JSON Schema of one application, for clients and OpenAPI."""
    schema = contract.model_json_schema()
    for spec in fields_of(contract):
        schema["properties"][spec.name]["x-unit"] = spec.scored.unit
    return schema


def _check_columns(contract: type[Contract]) -> None:
    """What the model is told, what it must predict and what judges it are different columns."""
    outcome, sensitive = contract.outcome.column, [rule.column for rule in contract.sensitive]
    for name in contract.model_fields:
        if name == outcome:
            raise ContractError("is the outcome too, so the model would be told what it is to predict", name)
        if name in sensitive:
            raise ContractError("is a sensitive column too, which only judges; the model must not see it", name)
    judging = [outcome, *sensitive]
    if twice := [column for column in judging if judging.count(column) > 1]:
        raise ContractError(f"{contract.__name__} names the column {twice[0]} twice as outcome or sensitive")


def _check_samples(contract: type[Contract]) -> None:
    for number, sample in enumerate(contract.samples, start=1):
        try:
            contract.model_validate(sample)
        except ValidationError as err:
            fault = err.errors(include_url=False, include_context=False, include_input=False)[0]
            name = str(fault["loc"][0]) if fault["loc"] else None
            raise ContractError(f"sample {number} breaks the rule {fault['type']}", name) from err


def _model_fields(contract: type[Contract]) -> dict[str, Any]:
    if not contract.__pydantic_complete__:
        raise ContractError(f"{contract.__name__} names a type that is not defined where the contract is")
    code: list[str] = []
    schema: Any = contract.__pydantic_core_schema__
    while schema["type"] in ("definitions", "model"):
        code += [rule for rule in ("custom_init", "post_init") if schema.get(rule)]
        schema = schema["schema"]
    if schema["type"] != "model-fields":
        code.append(schema["type"])
    elif schema.get("computed_fields"):
        code.append("computed_fields")
    if code:
        raise ContractError(
            f"{contract.__name__} has model-wide rules ({', '.join(code)}), which are code: "
            "only plain types, ranges and words travel with the model"
        )
    fields: dict[str, Any] = schema["fields"]
    return fields


def _field_spec(contract: type[Contract], name: str, schema: dict[str, Any]) -> FieldSpec:
    info = contract.model_fields[name]
    scored = next((mark for mark in info.metadata if isinstance(mark, Scored)), None)
    if name in RESERVED_NAMES:
        raise ContractError("the name belongs to an event's envelope; choose another", name)
    if scored is None:
        raise ContractError("is not marked with Scored(direction, unit, code, text)", name)
    if scored.direction not in get_args(Direction):
        raise ContractError(f"the direction is one of {', '.join(get_args(Direction))}", name)
    if not info.description:
        raise ContractError("has no description", name)
    if info.alias or info.validation_alias:
        raise ContractError("has an alias; the wire name is the field's own name", name)

    optional = schema["type"] == "default"
    if optional:
        if schema.get("default", ...) is not None or schema["schema"]["type"] != "nullable":
            raise ContractError("an optional field is written `Annotated[T | None, …] = None`", name)
        schema = schema["schema"]["schema"]

    kind: Kind
    minimum = maximum = None
    words: tuple[str, ...] = ()
    if schema["type"] in ("int", "float"):
        minimum, maximum = schema.get("ge"), schema.get("le")
        if minimum is None or maximum is None:
            raise ContractError("a number needs its range: Field(ge=…, le=…)", name)
        kind = "flag" if schema["type"] == "int" and (minimum, maximum) == (0, 1) else schema["type"]
        plain = {"type": schema["type"], "strict": True, "ge": minimum, "le": maximum}
        if kind == "float":
            plain["allow_inf_nan"] = False
        known = {"ge", "le", "strict", "allow_inf_nan"}
    elif schema["type"] == "literal":
        words = tuple(schema["expected"])
        if not all(isinstance(word, str) for word in words):
            # A literal 1 would let `true` through; a 0/1 field is an int with a range.
            raise ContractError("words must be strings; a 0/1 field is an int with ge=0, le=1", name)
        if scored.direction != "free":
            raise ContractError("words have no order, so their direction is 'free'", name)
        kind, plain, known = "choice", {"type": "literal", "expected": list(words)}, {"expected"}
    else:
        raise ContractError(
            f"'{schema['type']}' cannot travel with the model as plain data; "
            "use int, float, or Literal words, without custom validators",
            name,
        )
    extra = set(schema) - known - {"type", "metadata", "ref"}
    if extra:
        raise ContractError(f"the rule {sorted(extra)} cannot travel with the model; use ge and le", name)
    if optional:
        plain = {"type": "default", "default": None, "schema": {"type": "nullable", "schema": plain}}
    json.dumps(plain)
    return FieldSpec(name, kind, optional, info.description, scored, minimum, maximum, words, plain)
