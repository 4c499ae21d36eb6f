"""The event sources: each reads its events as requests and answers in its own shape.

| source | shape | recognised by |
| --- | --- | --- |
| `http` | function URL, HTTP API (payload 2.0) | `requestContext.http` |
| `alb` | Application Load Balancer | `requestContext.elb` |
| `rest` | REST API (payload 1.0) | any other `requestContext` |
| `ping` | a schedule, or a plugin that keeps functions warm | `detail-type` Scheduled Event; the plugin's `source` |
| `queue` | SQS, SNS, S3, Kinesis and other triggers: not served | `Records` alone |
| `step-functions` | Step Functions' Distributed Map | `Items`, alone or with `BatchInput` |
| `direct` | any other direct invoke | no `requestContext` |

To add a source, write a class like those below and add it to `SOURCES`, before any that would claim its events.
Shapes: the event documents of Lambda's integrations with function URLs, API Gateway and Application Load Balancers.
"""

from __future__ import annotations

import json

from lambda_app.errors import Malformed, TooLarge, Unserved
from lambda_app.web.body import parsed
from lambda_app.web.messages import ITEMS_KEYS, SHOW_MANIFEST, Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict

    from lambda_app.web.body import Event
    from lambda_app.web.messages import Response

    class Envelope(TypedDict, total=False):
        """An answer in the form that Lambda's integrations expect."""

        statusCode: int
        statusDescription: str
        headers: dict[str, str]
        multiValueHeaders: dict[str, list[str]]
        body: str
        isBase64Encoded: bool


class Direct:
    """A direct invoke: the event is the body, which AWS's runtime client has parsed."""

    name = "direct"
    # The most bytes that an answer may have: Lambda's own limit, less what an envelope adds.
    most_bytes = 6_000_000
    # Whether the caller must be told by an exception that there is no good answer.
    raises = False

    def infers(self, _event: object, context: Event | None) -> bool:
        """Whether an event with this `requestContext` comes from this source."""
        return context is None

    def read(self, event: Any, _max_body_length: int) -> Request:
        """The request that an event carries.

        Raises
        ------
        Malformed
            The event has no method or no path.
        """
        if event == SHOW_MANIFEST:
            return Request(self.name, "GET", "/manifest", lambda: event)
        return Request(self.name, "POST", "/predict", lambda: event)

    def check(self, response: Response) -> None:
        """Check that a response is not longer than the source can pass on.

        Raises
        ------
        TooLarge
        """
        body = response.body
        if isinstance(body, str) and 2 * len(body) > self.most_bytes:
            self._check_bytes(len(body) + body.count('"') + body.count("\\"), response)  # quoted in the envelope

    def _check_bytes(self, size: int, response: Response) -> None:
        if size > self.most_bytes:
            count = len(response.records)
            raise TooLarge(
                f"The answer takes {size} bytes, and {self.most_bytes} can be passed on; "
                f"send {count * self.most_bytes // size} applications at a time instead of {count}"
            )

    def answer(self, _event: Any, response: Response) -> Envelope:
        """The response in the shape that the source expects."""
        envelope: Envelope = {
            "statusCode": response.status,
            "headers": {
                "Content-Type": response.media_type,
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                **response.headers,
            },
        }
        if isinstance(response.body, bytes):
            from binascii import b2a_base64  # most answers are text

            envelope["body"] = b2a_base64(response.body, newline=False).decode()
            envelope["isBase64Encoded"] = True
        else:
            envelope["body"] = response.body
        return envelope


class StepFunctions(Direct):
    """Step Functions' Distributed Map: its answer is plain JSON, and an exception is what Retry and Catch act on.

    Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
    """

    name = "step-functions"
    # 256 KiB pass from state to state, less what the invocation's own result adds.
    most_bytes = 256 * 1024 - 4096
    raises = True

    def infers(self, event: object, context: Event | None) -> bool:
        return context is None and isinstance(event, dict) and "Items" in event and event.keys() <= ITEMS_KEYS

    def check(self, response: Response) -> None:
        body = str(response.body)
        self._check_bytes(len(body) + body.count(",") + body.count(":"), response)  # the runtime client adds spaces

    def answer(self, _event: Any, response: Response) -> Any:
        return json.loads(response.body)


