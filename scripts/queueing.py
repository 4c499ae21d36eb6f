"""Passes requests to the emulator one after the other.

The emulator ends at two requests at once (issue 97 of aws/aws-lambda-runtime-interface-emulator). Lambda would give
each a process of its own; here the second waits.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

ANSWER_SECONDS = 300
IDLE_SECONDS = 30


class Queue(HTTPServer):
    """A server without threads, so that the operating system's backlog is the queue.

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
        self._watch = watch
        super().__init__(("127.0.0.1", port), _Pass)

    def service_actions(self) -> None:
        """Look after the emulator between requests."""
        self._watch()


class _Pass(BaseHTTPRequestHandler):
    """Passes one request on. HTTP/1.0, so each connection brings just one."""

    server: Queue
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:  # the base class's name
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.emulator, timeout=ANSWER_SECONDS)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.send_error(HTTPStatus.BAD_GATEWAY, "The emulator does not answer")
            return
        finally:
            connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815  # the emulator says what it takes

    def log_message(self, *_arguments: object) -> None:
        """The emulator and the service write their own lines."""
