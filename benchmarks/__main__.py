"""`make bench`: measure, write the results down, and print the table."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tqdm import tqdm

from benchmarks import batch, container_init, image_size, in_process, report
from benchmarks.contenders import Contender, contenders
from benchmarks.figures import Figure, Machine, Results, Spread, ratios
from benchmarks.lambda_process import BenchmarkError, Life, live
from benchmarks.search_path import ROOT, python_path

BUILD = ROOT / "build" / "benchmarks"
HANDLER_RUNS = 3

# The percentiles of one process, by sample.
Percentiles = dict[str, dict[str, float]]


def main(arguments: list[str]) -> int:
    """Measure everything; return 0, or 1 if something could not be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--artifacts", type=Path, required=True, help="an artifact of the default contract")
    parser.add_argument("--emulator", type=Path, required=True, help="the runtime interface emulator's binary")
    parser.add_argument("--rounds", type=int, default=30, help="how often everything is repeated; default: %(default)s")
    parser.add_argument("--warm-requests", type=int, default=200, help="per started process; default: %(default)s")
    chosen = parser.parse_args(arguments)
    try:
        results = measure(chosen.artifacts, chosen.emulator, chosen.rounds, chosen.warm_requests)
    except BenchmarkError as error:
        print(f"Cannot measure: {error}.", file=sys.stderr)
        return 1
    report.write(results)
    print(report.figures(results))
    return 0


def measure(artifacts: Path, emulator: Path, rounds: int, warm_requests: int) -> Results:
    """Measure everything that this machine can measure.

    Raises
    ------
    BenchmarkError
        A contender did not work as expected.
    """
    compared = contenders(artifacts, BUILD)
    lives = _lives(emulator, compared, rounds, warm_requests)
    cold = {key: [life.cold_ms for life in found] for key, found in lives.items()}
    warm = {key: [Spread.of(life.warm_ms).median for life in found] for key, found in lives.items()}
    peak = {key: [life.peak_mb for life in found] for key, found in lives.items()}
    result, challenged = BUILD / "in_process.json", _challenged(artifacts)
    runs, challenged_runs = [], []
    for _ in tqdm(range(HANDLER_RUNS), "handler", leave=False, disable=None):
        runs.append(in_process.microseconds(artifacts, result, python_path()))
        challenged_runs.append(in_process.microseconds(challenged, result, python_path()))
    handler = {
        name: {share: Spread.of([run[name][share] for run in runs]) for share in ("p50", "p99")} for name in runs[0]
    }
    scored = batch.rows_per_second(batch.scorers(artifacts), 5)
    slowest = max((found["p50"] for found in handler.values()), key=lambda spread: spread.median)
    figures = [
        Figure("cold start, against an empty handler", "times", ratios(cold["service"], cold["empty"]), 1.15),
        Figure(
            "cold start, faster than the tutorial's way", "times", ratios(cold["tutorial"], cold["service"]), 20, False
        ),
        Figure("warm request, against an empty handler", "times", ratios(warm["service"], warm["empty"]), 1.1),
        Figure("handler, p50", "µs", slowest, 20),
        Figure("handler with a challenger, against without", "times", _beside(challenged_runs, runs), 1.8),
        Figure("metrics, of a warm request", "%", _share_of_metrics(runs, Spread.of(warm["service"]).median), 5),
        Figure("peak memory of the runtime process", "MB", Spread.of(peak["service"]), 24),
        Figure(
            "offline batch, faster than predict_proba", "times", ratios(scored["tables"], scored["pipeline"]), 30, False
        ),
        *_in_docker(artifacts),
    ]
    return {
        "measured_at": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "rounds": rounds,
        "warm_requests": warm_requests,
        "figures": [figure.as_dict() for figure in figures],
        "contenders": {
            one.key: {
                "label": one.label,
                "cold_ms": Spread.of(cold[one.key]).as_dict(),
                "warm_ms": Spread.of(warm[one.key]).as_dict(),
                "peak_mb": Spread.of(peak[one.key]).as_dict(),
            }
            for one in compared
        },
        "handler_calls": in_process.CALLS,
        "handler_runs": runs,
        "handler_us": {
            name: {"p50": found["p50"].as_dict(), "p99": found["p99"].as_dict()} for name, found in handler.items()
        },
        "batch": {
            "rows": batch.ROWS,
            "compared": batch.ROWS,
            "tables": _millions(scored["tables"]).as_dict(),
            "pipeline": _millions(scored["pipeline"]).as_dict(),
        },
    }


def _challenged(artifacts: Path) -> Path:
    """The artifact with itself as its challenger."""
    directory = BUILD / "challenged"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(artifacts, directory)
    shutil.copytree(artifacts, directory / "challenger")
    return directory


def _beside(these: list[Percentiles], those: list[Percentiles]) -> Spread:
    return ratios([run["deny"]["p50"] for run in these], [run["deny"]["p50"] for run in those])


def _share_of_metrics(runs: list[Percentiles], warm_ms: float) -> Spread:
    added = [run["deny"]["p50"] - run[in_process.WITHOUT_METRICS]["p50"] for run in runs]
    return Spread.of([microseconds / 10 / warm_ms for microseconds in added])


def _lives(emulator: Path, compared: tuple[Contender, ...], rounds: int, warm_requests: int) -> dict[str, list[Life]]:
    lives: dict[str, list[Life]] = {one.key: [] for one in compared}
    # The first round is not counted: it compiles bytecode and fills the page cache.
    for turn in tqdm(range(rounds + 1), "rounds under the emulator", leave=False, disable=None):
        for one in compared:
            life = live(emulator, one, warm_requests)
            if turn:
                lives[one.key].append(life)
    return lives


def _in_docker(artifacts: Path) -> list[Figure]:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True).returncode:
        print("No Docker here: the start in a hardened container and the image size are not measured.", file=sys.stderr)
        return []
    return [*container_init.figures(artifacts), *image_size.figures(artifacts)]


def _millions(speeds: list[float]) -> Spread:
    return Spread.of([speed / 1e6 for speed in speeds])


def _machine() -> Machine:
    described = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in described if line.startswith("model name")), "")
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model or platform.machine(),
        "processors": os.cpu_count(),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
