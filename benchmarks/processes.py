"""Files of generated applications, and what a process uses that works on them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet
from tqdm import tqdm

from model.data.generator import generate

if TYPE_CHECKING:
    import resource
    from collections.abc import Sequence
    from pathlib import Path

PART = 1_000_000


class Used(NamedTuple):
    """What a process used: seconds of the clock and of processors, and its largest memory in GB."""

    seconds: float
    cpu: float
    memory: float


def write_applications(path: Path, rows: int, columns: Sequence[str] | None = None) -> None:
    """Write generated applications as Parquet: these columns, or all."""
    writer = None
    for seed, start in enumerate(tqdm(range(0, rows, PART), desc="generate", unit=" part", leave=False, disable=None)):
        frame = generate(min(PART, rows - start), seed)
        part = pa.Table.from_pandas(frame if columns is None else frame[list(columns)], preserve_index=False)
        writer = writer or pa.parquet.ParquetWriter(path, part.schema)
        writer.write_table(part)
    if writer is not None:
        writer.close()


def used_by(*words: str, directory: Path | None = None, threads: int | None = None) -> Used:
    """Run Python with these words, in a directory, on so many threads where OpenMP decides."""
    # Compiled modules may be kept, as in any installation.
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if threads is not None:
        given["OMP_NUM_THREADS"] = str(threads)
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], env=given, stdout=subprocess.DEVNULL, cwd=directory)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    used: resource.struct_rusage = usage
    return Used(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9)
