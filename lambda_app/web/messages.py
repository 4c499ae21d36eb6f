"""A request and a response, whatever carries them."""

from __future__ import annotations

from json import JSONEncoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lambda_app.web.records import Record

JSON = "application/json"
PROBLEM = "application/problem+json"

# Strict JSON: NaN and infinities are errors.
to_json = JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Request:
    """A request.

    Attributes
    ----------
    source : str
        The name of the event source that brought it, such as "alb".
    method, path : str
        The method in capitals; a direct invoke is a POST to /predict.
    read : callable
        Gives the parsed body, or raises `Refusal`. Called when a route wants a body, since not every one does.

    Examples
    --------
    >>> Request("direct", "POST", "/predict", lambda: {"Income": 500_000}).read()
    {'Income': 500000}
    """

    __slots__ = ("method", "path", "read", "source")

    def __init__(self, source: str, method: str, path: str, read: Callable[[], object]) -> None:
        self.source = source
        self.method = method
        self.path = path
        self.read = read


class Response:
    """An answer, and what the log shall say of it.

    Attributes
    ----------
    status : int
    body : str or bytes
        As it goes out; bytes become base64 where an envelope holds text only.
    media_type : str
    headers : mapping of str to str
        Besides those that every answer has.
    records : sequence of dict
        For the log: `lambda_app.web.records`. The door writes them once the answer stands.
    """

    __slots__ = ("body", "headers", "media_type", "records", "status")

    def __init__(
        self,
        status: int,
        body: str | bytes,
        media_type: str = JSON,
        *,
        headers: Mapping[str, str] | None = None,
        records: Sequence[Record] = (),
    ) -> None:
        self.status = status
        self.body = body
        self.media_type = media_type
        self.headers = headers or {}
        self.records = records
