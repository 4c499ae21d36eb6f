"""The web form at `GET /`: one page without any other request, built from the contract that the artifact carries.

Its style, its script and the frame around the fields are files in `pages/`. A policy in the answer's headers lets the
browser run this one script and talk to this service alone.
"""

from __future__ import annotations

from html import escape

from lambda_app.manifest import value_schema
from lambda_app.web.messages import to_json
from lambda_app.web.pages import html_response, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.manifest import Field, Manifest
    from lambda_app.web.messages import Response

# Up to this many words are shown at once; more are a list that opens.
MOST_BUTTONS = 5


def page(manifest: Manifest) -> Response:
    """The form for the applications that a model decides."""
    contract = manifest["contract"]
    schema = contract["json_schema"]
    described = str(schema.get("description") or contract["name"]).strip()
    fields = [_about(field, manifest, place) for place, field in enumerate(contract["fields"])]
    carried = {
        "fields": fields,
        "threshold": manifest["threshold"],
        "changes": any("change" in field for field in contract["fields"]),
    }
    return html_response(
        "form",
        title=escape(described.splitlines()[0].rstrip(".")),
        fields="\n".join(map(_field, fields)),
        version=escape(manifest["model_version"]),
        contract=to_json(carried).replace("<", "\\u003c"),
    )


def _about(field: Field, manifest: Manifest, place: int) -> dict[str, Any]:
    """What the page has to know about a field."""
    contract, name = manifest["contract"], field["name"]
    rules = value_schema(contract["core_schema"]["fields"][name]["schema"])
    shown = contract["json_schema"].get("properties", {}).get(name, {})
    return {
        "place": place,
        "name": name,
        "label": shown.get("title") or name,
        "description": field["description"],
        "kind": field["kind"],
        "optional": field["optional"],
        "unit": field["unit"] if field["kind"] in ("int", "float") else "",
        "direction": field["direction"],
        "minimum": rules.get("ge"),
        "maximum": rules.get("le"),
        "words": field["words"],
    }


def _field(field: dict[str, Any]) -> str:
    """One field of the form, with its hint and a place for what is wrong with it."""
    name, kind = f"f{field['place']}", field["kind"]
    label = escape(field["label"]) + (' <span class="optional">(optional)</span>' if field["optional"] else "")
    hint = escape(field["description"])
    if kind in ("int", "float"):
        hint += f". From {number(field['minimum'])} to {number(field['maximum'])}"
    attributes = f'aria-describedby="{name}-hint {name}-error"'
    hint = f'<p class="hint" id="{name}-hint">{hint}</p>'
    error = f'<p class="error" id="{name}-error" hidden></p>'
    required = "" if field["optional"] else " required"
    if kind in ("int", "float"):
        mode = "decimal" if kind == "float" else "numeric"
        # Phones' keyboards for numbers lack the minus.
        mode = "text" if field["minimum"] < 0 else mode
        unit = f'<span class="unit">{escape(field["unit"])}</span>'
        control = (
            f'<div class="with-unit"><input type="text" id="{name}" name="{name}" inputmode="{mode}" '
            f'autocomplete="off" spellcheck="false" {attributes}{required}>{unit}</div>'
        )
        return f'<div class="field" id="{name}-box"><label for="{name}">{label}</label>{hint}{control}{error}</div>'
    # By numbers, since a word may be empty or begin with a blank.
    choices = [(str(number), word) for number, word in enumerate(field["words"] or ("No", "Yes"))]
    if len(choices) > MOST_BUTTONS:
        first = "Not stated" if field["optional"] else "Choose …"
        options = "".join(f'<option value="{value}">{escape(text)}</option>' for value, text in choices)
        control = (
            f'<select id="{name}" name="{name}" autocomplete="off" {attributes}{required}>'
            f'<option value="">{first}</option>{options}</select>'
        )
        return f'<div class="field" id="{name}-box"><label for="{name}">{label}</label>{hint}{control}{error}</div>'
    if field["optional"]:
        choices.append(("", "Not stated"))
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{value}" autocomplete="off"'
        f"{required}{'' if value else ' checked'}> {escape(text)}</label>"
        for value, text in choices
    )
    return (
        f'<fieldset class="field" id="{name}-box" {attributes}><legend>{label}</legend>{hint}'
        f'<div class="choices">{buttons}</div>{error}</fieldset>'
    )
