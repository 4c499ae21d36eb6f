"""Turns each shape of event into a request, and an answer into that shape.

| shape | told by |
| --- | --- |
| function URL, HTTP API (payload 2.0) | `requestContext.http` |
| ALB | `requestContext.elb` |
| REST API (payload 1.0) | any other `requestContext` |
| direct invoke, also Step Functions' Distributed Map | no `requestContext` |

Sources: the event documents of Lambda's integrations with function URLs, API Gateway and Application Load Balancers.
"""

from __future__ import annotations

import json
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections import namedtuple

from lambda_app.errors import Malformed, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from lambda_app.errors import Refusal


class Request(namedtuple("Request", "source method path read")):
    """A request, whatever brought it.

    `source` (str) names the event's shape, `read` is called for the parsed body: not every path wants one.
    """

    __slots__ = ()


def request_from(event: object, max_body_length: int) -> Request:
    """Read an event.

    Raises
    ------
    Malformed
        Half an envelope: it has a `requestContext`, but not what must come with it.
    """
    source = source_of(event)
    if source == "direct":
        return Request(source, "POST", "/predict", lambda: event)
    envelope: dict[str, Any] = event  # type: ignore[assignment]  # source_of has looked
    if source == "http":
        method, path = envelope["requestContext"]["http"].get("method"), envelope.get("rawPath")
        stage = envelope["requestContext"].get("stage")
        # An HTTP API's named stage stands before the route; the default stage does not, nor does a function URL's.
        named = isinstance(stage, str) and stage not in ("", "$default")
        if named and isinstance(path, str) and f"{path}/".startswith(f"/{stage}/"):
            path = path[len(f"/{stage}") :] or "/"
    else:
        method, path = envelope.get("httpMethod"), envelope.get("path")
    if not isinstance(method, str) or not isinstance(path, str):
        raise Malformed("The event names no method or no path")
    return Request(source, method.upper(), path, lambda: _body(envelope, max_body_length))


def source_of(event: object) -> str:
    """The shape of an event: "direct", "http" (payload 2.0), "alb" or "rest" (payload 1.0)."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(context, dict):
        return "direct"
    if isinstance(context.get("http"), dict):
        return "http"
    return "alb" if "elb" in context else "rest"


def answer(source: str, event: object, status: int, body: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """An answer in the shape that the source expects. The body is strict JSON."""
    kind = "application/json" if status < 400 else "application/problem+json"
    headers = {"Content-Type": kind, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers}
    envelope: dict[str, Any] = {"statusCode": status, "headers": headers, "body": to_json(body)}
    if source == "alb":
        envelope["statusDescription"] = f"{status} {_PHRASES[status]}"
        envelope["isBase64Encoded"] = False
        if isinstance(event, dict) and "multiValueHeaders" in event:
            # The target group's setting: such an ALB reads the multi-value form only.
            envelope["multiValueHeaders"] = {name: [value] for name, value in envelope.pop("headers").items()}
    return envelope


def refusal(source: str, event: object, refused: Refusal, request_id: str) -> dict[str, Any]:
    """A refusal as an answer."""
    return answer(source, event, refused.status, refused.problem(request_id), refused.headers())


to_json = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    422: "Unprocessable Content",
    500: "Internal Server Error",
}


def _body(envelope: dict[str, Any], max_body_length: int) -> object:
    body = envelope.get("body")
    if not isinstance(body, str) or not body:
        raise Malformed("The request has no body")
    if len(body) > max_body_length:
        raise TooLarge(f"A body may have {max_body_length} characters")
    try:
        if envelope.get("isBase64Encoded") is True:
            body = a2b_base64(body, strict_mode=True).decode()
    except (Base64Error, ValueError):
        raise Malformed("The body is not UTF-8 text in base64, as its envelope says it is") from None
    try:
        return _decoder.decode(body)
    except RecursionError:
        raise Malformed("The body is nested too deeply") from None
    except _NotStrictJson as err:
        raise Malformed(str(err)) from None
    except json.JSONDecodeError:
        # Its message may quote the text.
        raise Malformed("The body is not JSON") from None
    except ValueError:
        # What is left is Python's limit on the digits of an integer. A `parse_int` of our own could ask first, but
        # would cost every integer of every request a call.
        raise Malformed("The body holds an integer of too many digits") from None


class _NotStrictJson(ValueError):
    """Python reads it, but it is not strict JSON."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise _NotStrictJson("The body names a key twice")
    return unique


def _no_constant(_name: str) -> NoReturn:
    raise _NotStrictJson("The body holds NaN or an infinity, which are not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
