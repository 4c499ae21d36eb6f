"""Contracts that contradict themselves or contain code are refused when they are read, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field

from model.contract import Contract, Outcome, Scored, Sensitive
from model.contract.errors import ContractError
from model.contract.fields import fields_of
from model.contract.loading import load_contract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UP = Scored("up", "unit", "CODE", "Sentence")
FREE = Scored("free", "word", "CODE", "Sentence")


class Sound(Contract):
    """A sound contract; those below each differ from it in one thing."""

    years: Annotated[int, Field(ge=0, le=50, description="years"), UP]
    home: Annotated[Literal["rent", "own"] | None, Field(description="home"), FREE] = None

    outcome: ClassVar[Outcome] = Outcome("status", "good", "bad")
    sensitive: ClassVar[tuple[Sensitive, ...]] = (Sensitive("age", bands=(25, 40)), Sensitive("marital"))
    samples: ClassVar[tuple[dict[str, object], ...]] = ({"years": 3, "home": "own"}, {"years": 4})


def differing(**namespace: object) -> type[Contract]:
    """The sound contract with another outcome, or other sensitive columns, samples or methods."""
    return type("Differing", (Sound,), {"__module__": __name__, **namespace})


def test_the_sound_contract_is_accepted() -> None:
    assert [spec.name for spec in fields_of(differing())] == ["years", "home"]


def test_contract_may_say_why_it_has_no_sensitive_column() -> None:
    assert fields_of(differing(sensitive=(), no_sensitive_reason="Companies have no age."))


@pytest.mark.parametrize(
    ("namespace", "field", "why"),
    [
        pytest.param({"outcome": Outcome("years", 1, 0)}, "years", "is also the outcome", id="outcome-as-a-field"),
        pytest.param(
            {"sensitive": (Sensitive("home"),)}, "home", "is also a sensitive column", id="sensitive-column-as-a-field"
        ),
        pytest.param({"sensitive": (Sensitive("status"),)}, None, "status twice", id="outcome-as-a-sensitive-column"),
        pytest.param(
            {"sensitive": (Sensitive("age"), Sensitive("age", bands=(1,)))}, None, "age twice", id="sensitive-twice"
        ),
        pytest.param(
            {"no_sensitive_reason": "No need"}, None, "but has 2", id="reason-for-no-sensitive-column-but-two"
        ),
        pytest.param(
            {"sensitive": (), "no_sensitive_reason": " "},
            None,
            "says nothing",
            id="blank-reason-for-no-sensitive-column",
        ),
        pytest.param(
            {"sensitive": (), "no_sensitive_reason": True}, None, "says nothing", id="reason-that-is-not-in-words"
        ),
        pytest.param({"samples": ({"years": 3}, {"years": 51})}, "years", "sample 2 breaks", id="sample-out-of-range"),
        pytest.param({"samples": ({"years": 3, "age": 30},)}, "age", "sample 1 breaks", id="sample-with-other-field"),
        pytest.param({"samples": ([3],)}, None, "sample 1 breaks", id="sample-that-is-not-an-application"),
        pytest.param(
            {"model_post_init": lambda self, context: None},  # noqa: ARG005  # pydantic's signature
            None,
            "rules in code .*post_init",
            id="code-after-validation",
        ),
        pytest.param(
            {"__init__": lambda self, **values: Contract.__init__(self, **values)},
            None,
            "rules in code .*custom_init",
            id="code-instead-of-validation",
        ),
    ],
)
def test_a_contract_that_contradicts_itself_is_refused(
    namespace: dict[str, object], field: str | None, why: str
) -> None:
    # Given a contract that differs from the sound one, when it is read, then the error says what is wrong
    contract = differing(**namespace)
    with pytest.raises(ContractError, match=why) as caught:
        fields_of(contract)
    assert caught.value.field == field


def test_a_direction_that_does_not_exist_is_refused() -> None:
    class Misdirected(Sound):
        years: Annotated[int, Field(ge=0, le=50, description="years"), Scored("Up", "unit", "C", "S")]

    # Given a direction with a capital letter, when the contract is read, then the error names the field
    with pytest.raises(ContractError, match="one of up, down, free") as caught:
        fields_of(Misdirected)
    assert caught.value.field == "years"


@pytest.mark.parametrize("count", [255, 256])
def test_a_field_may_have_at_most_255_words(count: int) -> None:
    words: Any = Literal[tuple(f"word {number}" for number in range(count))]
    home: Any = Annotated[words | None, Field(description="home"), FREE]
    contract = differing(__annotations__={"home": home}, home=None, samples=())
    if count == 255:
        assert len(fields_of(contract)[1].words) == count
    else:
        with pytest.raises(ContractError, match=r"256 words are too many.* at most 255") as caught:
            fields_of(contract)
        assert caught.value.field == "home"


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        pytest.param(lambda: Sensitive("age", bands=()), "bands of the sensitive column age", id="no-bands"),
        pytest.param(lambda: Sensitive("age", bands=(45, 30)), "greater than the one before", id="falling-bands"),
        pytest.param(lambda: Sensitive("age", bands=(30, 30)), "greater than the one before", id="equal-bands"),
        pytest.param(lambda: Sensitive("age", bands=(30, float("inf"))), "finite numbers", id="infinite-band"),
        pytest.param(
            lambda: Sensitive("marital", groups={"one": ("a", "b"), "two": ("b",)}),
            "'b' of the sensitive column marital is in two groups, 'one' and 'two'",
            id="value-in-two-groups",
        ),
        pytest.param(
            lambda: Sensitive("code", groups={"one": (1,), "two": ("1",)}), "in two groups", id="same-text-in-a-csv"
        ),
        pytest.param(
            lambda: Sensitive("age", groups={"all": (1,)}, bands=(30,)),
            "declare only one of them",
            id="groups-and-bands",
        ),
        pytest.param(lambda: Outcome("status", "good", "good"), "same label", id="one-label"),
    ],
)
def test_meaningless_groups_and_labels_cannot_be_declared(declare: Callable[[], object], why: str) -> None:
    # Given groups or labels that overlap or are empty, when they are declared, then the error names the column
    with pytest.raises(ContractError, match=why):
        declare()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("class Applicant(", "SyntaxError", id="broken-syntax"),
        pytest.param("Applicant = Unknown", "NameError: name 'Unknown'", id="unknown-name"),
        pytest.param("1 / 0", "ZeroDivisionError", id="whatever-it-raises"),
        pytest.param(
            "from model.contract import Sensitive\nSensitive('age', bands=())", "^the bands of", id="wrong-declaration"
        ),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(tmp_path: Path, text: str, why: str) -> None:
    # Given a file with an error in it, when its contract is loaded, then a contract error repeats it
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=why):
        load_contract(f"{path}:Applicant")


def test_a_type_that_is_not_defined_is_a_contract_error(tmp_path: Path) -> None:
    # Given a field of an undefined type, which pydantic only looks up when the contract is used
    path = tmp_path / "undefined.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from model.contract import Contract, Outcome\n"
        "class Applicant(Contract):\n    years: Unknown\n\nApplicant.outcome = Outcome('y', 1, 0)\n",
        encoding="utf-8",
    )
    # When it is read, then the error says so
    with pytest.raises(ContractError, match="type that is not defined"):
        fields_of(load_contract(f"{path}:Applicant"))
