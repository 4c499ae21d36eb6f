"""The queue in front of the emulator: one request at a time, and no client keeps the others waiting."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from scripts.emulator import INVOKE
from scripts.queueing import IDLE_SECONDS, MOST_BYTES, Queue

if TYPE_CHECKING:
    from collections.abc import Iterator

# Whatever takes longer than this hangs; waiting for an idle client would take IDLE_SECONDS.
SECONDS = IDLE_SECONDS / 3
HEAD = f"POST {INVOKE} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()


class Emulator(ThreadingHTTPServer):
    """Stands in for the emulator, and records what reached it.

    Attributes
    ----------
    asked : list of (dict of str to str, bytes)
        Headers, in lower case, and body of each request.
    at_once : int
        The most requests that it had at once; the real one survives one.
    """

    request_queue_size = 128

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.at_once = self._now = 0
        self._counting = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Invocation)

    def count(self, change: int) -> None:
        """A request has come or gone."""
        with self._counting:
            self._now += change
            self.at_once = max(self.at_once, self._now)


class _Invocation(BaseHTTPRequestHandler):
    server: Emulator

    def do_POST(self) -> None:
        self.server.count(1)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
        time.sleep(0.01)
        content = json.dumps({"statusCode": 200, "length": len(body)}).encode()
        self.server.count(-1)
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.fixture
def stand_in() -> Iterator[Emulator]:
    """A running stand-in for the emulator."""
    with Emulator() as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.05,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


@pytest.fixture
def queue(stand_in: Emulator) -> Iterator[Queue]:
    """The queue under test, running in front of the stand-in."""
    with Queue(0, stand_in.server_port, lambda: None) as started:
        thread = threading.Thread(target=started.serve_forever, args=(0.05,))
        thread.start()
        yield started
        started.shutdown()
        thread.join()


def said(queue: Queue, request: bytes, *, half_close: bool = False) -> tuple[int, str]:
    """The status and reason of the answer to these bytes."""
    with socket.create_connection(("127.0.0.1", queue.server_port), timeout=SECONDS) as client:
        client.sendall(request)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while received := client.recv(65_536):
            answer += received
    _, status, reason = answer.split(b"\r\n", 1)[0].decode().split(" ", 2)
    return int(status), reason


def invoked(queue: Queue, body: bytes = b"{}", **headers: str) -> int:
    """The length of the body that reached the stand-in."""
    connection = HTTPConnection("127.0.0.1", queue.server_port, timeout=SECONDS)
    try:
        connection.request("POST", INVOKE, body, headers)
        length: int = json.loads(connection.getresponse().read())["length"]
    finally:
        connection.close()
    return length


def test_chunked_request_is_refused_and_blocks_nobody(
    queue: Queue, stand_in: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given a body without a length, as `curl -H 'Transfer-Encoding: chunked'` sends it
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    # When it is sent, also with a length beside it, then a length is asked for, and the emulator has not been
    assert said(queue, chunked) == (411, "Send a Content-Length, as Lambda wants it")
    assert said(queue, chunked.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n", 1))[0] == 411
    assert stand_in.asked == []
    # And the next client is answered
    assert invoked(queue) == 2
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "length", ["abc", "-1", "+2", "1_0", "", "2.0", "0x2", "2, 2", "\xb2", "2\r\nContent-Length: 3"], ids=ascii
)
def test_length_that_is_not_a_number_is_refused(
    length: str, queue: Queue, stand_in: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given a length that is not a number, when it is sent, then it is refused, without a traceback
    request = HEAD + f"Content-Length: {length}\r\n\r\n{{}}".encode("latin-1")
    assert said(queue, request) == (400, "The Content-Length is not a number")
    assert stand_in.asked == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "length", [str(MOST_BYTES + 1), "9" * 20, "9" * 5_000], ids=["one-byte", "20-digits", "5000-digits"]
)
def test_more_than_lambda_takes_is_refused_before_it_is_read(length: str, queue: Queue, stand_in: Emulator) -> None:
    assert said(queue, HEAD + f"Content-Length: {length}\r\n\r\n".encode())[0] == 413
    assert stand_in.asked == []


def test_client_that_sends_too_much_sees_why(queue: Queue, stand_in: Emulator) -> None:
    # Given a client that sends all it has before it looks for an answer, when it is too much, then it sees the answer
    body = b" " * (MOST_BYTES + 1)
    answered = said(queue, HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert answered == (413, f"Lambda takes {MOST_BYTES} bytes at most")
    assert stand_in.asked == []


def test_as_much_as_lambda_takes_is_passed_on(queue: Queue) -> None:
    assert invoked(queue, b" " * MOST_BYTES) == MOST_BYTES


def test_body_cut_short_is_refused(queue: Queue, stand_in: Emulator) -> None:
    # Given a client that stops sending halfway, when it waits for an answer, then half a body is not passed on
    status, _ = said(queue, HEAD + b"Content-Length: 10\r\n\r\n{}", half_close=True)
    assert status == 400
    assert stand_in.asked == []


@pytest.mark.parametrize("path", ["/\xe9", "/\x01", "/\x7f"], ids=["not-ascii", "control", "delete"])
def test_path_that_cannot_be_passed_on_is_refused(path: str, queue: Queue, capfd: pytest.CaptureFixture[str]) -> None:
    request = f"POST {path} HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    assert said(queue, request) == (400, "The request cannot be passed on")
    assert capfd.readouterr().err == ""


def test_only_headers_about_the_payload_are_passed_on(queue: Queue, stand_in: Emulator) -> None:
    # Given headers of every kind
    sent = {"Content-Type": "application/json", "X-Amz-Invocation-Type": "RequestResponse", "x-amz-log-type": "Tail"}
    others = {"Authorization": "secret", "Expect": "100-continue", "Connection": "keep-alive", "Accept": "*/*"}
    # When they are sent
    invoked(queue, b"{}", **sent, **others)
    # Then the emulator gets what Lambda looks at, and what its own connection needs
    ((headers, body),) = stand_in.asked
    assert body == b"{}"
    assert headers.pop("host") == f"127.0.0.1:{stand_in.server_port}"
    assert headers == {
        **{name.lower(): value for name, value in sent.items()},
        "accept-encoding": "identity",
        "content-length": "2",
    }


@pytest.mark.parametrize(
    "sent", [b"", HEAD, HEAD + b"Content-Length: 10\r\n\r\n{}"], ids=["nothing", "half-a-head", "half-a-body"]
)
def test_slow_client_keeps_nobody_waiting(sent: bytes, queue: Queue) -> None:
    # Given clients that connect, and do not go on
    slow = [socket.create_connection(("127.0.0.1", queue.server_port), timeout=SECONDS) for _ in range(5)]
    try:
        for client in slow:
            client.sendall(sent)
        # When another asks, then it is answered
        assert invoked(queue) == 2
    finally:
        for client in slow:
            client.close()


def test_slow_client_is_answered_once_its_request_is_complete(queue: Queue) -> None:
    # Given a client that has sent half of its body while others were answered
    with socket.create_connection(("127.0.0.1", queue.server_port), timeout=SECONDS) as slow:
        slow.sendall(HEAD + b"Content-Length: 4\r\n\r\n{ ")
        assert invoked(queue) == 2
        # When it sends the other half, then it has its answer
        slow.sendall(b" }")
        assert slow.recv(65_536).startswith(b"HTTP/1.0 200 ")


def test_emulator_has_one_request_at_a_time(queue: Queue, stand_in: Emulator) -> None:
    # Given many clients, when they ask at once, then all are answered, one after the other
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda length: invoked(queue, b" " * length), range(64)))
    assert answers == list(range(64))
    assert stand_in.at_once == 1


def test_client_that_hangs_up_is_not_reported_as_an_error(
    queue: Queue, stand_in: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given a client that resets its connection as soon as its request has reached the emulator
    with socket.create_connection(("127.0.0.1", queue.server_port), timeout=SECONDS) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
        deadline = time.monotonic() + SECONDS
        while not stand_in.asked and time.monotonic() < deadline:
            time.sleep(0.001)
    # When another asks, then it is answered, and nothing was printed about the first
    assert invoked(queue) == 2
    assert capfd.readouterr().err == ""


def test_emulator_that_does_not_answer_is_named(queue: Queue, stand_in: Emulator) -> None:
    # Given an emulator that is gone, when it is asked, then that is the answer, also to the next
    stand_in.shutdown()
    stand_in.server_close()
    request = HEAD + b"Content-Length: 2\r\n\r\n{}"
    assert [said(queue, request) for _ in range(2)] == [(502, "The emulator does not answer")] * 2


def test_watch_ends_the_service_whoever_is_connected(stand_in: Emulator) -> None:
    # Given a client in the middle of its body
    ended = threading.Event()

    def watch() -> None:
        if ended.is_set():
            raise ChildProcessError

    with Queue(0, stand_in.server_port, watch) as queue, ThreadPoolExecutor(1) as here:
        serving = here.submit(queue.serve_forever)
        with socket.create_connection(("127.0.0.1", queue.server_port), timeout=SECONDS) as slow:
            slow.sendall(HEAD + b"Content-Length: 10\r\n\r\n{}")
            assert invoked(queue) == 2
            # When the watch finds the emulator ended, then serving ends by what it raised
            ended.set()
            assert isinstance(serving.exception(SECONDS), ChildProcessError)
            # And closing does not wait for the client
            queue.server_close()
            slow.settimeout(0)
            with pytest.raises(BlockingIOError):
                slow.recv(1)
