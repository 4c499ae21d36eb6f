"""Load on plain HTTP: `python -m benchmarks.load --artifacts DIR [--image IMAGE]`.

Several copies of the service, as processes or as containers of an image, answer clients that keep their connections and
send one application after another. The client is one Python process, so that throughput is a lower bound; what counts
is that no request fails, that p99 stays near p50, and that memory does not grow.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from scripts.emulator import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 60


def main() -> int:
    """Print throughput, latencies, errors and memory."""
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=ROOT / "model" / "artifacts")
    parser.add_argument("--image", help="run containers of this image instead of processes")
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=200_000)
    chosen = parser.parse_args()
    samples = [case["request"] for case in json.loads((chosen.artifacts / "manifest.json").read_text())["golden"]]
    with ExitStack() as stack:
        copies = [
            stack.enter_context(_container(chosen.image) if chosen.image else _process(chosen.artifacts))
            for _ in range(chosen.copies)
        ]
        ports = [port for port, _ in copies]
        _load(ports, samples, chosen.clients, chosen.requests // 10)  # until every worker has seen every path
        before = [memory() for _, memory in copies]
        started = time.monotonic()
        taken, failed = _load(ports, samples, chosen.clients, chosen.requests)
        seconds = time.monotonic() - started
        after = [memory() for _, memory in copies]
    cuts = quantiles(taken, n=100)
    sys.stdout.write(
        f"{len(taken):,} requests to {chosen.copies} {'containers' if chosen.image else 'processes'} from "
        f"{chosen.clients} clients: {len(taken) / seconds:,.0f} a second, p50 {cuts[49] * 1e3:.2f} ms, "
        f"p99 {cuts[98] * 1e3:.2f} ms, {failed} failed\n"
        f"memory of each, MB: {', '.join(f'{a:.1f} -> {b:.1f}' for a, b in zip(before, after, strict=True))}\n"
    )
    return 1 if failed else 0


def _load(ports: list[int], samples: list[object], clients: int, count: int) -> tuple[list[float], int]:
    """Send so many requests; the seconds that each took, and how many failed."""
    bodies = [json.dumps(sample).encode() for sample in samples]
    taken: list[float] = []
    failures: list[object] = []

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", ports[number % len(ports)], timeout=SECONDS)
        for place in range(count // clients):
            begun = time.perf_counter()
            connection.request("POST", "/predict", bodies[place % len(bodies)])
            answer = connection.getresponse()
            body = answer.read()
            taken.append(time.perf_counter() - begun)
            if answer.status != 200 or b'"decision"' not in body:
                failures.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, len(failures) + clients * (count // clients) - len(taken)


@contextmanager
def _process(artifacts: Path) -> Iterator[tuple[int, Callable[[], float]]]:
    port = free_port()
    environ = {**os.environ, "MODEL_DIR": str(artifacts), "HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "1"}
    command = [sys.executable, "-m", "lambda_app.serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield port, lambda: _resident(process.pid)
        finally:
            process.terminate()


@contextmanager
def _container(image: str) -> Iterator[tuple[int, Callable[[], float]]]:
    words = ["docker", "run", "--detach", "--publish", "127.0.0.1::8080", "--env", "WORKERS=1", image, "serve"]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    try:
        listed = subprocess.run(["docker", "port", name, "8080"], capture_output=True, text=True, check=True).stdout
        port = int(listed.split()[0].rpartition(":")[2])
        _wait(port)
        state = ["docker", "inspect", "--format", "{{.State.Pid}}", name]
        pid = int(subprocess.run(state, capture_output=True, text=True, check=True).stdout)
        yield port, lambda: _resident(pid)
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True)


def children_of(pid: int) -> set[int]:
    """The processes that a process has started."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def _resident(pid: int) -> float:
    """The resident memory of a process and its children, in MB."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in (pid, *children_of(pid)))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _wait(port: int) -> None:
    for _ in range(SECONDS * 20):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        try:
            connection.request("GET", "/live")
            connection.getresponse().read()
        except (ConnectionError, http.client.HTTPException):  # Docker's proxy listens before the service does
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(f"nothing answers on port {port}")


if __name__ == "__main__":
    sys.exit(main())
