"""A request and a response, independent of the event source."""

from __future__ import annotations

from json import JSONEncoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambda_app.web.records import Record

JSON = "application/json"
PROBLEM = "application/problem+json"

# What Step Functions' Distributed Map sends: a batch, sometimes with an input for all of it.
ITEMS_KEYS = frozenset({"Items", "BatchInput"})

# What a direct invoke, which IAM allows, may ask for instead of a decision: the whole manifest, for the monitor. Its
# bins would tell strangers much of the model, so no path leads to it.
SHOW_MANIFEST = {"show": "manifest"}

# Strict JSON: NaN and infinities are errors.
to_json = JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def _no_header(_name: str) -> None:
    return None


class Request:
    """A request.

    Attributes
    ----------
    source : str
        The name of the event source, such as "alb".
    method, path : str
        The method in upper case; a direct invoke counts as a POST to /predict.
    read : callable
        Returns the parsed body, or raises `Refusal`. Only routes that need a body call it.
    header : callable
        Returns the header of a name in lower case, unchecked; None without one.

    Examples
    --------
    >>> Request("direct", "POST", "/predict", lambda: {"Income": 500_000}).read()
    {'Income': 500000}
    """

    __slots__ = ("header", "method", "path", "read", "source")

    def __init__(
        self,
        source: str,
        method: str,
        path: str,
        read: Callable[[], object],
        header: Callable[[str], object] = _no_header,
    ) -> None:
        self.source = source
        self.method = method
        self.path = path
        self.read = read
        self.header = header


class Response:
    """An answer, and its log records.

    Attributes
    ----------
    status : int
    body : str or bytes
        As sent to the caller; bytes become base64 if the envelope holds only text.
    media_type : str
    headers : dict of str to str
        In addition to those on every answer.
    records : sequence of dict
        See `lambda_app.web.records`. The handler writes them once the answer is built.
    error : Exception or None
        Why there is no better answer, for a source that must be told by an exception.
    """

    __slots__ = ("body", "error", "headers", "media_type", "records", "status")

    def __init__(
        self,
        status: int,
        body: str | bytes,
        media_type: str = JSON,
        *,
        headers: dict[str, str] | None = None,
        records: Sequence[Record] = (),
        error: Exception | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.media_type = media_type
        self.headers = headers or {}
        self.records = records
        self.error = error
