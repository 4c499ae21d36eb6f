"""Files are decided row by row: each gets an answer, in constant memory, the service's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from lambda_app import artifact
from model.commands import main
from model.data.generator import generate
from model.data.rejects import DataError, MissingColumns, TooManyRejects
from model.score.stream import score
from tests.serving import Service

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.artifact import Artifact
    from model.run import TrainingRun

ROWS = 20_000
FIELDS = ["Num_Children", "Income", "Own_Car", "Own_Housing"]


@pytest.fixture
def opened(small: TrainingRun) -> Artifact:
    return artifact.load(str(small.directory))


# Ids with a comma and a quote, a word, an empty line, too few cells, two broken rules, a quote that opens and closes
# two lines later.
LINES = """application,Num_Children,Income,Own_Car,Own_Housing,note
"a,1",2,50000,1,1,
b2,0,90000,0,1,
c3,0,lots,0,1,

d4,0,90000
"e""5",0,-1,7,1,
f6,,90000,1,1,
g7,1,70000,0,0,"see
h8,1,70000,0,0,file
i9,1,70000,0,0,file"
j10,1,70000,0,0,
"""
REFUSED = [
    "",
    "",
    "Income:int_type",
    "line:cell_count",
    "Income:greater_than_equal;Own_Car:less_than_equal",
    "Num_Children:missing",
    *["line:open_quote"] * 3,
    "",
]


@pytest.mark.parametrize("block", [1 << 22, 60, 7], ids=["one-block", "blocks", "tiny-blocks"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_every_row_of_a_text_file_is_answered(
    suffix: str, block: int, opened: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a file with every kind of damage, read in blocks of any size
    monkeypatch.setattr("model.data.lines.BLOCK", block)
    source, out = tmp_path / "applications.csv", tmp_path / f"out.{suffix}"
    source.write_text(LINES, encoding="utf-8")
    # When it is decided with its ids
    found = score(opened, source, out, max_reject_share=1.0, id_column="application")
    # Then each line but the blank one is answered, in order
    answers = pd.read_csv(out, keep_default_na=False) if suffix == "csv" else pd.read_parquet(out)
    assert answers["row"].tolist() == list(range(1, 11))
    assert answers["refused"].fillna("").tolist() == REFUSED
    assert (answers["decision"] == "refused").tolist() == [bool(why) for why in REFUSED]
    ids = ["a,1", "b2", "c3", "", 'e"5', "f6", "", "", "", "j10"]
    assert answers["application"].fillna("").tolist() == ids
    assert (found.decided, found.rejects.rows_rejected, found.rejects.rows_read, found.rejects.blank_rows) == (
        3,
        7,
        10,
        1,
    )


def test_answers_are_the_services_own_whatever_the_file(opened: Artifact, small: TrainingRun, tmp_path: Path) -> None:
    # Given applications with every kind of value, in text, in a table, and in a folder of tables
    rng = np.random.default_rng(3)
    applications = generate(ROWS, 3)[FIELDS].astype("Int64")
    applications.loc[rng.random(ROWS) < 0.02, "Income"] = -5
    applications.loc[rng.random(ROWS) < 0.02, "Num_Children"] = pd.NA
    applications.loc[rng.random(ROWS) < 0.02, "Own_Car"] = 2
    applications.to_csv(tmp_path / "applications.csv", index=False)
    applications.to_parquet(tmp_path / "applications.parquet")
    (tmp_path / "folder").mkdir()
    for place in range(5):
        part = applications.iloc[place * ROWS // 5 : (place + 1) * ROWS // 5]
        part.to_parquet(tmp_path / "folder" / f"{place}.parquet")
    # When they are decided
    found = {}
    for name in ("applications.csv", "applications.parquet", "folder"):
        score(opened, tmp_path / name, tmp_path / "out.parquet", max_reject_share=1.0)
        found[name] = pd.read_parquet(tmp_path / "out.parquet")
    # Then the answers are the same, and those of the service, to the last digit
    pd.testing.assert_frame_equal(found["applications.csv"], found["applications.parquet"])
    pd.testing.assert_frame_equal(found["folder"], found["applications.parquet"])
    service = Service(small.directory)
    for given, answer in zip(applications.to_dict("records"), found["folder"].to_dict("records"), strict=True):
        told = service({name: None if value is pd.NA else value for name, value in given.items()})
        assert (told.status == 200) == (answer["decision"] != "refused") == pd.isna(answer["refused"])
        if told.status == 200:
            assert answer["probability"] == told.body["probability"]
            assert answer["decision"] == told.body["decision"]
            assert answer["reasons"] == ";".join(reason["code"] for reason in told.body["reasons"])


def test_nothing_is_written_if_too_many_rows_are_refused(opened: Artifact, tmp_path: Path) -> None:
    (tmp_path / "applications.csv").write_text(LINES, encoding="utf-8")
    (tmp_path / "out.csv").write_text("before", encoding="utf-8")
    with pytest.raises(TooManyRejects):
        score(opened, tmp_path / "applications.csv", tmp_path / "out.csv", max_reject_share=0.01)
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["applications.csv", "out.csv"]


def test_an_id_that_is_not_there_or_is_named_like_an_answer_is_refused(opened: Artifact, tmp_path: Path) -> None:
    source, out = tmp_path / "applications.csv", tmp_path / "out.csv"
    source.write_text(LINES, encoding="utf-8")
    with pytest.raises(MissingColumns, match="no column number"):
        score(opened, source, out, max_reject_share=1.0, id_column="number")
    with pytest.raises(DataError, match="the name of a column of the answers"):
        score(opened, source, out, max_reject_share=1.0, id_column="row")


def test_the_applications_are_not_replaced_and_a_folder_is_asked_for(
    small: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "applications.csv"
    source.write_text(LINES, encoding="utf-8")
    words = ["score", "--artifact", str(small.directory), "--in", str(source), "--out"]
    assert main([*words, str(source)]) == 1
    assert main([*words, str(tmp_path / "none" / "out.csv")]) == 1
    printed = capsys.readouterr().err
    assert "would replace the applications" in printed
    assert "there is no folder" in printed
    assert source.read_text(encoding="utf-8") == LINES


def test_a_file_without_rows_has_answers_without_rows(opened: Artifact, small: TrainingRun, tmp_path: Path) -> None:
    source = tmp_path / "applications.csv"
    source.write_text(",".join(FIELDS), encoding="utf-8")
    for name, reader in (("out.csv", pd.read_csv), ("out.parquet", pd.read_parquet)):
        words = ["score", "--artifact", str(small.directory), "--in", str(source), "--out", str(tmp_path / name)]
        assert main(words) == 0
        assert len(reader(tmp_path / name)) == 0
