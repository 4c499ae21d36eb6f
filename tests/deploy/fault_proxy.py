"""A proxy in front of an AWS emulator: it knows operations by name, and fails or alters those that a test names."""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FUNCTION = r"^/[\d-]+/functions/[^/]+"
_LAMBDA = tuple(
    (method, re.compile(_FUNCTION + path + "$"), operation)
    for method, path, operation in (
        ("GET", "", "GetFunction"),
        ("GET", "/configuration", "GetFunctionConfiguration"),
        ("PUT", "/code", "UpdateFunctionCode"),
        ("POST", "/versions", "PublishVersion"),
        ("POST", "/invocations", "Invoke"),
        ("GET", "/aliases/[^/]+", "GetAlias"),
        ("PUT", "/aliases/[^/]+", "UpdateAlias"),
        ("POST", "/aliases", "CreateAlias"),
    )
)
_REGISTRY = (("PUT", re.compile(r"^/v2/.+/manifests/"), "PutManifest"),)


@dataclass(frozen=True)
class Request:
    """One request: `operation` is AWS's name for it, or "other"."""

    operation: str
    path: str
    query: dict[str, list[str]]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer from the proxy itself. Status 0 hangs up instead."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What happens to the next `times` requests of one operation; None for all of them.

    `answer` replies in the emulator's place; `alter` changes its JSON answer; `lose` hangs up after it has acted.
    """

    operation: str
    times: int | None = None
    answer: Callable[[Request], Reply | None] | None = None
    alter: Callable[[dict[str, Any]], None] | None = None
    lose: bool = False


class FaultProxy:
    """Serves until closed.

    Parameters
    ----------
    upstream : str
        The emulator's address.
    host, port
        Where it listens; by default on a free port of 127.0.0.1.

    Attributes
    ----------
    url : str
        Its address.
    operations : list of str
        The operations seen, in order.
    """

    def __init__(self, upstream: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self.upstream = upstream
        self.operations: list[str] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                proxy._serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815  # http.server's names

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def inject(self, fault: Fault) -> None:
        """Add a fault; an earlier one for the same operation goes first."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults and operations."""
        with self._lock:
            self._faults.clear()
            self.operations.clear()

    def _fault_for(self, operation: str) -> Fault | None:
        with self._lock:
            self.operations.append(operation)
            for fault in self._faults:
                if fault.operation in (operation, "*") and fault.times != 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        address = urllib.parse.urlsplit(handler.path)
        body = _read_body(handler)
        request = Request(
            _operation(handler.command, address.path, handler.headers.get("X-Amz-Target"), body),
            address.path,
            urllib.parse.parse_qs(address.query),
            body,
        )
        fault = self._fault_for(request.operation)
        reply = fault.answer(request) if fault and fault.answer else None
        if reply is None:
            reply = self._forward(handler, body)
            if fault and fault.alter:
                answered = json.loads(reply.body)
                fault.alter(answered)
                reply = Reply(reply.status, json.dumps(answered).encode(), reply.headers)
        if reply.status == 0 or (fault and fault.lose):
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(reply.body)

    def _forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> Reply:
        request = urllib.request.Request(  # the emulator's own address
            self.upstream + handler.path,
            data=body or None,
            headers={name: value for name, value in handler.headers.items() if name.lower() != "transfer-encoding"},
            method=handler.command,
        )
        try:
            with _opener.open(request, timeout=30) as response:
                return Reply(response.status, response.read(), dict(response.headers))
        except urllib.error.HTTPError as err:
            with err:
                return Reply(err.code, err.read(), dict(err.headers))


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _read_body(handler: BaseHTTPRequestHandler) -> bytes:
    if handler.headers.get("Transfer-Encoding") != "chunked":  # as docker push sends a layer
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    chunks = []
    while size := int(handler.rfile.readline(), 16):
        chunks.append(handler.rfile.read(size))
        handler.rfile.readline()
    handler.rfile.readline()
    return b"".join(chunks)


def _operation(method: str, path: str, target: str | None, body: bytes) -> str:
    if target:
        return target.rsplit(".", 1)[-1]
    for wanted, pattern, operation in (*_LAMBDA, *_REGISTRY):
        if method == wanted and pattern.match(path):
            return operation
    action = urllib.parse.parse_qs(body.decode(errors="replace")).get("Action")
    return action[0] if action else "other"


def throttled(request: Request) -> Reply:
    """What AWS says when it is asked too often, in the protocol of the service that was asked."""
    if request.path.startswith("/20"):
        return aws_error(429, "TooManyRequestsException", "Rate Exceeded.")
    if request.operation == "GetCallerIdentity":
        xml = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return Reply(400, xml, {"Content-Type": "text/xml"})
    return aws_error(400, "ThrottlingException", "Rate exceeded")


def aws_error(status: int, code: str, message: str) -> Reply:
    """An error as Lambda and ECR word it."""
    document = {"__type": code, "message": message, "Message": message}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json", "x-amzn-ErrorType": code})


OUTDATED = aws_error(412, "PreconditionFailedException", "The RevisionId provided does not match the latest RevisionId")
