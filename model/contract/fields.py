"""A contract's fields as plain data. Whatever cannot travel with a model is rejected here."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, Literal, get_args

from pydantic import ValidationError

from lambda_app.manifest import value_schema
from model.contract.declarations import Change, Contract, Direction, Scored
from model.contract.errors import ContractError
from model.contract.reasons import check_codes, check_line, check_reasons

Kind = Literal["int", "float", "flag", "choice"]
# A schema of pydantic-core or of JSON Schema, which define what it may hold.
Schema = dict[str, Any]

# Keys by which the service tells what is no application, and the key that every application may have.
RESERVED_NAMES = frozenset({"Items", "BatchInput", "requestContext", "application_id", "show"})
# As many categories as scikit-learn's HistGradientBoostingClassifier takes.
MOST_WORDS = 255


@dataclass(frozen=True)
class FieldSpec:
    """One field of a contract.

    Attributes
    ----------
    name, description : str
    kind : {"int", "float", "flag", "choice"}
        A flag is an int from 0 to 1.
    optional : bool
        Whether an application may leave the field out.
    scored : Scored
    minimum, maximum : float or None
        A number's range, bounds included; None for a choice.
    words : tuple of str
        The possible values of a choice; empty for a number. With a direction, they are in order.
    """

    name: str
    kind: Kind
    optional: bool
    description: str
    scored: Scored
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()

    @property
    def monotonic(self) -> int:
        """The direction as scikit-learn's `monotonic_cst` expects it: 1, -1 or 0."""
        return {"up": 1, "down": -1, "free": 0}[self.scored.direction]

    @property
    def value_schema(self) -> Schema:
        """The pydantic-core schema of a value that is present."""
        if self.kind == "choice":
            return {"type": "literal", "expected": list(self.words)}
        number = {"type": "int", "strict": True, "ge": self.minimum, "le": self.maximum}
        return {**number, "type": "float", "allow_inf_nan": False} if self.kind == "float" else number


def fields_of(contract: type[Contract]) -> tuple[FieldSpec, ...]:
    """The contract's fields, in the order of their declaration.

    Raises
    ------
    ContractError
        A field cannot become plain data (a custom validator, a nested model) or lacks something required (`Scored`, a
        description, a range); a reason cannot be read, or could be mistaken for another (`model.contract.reasons`); a
        column has two roles; a sample breaks the contract.
    """
    if not hasattr(contract, "outcome"):
        raise ContractError(f"{contract.__name__} names no outcome column")
    if not contract.model_fields:
        raise ContractError(f"{contract.__name__} has no fields")
    _check_columns(contract)
    _check_sensitive(contract)
    if unknown := [name for name in contract.consumer_report if name not in contract.model_fields]:
        raise ContractError(f"consumer_report names {unknown[0]!r}, which is no field of {contract.__name__}")
    body = _model_fields(contract)
    fields = tuple(_field_spec(contract, name, body[name]["schema"]) for name in contract.model_fields)
    check_codes({spec.name: spec.scored for spec in fields})
    _check_samples(contract)
    return fields


def core_schema_of(fields: tuple[FieldSpec, ...]) -> Schema:
    """A pydantic-core schema made of plain data, which accepts exactly what the contract accepts."""
    return {
        "type": "typed-dict",
        "extra_behavior": "forbid",
        "strict": True,
        "fields": {
            spec.name: {
                "type": "typed-dict-field",
                "required": not spec.optional,
                "schema": {
                    "type": "default",
                    "default": None,
                    "schema": {"type": "nullable", "schema": spec.value_schema},
                }
                if spec.optional
                else spec.value_schema,
            }
            for spec in fields
        },
    }


def json_schema_of(contract: type[Contract], fields: tuple[FieldSpec, ...]) -> Schema:
    """The JSON Schema of one application, for clients and OpenAPI."""
    schema = contract.model_json_schema()
    for spec in fields:
        schema["properties"][spec.name]["x-unit"] = spec.scored.unit
    return schema


def _check_columns(contract: type[Contract]) -> None:
    """Check that no column has two roles: field, outcome or sensitive."""
    outcome, sensitive = contract.outcome.column, [rule.column for rule in contract.sensitive]
    if unknown := [name for name in contract.file.columns if name not in contract.model_fields]:
        raise ContractError(f"file: columns names {unknown[0]}, which is no field of {contract.__name__}")
    owners: dict[str, str] = {}
    for name in contract.model_fields:
        column = contract.file.column_of(name)
        if column == outcome:
            raise ContractError("is also the outcome, so the model would see what it has to predict", name)
        if column in sensitive:
            raise ContractError("is also a sensitive column, which the model must not see", name)
        if owners.setdefault(column, name) != name:
            raise ContractError(f"is in the same column as {owners[column]}", name)
        if column in (contract.split.source, contract.weight):
            raise ContractError("is also the column of the split or the weight, which the model must not see", name)
    others = [outcome, *sensitive, *(other for other in (contract.split.source, contract.weight) if other is not None)]
    if twice := [column for column in others if others.count(column) > 1]:
        roles = "outcome, sensitive, split or weight"
        raise ContractError(f"{contract.__name__} names the column {twice[0]} twice as {roles}")


