"""INIT in a hardened container, as reported by the runtime interface emulator.

Compares an empty handler, this service and the tutorial's way, in alternating runs on the same base image.

    python -m benchmarks.container_init --artifacts model/artifacts
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from benchmarks import compared_images
from benchmarks.figures import Figure, Spread, ratios
from benchmarks.hardened import HARDENED, live
from benchmarks.lambda_process import BenchmarkError
from benchmarks.samples import SAMPLES

ROUNDS = 25
COMPARED = {
    compared_images.EMPTY: "empty handler",
    compared_images.SERVICE: "this service",
    compared_images.LEAN: "joblib + scikit-learn",
}


def figures(artifacts: Path) -> list[Figure]:
    """The figures of `make bench` for the start of a container."""
    found = measure(artifacts, ROUNDS)
    empty, service, tutorial = (found[image] for image in COMPARED)
    return [
        Figure("INIT in a hardened container, against an empty handler", "times", ratios(service, empty), 1.2),
        Figure(
            "INIT in a hardened container, faster than the tutorial's way",
            "times",
            ratios(tutorial, service),
            10,
            False,
        ),
    ]


def measure(artifacts: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of INIT by image, one per round.

    Raises
    ------
    BenchmarkError
        An image could not be built, does not start, or decides wrongly.
    """
    base = compared_images.build_service(artifacts)
    compared_images.build_empty(base)
    compared_images.build_lean(base)
    found: dict[str, list[float]] = {image: [] for image in COMPARED}
    # The first round is not counted: it fills the page cache.
    for turn in tqdm(range(rounds + 1), "rounds in hardened containers", leave=False, disable=None):
        for image, times in found.items():
            life = live(image, [SAMPLES["approve"]])
            body = json.loads(life.answers[0]["body"])
            if image != compared_images.EMPTY and body["prediction"] != 1:
                raise BenchmarkError(f"{COMPARED[image]} answered {body}")
            if turn:
                times.append(life.init_ms)
    return found


def table(found: dict[str, list[float]]) -> str:
    """A Markdown table of times and ratios."""
    empty = next(iter(found.values()))
    lines = [
        f"`docker run {' '.join(HARDENED)}`, {len(empty)} alternating rounds, median (quartiles):",
        "",
        "| | INIT, ms | lowest, ms | times an empty handler |",
        "| --- | ---: | ---: | ---: |",
    ]
    for image, times in found.items():
        spent, against = Spread.of(times), ratios(times, empty)
        lines.append(
            f"| {COMPARED[image]} | {spent.median:.1f} ({spent.low:.1f} to {spent.high:.1f}) | {min(times):.1f} | "
            f"{against.median:.2f} ({against.low:.2f} to {against.high:.2f}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmarks.container_init", description=__doc__.partition("\n")[0])
    parser.add_argument("--artifacts", type=Path, required=True, help="an artifact of the default contract")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="default: %(default)s")
    chosen = parser.parse_args()
    try:
        print(table(measure(chosen.artifacts, chosen.rounds)))
    except BenchmarkError as error:
        sys.exit(f"Cannot measure: {error}.")