class Ping(Direct):
    """A schedule, or what keeps a function warm: it gets the health, and writes nothing."""

    name = "ping"

    def infers(self, event: object, context: Event | None) -> bool:
        return (
            context is None
            and isinstance(event, dict)
            and (event.get("detail-type") == "Scheduled Event" or event == {"source": "serverless-plugin-warmup"})
        )

    def read(self, event: Any, _max_body_length: int) -> Request:
        return Request(self.name, "GET", "/health", lambda: event)


class Queue(Direct):
    """A trigger that hands over records. An answer would count as their delivery, so they get an exception."""

    name = "queue"
    raises = True

    def infers(self, event: object, context: Event | None) -> bool:
        # A contract may have a field of that name, which is no list.
        return (
            context is None
            and isinstance(event, dict)
            and event.keys() == {"Records"}
            and isinstance(event["Records"], list)
        )

    def read(self, _event: Any, _max_body_length: int) -> Request:
        raise Unserved("This function decides for callers who wait; let the trigger start Step Functions instead")


class HttpApi(Direct):
    """A function URL or an HTTP API, payload 2.0."""

    name = "http"

    def infers(self, _event: object, context: Event | None) -> bool:
        return context is not None and isinstance(context.get("http"), dict)

    def read(self, event: Event, max_body_length: int) -> Request:
        context = event["requestContext"]
        path, stage = event.get("rawPath"), context.get("stage")
        # An HTTP API puts a named stage before the route, but not its default stage. A function URL has no named stage.
        named = isinstance(stage, str) and stage not in ("", "$default")
        if named and isinstance(path, str) and f"{path}/".startswith(f"/{stage}/"):
            path = path[len(f"/{stage}") :] or "/"
        route = event.get("routeKey")
        path = _below(route.partition(" ")[2] if isinstance(route, str) else None, path, event)
        return _request(self.name, context["http"].get("method"), path, event, max_body_length)


class RestApi(Direct):
    """A REST API, payload 1.0."""

    name = "rest"

    def infers(self, _event: object, context: Event | None) -> bool:
        return context is not None

    def read(self, event: Event, max_body_length: int) -> Request:
        method, path = event.get("httpMethod"), _below(event.get("resource"), event.get("path"), event)
        return _request(self.name, method, path, event, max_body_length)


class Alb(RestApi):
    """An Application Load Balancer. Its events differ from a REST API's only in their context."""

    name = "alb"
    # A balancer takes 1 MB from a function.
    most_bytes = 1_000_000

    def infers(self, _event: object, context: Event | None) -> bool:
        return context is not None and "elb" in context

    def answer(self, event: Event, response: Response) -> Envelope:
        envelope = super().answer(event, response)
        envelope["statusDescription"] = f"{response.status} {_PHRASES[response.status]}"
        envelope.setdefault("isBase64Encoded", False)
        if "multiValueHeaders" in event:
            # The target group enables multi-value headers, and the balancer then reads no others.
            envelope["multiValueHeaders"] = {name: [value] for name, value in envelope.pop("headers").items()}
        return envelope


# The first source that claims an event gets it; the last takes whatever has a context.
SOURCES = (StepFunctions(), Ping(), Queue(), Direct(), HttpApi(), Alb(), RestApi())


def source_of(event: object) -> Direct:
    """The source of an event."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(context, dict):
        context = None
    for source in SOURCES:
        if source.infers(event, context):
            return source
    return SOURCES[-1]


def _request(source: str, method: object, path: object, event: Event, max_body_length: int) -> Request:
    if not isinstance(method, str) or not isinstance(path, str):
        raise Malformed("The event names no method or no path")
    return Request(
        source, method.upper(), path, lambda: parsed(event, max_body_length), lambda name: _header(event, name)
    )


def _below(resource: object, path: object, event: Event) -> object:
    """The path below what a domain's mapping puts before it: the API's own resource, such as /predict or /{proxy+}."""
    if not isinstance(resource, str) or not resource.startswith("/"):
        return path
    fixed, variable, name = resource.partition("{")
    if not variable:
        return resource
    parameters = event.get("pathParameters")
    rest = parameters.get(name.rstrip("}+")) if isinstance(parameters, dict) else None
    return fixed + rest if isinstance(rest, str) else path


def _header(event: Event, wanted: str) -> object:
    """A header, whose name may have any case. A balancer may send lists of values, of which the last one counts."""
    headers = event.get("headers") or event.get("multiValueHeaders")
    if not isinstance(headers, dict):
        return None
    for name, value in headers.items():
        if len(name) == len(wanted) and name.lower() == wanted:
            return value[-1] if isinstance(value, list) and value else value
    return None


_PHRASES = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