def _check_sensitive(contract: type[Contract]) -> None:
    """Check that a contract which says why it has no sensitive column has none, and does say why."""
    reason = contract.no_sensitive_reason
    if reason is None:
        return
    if contract.sensitive:
        raise ContractError(
            f"{contract.__name__} says why it has no sensitive column, but has {len(contract.sensitive)}"
        )
    if not isinstance(reason, str) or not reason.strip():
        raise ContractError(f"no_sensitive_reason of {contract.__name__} says nothing; write the reason in words")


def _check_samples(contract: type[Contract]) -> None:
    for number, sample in enumerate(contract.samples, start=1):
        try:
            contract.model_validate(sample)
        except ValidationError as err:
            fault = err.errors(include_url=False, include_context=False, include_input=False)[0]
            name = str(fault["loc"][0]) if fault["loc"] else None
            raise ContractError(f"sample {number} breaks the rule {fault['type']}", name) from err


def _model_fields(contract: type[Contract]) -> Schema:
    """Each field's core schema, as built by pydantic."""
    if not contract.__pydantic_complete__:
        raise ContractError(f"{contract.__name__} uses a type that is not defined in the module of the contract")
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
            f"{contract.__name__} has model-wide rules in code ({', '.join(code)}); "
            "only plain types, ranges and words can travel with the model"
        )
    fields: Schema = schema["fields"]
    return fields


def _field_spec(contract: type[Contract], name: str, schema: Schema) -> FieldSpec:
    info = contract.model_fields[name]
    scored = next((mark for mark in info.metadata if isinstance(mark, Scored)), None)
    if name in RESERVED_NAMES:
        raise ContractError("the name is reserved for event envelopes and the caller's own key; choose another", name)
    if scored is None:
        raise ContractError("is not marked with Scored(direction, unit, code, text)", name)
    if scored.direction not in get_args(Direction):
        raise ContractError(f"the direction must be one of {', '.join(get_args(Direction))}", name)
    if scored.change not in (None, *get_args(Change)):
        raise ContractError(f"change must be one of {', '.join(get_args(Change))}, or left out", name)
    if not info.description:
        raise ContractError("has no description", name)
    check_line("description", info.description, name)
    check_line("unit", scored.unit, name)
    if info.alias or info.validation_alias:
        raise ContractError("has an alias; requests always use the field's own name", name)
    optional = schema["type"] == "default"
    if optional and (schema.get("default", ...) is not None or schema["schema"]["type"] != "nullable"):
        raise ContractError("an optional field must be written `Annotated[T | None, …] = None`", name)
    value = value_schema(schema)
    if value["type"] in ("int", "float"):
        minimum, maximum = _range(value, name)
        kind: Kind = "flag" if value["type"] == "int" and (minimum, maximum) == (0, 1) else value["type"]
        spec = FieldSpec(name, kind, optional, info.description, scored, minimum, maximum)
    elif value["type"] == "literal":
        spec = FieldSpec(name, "choice", optional, info.description, scored, words=_words(value, name))
    else:
        raise ContractError(
            f"'{value['type']}' cannot travel with the model as plain data; "
            "use int, float, or Literal words, without custom validators",
            name,
        )
    known = {*spec.value_schema, "allow_inf_nan", "metadata", "ref"}
    if extra := sorted(set(value) - known):
        raise ContractError(f"the rule {extra} cannot travel with the model; use ge and le", name)
    if spec.words and scored.direction == "free" and scored.change in ("up", "down"):
        raise ContractError(f'its words have no order, so a change cannot go {scored.change}; write change="any"', name)
    check_reasons(name, scored, spec.words, optional=optional)
    return spec


def _range(value: Schema, name: str) -> tuple[float, float]:
    minimum: Any
    maximum: Any
    minimum, maximum = value.get("ge"), value.get("le")
    # Other bounds, such as a Decimal or an infinity, cannot be written as JSON.
    if not all(isinstance(bound, int | float) and abs(bound) < inf for bound in (minimum, maximum)):
        raise ContractError("a number needs its range: Field(ge=…, le=…)", name)
    return minimum, maximum


def _words(value: Schema, name: str) -> tuple[str, ...]:
    words = tuple(value["expected"])
    if not all(isinstance(word, str) for word in words):
        # A literal 1 would let `true` through; a 0/1 field is an int with a range.
        raise ContractError("words must be strings; a 0/1 field is an int with ge=0, le=1", name)
    if len(words) > MOST_WORDS:
        raise ContractError(
            f"{len(words)} words are too many: the model tells at most {MOST_WORDS} apart; group them into fewer words",
            name,
        )
    return words
