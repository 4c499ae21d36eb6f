"""The OpenAPI document as a page for people, at `GET /docs`: without a script, and without any other request."""

from __future__ import annotations

import json
from html import escape

from lambda_app.web.pages import html_response, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.web.messages import Response

    Schema = dict[str, Any]


def page(document: Schema) -> Response:
    """A page that shows every operation, with its examples and refusals, and every schema."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document["components"]["schemas"]
    return html_response(
        "docs",
        title=escape(document["info"]["title"]),
        about=_prose(document["info"]["description"]),
        version=escape(document["info"]["version"]),
        contents="".join(
            f'<li><a href="#{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></a> '
            f"{escape(operation['summary'])}</li>"
            for method, path, operation in operations
        ),
        operations="".join(_operation(*each, document) for each in operations),
        schemas="".join(_schema(name, schema) for name, schema in schemas.items()),
    )


def _operation(method: str, path: str, operation: Schema, document: Schema) -> str:
    name = escape(operation["operationId"])
    parts = [
        f'<section id="{name}"><h2><code>{method} {escape(path)}</code></h2>',
        f"<p><strong>{escape(operation['summary'])}.</strong> {_prose(operation.get('description', ''))}</p>",
    ]
    parts += [
        f"<p>Header <code>{escape(each['name'])}</code>, optional: {_prose(each['description'])}.</p>"
        for each in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        parts.append(f"<h3>Request</h3>{_content(operation['requestBody']['content'])}")
    parts.append("<h3>Answers</h3>")
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            answer = document["components"]["responses"][_last(answer["$ref"])]
        parts.append(f"<h4>{status}: {escape(answer['description'])}</h4>{_content(answer['content'])}")
    return "".join((*parts, "</section>"))


def _content(content: Schema) -> str:
    [(media_type, body)] = content.items()
    shown = [f"<p><code>{escape(media_type)}</code>: {_type(body['schema'])}</p>"]
    examples = {"example": {"value": body["example"]}} if "example" in body else body.get("examples", {})
    shown += [
        f"<details><summary>{escape(name.capitalize())}</summary>"
        f"<pre>{escape(json.dumps(each['value'], indent=2, ensure_ascii=False))}</pre></details>"
        for name, each in examples.items()
    ]
    return "".join(shown)


def _schema(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><th scope=row><code>{escape(key)}</code>{'' if key in required else ' <span>optional</span>'}</th>"
        f"<td>{_type(rules)}{_rules(rules)}</td><td>{escape(rules.get('description', ''))}</td></tr>"
        for key, rules in schema.get("properties", {}).items()
    )
    return (
        f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>'
        f"<table><thead><tr><th scope=col>Member</th><th scope=col>Type</th><th scope=col>What</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = escape(_last(schema["$ref"]))
        return f'<a href="#schema-{name}">{name}</a>'
    for either in ("oneOf", "anyOf"):
        if either in schema:
            return " or ".join(_type(each) + _rules(each) for each in schema[either])
    kind = schema.get("type", "any" if "const" not in schema else "string")
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object" and len(schema.get("properties", {})) == 1:
        [(name, inner)] = schema["properties"].items()
        return f"object with <code>{escape(name)}</code>: {_type(inner)}"
    return escape(" or ".join(kind) if isinstance(kind, list) else kind)


def _rules(schema: Schema) -> str:
    """What a schema says besides its type."""
    said = []
    if "enum" in schema:
        said.append(
            ", ".join(f"<code>{escape(json.dumps(word, ensure_ascii=False))}</code>" for word in schema["enum"])
        )
    if "const" in schema:
        said.append(f"<code>{escape(json.dumps(schema['const'], ensure_ascii=False))}</code>")
    if "minimum" in schema:
        said.append(f"{number(schema['minimum'])} to {number(schema['maximum'])}")
    if "pattern" in schema:
        said.append(f"<code>{escape(schema['pattern'])}</code>")
    if "maxItems" in schema:
        said.append(f"at most {number(schema['maxItems'])}")
    if "x-unit" in schema:
        said.append(escape(schema["x-unit"]))
    return "".join(f"; {each}" for each in said)


def _prose(text: str) -> str:
    """Text with `code` in backquotes."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]
