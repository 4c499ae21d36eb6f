"""The OpenAPI 3.1 document of the service, made from the contract that an artifact carries.

`GET /openapi.json` answers with it, `GET /docs` shows it, and `python -m model openapi` prints it. Apart from the
examples it depends on the contract alone, so that a release of the same contract changes no generated client.
"""

from __future__ import annotations

from lambda_app import errors
from lambda_app.web.keys import CHARACTERS_PATTERN, KEY, LONGEST
from lambda_app.web.messages import JSON, PROBLEM
from lambda_app.web.notice import ABOUT
from lambda_app.web.notice import LONGEST as LONGEST_TEXT
from lambda_app.web.notice import PATTERN as PATTERN_OF_TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.manifest import CarriedContract, Manifest

    Schema = dict[str, Any]

# Raised when an answer changes in a way that a client could notice.
API_VERSION = "1.0.0"
MODEL_VERSION, REQUEST_ID = "0123456789ab", "6f1c3a52-8a7e-4d0c-9f6b-2f6d6a1f0b5e"
PATTERN = f"^[{CHARACTERS_PATTERN}]{{1,{LONGEST}}}$"
# What each operation may refuse; the key is that of `components.responses`.
BODY_REFUSALS = (errors.Malformed, errors.TooLarge, errors.Invalid, errors.Expired)


def document(manifest: Manifest, *, base_path: str = "", max_batch: int = 1000) -> Schema:
    """The OpenAPI document.

    Parameters
    ----------
    manifest : Manifest
        Its contract, and of its golden cases the first two requests, which are the contract's samples if it has any.
    base_path : str
        What stands before every path.
    max_batch : int
        The most applications in one request.
    """
    contract = manifest["contract"]
    examples = [case["request"] for case in manifest["golden"][:2]]
    about = str(contract["json_schema"].get("description") or contract["name"]).strip()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Credit decisions: {about.splitlines()[0].rstrip('.')}",
            "version": API_VERSION,
            "description": (
                'Decides applications, and says why one was denied. Types are strict: `true` is not 1, `"5"` is not '
                "5, and `5.0` is not a whole number. No answer repeats a value that was sent."
            ),
        },
        "servers": [{"url": base_path or "/"}],
        "paths": {
            "/predict": {"post": _decide("decide", max_batch, examples, contract)},
            "/changes": {"post": _changes(examples, contract)},
            "/notice": {"post": _notice(examples)},
            "/health": {"get": _health()},
            "/model": {
                "get": _read("model", "What decides", "The model, its training, and the contract", _ref("Model"))
            },
            "/openapi.json": {"get": _read("openapi", "This document", "OpenAPI 3.1", {"type": "object"})},
            "/docs": {"get": _page("docs", "This document for people")},
            "/": {
                "get": _page("form", "A form for people"),
                "post": _decide("decideAtRoot", max_batch, examples, contract),
            },
        },
        "components": {"schemas": _schemas(contract), "responses": _refusals()},
    }


def _decide(name: str, max_batch: int, examples: list[Any], contract: CarriedContract) -> Schema:
    batch = {"type": "array", "items": _ref("Application"), "maxItems": max_batch}
    shown: Schema = {f"application {number}": {"value": value} for number, value in enumerate(examples, 1)}
    if examples:
        shown["batch"] = {"summary": "Several at once", "value": examples}
    return {
        "operationId": name,
        "summary": "Decide one application, or a list of them",
        "description": (
            "A list is answered in its order, and an application that cannot be decided gets an error in its place. "
            "The same at `/predict` and at `/`. For one application, the header `X-Application-Id` may name your own "
            f"key instead of its member `{KEY}`."
        ),
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"oneOf": [_ref("Application"), batch]}, **_examples(shown)}},
        },
        "responses": {
            "200": _answer(
                "A decision; a list of them for a list",
                {"oneOf": [_ref("Decision"), _ref("Predictions")]},
                {
                    "approval": {"value": _decision(contract, 1)},
                    "denial": {"value": _decision(contract, 0)},
                    "batch": {"value": {"predictions": [_decision(contract, 0)]}},
                },
            ),
            **_refused(BODY_REFUSALS),
        },
    }


