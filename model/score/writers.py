"""Writes answers, each different one of which is made once: as text, or as a dictionary of a Parquet file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from model.data.parts import Part
    from model.formats.batch import Outcomes

    Numbers = NDArray[np.intp]

COLUMNS = ("row", "prediction", "decision", "probability", "reasons", "model_version", "refused")
CODE = pa.int32()


class Answers:
    """The answers to the rows of a part, in their order.

    Parameters
    ----------
    part : Part
    outcomes : Outcomes
        Of the rows that passed.
    positions : ndarray of int64, shape (n,)
        Those of the refused rows.
    numbers : ndarray of intp, shape (n,)
        Each one's place in `refused`.
    refused : list of str
        What rows are refused for.
    id_column : str or None

    Attributes
    ----------
    rows : pyarrow.Array of int64, shape (n,)
        From 1.
    ids : pyarrow.Array or None
        Null where a line could not be split into columns.
    which : ndarray of intp, shape (n,)
        Each row's place in the lists.
    prediction, decision, probability, reasons, refused : list
        The different answers.
    """

    def __init__(
        self,
        part: Part,
        outcomes: Outcomes,
        positions: NDArray[np.int64],
        numbers: Numbers,
        refused: list[str],
        id_column: str | None,
    ) -> None:
        decided = len(outcomes.reasons)
        approved = outcomes.approved.tolist()
        self.prediction = [*map(int, approved), *[None] * len(refused)]
        self.decision = [*("approve" if yes else "deny" for yes in approved), *["refused"] * len(refused)]
        self.probability = [*outcomes.probabilities.tolist(), *[None] * len(refused)]
        self.reasons = [*outcomes.reasons, *[""] * len(refused)]
        self.refused = [*[None] * decided, *refused]
        sheet = part.sheet
        kept = sheet.positions[part.kept]
        rows = np.concatenate([kept, positions]) if len(positions) else kept
        self.which: Numbers = np.concatenate([outcomes.which, numbers + decided])
        if len(positions):
            order = np.argsort(rows, kind="stable")
            rows, self.which = rows[order], self.which[order]
        self.rows = pa.array(rows + 1)
        self.ids = None
        if id_column is not None:
            cells = sheet.columns.column(id_column).combine_chunks()
            if len(rows) != len(sheet.positions):
                # Some rows are not in the sheet.
                places = np.searchsorted(sheet.positions, rows)
                places[places == len(sheet.positions)] = 0
                known = np.isin(rows, sheet.positions)
                cells = cells.take(pa.array(places, mask=~known)) if len(cells) else pa.nulls(len(rows), cells.type)
            self.ids = cells


class CsvWriter:
    """Writes answers as text. What follows the row and the id is one text for each different answer."""

    def __init__(self, path: Path, model_version: str, id_column: str | None) -> None:
        self._file = path.open("wb")
        self._model_version = model_version
        header = [*COLUMNS[:1], *([] if id_column is None else [id_column]), *COLUMNS[1:]]
        self._file.write(_line(header).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, answers: Answers) -> None:
        if not len(answers.rows):
            return
        tails = [
            _line([prediction, decision, "" if probability is None else repr(probability), reasons, version, why])
            for prediction, decision, probability, reasons, version, why in zip(
                answers.prediction,
                answers.decision,
                answers.probability,
                answers.reasons,
                [self._model_version] * len(answers.decision),
                answers.refused,
                strict=True,
            )
        ]
        pieces = [pc.cast(answers.rows, pa.string())]
        if answers.ids is not None:
            pieces.append(_quoted(answers.ids))
        pieces.append(pa.array(tails).take(pa.array(answers.which)))
        for start in range(0, len(answers.rows), 1 << 18):  # so that the joined text fits an array's limit
            lines = pc.binary_join_element_wise(*(piece.slice(start, 1 << 18) for piece in pieces), ",")
            # The texts of an array lie one after the other: they are the lines of the file.
            ends = np.frombuffer(lines.buffers()[1], dtype=np.int32)[[lines.offset, lines.offset + len(lines)]]
            self._file.write(memoryview(lines.buffers()[2])[ends[0] : ends[1]])


class ParquetWriter:
    """Writes answers as a Parquet file."""

    def __init__(self, path: Path, model_version: str, id_column: str | None) -> None:
        self._path = path
        self._model_version = model_version
        self._id_column = id_column
        self._writer: pa.parquet.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, answers: Answers) -> None:
        def coded(values: Sequence[str | float | None], kind: pa.DataType) -> pa.Array:
            # A dictionary holds each value once, and no null: the rows do.
            known = dict.fromkeys(value for value in values if value is not None)
            numbered = {value: place for place, value in enumerate(known)}
            places = [-1 if value is None else numbered[value] for value in values]
            rows = np.array(places, dtype=np.int32)[answers.which]
            missing = rows < 0 if None in values else None
            return pa.DictionaryArray.from_arrays(pa.array(rows, CODE, mask=missing), pa.array(list(numbered), kind))

        text = pa.string()
        columns = {
            "row": answers.rows,
            **({} if answers.ids is None else {self._id_column: answers.ids}),
            "prediction": pa.array(answers.prediction, pa.int64()).take(pa.array(answers.which)),
            "decision": coded(answers.decision, text),
            "probability": coded(answers.probability, pa.float64()),
            "reasons": coded(answers.reasons, text),
            "model_version": coded([self._model_version] * len(answers.decision), text),
            "refused": coded(answers.refused, text),
        }
        table = pa.table(columns)
        if self._writer is None:
            self._writer = pa.parquet.ParquetWriter(
                self._path,
                table.schema,
                # The different rows and ids are many, and rows ascend.
                use_dictionary=list(COLUMNS[1:]),
                column_encoding={"row": "DELTA_BINARY_PACKED"},
                store_schema=False,  # readers get plain columns
            )
        self._writer.write_table(table)


def _line(cells: list[str] | list[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()


def _quoted(ids: pa.Array) -> pa.Array:
    """Ids as cells of a CSV; null is empty."""
    cells = pc.fill_null(pc.cast(ids, pa.string()), "")
    special = pc.match_substring_regex(cells, '[",\r\n]')
    if not pc.any(special).as_py():
        return cells
    escaped = pc.binary_join_element_wise('"', pc.replace_substring(cells, '"', '""'), '"', "")
    return pc.if_else(special, escaped, cells)
