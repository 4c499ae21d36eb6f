"""`python -m benchmarks.scoring`: the CPU of `model score` beside that of DuckDB's plain copy of the same file.

Both run as processes of their own, imports included, on one thread, in turns. The applications are generated.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.parquet
from tqdm import tqdm

from benchmarks.samples import SAMPLES
from model.data.generator import generate

PART = 1_000_000
COPY = """
import duckdb, sys
duckdb.execute("SET threads = 1; SET enable_progress_bar = false")
duckdb.execute(f"COPY (FROM '{sys.argv[1]}') TO '{sys.argv[2]}'")
"""


def main() -> None:
    """Write the applications, run both in turns, and print seconds, memory and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("model/artifacts"))
    parser.add_argument("--rows", type=int, default=20_000_000, help="a multiple of a million; default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scoring-") as name:
        directory = Path(name)
        table = directory / "applications.parquet"
        _write(table, options.rows)
        text = directory / "applications.csv"
        _seconds("-c", COPY, str(table), str(text))
        print(f"{options.rows:,} applications; CPU seconds, median of {options.repeats} runs in turns; memory at most")
        for source in (table, text):
            target = directory / f"out{source.suffix}"
            score = ["-m", "model", "score", "--artifact", str(options.artifacts), "--in", str(source)]
            ours, copies = [], []
            for _ in tqdm(range(options.repeats), desc=source.suffix, leave=False, disable=None):
                ours.append(_seconds(*score, "--out", str(target)))
                copies.append(_seconds("-c", COPY, str(source), str(target)))
            cpu, copy = (median(seconds for seconds, _ in found) for found in (ours, copies))
            memory = max(size for _, size in ours)
            print(
                f"  {source.suffix[1:]:8} score {cpu:.2f} s, {memory:.2f} GB; DuckDB's copy {copy:.2f} s; "
                f"ratio {cpu / copy:.2f}"
            )


def _write(path: Path, rows: int) -> None:
    writer = None
    for seed in tqdm(range(rows // PART), desc="generate", unit=" million", leave=False, disable=None):
        part = pa.Table.from_pandas(generate(PART, seed)[list(SAMPLES["approve"])], preserve_index=False)
        writer = writer or pa.parquet.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def _seconds(*words: str) -> tuple[float, float]:
    """The CPU seconds, and the largest memory in GB, of a Python process."""
    # Compiled modules may be kept, as in any installation.
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [sys.executable, *words], env=given | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    used: resource.struct_rusage = usage
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9


if __name__ == "__main__":
    main()
