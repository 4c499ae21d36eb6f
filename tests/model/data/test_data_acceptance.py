"""A property: the reader accepts exactly the rows that the contract itself accepts, and names the same rules."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from model.contract.fields import fields_of
from model.data.applications import Applications, read_unlabelled
from tests.contracts.loan import FIELDS, GOOD, Loan, write_csv

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambda_app.manifest import Application
    from model.contract import Contract


def counted(applications: Applications) -> Counter[tuple[str, str]]:
    faults = applications.rejects.faults
    return Counter({(name, rule): fault.rows for name, rules in faults.items() for rule, fault in rules.items()})


ODD = ["", "NA", " ", "5.0", "5", " 5 ", "-0", "-0.0", "007", "+5", "1e3", "1E-3", "1e999", "-1e999", "inf", "-inf"]
ODD += ["nan", "NaN", "Infinity", "true", "True", "false", "null", "None", "0x10", "1_000", "1,5", ".5", "5.", "50"]
ODD += ["51", "-1", "1000000000", "1000000001", "99999999999999999999", "fixed", "Fixed", " fixed", "part time"]
ODD += ["NA-like", "own", "rent\t", "\u0966", "5]", "[5]", '"5"', "{}", "\x00", "1e", "--1", "2000000.0000000001"]
CELLS = st.one_of(
    st.sampled_from(ODD),
    st.integers().map(str),
    st.floats().map(repr),
    # A cell that spans lines is rejected with its lines: `test_files.py`.
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=5),
)
LIKELY = {name: st.one_of(st.just(GOOD[name]), CELLS) for name in FIELDS}


def on_the_wire(row: dict[str, str]) -> str:
    """The row as a request carries it: the text of a number as that number, everything else as a string."""
    members = []
    for name, cell in row.items():
        try:
            is_number = name not in ("job", "home") and isinstance(json.loads(cell), int | float)
        except ValueError:
            is_number = False
        token = cell if is_number and cell not in ("true", "false") else json.dumps(cell)
        members.append(f'"{name}": {token}')
    return f"{{{', '.join(members)}}}"


def judged_by_pydantic(
    rows: list[Any], validate: Callable[[Any], Contract]
) -> tuple[list[Application], Counter[tuple[str, str]]]:
    accepted, faults = [], Counter[tuple[str, str]]()
    for row in rows:
        try:
            accepted.append(validate(row).model_dump())
        except ValidationError as err:
            faults.update((str(fault["loc"][0]), fault["type"]) for fault in err.errors())
    return accepted, faults


def as_matrix(rows: list[Application]) -> np.ndarray[Any, Any]:
    words = {"job": ("fixed", "part time", "NA-like"), "home": ("rent", "own")}
    return np.array(
        [
            [
                np.nan if row[name] is None else words[name].index(row[name]) if name in words else row[name]
                for name in FIELDS
            ]
            for row in rows
        ],
        dtype=np.float64,
    ).reshape(len(rows), len(FIELDS))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries(LIKELY), min_size=1, max_size=8))
def test_a_csv_row_is_accepted_exactly_when_the_contract_accepts_it(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    # Given cells of every kind, and pydantic's verdict on each row as a request
    path = write_csv(tmp_path / "loans.csv", rows)
    trimmed = [{name: cell.strip(" \t\r\n") for name, cell in row.items()} for row in rows]
    requests = [
        on_the_wire({name: cell for name, cell in row.items() if cell not in ("", "NA")})
        for row in trimmed
        if any(row.values())
    ]
    accepted, faults = judged_by_pydantic(requests, Loan.model_validate_json)
    # When the file is read
    result = read_unlabelled(path, fields_of(Loan), max_reject_share=1.0)
    # Then the same rows are accepted, with the same values, and the same rules are named for the rest
    np.testing.assert_array_equal(result.matrix, as_matrix(accepted))
    assert counted(result) == faults
    assert result.rejects.rows_rejected == len(requests) - len(accepted)


TYPED = st.one_of(
    st.tuples(st.just(pa.int64()), st.integers(-2, 60)),
    st.tuples(st.just(pa.float64()), st.floats(allow_nan=True) | st.floats(0, 50)),
    st.tuples(st.just(pa.float32()), st.floats(width=32) | st.just(1.0)),
    st.tuples(st.just(pa.bool_()), st.booleans()),
    st.tuples(st.just(pa.string()), st.sampled_from(["fixed", "own", "1", "", "NA", " own"])),
    st.tuples(st.just(pa.string()).map(lambda text: pa.dictionary(pa.int32(), text)), st.just("fixed")),
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_parquet_row_is_accepted_exactly_when_the_contract_accepts_it(tmp_path: Path, data: st.DataObject) -> None:
    # Given a file with columns of any type, with gaps
    columns = {}
    for name in FIELDS:
        kind, value = data.draw(TYPED)
        size = 4
        cells = [value if data.draw(st.booleans()) else None for _ in range(size)]
        columns[name] = pa.array(cells, kind)
    path = tmp_path / "loans.parquet"
    pa.parquet.write_table(pa.table(columns), path)
    rows = [{name: value for name, value in row.items() if value is not None} for row in pa.table(columns).to_pylist()]
    accepted, faults = judged_by_pydantic(rows, Loan.model_validate)
    # When it is read
    result = read_unlabelled(path, fields_of(Loan), max_reject_share=1.0)
    # Then it is judged as pydantic judges the same values in Python
    np.testing.assert_array_equal(result.matrix, as_matrix(accepted))
    assert counted(result) == faults
