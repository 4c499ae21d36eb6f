"""The reader: rejected rows, files that cannot be used, groups, digests and subsets."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from model.applicant import Applicant
from model.contract.fields import fields_of
from model.data.applications import check_frame, read, read_unlabelled
from model.data.rejects import MissingColumns, TooManyRejects, UnreadableFile
from tests.contracts.loan import GOOD, JUDGED, Loan, write_csv
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "years,rate,owner,job,debt,assets,home,status,age,marital,note"


def test_rejects_are_counted_located_by_line_and_named_by_field_and_rule(tmp_path: Path) -> None:
    # Given a file with a byte-order mark, blank lines, a cell with a line break, a short line, and bad cells
    path = tmp_path / "loans.csv"
    lines = [
        HEADER,
        "1,0.5,1,fixed,,,,good,30,single,",  # line 2
        "",
        '2,0.5,1,fixed,,,,bad,30,single,"two',  # lines 4 and 5
        'lines"',
        "3,0.5",  # line 6
        "99,0.5,1,fixed,,,,good,30,single,",  # line 7
        "4,0.5,1,fixed,,,,perhaps,30,single,",  # line 8
        "5,0.5,1,fixed,,,,bad,old,alone,",  # line 9
        "6,0.5,1,fixed,,,,bad,,NA,",  # line 10
        ",,,,,,,,,,",
        "",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    # When it is read
    result = read(path, Loan, max_reject_share=0.9)
    # Then every line below the header is accounted for
    assert result.rejects.as_dict() == {
        "rows_read": 8,
        "rows_rejected": 6,
        "rows_left_out": 0,
        "blank_rows": 3,
        "ignored_columns": ["note"],
        "by_field": {
            "line": {
                "cell_count": {"rows": 1, "first_lines": [6]},
                "open_quote": {"rows": 2, "first_lines": [4]},
            },
            "years": {"less_than_equal": {"rows": 1, "first_lines": [7]}},
            "status": {"literal_error": {"rows": 1, "first_lines": [8]}},
            "age": {"float_type": {"rows": 1, "first_lines": [9]}},
            "marital": {"literal_error": {"rows": 1, "first_lines": [9]}},
        },
        "warnings": [
            "2 applications, 1 of them labelled approve, are few to train and judge a model on; bring more if you can"
        ],
    }
    assert bool(result.rejects)
    assert result.accepted.tolist() == [0, 7]
    assert result.matrix[:, 0].tolist() == [1, 6]
    assert result.approved.tolist() == [True, False]
    assert result.groups["age"].tolist() == ["25 to under 40", ""]
    assert result.groups["marital"].tolist() == ["not married", ""]


def test_only_the_first_lines_are_listed_and_no_value_is_ever_shown(tmp_path: Path) -> None:
    # Given more bad rows than may be rejected, with a value that must not be shown
    path = write_csv(tmp_path / "loans.csv", [GOOD | JUDGED | {"years": "canary"}] * 20 + [GOOD | JUDGED] * 5)
    # When it is read
    with pytest.raises(TooManyRejects) as caught:
        read(path, Loan, max_reject_share=0.5)
    # Then the error carries the facts, and says where to look
    assert caught.value.rejects.faults["years"]["int_type"].first == (2, 3, 4, 5, 6)
    assert caught.value.rejects.share == 0.8
    assert "years: int_type in 20 (lines 2, 3, 4, 5, 6, …)" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_exactly_the_allowed_share_may_be_rejected(tmp_path: Path) -> None:
    # Given one bad row in ten
    path = write_csv(tmp_path / "loans.csv", [GOOD | JUDGED | {"owner": "2"}] + [GOOD | JUDGED] * 9)
    # When one in ten is allowed, then the rest is used
    assert len(read(path, Loan, max_reject_share=0.1).matrix) == 9
    # When less is allowed, then none is used
    with pytest.raises(TooManyRejects):
        read(path, Loan, max_reject_share=0.09)


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "years": [3, 4, 5],
            "debt": pd.array([7, None, 8], "Int64"),
            "rate": [0.5, -0.0, 1.25],
            "assets": [1.0, np.nan, 3.5],
            "owner": [1, 0, 1],
            "job": ["fixed", "part time", "NA-like"],
            "home": ["own", None, "rent"],
            "status": ["good", "bad", "good"],
            "age": [24, 25, 40],
            "marital": ["single", "married", None],
        }
    )


def test_csv_parquet_and_memory_give_the_same_applications(tmp_path: Path) -> None:
    # Given the same rows in three forms
    frame().to_csv(tmp_path / "loans.csv", index=False)
    frame().to_parquet(tmp_path / "loans.parquet")
    # When they are read
    forms = [
        check_frame(frame(), Loan, source="memory", dated="2026-01-01"),
        read(tmp_path / "loans.csv", Loan),
        read(tmp_path / "loans.parquet", Loan),
    ]
    # Then they are the same, down to the digest
    for form in forms:
        np.testing.assert_array_equal(form.matrix, forms[0].matrix)
        assert form.approved.tolist() == [True, False, True]
        assert form.groups["age"].tolist() == ["under 25", "25 to under 40", "40 and over"]
        assert form.groups["marital"].tolist() == ["not married", "married", ""]
        assert not form.rejects
    assert {form.digest for form in forms} == {forms[0].digest}
    assert [form.source for form in forms] == ["memory", "loans.csv", "loans.parquet"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("rate", 0.75, id="number"),
        pytest.param("home", "own", id="word"),
        pytest.param("debt", pd.NA, id="gap"),
        pytest.param("status", "bad", id="outcome"),
        pytest.param("marital", "single", id="group"),
    ],
)
def test_the_digest_changes_with_any_value(column: str, value: Any) -> None:
    # Given the last row changed in one column
    changed = frame()
    changed.loc[2, column] = value
    # When both are checked
    before, after = (check_frame(rows, Loan, source="", dated="2026-01-01") for rows in (frame(), changed))
    # Then their digests differ
    assert before.digest != after.digest


def test_a_subset_keeps_the_facts_about_the_whole() -> None:
    # Given checked applications
    whole = check_frame(frame(), Loan, source="memory", dated="2026-01-01")
    # When some are taken
    part = whole.take(np.array([2, 0]))
    # Then rows, outcomes, groups and positions stay together
    np.testing.assert_array_equal(part.matrix, whole.matrix[[2, 0]])
    assert part.approved.tolist() == [True, True]
    assert part.groups["age"].tolist() == ["40 and over", "under 25"]
    assert part.accepted.tolist() == [2, 0]
    assert (part.digest, part.rejects, part.dated) == (whole.digest, whole.rejects, whole.dated)


def test_scoring_needs_neither_outcome_nor_sensitive_columns(tmp_path: Path) -> None:
    # Given rows without labels, the second of them bad
    path = write_csv(tmp_path / "ask.csv", [GOOD, GOOD | {"owner": "yes"}, GOOD])
    # When they are read for scoring
    result = read_unlabelled(path, fields_of(Loan), max_reject_share=1.0)
    # Then the positions say which rows were accepted
    assert result.accepted.tolist() == [0, 2]
    assert (result.approved.size, result.groups) == (0, {})
    assert result.take(np.array([1])).accepted.tolist() == [2]


def test_data_has_the_date_that_was_given_not_that_of_its_file(tmp_path: Path) -> None:
    # Given a file that was copied at a known time
    path = write_csv(tmp_path / "loans.csv", [GOOD | JUDGED])
    os.utime(path, (1_709_251_199, 1_709_251_199))
    # When it is read, then its date is unknown unless it is given
    assert read(path, Loan).dated is None
    assert read(path, Loan, dated="2024-01-31").dated == "2024-01-31"


@pytest.mark.parametrize("column", ["status", "age", "marital"])
@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(pa.array([["canary"]]), id="list"),
        pytest.param(pa.array([{"key": "canary"}]), id="struct"),
        pytest.param(pa.array([1.0], pa.float16()), id="half-float"),
    ],
)
def test_a_column_that_cannot_hold_labels_or_groups_is_named(tmp_path: Path, column: str, cells: pa.Array) -> None:
    # Given a Parquet file whose outcome or sensitive column has a type that is not a plain value
    table = pa.table(frame()[:1].to_dict("list") | {column: cells})
    pyarrow.parquet.write_table(table, tmp_path / "loans.parquet")
    # When it is read, then the error names the column, and quotes nothing
    with pytest.raises(UnreadableFile, match=f"the type of column {column} cannot hold") as caught:
        read(tmp_path / "loans.parquet", Loan)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0, 1, 0], ["0", "1", "0"], id="each-value-a-group"),
        pytest.param(pd.array([1, None, 0], "Int64"), ["1", "", "0"], id="gap"),
    ],
)
def test_without_declared_groups_each_value_is_a_group(values: Any, expected: list[str]) -> None:
    # Given the default contract, whose Group has no declared groups
    rows = pd.DataFrame({"Num_Children": [0, 1, 2], "Income": [1, 2, 3], "Own_Car": [0, 1, 1]})
    rows = rows.assign(Own_Housing=0, Group=values, Target=[0, 1, 1])
    # When it is checked, then the values name the groups
    assert check_frame(rows, Applicant, source="", dated="2026-01-01").groups["Group"].tolist() == expected


@pytest.mark.parametrize(
    ("labels", "rule"),
    [
        pytest.param([True, False], "literal_error", id="booleans-are-not-0-and-1"),
        pytest.param([1.0, 0.0], "literal_error", id="nor-are-floats"),
        pytest.param(["1", "0"], "literal_error", id="nor-are-strings"),
        pytest.param(pd.array([None, None], "Int64"), "missing", id="nothing"),
    ],
)
def test_an_outcome_that_is_not_a_label_is_rejected(labels: Any, rule: str) -> None:
    # Given an outcome column whose type differs from that of the contract's labels
    rows = pd.DataFrame({"Num_Children": [0, 1], "Income": [1, 2], "Own_Car": 0, "Own_Housing": 0, "Group": 0})
    # When it is checked, then no row passes
    with pytest.raises(TooManyRejects) as caught:
        check_frame(rows.assign(Target=labels), Applicant, source="", dated="2026-01-01")
    assert caught.value.rejects.faults["Target"][rule].rows == 2


def test_every_column_of_the_contract_must_be_present(tmp_path: Path) -> None:
    # Given a file with two of them under other names
    row = {"Years" if name == "years" else name: cell for name, cell in (GOOD | JUDGED).items()}
    path = write_csv(tmp_path / "loans.csv", [{key: row[key] for key in row if key != "age"}])
    # When it is read
    with pytest.raises(MissingColumns) as caught:
        read(path, Loan)
    # Then the error names the missing columns and those that exist
    assert caught.value.missing == ("years", "age")
    assert "Years" in caught.value.found


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("no.csv", None, "no such file", id="no-file"),
        pytest.param("loans.json", b"{}", "must be .csv, .tsv", id="other-format"),
        pytest.param("loans.xlsx", b"PK", "cannot be read as a spreadsheet", id="broken-spreadsheet"),
        pytest.param("loans.csv.gz", b"\x1f\x8bcanary", "not a whole gzip file", id="broken-gzip"),
        pytest.param("loans.csv", b"", "no header", id="empty"),
        pytest.param("loans.csv", f"{HEADER}\n".encode(), "holds no rows", id="header-only"),
        pytest.param("loans.csv", HEADER.encode() + b",years\n1\n", "column years twice", id="column-twice"),
        pytest.param(
            "loans.csv", HEADER.encode("utf-16"), "looks like utf-16: declare file = File", id="utf-16-header"
        ),
        pytest.param(
            "loans.csv",
            f"{HEADER}\n1,1,1,é,,,,,,,\n".encode("latin-1"),
            "looks like latin-1: declare file",
            id="latin-1-cell",
        ),
        pytest.param("loans.parquet", b"PAR1 canary", "is not Parquet", id="broken-parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_remedy(
    tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    # Given a file that is not a table of applications
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    # When it is read, then the error says what to do, and quotes nothing
    with pytest.raises(UnreadableFile, match=why) as caught:
        read(path, Loan)
    assert "canary" not in str(caught.value)


def test_a_frame_column_of_mixed_types_is_refused_without_quoting_it() -> None:
    # Given numbers and text in one column
    mixed = frame().astype({"rate": object})
    mixed.loc[1, "rate"] = "canary"
    # When it is checked, then the error names only the column
    with pytest.raises(UnreadableFile, match="column rate mixes types") as caught:
        check_frame(mixed, Loan, source="memory", dated="2026-01-01")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_default_limit_of_rejects_is_cheap_to_import() -> None:
    # Given a fresh interpreter, when the command line's parser imports the limit, then nothing heavy is loaded
    code = "import sys, model.data.rejects; print('numpy' in sys.modules, 'pyarrow' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False"]
