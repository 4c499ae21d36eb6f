"""Decides a file some megabytes at a time, with the service's checks, decisions and reasons.

Every row is answered, in the file's order: decided, or refused with the fields and the rules that it breaks.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.contract.carried import carried_fields, carried_file
from model.contract.reasons import SEPARATOR
from model.data.parts import check_parts, columns_of
from model.data.rejects import REFERENCE, DataError, MissingColumns, Rejects, TooManyRejects
from model.data.sheets import open_sheets
from model.fit.estimates import cells
from model.formats.batch import BatchDecider
from model.score.writers import COLUMNS, Answers, CsvWriter, ParquetWriter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from model.data.parts import Part

WRITERS: dict[str, type[CsvWriter] | type[ParquetWriter]] = {".csv": CsvWriter, ".parquet": ParquetWriter}


@dataclass(frozen=True)
class Scored:
    """What became of a file: how many rows were approved and decided, and which were refused."""

    approved: int
    decided: int
    rejects: Rejects


def score(opened: Artifact, path: Path, out: Path, *, max_reject_share: float, id_column: str | None = None) -> Scored:
    """Decide every row of a file.

    Parameters
    ----------
    opened : Artifact
        Its contract says what the file looks like.
    path : Path
        Text, Parquet (also a folder) or a spreadsheet.
    out : Path
        A `.csv` or `.parquet` file (`writable`). It is there when all rows are answered, and not before.
    max_reject_share : float
        The share of rows that may break the contract, 0 to 1.
    id_column : str, optional
        A column to answer with; by default the one that the contract's `file` names, if any.

    Raises
    ------
    DataError
    """
    contract = opened.manifest["contract"]
    fields, file = carried_fields(contract), carried_file(contract)
    id_column = id_column or file.id
    if id_column in COLUMNS:
        raise DataError(f"the id column {id_column} has the name of a column of the answers; rename it")
    as_they_are = () if id_column is None else (id_column,)
    rejects, decider = Rejects(), BatchDecider(opened)
    approved, decided, source = 0, 0, ""
    written = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with WRITERS[out.suffix.lower()](written, opened.manifest["model_version"], id_column) as writer:
            sheets = open_sheets(path, columns_of(fields, file), file, as_they_are)
            for part in check_parts(sheets, fields, None, rejects):
                source = part.sheet.source
                if id_column is not None and id_column not in part.sheet.names:
                    what = "Name the id column with --id, or in the contract's file"
                    raise MissingColumns(source, [id_column], part.sheet.names, f"{what} ({REFERENCE})")
                outcomes = decider.decide(part.matrix(fields))
                approved += int(outcomes.approved[outcomes.which].sum())
                decided += len(outcomes.which)
                writer.write(Answers(part, outcomes, *_refused(part), id_column))
        rejects.ignored_columns = tuple(name for name in rejects.ignored_columns if name != id_column)
        if rejects.share > max_reject_share:
            raise TooManyRejects(source, rejects, max_reject_share)
        written.replace(out)
    finally:
        written.unlink(missing_ok=True)
    return Scored(approved, decided, rejects)


def writable(out: Path, path: Path) -> Path:
    """The path `out`, if the answers about the file `path` can be written there.

    Raises
    ------
    DataError
    """
    if out.suffix.lower() not in WRITERS:
        raise DataError(f"{out}: the output file must be a .csv or .parquet file")
    if not out.parent.is_dir():
        raise DataError(f"{out}: there is no folder {out.parent}; make it first")
    if out.exists() and path.exists() and out.samefile(path):
        raise DataError(f"{out}: the answers would replace the applications; name another file with --out")
    return out


def _refused(part: Part) -> tuple[NDArray[np.int64], NDArray[np.intp], list[str]]:
    """The refused rows: their positions, the number of what each breaks, and what that is: `field:rule;…`."""
    sheet = part.sheet
    rows = np.setdiff1d(np.arange(len(sheet.positions)), part.kept, assume_unique=True)
    broken = [np.isin(rows, faulty, assume_unique=True).astype(np.intp) for _, _, faulty in part.faults]
    which, first = cells(broken, len(rows))
    texts = [
        SEPARATOR.join(
            f"{name}:{rule}" for (name, rule, _), marks in zip(part.faults, broken, strict=True) if marks[row]
        )
        for row in first.tolist()
    ]
    positions = [sheet.positions[rows]]
    numbers = [which]
    for rule, unread in sheet.unread.items():
        positions.append(unread)
        numbers.append(np.full(len(unread), len(texts), dtype=np.intp))
        texts.append(f"line:{rule}")
    return np.concatenate(positions), np.concatenate(numbers), texts
