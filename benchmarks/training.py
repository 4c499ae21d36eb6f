"""`python -m benchmarks.training`: time and memory of `model train`, on generated applications in a Parquet file.

With `--beside`, another checkout trains on the same files in turns, for example the commit before a change.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.processes import used_by, write_applications
from benchmarks.search_path import ROOT


def main() -> None:
    """Write the applications, train, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 5_000_000, 20_000_000])
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT")
    options = parser.parse_args()
    checkouts = {"here": ROOT} if options.beside is None else {"here": ROOT, "beside": options.beside.resolve()}
    print("| applications | | seconds | CPU seconds | memory, GB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="training-") as name:
        for rows in options.rows:
            data = Path(name, "applications.parquet")
            write_applications(data, rows)
            for which, directory in checkouts.items():
                train = ["-m", "model", "train", "--no-track", "--data", str(data), "--out", str(Path(name, which))]
                used = used_by(*train, directory=directory)
                print(f"| {rows:,} | {which} | {used.seconds:.0f} | {used.cpu:.0f} | {used.memory:.2f} |", flush=True)


if __name__ == "__main__":
    main()
