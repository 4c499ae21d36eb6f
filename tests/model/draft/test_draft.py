"""A contract is drafted from a file; it reads the file once a person has confirmed every guess, and not before."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from model.commands import main
from model.contract.loading import MARK, load_contract
from model.data.applications import read
from model.data.generator import generate
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from model.contract import Contract
    from model.data.applications import Applications

EXAMPLE = ROOT / "examples" / "credit_data"


def drafted(source: Path, directory: Path, *words: str) -> Path:
    out = directory / "draft" / "applicant.py"
    assert main(["contract", "--from", str(source), "--out", str(out), *words]) == 0
    return out


def confirmed(draft: Path) -> str:
    """What a person does who finds every guess right."""
    text = draft.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if not line.strip().startswith(MARK)]
    draft.write_text("\n".join(line.partition(MARK)[0].rstrip() for line in kept) + "\n", encoding="utf-8")
    return f"{draft}:Applicant"


def test_the_example_needs_three_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Given the example's file, and a draft from it
    source = EXAMPLE / "credit_data.csv"
    draft = drafted(source, tmp_path)
    words = ["train", "--contract", f"{draft}:Applicant", "--data", str(source), "--out", str(tmp_path), "--no-track"]
    assert (draft.parent / "limits.json").read_bytes() == (ROOT / "model" / "limits.json").read_bytes()
    # When it is trained on before anybody has looked, then it is refused
    assert main(words) == 1
    assert "is a draft with" in capsys.readouterr().err
    # When the guesses are confirmed, then it trains, and its limits judge the model
    contract = load_contract(confirmed(draft))
    assert contract.outcome.approve == "good"
    assert [rule.column for rule in contract.sensitive] == ["Age", "Marital"]
    found = read(source, contract)
    assert len(found.matrix) == 4_454
    assert found.rejects.rows_rejected == 0
    assert main(words) == 3
    assert "hold-out" in capsys.readouterr().out


# A title, semicolons, decimal commas, marks between thousands, words for missing values, an id, names that Python
# does not accept, letters beyond ASCII, an outcome that is 1 for the bad ones.
ODD = "Kredite 2025\n\nkredit-id;jährlich.netto;class;Beruf;Anteil in %;age;defaulted\n" + "".join(
    f"{number};{number % 9 + 1}.{number % 900 + 100:03d},50 €;{'A' if number % 2 else 'B'};"
    f"{'N/A' if number % 7 == 0 else 'fest' if number % 3 else 'frei'};{number % 90},5;{20 + number % 50};"
    f"{number % 4 // 3}\n"
    for number in range(300)
)


def odd(contract: type[Contract], found: Applications) -> None:
    assert list(contract.model_fields) == ["jährlich_netto", "class_", "Beruf", "Anteil_in"]
    assert contract.file.column_of("class_") == "class"
    assert contract.file.id == "kredit-id"
    assert (contract.outcome.column, contract.outcome.approve, contract.outcome.deny) == ("defaulted", "0", "1")
    assert found.matrix[1, 0] == 2_101.5


@pytest.mark.parametrize(
    ("name", "encoding", "separator"),
    [
        ("loans.csv", "utf-8", ";"),
        ("loans.tsv", "utf-16", "\t"),
        ("loans.csv.gz", "cp1252", ";"),
        ("a.txt", "utf-8", "|"),
    ],
)
def test_an_odd_file_is_read_by_its_draft(name: str, encoding: str, separator: str, tmp_path: Path) -> None:
    content = ODD.replace(";", separator).encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    contract = load_contract(confirmed(drafted(tmp_path / name, tmp_path)))
    found = read(tmp_path / name, contract)
    assert (len(found.matrix), found.rejects.rows_rejected) == (300, 0)
    odd(contract, found)


def test_a_table_and_a_text_have_the_same_draft(tmp_path: Path) -> None:
    # Given the same applications with types and as text, with a gap, and a column that nobody can score
    applications = generate(500, 1)
    applications["Rate"] = [number / 8 for number in range(500)]
    applications["Note"] = [f"note {number}" for number in range(500)]
    applications["Home"] = ["own", None, "rent", 'with "quotes"', "own"] * 100
    applications.to_csv(tmp_path / "loans.csv", index=False)
    applications.to_parquet(tmp_path / "loans.parquet")
    read_by = {}
    for name in ("loans.csv", "loans.parquet"):
        draft = drafted(tmp_path / name, tmp_path / name.partition(".")[2])
        read_by[name] = read(tmp_path / name, load_contract(confirmed(draft)))
    # Then both read all rows, alike
    assert [len(found.matrix) for found in read_by.values()] == [500, 500]
    assert read_by["loans.csv"].digest == read_by["loans.parquet"].digest
    assert "Note" not in [spec.name for spec in read_by["loans.csv"].fields]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no column is named like an outcome; name it with --outcome. Columns of few labels: flag"),
        (["--outcome", "nowhere"], "the outcome nowhere is not in the file"),
        (["--outcome", "income"], "the outcome income has not from 2 to 6 labels"),
    ],
)
def test_a_file_without_an_outcome_is_refused(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame({"income": range(100), "flag": [0, 1] * 50}).to_csv(tmp_path / "a.csv", index=False)
    arguments = ["contract", "--from", str(tmp_path / "a.csv"), "--out", str(tmp_path / "draft.py"), *words]
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "draft.py").exists()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "applicant.py").write_text("mine", encoding="utf-8")
    words = ["contract", "--from", str(EXAMPLE / "credit_data.csv"), "--out", str(tmp_path / "applicant.py")]
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "applicant.py").read_text(encoding="utf-8") == "mine"
