"""Ordinary files of banks: refused with the line of the contract that accepts them, and accepted with that line."""

from __future__ import annotations

import csv
import gzip
import io
import os
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.contract import ContractError, File, Outcome, Sensitive
from model.data.applications import read
from model.data.rejects import DataError, TooManyRejects, UnreadableFile
from tests.contracts.loan import Loan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from model.data.applications import Applications

    Rows = list[dict[str, str]]

# Large and small numbers, with and without decimals, missing values, a word with a letter beyond ASCII.
PLAIN: Rows = [
    {
        "years": str(number % 50),
        "debt": str(1_234_567 + number) if number % 5 else "",
        "rate": f"{1234.5 + number}",
        "assets": f"{2_000_000.25 + number}" if number % 7 else "",
        "owner": str(number % 2),
        "job": "part time" if number % 3 else "fixed",
        "home": "own" if number % 4 else "",
        "status": "good" if number % 3 else "bad",
        "age": str(20 + number),
        "marital": "single" if number % 2 else "married",
        "note": "café",
    }
    for number in range(40)
]


def text(rows: Rows, separator: str = ",", header: dict[str, str] | None = None) -> str:
    """The rows as a CSV."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    writer.writerow((header or {}).get(name, name) for name in rows[0])
    writer.writerows(row.values() for row in rows)
    return written.getvalue()


def changed(column: str, change: Callable[[str], str]) -> str:
    """The rows as a CSV, with one column written otherwise."""
    return text([row | {column: change(row[column])} for row in PLAIN])


def grouped(cell: str, thousands: str, decimal: str = ".") -> str:
    """A number with marks between thousands, in quotes if it needs them."""
    if not cell:
        return ""
    whole, point, part = cell.partition(".")
    return f"{int(whole):,}".replace(",", thousands) + (decimal + part if point else "")


@dataclass(frozen=True)
class Kind:
    """A kind of file: its content, what the refusal says, and what accepts it."""

    id: str
    content: str | bytes
    says: str
    file: File
    name: str = "loans.csv"


def worded(column: str, word: str) -> str:
    return changed(column, lambda cell: cell or word)


KINDS = [
    Kind("semicolons", text(PLAIN, ";"), 'File(separator=";")', File(separator=";")),
    Kind("tabs", text(PLAIN, "\t"), 'File(separator="\\t")', File(separator="\t")),
    Kind("tsv", text(PLAIN, "\t"), 'File(separator="\\t")', File(separator="\t"), "loans.tsv"),
    Kind("pipes", text(PLAIN, "|"), 'File(separator="|")', File(separator="|")),
    Kind("latin-1", text(PLAIN).encode("latin-1"), 'File(encoding="latin-1")', File(encoding="latin-1")),
    Kind("utf-16", text(PLAIN).encode("utf-16"), 'File(encoding="utf-16")', File(encoding="utf-16")),
    Kind("utf-16 without a mark", text(PLAIN).encode("utf-16-le"), 'encoding="utf-16-le"', File(encoding="utf-16-le")),
    Kind(
        "windows", text(PLAIN).replace("café", "“café”").encode("cp1252"), 'encoding="cp1252"', File(encoding="cp1252")
    ),
    Kind("a title", "Loans of 2025\n" + text(PLAIN), "File(skip_lines=1)", File(skip_lines=1)),
    Kind("a title and a gap", "Loans, of 2025\n\n" + text(PLAIN), "File(skip_lines=2)", File(skip_lines=2)),
    Kind(
        "a title and semicolons",
        "Loans of 2025\n" + text(PLAIN, ";"),
        'File(skip_lines=1, separator=";")',
        File(skip_lines=1, separator=";"),
    ),
    Kind(
        "decimal commas",
        text([row | {name: row[name].replace(".", ",") for name in ("rate", "assets")} for row in PLAIN]),
        'File(decimal=",")',
        File(decimal=","),
    ),
    Kind("thousands", changed("debt", lambda cell: grouped(cell, ",")), 'thousands=","', File(thousands=",")),
    Kind("apostrophes", changed("debt", lambda cell: grouped(cell, "'")), 'thousands="\'"', File(thousands="'")),
    Kind("spaces", changed("debt", lambda cell: grouped(cell, " ")), 'thousands=" "', File(thousands=" ")),
    Kind("fixed spaces", changed("debt", lambda cell: grouped(cell, "\u00a0")), 'thousands=" "', File(thousands=" ")),
    Kind(
        "points and commas",
        text(
            [row | {name: grouped(row[name], ".", ",") for name in ("debt", "rate", "assets")} for row in PLAIN],
            ";",
        ),
        'File(decimal=",", thousands=".")',
        File(decimal=",", thousands=".", separator=";"),
    ),
    Kind("euros", changed("debt", lambda cell: cell and f"€ {cell}"), 'currency=("€",)', File(currency=("€",))),
    Kind("dollars", changed("debt", lambda cell: cell and f"${cell}"), 'currency=("$",)', File(currency=("$",))),
    Kind("a code", changed("debt", lambda cell: cell and f"{cell} EUR"), 'currency=("EUR",)', File(currency=("EUR",))),
    *(
        Kind(f"missing {word}", worded("debt", word), f'missing=("NA", "{word}")', File(missing=("NA", word)))
        for word in ("NaN", "N/A", "null", "NULL", "None", "-", "?", ".", "#N/A")
    ),
    Kind("a missing word", worded("home", "n/a"), 'missing=("NA", "n/a")', File(missing=("NA", "n/a"))),
    *(
        Kind(
            f"{yes} and {no}",
            changed("owner", lambda cell, yes=yes, no=no: yes if cell == "1" else no),  # type: ignore[misc]
            f'File(yes=("{yes}",), no=("{no}",))',
            File(yes=(yes,), no=(no,)),
        )
        for yes, no in (("yes", "no"), ("True", "False"), ("true", "false"), ("1.0", "0.0"), ("Y", "N"))
    ),
    Kind("decimals", changed("years", lambda cell: f"{cell}.0"), "File(whole_floats=True)", File(whole_floats=True)),
    Kind(
        "decimals and gaps",
        changed("debt", lambda cell: cell and f"{cell}.00"),
        "File(whole_floats=True)",
        File(whole_floats=True),
    ),
    Kind(
        "a column's name",
        text(PLAIN, header={"years": "Years", "rate": "Rate "}),
        'File(columns={"years": "Years", "rate": "Rate"})',
        File(columns={"years": "Years", "rate": "Rate"}),
    ),
    Kind(
        "words with spaces",
        text([{"a.b-c d" if name == "years" else name: cell for name, cell in row.items()} for row in PLAIN]),
        "name them in the contract's file",
        File(columns={"years": "a.b-c d"}),
    ),
    Kind(
        "inches",
        changed("note", lambda _: 'pipe, "5').replace('"pipe, ""5"', "pipe of 5").replace("pipe of 5", '"pipe'),
        'File(quote="")',
        File(quote=""),
    ),
    Kind("notes with line breaks", changed("note", lambda _: "one\ntwo"), "line_breaks=True", File(line_breaks=True)),
]


def declared(monkeypatch: pytest.MonkeyPatch, file: File) -> None:
    """Let the contract say what its file looks like."""
    monkeypatch.setattr(Loan, "file", file)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Applications:
    """The same rows, written plainly."""
    path = tmp_path_factory.mktemp("plain") / "loans.csv"
    path.write_text(text(PLAIN), encoding="utf-8")
    return read(path, Loan)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_a_kind_of_file_is_refused_with_the_line_that_accepts_it(
    kind: Kind, plain: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given such a file, compressed or not
    content = kind.content.encode() if isinstance(kind.content, str) else kind.content
    (tmp_path / kind.name).write_bytes(content)
    (tmp_path / f"{kind.name}.gz").write_bytes(gzip.compress(content))
    for path in (tmp_path / kind.name, tmp_path / f"{kind.name}.gz"):
        # When nothing is declared, then it is refused, and the message says what would accept it
        declared(monkeypatch, File(separator=";") if kind.id == "points and commas" else File())
        with pytest.raises(DataError) as refused:
            read(path, Loan)
        assert kind.says in str(refused.value)
        # When that is declared, then every row is what it is in the plain file
        declared(monkeypatch, kind.file)
        found = read(path, Loan)
        assert found.digest == plain.digest
        assert not found.rejects


def typed() -> dict[str, Any]:
    """The rows with types, as a table has them."""
    columns: dict[str, Any] = {name: [row[name] or None for row in PLAIN] for name in PLAIN[0]}
    for name in ("years", "debt", "owner", "age"):
        columns[name] = [None if cell is None else int(cell) for cell in columns[name]]
    for name in ("rate", "assets"):
        columns[name] = [None if cell is None else float(cell) for cell in columns[name]]
    return columns


def stored(column: str, change: Callable[[Any], Any], kind: pa.DataType | None = None) -> pa.Table:
    """The rows as a table, with one column stored otherwise."""
    return pa.table(typed() | {column: pa.array([change(cell) for cell in typed()[column]], kind)})


@pytest.mark.parametrize(
    ("table", "says", "file"),
    [
        pytest.param(stored("years", float), "File(whole_floats=True)", File(whole_floats=True), id="floats"),
        pytest.param(
            stored("debt", lambda cell: float("nan") if cell is None else float(cell)),
            "File(whole_floats=True)",
            File(whole_floats=True),
            id="floats and NaN",
        ),
        pytest.param(
            stored("debt", lambda cell: cell and Decimal(cell), pa.decimal128(20, 2)),
            "File(whole_floats=True)",
            File(whole_floats=True),
            id="decimals",
        ),
        pytest.param(stored("years", str), "File(as_text=True)", File(as_text=True), id="numbers in text"),
        pytest.param(
            stored("debt", lambda cell: f"{cell:,}" if cell else ""),
            'File(as_text=True, thousands=",")',
            File(as_text=True, thousands=","),
            id="thousands in text",
        ),
        pytest.param(
            stored("home", lambda cell: cell or "N/A"),
            'File(as_text=True, missing=("NA", "N/A"))',
            File(as_text=True, missing=("NA", "N/A")),
            id="words for missing",
        ),
        pytest.param(stored("home", lambda cell: cell or " "), "File(as_text=True)", File(as_text=True), id="blanks"),
        pytest.param(
            stored("owner", bool), 'File(yes=("true",), no=("false",))', File(yes=("true",), no=("false",)), id="flags"
        ),
        pytest.param(
            stored("owner", lambda cell: "yes" if cell else "no"),
            'File(yes=("yes",), no=("no",))',
            File(yes=("yes",), no=("no",)),
            id="flags in text",
        ),
    ],
)
def test_a_table_of_other_types_is_refused_with_the_line_that_accepts_it(
    table: pa.Table, says: str, file: File, plain: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pa.parquet.write_table(table, tmp_path / "loans.parquet")
    with pytest.raises(TooManyRejects) as refused:
        read(tmp_path / "loans.parquet", Loan)
    assert says in str(refused.value)
    declared(monkeypatch, file)
    assert read(tmp_path / "loans.parquet", Loan).digest == plain.digest


def test_labels_may_be_stored_with_decimals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an outcome and a group as pandas stores them where another row has none
    table = typed() | {name: [float(place % 2) for place in range(len(PLAIN))] for name in ("status", "marital")}
    pa.parquet.write_table(pa.table(table), tmp_path / "loans.parquet")
    monkeypatch.setattr(Loan, "outcome", Outcome("status", 1, 0))
    monkeypatch.setattr(Loan, "sensitive", (Sensitive("marital"),))
    with pytest.raises(TooManyRejects, match=r"File\(whole_floats=True\)"):
        read(tmp_path / "loans.parquet", Loan)
    declared(monkeypatch, File(whole_floats=True))
    found = read(tmp_path / "loans.parquet", Loan)
    assert found.approved.tolist() == [False, True] * 20
    assert found.groups["marital"].tolist() == ["0", "1"] * 20


def test_columns_may_be_in_the_names_of_folders(plain: Applications, tmp_path: Path) -> None:
    pa.parquet.write_to_dataset(pa.table(typed()), tmp_path / "loans", partition_cols=["marital"])
    found = read(tmp_path / "loans", Loan)
    assert sorted(found.groups["marital"]) == sorted(plain.groups["marital"])
    assert len(found.matrix) == len(plain.matrix)


@pytest.mark.parametrize("lacking", ["a", "b"])
def test_a_part_of_a_folder_that_lacks_a_column_is_named(lacking: str, tmp_path: Path) -> None:
    (tmp_path / "loans").mkdir()
    for name in ("a", "b"):
        table = pa.table(typed())
        part = table.drop_columns(["home"]) if name == lacking else table
        pa.parquet.write_table(part, tmp_path / "loans" / f"{name}.parquet")
    with pytest.raises(UnreadableFile, match=f"{lacking}.parquet has no column home, which other files of it have"):
        read(tmp_path / "loans", Loan)


def test_a_folder_of_parquet_files_is_one_table(plain: Applications, tmp_path: Path) -> None:
    table = pa.table(typed())
    (tmp_path / "loans").mkdir()
    for place in (0, 20):
        pa.parquet.write_table(table.slice(place, 20), tmp_path / "loans" / f"part-{place:02}.parquet")
    assert read(tmp_path / "loans", Loan).digest == plain.digest


def test_a_spreadsheet_is_read_as_text(plain: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pd.ExcelWriter(tmp_path / "loans.xlsx", engine="xlsxwriter") as book:
        pd.DataFrame(typed()).to_excel(book, sheet_name="Loans", index=False)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="Notes", index=False)
    with pytest.raises(UnreadableFile, match="has the sheets Loans, Notes: declare which one, file = File"):
        read(tmp_path / "loans.xlsx", Loan)
    declared(monkeypatch, File(sheet="Loans"))
    assert read(tmp_path / "loans.xlsx", Loan).digest == plain.digest


def test_a_column_that_nobody_asked_for_is_not_read(plain: Applications, tmp_path: Path) -> None:
    # Given an ignored column of a small file that would need gigabytes
    huge = pa.DictionaryArray.from_arrays(pa.array([0] * len(PLAIN), pa.int32()), pa.array(["x" * 5_000_000]))
    pa.parquet.write_table(pa.table(typed() | {"note": huge}), tmp_path / "loans.parquet", compression="zstd")
    before = pa.total_allocated_bytes()
    found = read(tmp_path / "loans.parquet", Loan)
    assert found.digest == plain.digest
    assert pa.total_allocated_bytes() - before < 4_000_000


def test_outcomes_that_are_not_decided_are_left_out_by_declaration(
    plain: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "loans.csv"
    open_rows = [row | {"status": "open", "years": "unknown"} for row in PLAIN[:10]]
    path.write_text(text([*PLAIN, *open_rows]), encoding="utf-8")
    with pytest.raises(TooManyRejects):
        read(path, Loan)
    monkeypatch.setattr(Loan, "outcome", Outcome("status", "good", "bad", leave_out=("open",)))
    found = read(path, Loan)
    assert found.digest == plain.digest
    assert (found.rejects.rows_read, found.rejects.rows_left_out, found.rejects.rows_rejected) == (50, 10, 0)


def test_a_declared_word_is_always_that_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given groups and labels that are spelled like missing values, in text and in a table
    words = {"married": "NA", "single": ""}
    rows = [
        row | {"marital": words[row["marital"]], "status": "NA" if row["status"] == "bad" else "ok"} for row in PLAIN
    ]
    (tmp_path / "loans.csv").write_text(text(rows), encoding="utf-8")
    table = typed() | {name: [row[name] or None for row in rows] for name in ("marital", "status")}
    pa.parquet.write_table(pa.table(table), tmp_path / "loans.parquet")
    monkeypatch.setattr(Loan, "outcome", Outcome("status", "ok", "NA"))
    monkeypatch.setattr(Loan, "sensitive", (Sensitive("marital", groups={"native american": ("NA",)}),))
    # When they are read
    found = [read(tmp_path / name, Loan) for name in ("loans.csv", "loans.parquet")]
    # Then they are what they were declared to be
    assert found[0].digest == found[1].digest
    assert found[0].groups["marital"].tolist() == ["native american", ""] * 20
    assert found[0].approved.tolist() == [row["status"] == "good" for row in PLAIN]


def undeclared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loan, "sensitive", (Sensitive("marital"),))


def test_a_word_that_may_be_a_group_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undeclared(monkeypatch)
    rows = [row | {"marital": "NA" if row["marital"] == "single" else "WH"} for row in PLAIN]
    (tmp_path / "loans.csv").write_text(text(rows), encoding="utf-8")
    pa.parquet.write_table(pa.table(typed() | {"marital": [row["marital"] for row in rows]}), tmp_path / "l.parquet")
    for name in ("loans.csv", "l.parquet"):
        found = read(tmp_path / name, Loan)
        assert set(found.groups["marital"]) == {"", "WH"}
        assert any("20 cells of marital hold 'NA', which is read as missing" in told for told in found.rejects.warnings)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        pytest.param(["F", "f"], "the groups F, f of marital differ by case alone", id="case"),
        pytest.param([f"g{number}" for number in range(40)], "the sensitive column marital has 40 groups", id="many"),
    ],
)
def test_suspicious_groups_are_told(
    groups: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undeclared(monkeypatch)
    rows = [row | {"marital": groups[place % len(groups)]} for place, row in enumerate(PLAIN)]
    (tmp_path / "loans.csv").write_text(text(rows), encoding="utf-8")
    assert any(told in warning for warning in read(tmp_path / "loans.csv", Loan).rejects.warnings)


def test_a_sensitive_column_of_ids_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undeclared(monkeypatch)
    rows = [row | {"marital": f"id-{repeat}-{place}"} for repeat in range(10) for place, row in enumerate(PLAIN)]
    (tmp_path / "loans.csv").write_text(text(rows), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="the sensitive column marital has 400 different values, as an id"):
        read(tmp_path / "loans.csv", Loan)


def test_a_nan_is_no_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undeclared(monkeypatch)
    numbers = [1.0 if place % 2 else float("nan") for place in range(len(PLAIN))]
    pa.parquet.write_table(pa.table(typed() | {"marital": numbers}), tmp_path / "loans.parquet")
    assert set(read(tmp_path / "loans.parquet", Loan).groups["marital"]) == {"", "1.0"}


def test_copies_and_few_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text(text(PLAIN * 5), encoding="utf-8")
    warnings = read(tmp_path / "loans.csv", Loan).rejects.warnings
    assert any("160 of 200 applications repeat another one" in warning for warning in warnings)
    assert any("are few to train and judge a model on" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("closed", "lost"), [pytest.param(None, 151, id="never-closed"), pytest.param(90, 41, id="closed-later")]
)
@pytest.mark.parametrize("block", [1 << 24, 100], ids=["one-block", "many-blocks"])
def test_a_stray_quote_hides_no_line(
    closed: int | None, lost: int, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.data.lines.BLOCK", block)
    # Given 200 lines below the header, with a quote that opens in line 51 of the file
    lines = text(PLAIN * 5).splitlines()
    lines[50] = lines[50].replace("café", '"see file')
    if closed is not None:
        lines[closed] = lines[closed].replace("café", 'café"')
    (tmp_path / "loans.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # When it is read, then the lines that it hides are counted, and the first is named
    with pytest.raises(TooManyRejects, match=rf"line: open_quote in {lost} \(line 51"):
        read(tmp_path / "loans.csv", Loan)
    found = read(tmp_path / "loans.csv", Loan, max_reject_share=1.0)
    assert (found.rejects.rows_read, found.rejects.rows_rejected) == (200, lost)
    assert len(found.matrix) == 200 - lost


def test_a_name_out_of_a_file_is_shown_on_one_line(tmp_path: Path) -> None:
    # Given a header that would start a line of its own, and colour the terminal
    name = "::warning::\x1b[31m\nred"
    header = '"' + name.replace("\n", "\r") + '"'
    (tmp_path / "loans.csv").write_bytes(f"a,b{chr(27)}[31m,::warning::{chr(8)}\n1,2,3\n".encode())
    pa.parquet.write_table(pa.table({name: [1]}), tmp_path / "loans.parquet")
    for file in ("loans.csv", "loans.parquet"):
        with pytest.raises(DataError) as refused:
            read(tmp_path / file, Loan)
        assert all(letter.isprintable() for letter in str(refused.value)), header


def test_a_header_that_holds_values_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a file whose header is skipped, so that an application stands in its place
    (tmp_path / "loans.csv").write_text(text(PLAIN), encoding="utf-8")
    declared(monkeypatch, File(skip_lines=1))
    with pytest.raises(DataError, match="the header's line holds values instead of names") as refused:
        read(tmp_path / "loans.csv", Loan)
    assert "1234.5" not in str(refused.value)


def test_a_cell_that_spans_lines_must_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = text(PLAIN).splitlines()
    lines[10] = lines[10].replace("café", '"see file')
    (tmp_path / "loans.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    declared(monkeypatch, File(line_breaks=True))
    with pytest.raises(UnreadableFile, match="line 11 opens a quoted cell that no later line closes"):
        read(tmp_path / "loans.csv", Loan)


def test_a_table_with_a_column_twice_is_refused_by_name(tmp_path: Path) -> None:
    columns = typed()
    table = pa.Table.from_arrays(
        [pa.array(cells) for cells in (*columns.values(), columns["years"])], [*columns, "years"]
    )
    pa.parquet.write_table(table, tmp_path / "loans.parquet")
    with pytest.raises(UnreadableFile, match="has the column years twice"):
        read(tmp_path / "loans.parquet", Loan)


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"is a folder without a \.parquet file"):
        read(tmp_path, Loan)


@pytest.mark.parametrize("encoding", ["base64", "undefined", "nonsense"])
def test_an_encoding_of_no_text_is_refused(encoding: str) -> None:
    with pytest.raises(ContractError, match="there is no encoding of text named"):
        File(encoding=encoding)


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 2_000),
        st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"", b";", b'""', b"\xef\xbb\xbf"]),
    ),
    min_size=1,
    max_size=6,
)


# `DAMAGED_FILES=10000 python -m pytest tests/model/data/test_files.py -k damaged --timeout 0` looks at more.
@settings(
    max_examples=int(os.environ.get("DAMAGED_FILES", "300")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(damage=DAMAGE, cut=st.integers(0, 2_500), block=st.sampled_from([1 << 24, 1_000, 97]))
def test_a_damaged_file_is_accounted_for_or_refused(
    damage: list[tuple[int, bytes]], cut: int, block: int, tmp_path: Path
) -> None:
    # Given a file with bytes put in, taken out, or cut off
    content = text(PLAIN).encode()
    for place, piece in damage:
        at = place % len(content)
        content = content[:at] + piece + content[at + (not piece) :]
    if cut < len(content) // 2:
        content = content[: len(content) - cut]
    path = tmp_path / "loans.csv"
    path.write_bytes(content)
    # When it is read, then every line is accepted, rejected or blank, or the file is refused
    try:
        with patch("model.data.lines.BLOCK", block):
            found = read(path, Loan, max_reject_share=1.0)
    except DataError:
        return
    lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    below = len(lines) - 1 - (lines[-1] == b"")
    rejects = found.rejects
    assert len(found.matrix) + rejects.rows_rejected + rejects.blank_rows == below


@pytest.mark.parametrize("block", [1 << 24, 333, 50])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_is_the_same_read_in_any_blocks(
    block: int, encoding: str, plain: Applications, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file whose cells span lines, with the line ends of Windows
    rows = [{**row, "note": f"\u00e9{number}\n,{number}"} for number, row in enumerate(PLAIN)]
    (tmp_path / "loans.csv").write_bytes(text(rows).replace("\n", "\r\n").encode(encoding))
    declared(monkeypatch, File(encoding=encoding, line_breaks=True))
    # When it is read a few bytes at a time, then its rows are those of the plain file, at the same positions
    monkeypatch.setattr("model.data.lines.BLOCK", block)
    found = read(tmp_path / "loans.csv", Loan)
    assert found.digest == plain.digest
    assert found.accepted.tolist() == list(range(len(PLAIN)))


def test_a_line_of_spaces_is_blank_whatever_stands_above_it(tmp_path: Path) -> None:
    # Given an empty cell in each column, none in the same row, and below a line of separators and spaces
    gaps = [{**PLAIN[0], name: ""} for name in PLAIN[0]]
    lines = text(gaps).splitlines()
    spaces = " , " * (len(gaps) - 1)
    (tmp_path / "loans.csv").write_text("\n".join([*lines, spaces, ""]), encoding="utf-8")
    # When it is read, then that line is blank, and no row is rejected for it
    rejects = read(tmp_path / "loans.csv", Loan, max_reject_share=1.0).rejects
    assert (rejects.rows_read, rejects.blank_rows) == (len(gaps), 1)


def test_the_declaration_travels_with_the_model() -> None:
    from model.contract.carried import carried_file, contract_as_data
    from model.contract.fields import fields_of

    file = File(columns={"years": "Y"}, separator=";", missing=("NA", "-"), yes=("yes",), no=("no",))
    data = contract_as_data(Loan, fields_of(Loan))
    assert carried_file(data) == File()
    assert carried_file({**data, "file": file.as_data()}) == file
    assert carried_file({**data, "file": file.as_data() | {"later": 1}}) == file
    assert replace(file, separator="|").as_data()["separator"] == "|"
