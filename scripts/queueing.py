"""Passes requests to the emulator one after the other.

The emulator crashes on two requests at once (issue 97 of aws/aws-lambda-runtime-interface-emulator). Lambda would give
each a process of its own; here the second waits. A request takes its turn only once all of it has arrived, so a slow
or idle client keeps nobody waiting.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER_SECONDS = 300
IDLE_SECONDS = 30
# Lambda's own limit for the payload of a synchronous invoke.
MOST_BYTES = 6 * 1024 * 1024


class Queue(ThreadingHTTPServer):
    """A thread for each client, and one turn at the emulator for all.

    Parameters
    ----------
    port : int
        Where to listen, on the loopback address.
    emulator : int
        The emulator's port.
    watch : callable
        Called about twice a second; what it raises ends `serve_forever`.
    """

    request_queue_size = 128

    def __init__(self, port: int, emulator: int, watch: Callable[[], None]) -> None:
        self.emulator = emulator
        self.turn = threading.Lock()
        self._watch = watch
        super().__init__(("127.0.0.1", port), _Pass)

    def service_actions(self) -> None:
        """Look after the emulator between requests."""
        self._watch()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show any error but a client's hanging up, which is not this program's fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Unreadable(Exception):
    """The request's body cannot be read: the status to answer with, and why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Pass(BaseHTTPRequestHandler):
    """Passes one request on. It speaks HTTP/1.0, so each connection brings just one."""

    server: Queue
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:  # the base class's name
        try:
            body = self._body()
        except _Unreadable as unreadable:
            self._refuse(unreadable.status, str(unreadable))
            return
        try:
            with self.server.turn:
                status, headers, content = self._answer(body)
        except (ValueError, http.client.InvalidURL):
            self.send_error(HTTPStatus.BAD_REQUEST, "The request cannot be passed on")
            return
        except (OSError, http.client.HTTPException):
            self.send_error(HTTPStatus.BAD_GATEWAY, "The emulator does not answer")
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815  # the emulator says what it takes

    def log_message(self, *_arguments: object) -> None:
        """The emulator and the service write their own lines."""

    def _body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise _Unreadable(HTTPStatus.LENGTH_REQUIRED, "Send a Content-Length, as Lambda wants it")
        lengths = self.headers.get_all("Content-Length", ["0"])
        if len(lengths) > 1 or not lengths[0].isdecimal():
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The Content-Length is not a number")
        # Count the digits first: Python refuses to parse a very long number.
        if len(lengths[0]) > len(str(MOST_BYTES)) or int(lengths[0]) > MOST_BYTES:
            raise _Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Lambda takes {MOST_BYTES} bytes at most")
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise _Unreadable(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length")
        return body

    def _answer(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """What the emulator answers: status, headers and content."""
        # Headers about the connection to this program would be wrong for the one to the emulator.
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() == "content-type" or name.lower().startswith("x-amz-")
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.server.emulator, timeout=ANSWER_SECONDS)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """Answer before reading the body, then read it after all.

        Closing a connection with unread bytes resets it, and the client might never see the answer.
        """
        self.send_error(status, why)
        deadline = time.monotonic() + IDLE_SECONDS
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline and self.rfile.read1(65_536):
                pass