def _changes(examples: list[Any], contract: CarriedContract) -> Schema:
    first = next((field for field in contract["fields"] if "change" in field), contract["fields"][0])
    to: Any = first["words"][0] if first["words"] else 1
    found = {
        "decision": "deny",
        "one": [{"field": first["name"], "to": to, "share": 0.25}],
        "two": [],
        "model_version": MODEL_VERSION,
        "request_id": REQUEST_ID,
    }
    return {
        "operationId": "changes",
        "summary": "What would have led to an approval",
        "description": (
            "The smallest changes of what the contract says a person can change: `one` field alone, smallest first, "
            "and the smallest of `two` fields that are enough only together. It decides nothing and is not logged."
        ),
        "requestBody": {
            "required": True,
            "content": {
                JSON: {
                    "schema": _ref("Application"),
                    **_examples(
                        {f"application {number}": {"value": value} for number, value in enumerate(examples, 1)}
                    ),
                }
            },
        },
        "responses": {
            "200": _answer("The changes; none for an approval", _ref("Changes"), {"denial": {"value": found}}),
            **_refused(BODY_REFUSALS),
        },
    }


def _notice(examples: list[Any]) -> Schema:
    text = {"type": "string", "maxLength": LONGEST_TEXT, "pattern": PATTERN_OF_TEXT}
    about = {**_object(dict.fromkeys(ABOUT, text), optional=ABOUT), "description": "What else the letter says"}
    schema = _object({"application": _ref("Application"), "about": about}, optional=("about",))
    shown = {"denial": {"value": {"application": examples[-1], "about": {"name": "A. Applicant"}}}} if examples else {}
    return {
        "operationId": "notice",
        "summary": "Draft the notice of adverse action for a denial",
        "description": (
            "A page to print, in the layout of form C-1 of Regulation B: a draft for counsel. It decides nothing and "
            "is not logged."
        ),
        "requestBody": {"required": True, "content": {JSON: {"schema": schema, **_examples(shown)}}},
        "responses": {
            "200": {"description": "The notice", "content": {"text/html": {"schema": {"type": "string"}}}},
            **_refused((*BODY_REFUSALS[:1], errors.NotDenied, *BODY_REFUSALS[1:])),
        },
    }


def _health() -> Schema:
    operation = _read("health", "Whether the service decides", "It decides", _ref("Health"))
    operation["responses"]["503"] = _answer("The model has expired, and the service refuses", _ref("Health"), {})
    return operation


def _read(name: str, summary: str, described: str, schema: Schema) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _answer(described, schema, {}), **_refused(())},
    }


def _page(name: str, summary: str) -> Schema:
    content = {"text/html": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "A page", "content": content}, **_refused(())},
    }


def _answer(described: str, schema: Schema, examples: Schema) -> Schema:
    return {"description": described, "content": {JSON: {"schema": schema, **_examples(examples)}}}


def _examples(shown: Schema) -> Schema:
    return {"examples": shown} if shown else {}


def _refused(kinds: tuple[type[errors.Refusal], ...]) -> Schema:
    refused = {str(kind.status): {"$ref": f"#/components/responses/{kind.__name__}"} for kind in kinds}
    return {**refused, "500": {"$ref": "#/components/responses/ServiceFailed"}}


