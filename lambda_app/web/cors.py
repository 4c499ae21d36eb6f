"""Cross-origin requests: whose pages, besides the service's own, a browser lets read the answers.

The rules are those of the Fetch standard, https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from __future__ import annotations

from lambda_app.web.keys import HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.web.messages import Request, Response

# How long a browser may remember what it was allowed, in seconds.
MAX_AGE = 7200


def open_to(origins: frozenset[str], request: Request, response: Response) -> None:
    """Let the page that sent a request read its answer, if its origin is one of those given; `*` stands for all."""
    if "*" in origins:
        allowed = "*"
    else:
        response.headers["Vary"] = "Origin"
        origin = request.header("origin")
        if not isinstance(origin, str) or origin not in origins:
            return
        allowed = origin
    response.headers["Access-Control-Allow-Origin"] = allowed
    if response.status == 204:
        response.headers["Access-Control-Allow-Methods"] = response.headers["Allow"]
        response.headers["Access-Control-Allow-Headers"] = f"content-type, {HEADER}"
        response.headers["Access-Control-Max-Age"] = str(MAX_AGE)
