"""The same service over plain HTTP, for any platform that runs containers: `python -m lambda_app.serve`.

Each request becomes the event of a function URL, which `lambda_app.handler` answers, so that every byte of an answer
and every line of the log is what Lambda's would be. gunicorn runs the workers; Lambda's own path imports none of this.

HOST, PORT        where to listen; on all IPv4 addresses and 8080 by default
WORKERS           processes; by default one for each CPU that this process may use
THREADS           requests that one worker reads or answers at once; 8 by default
TIMEOUT           seconds that the service waits for more of a request; 30 by default
GRACEFUL_TIMEOUT  seconds that running requests get once SIGTERM came; 25 by default
MAX_REQUESTS      requests after which a worker is replaced, give or take a tenth; 0, never, by default
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from base64 import b64encode
from io import TextIOBase
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from gunicorn.app.base import BaseApplication

from lambda_app.errors import ServiceError
from lambda_app.settings import Settings, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lambda_app.web.events import Envelope

    Environ = dict[str, Any]
    StartResponse = Callable[[str, list[tuple[str, str]]], object]
    Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# What platforms ask for by names of their own: SageMaker's are https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
ALIASES = {"/ping": "/health", "/invocations": "/predict"}
# Whether the process answers at all, whatever the model's age: what a platform restarts it by.
LIVE = "/live"
# A write of no more bytes goes into a pipe whole, so that lines of two workers never mix (POSIX: PIPE_BUF).
ATOMIC = 4096
# Seconds beyond TIMEOUT after which a worker that hangs is replaced. gunicorn's first thread waits up to two seconds
# for each client that does not close its connection, and does not hang meanwhile.
HANGING = 60
PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Options(NamedTuple):
    """How to serve."""

    host: str
    port: int
    workers: int
    threads: int
    timeout: int
    graceful_timeout: int
    max_requests: int

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Options:
        """Read the options from a mapping such as `os.environ`.

        Raises
        ------
        SettingError
        """
        return cls(
            environ.get("HOST") or "0.0.0.0",  # noqa: S104  # a container's port is published from outside it
            whole(environ, "PORT", 8080),
            whole(environ, "WORKERS", len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1),
            whole(environ, "THREADS", 8),
            whole(environ, "TIMEOUT", 30),
            whole(environ, "GRACEFUL_TIMEOUT", 25),
            whole(environ, "MAX_REQUESTS", 0, least=0),
        )


class Context(NamedTuple):
    """What the handler looks for in Lambda's context."""

    aws_request_id: str
    invoked_function_arn: str | None = None


class Lines(TextIOBase):
    """Standard output for several workers at once: whole lines, written in pieces that do not mix."""

    def write(self, text: str) -> int:
        """Write lines; each ends with a line break."""
        piece = b""
        for line in text.encode().splitlines(keepends=True):
            if piece and len(piece) + len(line) > ATOMIC:
                self._send(piece)
                piece = b""
            piece += line
        self._send(piece)
        return len(text)

    def _send(self, piece: bytes) -> None:
        while piece:
            piece = piece[os.write(1, piece) :]


def application(handler: Callable[[object, object], Envelope], longest_body: int) -> Application:
    """A WSGI application (PEP 3333) around the handler.

    Parameters
    ----------
    handler : callable
        `lambda_app.handler.handler`.
    longest_body : int
        Characters of a body, of which the handler refuses more; no more than that many are read.
    """

    def respond(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        if path == LIVE:
            start_response("204 No Content", [("Cache-Control", "no-store")])
            return []
        try:
            event = _event(environ, ALIASES.get(path, path), longest_body)
        except BlockingIOError:  # the rest of the body did not come in time
            # Otherwise gunicorn would wait for it again before it closes the connection.
            environ["gunicorn.socket"].shutdown(socket.SHUT_RD)
            start_response("408 Request Timeout", [("Connection", "close"), ("Content-Length", "0")])
            return []
        envelope = handler(event, Context(str(uuid4())))
        body = envelope["body"].encode()
        headers = list(envelope["headers"].items())
        if envelope["statusCode"] != 204 and environ["REQUEST_METHOD"] != "HEAD":
            headers.append(("Content-Length", str(len(body))))
        start_response(f"{envelope['statusCode']} {_phrase(envelope['statusCode'])}", headers)
        return [body]

    return respond


def _event(environ: Environ, path: str, longest_body: int) -> dict[str, Any]:
    """The event of a function URL."""
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    # A character has up to four bytes; one byte more is enough to be refused.
    content = environ["wsgi.input"].read(4 * longest_body + 1)
    event: dict[str, Any] = {
        "rawPath": path,
        "requestContext": {"http": {"method": environ["REQUEST_METHOD"]}, "stage": "$default"},
        "headers": headers,
    }
    try:
        event["body"] = content.decode()
    except UnicodeDecodeError:
        event |= {"body": b64encode(content).decode(), "isBase64Encoded": True}
    return event


def _limit_waiting(arbiter: Any, seconds: int) -> None:
    """Let every read of a request give up, so that clients that send nothing more do not hold all threads.

    Connections inherit this from the sockets that accept them.
    """
    for listener in arbiter.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", seconds, 0))


def _phrase(status: int) -> str:
    from http import HTTPStatus

    return PHRASES.get(status) or HTTPStatus(status).phrase


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up for this service."""

    def __init__(self, options: Options, served: Application) -> None:
        self._options = options
        self._served = served
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to serve."""
        options = self._options
        for name, value in {
            "bind": f"{options.host}:{options.port}",
            "workers": options.workers,
            "threads": options.threads,
            "worker_class": "gthread",
            "timeout": options.timeout + HANGING,
            "graceful_timeout": options.graceful_timeout,
            "max_requests": options.max_requests,
            "max_requests_jitter": options.max_requests // 10,
            "preload_app": True,
            "when_ready": lambda arbiter: _limit_waiting(arbiter, options.timeout),
            "control_socket_disable": True,
            "proc_name": "credit-decision",
            "loglevel": "warning",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Application:
        """The application, which all workers share."""
        return self._served


def main() -> int:
    """Serve until SIGTERM; 1 if the service cannot start."""
    try:
        options, settings = Options.read(os.environ), Settings.read(os.environ)
        # Once, before any worker is forked: they share the model, and one that cannot be trusted stops the start.
        from lambda_app.handler import handler
    except ServiceError as err:
        sys.stderr.write(f"{type(err).__name__}: {err}\n")
        return 1
    sys.stdout = Lines()
    Server(options, application(handler, settings.max_body_length)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