def _refusals() -> Schema:
    """Each refusal as a response, and the failure, with an example as the service writes it."""
    samples = (
        errors.Malformed("The body is not JSON"),
        errors.NotDenied("The application is approved"),
        errors.TooLarge("A request may carry 1000 applications"),
        errors.Invalid([{"field": None, "rule": "dict_type", "detail": "An application is a JSON object"}]),
        errors.Expired("Release a model that is trained on newer data; GET /model says how old this one may be"),
    )
    found: Schema = {}
    for refusal in samples:
        found[type(refusal).__name__] = {
            "description": refusal.title,
            "content": {PROBLEM: {"schema": _ref("Problem"), "example": refusal.problem(REQUEST_ID)}},
        }
    failure = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "request_id": REQUEST_ID}
    found["ServiceFailed"] = {
        "description": "The service failed; the answer reveals only the request id",
        "content": {PROBLEM: {"schema": _ref("Problem"), "example": failure}},
    }
    return found


def _decision(contract: CarriedContract, prediction: int) -> Schema:
    """A decision as it looks, with the contract's first reason."""
    field = contract["fields"][0]
    return {
        "prediction": prediction,
        "decision": "approve" if prediction else "deny",
        "probability": 0.93 if prediction else 0.21,
        "reasons": [] if prediction else [{"code": field["code"], "field": field["name"], "text": field["text"]}],
        "model_version": MODEL_VERSION,
        "request_id": REQUEST_ID,
    }


def _schemas(contract: CarriedContract) -> Schema:
    names = [field["name"] for field in contract["fields"]]
    application = contract["json_schema"]
    key = {"type": "string", "pattern": PATTERN, "description": "Your own key of the application; never scored"}
    sent_key = {**key, "type": ["string", "null"]}
    version = {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "Everything that decides, as a hash"}
    request = {"type": "string", "description": "Identifies the answer here and in the log"}
    common = {"model_version": version, "request_id": request, "application_id": key}
    word = {"type": "string", "enum": ["approve", "deny"]}
    to = {"type": ["number", "string"], "description": "The nearest value that is enough"}
    share = {"type": "number", "minimum": 0, "maximum": 1, "description": "The share of applicants that it passes"}
    return {
        "Application": {**application, "properties": {**application["properties"], "application_id": sent_key}},
        "Reason": _object(
            {
                "code": {"type": "string"},
                "field": {"type": "string", "enum": names},
                "text": {"type": "string", "description": "The sentence that the applicant reads"},
            },
        ),
        "Decision": _object(
            {
                "prediction": {"type": "integer", "enum": [0, 1], "description": "1 approves"},
                "decision": word,
                "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "Of being creditworthy"},
                "reasons": {
                    "type": "array",
                    "items": _ref("Reason"),
                    "maxItems": 4,
                    "description": "Of a denial, the weightiest first; empty for an approval",
                },
                **common,
            },
            optional=("application_id",),
        ),
        "Predictions": _object(
            {
                "predictions": {
                    "type": "array",
                    "items": {"oneOf": [_ref("Decision"), _object({"error": _ref("Problem")})]},
                }
            },
        ),
        "Change": _object({"field": {"type": "string", "enum": names}, "to": to, "share": share}),
        "Changes": _object(
            {
                "decision": word,
                "one": {"type": "array", "items": _ref("Change")},
                "two": {"type": "array", "items": _ref("Change"), "maxItems": 2},
                **common,
            },
            optional=("application_id",),
        ),
        "Health": _object(
            {"status": {"type": "string", "enum": ["ok", "stale", "expired"]}, "model_version": version},
        ),
        "Model": {
            "type": "object",
            "properties": {"model_version": version},
            "required": ["model_version"],
            "description": "Version, training, threshold, metrics, gate result, and the JSON Schema of an application",
        },
        "BrokenRule": _object(
            {
                "field": {"type": ["string", "null"], "description": "null for the application as a whole"},
                "rule": {"type": "string"},
                "detail": {"type": "string"},
            },
        ),
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "errors": {"type": "array", "items": _ref("BrokenRule")},
                "request_id": request,
                "application_id": key,
            },
            "required": ["type", "title", "status", "request_id"],
        },
    }


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
