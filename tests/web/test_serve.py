"""Plain HTTP: Lambda's own answers, lines that stay whole, and no answer lost when a worker or the service ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.load import children_of
from lambda_app.errors import SettingError
from lambda_app.serve import Options
from scripts.emulator import free_port
from tests.serving import REQUEST_ID, ROOT, Service, strict_json
from tests.web.serving import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
BODY = json.dumps(APPROVED).encode()
SECONDS = 60


@pytest.fixture(scope="module")
def port(by_hand: Path) -> Iterator[int]:
    """Where the service answers."""
    with started(by_hand, free_port(), MAX_BODY_LENGTH="5000") as process:
        yield process.port


def ask(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read()
    finally:
        connection.close()


REQUESTS = {
    "decision": ("POST", "/predict", BODY, {}),
    "root": ("POST", "/", BODY, {}),
    "batch": ("POST", "/predict", json.dumps([APPROVED, {}]).encode(), {}),
    "key": ("POST", "/predict", BODY, {"X-Application-Id": "A-1"}),
    "bad-key": ("POST", "/predict", BODY, {"x-application-id": "a b"}),
    "changes": ("POST", "/changes", json.dumps({**APPROVED, "Income": 1}).encode(), {}),
    "invalid": ("POST", "/predict", b"{}", {}),
    "no-body": ("POST", "/predict", b"", {}),
    "not-json": ("POST", "/predict", b"{", {}),
    "not-utf-8": ("POST", "/predict", b"\xff\xfe", {}),
    "byte-order-mark": ("POST", "/predict", b"\xef\xbb\xbf" + BODY, {}),
    "too-large": ("POST", "/predict", b" " * 5_001, {}),
    "much-too-large": ("POST", "/predict", b" " * 3_000_000, {}),
    "other-type": ("POST", "/predict", BODY, {"Content-Type": "text/plain"}),
    "slash": ("POST", "/predict/", BODY, {}),
    "query": ("POST", "/predict?a=b", BODY, {}),
    "health": ("GET", "/health", b"", {}),
    "model": ("GET", "/model", b"", {}),
    "head": ("HEAD", "/model", b"", {}),
    "form": ("GET", "/", b"", {}),
    "docs": ("GET", "/docs", b"", {}),
    "openapi": ("GET", "/openapi.json", b"", {}),
    "nowhere": ("GET", "/n%C3%B6wh%FFere", b"", {}),
    "method": ("DELETE", "/predict", b"", {}),
    "options": ("OPTIONS", "/predict", b"", {"Origin": "https://bank.example"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_lambdas(name: str, port: int, by_hand: Path) -> None:
    method, path, body, headers = REQUESTS[name]
    event: dict[str, Any] = {
        "rawPath": path.partition("?")[0],
        "requestContext": {"http": {"method": method}},
        "headers": {key.lower(): value for key, value in headers.items()},
        "body": body.decode(errors="replace"),
    }
    if name == "not-utf-8":
        event |= {"body": "//4=", "isBase64Encoded": True}
    expected = Service(by_hand, MAX_BODY_LENGTH="5000")(event).envelope

    status, found_headers, found = ask(port, method, path, body, headers)

    assert status == expected["statusCode"]
    assert expected["headers"].items() <= found_headers.items()
    text = found.decode()
    if found_headers["Content-Type"].endswith("json") and "request_id" in text:
        found_id = re.search(r'"request_id":"([0-9a-f-]{36})', text)
        assert found_id
        text = text if name == "openapi" else text.replace(found_id[1], REQUEST_ID)
    assert text == expected["body"]


def test_a_body_in_pieces(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("POST", "/predict", iter([BODY[:10], BODY[10:]]), encode_chunked=True)
    assert json.load(connection.getresponse())["decision"] == "approve"
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/ping", 200), ("POST", "/invocations", 200), ("GET", "/live", 204)]
)
def test_what_platforms_ask_for(method: str, path: str, status: int, port: int) -> None:
    assert ask(port, method, path, BODY)[0] == status


def test_an_expired_model_is_not_ready_and_alive(by_hand: Path, tmp_path: Path) -> None:
    manifest = json.loads((by_hand / "manifest.json").read_text())
    manifest |= {"freshness": {"warn_days": 1, "expire_days": 2}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "model.joblib").write_bytes((by_hand / "model.joblib").read_bytes())
    with started(tmp_path, free_port(), EXPIRED_MODEL="refuse") as process:
        assert [ask(process.port, "GET", path)[0] for path in ("/health", "/ping", "/live")] == [503, 503, 204]


def load(port: int, count: int, broken: list[Exception] | None = None) -> list[int]:
    """Send so many applications, eight at a time, each through a connection of its own; the statuses of the answers.

    If a list for broken connections is given, what broke is sent again.
    """

    def one(_number: int) -> int:
        while True:
            try:
                status: int = ask(port, "POST", "/predict", BODY)[0]
            except (ConnectionError, http.client.HTTPException) as err:
                if broken is None:
                    raise
                broken.append(err)
            else:
                return status

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(count)))


def workers_of(process: subprocess.Popen[bytes]) -> set[int]:
    """The processes that answer."""
    return children_of(process.pid)


def test_no_answer_is_lost_when_workers_are_ended_and_lines_stay_whole(by_hand: Path, tmp_path: Path) -> None:
    # Given a service under load, whose workers are ended one after another
    with (tmp_path / "log").open("wb") as log, started(by_hand, free_port(), log) as process:
        done = threading.Event()
        ended: set[int] = set()

        def end_workers() -> None:
            while not done.wait(0.7):
                for worker in list(workers_of(process))[:1]:
                    os.kill(worker, signal.SIGTERM)
                    ended.add(worker)

        killer = threading.Thread(target=end_workers)
        killer.start()
        statuses = load(process.port, 4_000)
        done.set()
        killer.join()
        # Then each application got its answer, from workers that replaced the others
        assert set(statuses) == {200}
        assert len(ended) >= 2
    # And each decision has its line
    lines = [strict_json(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sum(line["event"] == "decision" for line in lines) == len(statuses)


def test_a_worker_that_is_killed_breaks_no_more_connections_than_it_was_answering(by_hand: Path) -> None:
    broken: list[Exception] = []
    with started(by_hand, free_port()) as process:
        killer = threading.Timer(0.5, lambda: os.kill(min(workers_of(process)), signal.SIGKILL))
        killer.start()
        statuses = load(process.port, 2_000, broken)
        killer.join()
        assert len(broken) <= 8, "no more than were sent at once"
        assert statuses == [200] * 2_000
        assert len(workers_of(process)) == 2


def test_running_requests_are_answered_when_the_service_stops(by_hand: Path) -> None:
    # Given a request whose body is still on its way
    with started(by_hand, free_port()) as process:
        connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=SECONDS)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", str(len(BODY)))
        connection.endheaders(BODY[:10])
        time.sleep(0.5)
        # When the service is asked to stop, and the rest arrives
        process.terminate()
        time.sleep(0.5)
        assert process.poll() is None
        connection.send(BODY[10:])
        # Then it is answered, and the service ends without an error
        assert json.load(connection.getresponse())["decision"] == "approve"
        connection.close()
        assert process.wait(SECONDS) == 0


def test_clients_that_send_nothing_more_do_not_keep_others_out(by_hand: Path) -> None:
    # Given more stalled clients than threads: some in the middle of a header, some in the middle of a body
    with started(by_hand, free_port(), WORKERS="1", THREADS="4", TIMEOUT="1") as process:
        stalled = [socket.create_connection(("127.0.0.1", process.port), timeout=SECONDS) for _ in range(8)]
        for place, client in enumerate(stalled):
            client.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\n" + (b"Content-Length: 99\r\n\r\n{" if place % 2 else b"")
            )
        time.sleep(0.3)
        # When somebody else asks, then they are answered
        assert ask(process.port, "POST", "/predict", BODY)[0] == 200
        told = [client.recv(1000).partition(b"\r\n")[0] for client in stalled]
        for client in stalled:
            client.close()
    assert told[1::2] == [b"HTTP/1.1 408 Request Timeout"] * 4


def test_workers_are_replaced_after_their_requests_without_losing_an_answer(by_hand: Path) -> None:
    with started(by_hand, free_port(), MAX_REQUESTS="100") as process:
        before = workers_of(process)
        assert set(load(process.port, 1_000)) == {200}
        assert not before & workers_of(process)


def test_lines_of_batches_do_not_mix(by_hand: Path, tmp_path: Path) -> None:
    batch = json.dumps([APPROVED] * 50).encode()
    with (
        (tmp_path / "log").open("wb") as log,
        started(by_hand, free_port(), log) as process,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda _: ask(process.port, "POST", "/predict", batch), range(100)))
    lines = [strict_json(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert sum(line["event"] == "decision" for line in lines) == 5_000


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"MODEL_DIR": "/nonexistent"}, "ArtifactMissing: /nonexistent/manifest.json: cannot be read"),
        ({"MAX_BATCH": "many"}, "SettingError: MAX_BATCH must be"),
        ({"PORT": "http"}, "SettingError: PORT must be"),
    ],
)
def test_what_cannot_be_served_stops_the_start(environ: dict[str, str], message: str, by_hand: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lambda_app.serve"],
        cwd=ROOT,
        env={**os.environ, "MODEL_DIR": str(by_hand), **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(message)


def test_options() -> None:
    assert Options.read({"WORKERS": "3"}) == ("0.0.0.0", 8080, 3, 8, 30, 25, 0)  # noqa: S104  # as in a container
    with pytest.raises(SettingError, match=r"^WORKERS must be a positive whole number"):
        Options.read({"WORKERS": "0"})
