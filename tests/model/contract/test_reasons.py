"""Reasons that nobody could read, or that contradict the contract, are refused; those that ship name what is scored."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from model.contract import Contract, Outcome, Reason, Scored
from model.contract.errors import ContractError
from model.contract.fields import FieldSpec, fields_of
from model.contract.loading import load_contract
from model.contract.wording import doubtful
from tests.trainings import EXAMPLE

NUMBER = Field(ge=0, le=9, description="a number")
MISSING = Reason("NOT_STATED", "Not stated")
ARABIC_MARK, ZERO_WIDTH, TO_THE_LEFT, NO_BREAK = "\u061c", "\u200b", "\u202e", "\u00a0"


def contract_with(**fields: Any) -> type[Contract]:
    """A contract of these fields: each is an annotation, or an annotation and a default."""
    pairs = {name: field if isinstance(field, tuple) else (field,) for name, field in fields.items()}
    defaults = {name: pair[1] for name, pair in pairs.items() if len(pair) > 1}
    annotations = {name: pair[0] for name, pair in pairs.items()}
    body = {"__annotations__": annotations, "outcome": Outcome("y", 1, 0), "__module__": __name__, **defaults}
    return type("Made", (Contract,), body)


def number(unit: str = "unit", code: str = "CODE", text: str = "Sentence", **reasons: Any) -> Any:
    """A required number."""
    return Annotated[int, NUMBER, Scored("free", unit, code, text, **reasons)]


def home(**reasons: Any) -> Any:
    """An optional field with two words."""
    scored = Scored("free", "word", "HOME", "Type of housing", **reasons)
    return Annotated[Literal["rent", "own"] | None, Field(description="Housing"), scored], None


def test_a_field_may_have_reasons_for_a_missing_value_and_for_single_words() -> None:
    # Given a contract with such reasons, when it is read, then they are as declared
    [spec] = fields_of(contract_with(home=home(missing=MISSING, words={"rent": Reason("RENT", "Rented housing")})))
    assert [reason.code for reason in spec.scored.reasons] == ["HOME", "NOT_STATED", "RENT"]


def test_several_fields_may_share_a_reason() -> None:
    # Given two fields with the same code and text, when they are read, then nothing is raised
    assert (
        len(fields_of(contract_with(one=number(), other=number(), home=home(missing=Reason("CODE", "Sentence"))))) == 3
    )


@pytest.mark.parametrize(
    ("field", "why"),
    [
        pytest.param(number(missing=MISSING), "cannot leave it out", id="missing-required"),
        pytest.param(home(words={"castle": MISSING}), "'castle', which is not one of its words", id="unknown-word"),
        pytest.param(number(words={"5": MISSING}), "'5', which is not one of its words", id="word-of-a-number"),
        pytest.param(home(missing=("CODE", "Text")), r"missing=Reason\(code, text\)", id="tuple"),
        pytest.param(home(words={"own": "Text"}), r"words=\{word: Reason\(code, text\)\}", id="text-for-a-word"),
        pytest.param(home(words=None), r"words=\{word: Reason\(code, text\)\}", id="no-mapping"),
        pytest.param(number(code="A;B"), "'A;B' contains ';'", id="semicolon"),
        pytest.param(home(missing=Reason("A;B", "Text")), "'A;B' contains ';'", id="semicolon-in-missing"),
    ],
)
def test_a_reason_that_contradicts_its_field_is_refused(field: Any, why: str) -> None:
    # Given a contract with such a reason, when it is read, then the error names the field
    with pytest.raises(ContractError, match=why) as caught:
        fields_of(contract_with(field=field))
    assert caught.value.field == "field"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("", "is blank", id="empty"),
        pytest.param(" \t", "is blank", id="blank"),
        pytest.param(NO_BREAK, "is blank", id="no-break-space"),
        pytest.param(None, "is blank", id="none"),
        pytest.param(" Text", "begins or ends with a blank", id="blank-before"),
        pytest.param("Text\n", "begins or ends with a blank", id="line-break-after"),
        pytest.param("Te\nxt", r"has a character that is not printable, U\+000A", id="line-break"),
        pytest.param("Te\u2028xt", r"has a character that is not printable, U\+2028", id="line-separator"),
        pytest.param("Te\x00xt", r"has a character that is not printable, U\+0000", id="null"),
        pytest.param("Te\x1b[2Jxt", r"has a character that is not printable, U\+001B", id="escape"),
        pytest.param(f"Te{ZERO_WIDTH}xt", r"has a character that is not printable, U\+200B", id="zero-width"),
        pytest.param(
            f"Te{TO_THE_LEFT}xt", r"has a character that is not printable, U\+202E", id="right-to-left-override"
        ),
        pytest.param(f"Te{ARABIC_MARK}xt", r"has a character that is not printable, U\+061C", id="arabic-letter-mark"),
        pytest.param("Te\ud800xt", r"has a character that is not printable, U\+D800", id="half-a-character"),
    ],
)
@pytest.mark.parametrize("what", ["unit", "code", "text", "missing-code", "missing-text", "word-code", "word-text"])
def test_a_line_that_nobody_could_read_is_refused(what: str, line: Any, why: str) -> None:
    # Given a contract with such a unit, code or text
    kind, _, part = what.rpartition("-")
    lines: Any = {"code": "CODE", "text": "Text", part: line}
    if kind:
        field = home(missing=Reason(**lines)) if kind == "missing" else home(words={"own": Reason(**lines)})
    else:
        field = number(**lines)
    # When it is read, then the error names the field and the part
    with pytest.raises(ContractError, match=f"the (reason's )?{part} {why}") as caught:
        fields_of(contract_with(field=field))
    assert caught.value.field == "field"


def test_a_description_that_nobody_could_read_is_refused() -> None:
    bad = Annotated[int, Field(ge=0, le=9, description="a\nnumber"), Scored("free", "unit", "CODE", "Sentence")]
    with pytest.raises(ContractError, match=r"the description has a character that is not printable, U\+000A"):
        fields_of(contract_with(field=bad))


@pytest.mark.parametrize("text", ["Größe zu klein", "収入が少ない", "Доход ниже 50 %", "l'âge — « trop bas »"])
def test_a_line_of_any_script_is_accepted(text: str) -> None:
    [spec] = fields_of(contract_with(field=number(unit="€", text=text)))
    assert spec.scored.text == text


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(number(text="Another"), id="two-fields"),
        pytest.param(home(missing=Reason("CODE", "Another")), id="missing"),
        pytest.param(home(words={"rent": Reason("CODE", "Another")}), id="word"),
        pytest.param(home(missing=Reason("HOME", "Housing not stated")), id="the-same-field"),
    ],
)
def test_a_code_with_two_texts_is_refused(other: Any) -> None:
    # Given two reasons with one code, when the contract is read, then the error names the field of the second
    with pytest.raises(ContractError, match="has another text elsewhere") as caught:
        fields_of(contract_with(first=number(), other=other))
    assert caught.value.field == "other"


@pytest.mark.parametrize(
    ("name", "description", "text", "said"),
    [
        pytest.param("Income", "Income", "Income too low for the amount asked for", "for the amount", id="amount"),
        pytest.param("Debt", "Debts", "Debts too high in relation to income", "in relation to", id="relation"),
        pytest.param("Debt", "Debts", "Debt-to-income too high", "debt to income", id="hyphens"),
        pytest.param("Debt", "Debts", "DEBT RATIO", "ratio", id="capitals"),
        pytest.param("Price", "Price", "Loan-to-value too high", "loan to value", id="loan-to-value"),
        pytest.param("DebtToIncome", "A share", "Debt-to-income too high", None, id="its-name"),
        pytest.param("Ratio", "A share", "Ratio too high", None, id="its-name-alone"),
        pytest.param(
            "Debt", "Ratio of debts to income", "Ratio of debts to income too high", None, id="its-description"
        ),
        pytest.param("Rations", "Number of rations", "Rations too few", None, id="longer-word"),
        pytest.param("Income", "Income", "Income too low", None, id="plain"),
    ],
)
def test_a_text_that_relates_its_field_to_something_else_is_doubtful(
    name: str, description: str, text: str, said: str | None
) -> None:
    # Given a field with such a text, when it is read, then one sentence names the field, the code and the term
    spec = FieldSpec(name, "int", False, description, Scored("up", "unit", "CODE", text))
    expected = f"field {name}: the text of CODE says '{said}', but the model scores the field by itself"
    assert doubtful((spec,)) == ([expected] if said else [])


def test_reasons_of_missing_values_and_words_are_doubted_too() -> None:
    lent, rented = Reason("LENT", "Housing for the loan"), Reason("RENT", "Rent in relation to income")
    found = doubtful(fields_of(contract_with(home=home(missing=lent, words={"rent": rented}))))
    assert [re.findall("[A-Z]{4}", doubt) for doubt in found] == [["LENT"], ["RENT"]]


SHIPPED = ("model.applicant:Applicant", f"{EXAMPLE / 'applicant.py'}:Applicant")
# Words without a subject of their own.
SMALL = {"a", "the", "of", "in", "to", "for", "s", "that", "what", "is", "too", "with", "asked", "data", "word"}


def words_of(*texts: str) -> set[str]:
    """The words of some texts, in the singular and without the small ones."""
    found = re.findall(r"[a-z]+(?:-[a-z]+)*", " ".join(texts).replace("_", " ").lower())
    return {word.rstrip("s") for word in found} - SMALL


@pytest.mark.parametrize("where", SHIPPED, ids=["default", "example"])
def test_each_shipped_text_names_its_field_and_no_other(where: str) -> None:
    # Given a contract that ships, and the words by which it names and describes each field
    fields = fields_of(load_contract(where))
    own = {spec.name: words_of(spec.name, spec.description) for spec in fields}
    for spec in fields:
        foreign = set().union(*own.values()) - own[spec.name]
        for reason in spec.scored.reasons:
            # When a text is read, then it has a word of its own field, and none that only other fields have
            said = words_of(reason.text)
            assert said & own[spec.name], reason
            assert not said & foreign, (reason, said & foreign)
            # And it says that the value is missing if, and only if, it is the reason for that
            assert ("not stated" in reason.text) is (reason == spec.scored.missing)


@pytest.mark.parametrize("where", SHIPPED, ids=["default", "example"])
def test_shipped_contracts_raise_no_doubt_and_cover_missing_values(where: str) -> None:
    fields = fields_of(load_contract(where))
    assert doubtful(fields) == []
    assert [spec.name for spec in fields if spec.optional and spec.scored.missing is None] == []
