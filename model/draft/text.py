"""Writes guesses as the source of a contract. A person confirms each by taking its mark away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from model.contract.loading import MARK
from model.data.rejects import one_line

if TYPE_CHECKING:
    from model.contract.file import File
    from model.draft.guesses import Guess, Guesses

SUPPOSED = {
    "up": "more was better in the file",
    "down": "more was worse in the file",
    "free": "the file shows none",
}


def source_of(guesses: Guesses, file: File, origin: str) -> str:
    """The source of the contract `Applicant`.

    Parameters
    ----------
    guesses : Guesses
    file : File
        What the file looks like, but for names and id.
    origin : str
        The file's name.
    """
    parts = [
        f'"""An application, as {_plain(origin)} holds it: a draft, of which each line with a mark is a guess."""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Annotated, ClassVar, Literal",
        "",
        "from pydantic import Field",
        "",
        "from model.contract import Contract, File, Outcome, Reason, Scored, Sensitive",
        "",
        "",
        "class Applicant(Contract):",
        f'    """An application."""  {MARK} what is applied for',
        "",
    ]
    for field in guesses.fields:
        parts += _field(field)
    for column, why in guesses.ignored.items():
        parts.append(f"    {MARK} left out is {_text(column)}: {_plain(why)}")
    parts += ["", *_outcome(guesses), *_sensitive(guesses), *_file(guesses, file), *_samples(guesses)]
    return "\n".join(parts) + "\n"


def _field(field: Guess) -> list[str]:
    about = field.name.replace("_", " ").strip().capitalize()
    code = field.name.upper().strip("_")
    optional = " | None" if field.optional else ""
    what = "the sentence that a refused applicant reads"
    if field.kind == "choice":
        type_, limits, unit = f"Literal[{', '.join(map(_text, field.words))}]", "", "word"
        check = f"that there are no other words, whether they are in order, {what}"
    else:
        type_, limits, unit = field.kind, f"ge={field.minimum}, le={field.maximum}, ", "a number"
        check = f"range, unit, direction ({SUPPOSED[field.direction]}), {what}"
    text = (
        f"{about} {'too low' if field.direction == 'up' else 'too high' if field.direction == 'down' else ''}".strip()
    )
    missing = ""
    if field.optional:
        missing = f", missing=Reason({_text(f'{code}_NOT_STATED')}, {_text(f'{about} not stated')})"
    return [
        f"    {MARK} {check}",
        f"    {field.name}: Annotated[",
        f"        {type_}{optional},",
        f"        Field({limits}description={_text(about)}),",
        f"        Scored({_text(field.direction)}, {_text(unit)}, {_text(code)}, {_text(text)}{missing}),",
        f"    ]{' = None' if field.optional else ''}",
        "",
    ]


def _outcome(guesses: Guesses) -> list[str]:
    words = [f"column={_text(guesses.outcome)}", f"approve={_text(guesses.approve)}", f"deny={_text(guesses.deny)}"]
    if guesses.leave_out:
        words.append(f"leave_out={_tuple(guesses.leave_out)}")
    return [
        f"    {MARK} which column is the outcome, and which label is the good one",
        f"    outcome: ClassVar[Outcome] = Outcome({', '.join(words)})",
    ]


def _sensitive(guesses: Guesses) -> list[str]:
    if not guesses.sensitive:
        return [
            f"    {MARK} no column looks sensitive: declare one, or write why there is none",
            '    # no_sensitive_reason: ClassVar[str | None] = "…"',
        ]
    lines = [
        f"    {MARK} these columns judge the model and are never scored; groups= joins values",
        "    sensitive: ClassVar[tuple[Sensitive, ...]] = (",
    ]
    for column, bands in guesses.sensitive.items():
        lines.append(f"        Sensitive({_text(column)}{'' if bands is None else f', bands={_tuple(bands)}'}),")
    return [*lines, "    )"]


def _file(guesses: Guesses, file: File) -> list[str]:
    renamed = {field.name: field.column for field in guesses.fields if field.name != field.column}
    looks = {
        **({"columns": renamed} if renamed else {}),
        **file.as_data(),
        **({"id": guesses.identifier} if guesses.identifier else {}),
    }
    if not looks:
        return []
    words = [
        f"{name}={_tuple(tuple(value)) if isinstance(value, list) else _text(value)}" for name, value in looks.items()
    ]
    return [f"    {MARK} what the file looks like", f"    file: ClassVar[File] = File({', '.join(words)})"]


def _samples(guesses: Guesses) -> list[str]:
    typical = ", ".join(f"{_text(field.name)}: {_text(field.typical)}" for field in guesses.fields)
    return [
        f"    {MARK} an invented application, here with the usual value of each field",
        f"    samples: ClassVar[tuple[dict[str, object], ...]] = ({{{typical}}},)",
    ]


def _text(value: object) -> str:
    """A value as Python source on one line, with double quotes where JSON has them."""
    return json.dumps(value) if isinstance(value, str | dict) else repr(value)


def _tuple(values: tuple[object, ...]) -> str:
    return f"({', '.join(map(_text, values))}{',' if len(values) == 1 else ''})"


def _plain(text: str) -> str:
    """Text that is safe in a comment and in a docstring."""
    return one_line(text).replace("\\", "/").replace('"', "'")
