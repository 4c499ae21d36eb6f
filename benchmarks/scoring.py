"""`python -m benchmarks.scoring`: the CPU of `model score` beside that of DuckDB's plain copy of the same file.

Both run as processes of their own, imports included, on one thread, in turns. The applications are generated.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from tqdm import tqdm

from benchmarks.processes import used_by, write_applications
from benchmarks.samples import SAMPLES

COPY = """
import duckdb, sys
duckdb.execute("SET threads = 1; SET enable_progress_bar = false")
duckdb.execute(f"COPY (FROM '{sys.argv[1]}') TO '{sys.argv[2]}'")
"""


def main() -> None:
    """Write the applications, run both in turns, and print seconds, memory and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("model/artifacts"))
    parser.add_argument("--rows", type=int, default=20_000_000, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoring-") as name:
        directory = Path(name)
        table = directory / "applications.parquet"
        write_applications(table, options.rows, list(SAMPLES["approve"]))
        text = directory / "applications.csv"
        used_by("-c", COPY, str(table), str(text))
        print(f"{options.rows:,} applications; CPU seconds, median of {options.repeats} runs in turns; memory at most")
        for source in (table, text):
            target = directory / f"out{source.suffix}"
            score = ["-m", "model", "score", "--artifact", str(options.artifacts), "--in", str(source)]
            ours, copies = [], []
            for _ in tqdm(range(options.repeats), desc=source.suffix, leave=False, disable=None):
                ours.append(used_by(*score, "--out", str(target), threads=1))
                copies.append(used_by("-c", COPY, str(source), str(target), threads=1))
            cpu, copy = (median(run.cpu for run in found) for found in (ours, copies))
            memory = max(run.memory for run in ours)
            print(
                f"  {source.suffix[1:]:8} score {cpu:.2f} s, {memory:.2f} GB; DuckDB's copy {copy:.2f} s; "
                f"ratio {cpu / copy:.2f}"
            )


if __name__ == "__main__":
    main()
