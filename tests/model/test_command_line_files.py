"""Each kind of a bank's file through the command line: refused with the line that accepts it, then judged the same."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from model.commands import main
from model.contract import File
from model.data.applications import check_frame
from model.run import run
from tests.contracts.loan import Loan
from tests.model.data.test_files import KINDS, PLAIN, Kind, text, typed
from tests.trainings import CONTRACTS, task_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model.data.test_files import Rows

GROUPS = 'Sensitive("marital", groups={"married": ("married",), "not married": ("single", "widow")})'
MARK = "    outcome: ClassVar"


def good_rates() -> pd.DataFrame:
    """Loans that are good if their rate is high, more or less."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({name: generator.choice(cells, 2_500) for name, cells in pd.DataFrame(typed()).items()})
    frame[["debt", "years"]] = frame[["debt", "years"]].astype("Int64")
    frame["age"] = generator.choice([20, 30, 50], len(frame))
    frame["rate"] = generator.uniform(1_000, 2_000, len(frame))
    frame["status"] = np.where(frame["rate"] + generator.normal(0, 100, len(frame)) > 1_400, "good", "bad")
    return frame


class Bank:
    """A trained model, and what it does on the plain rows."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copy(CONTRACTS / "limits.json", directory)
        (directory / "plain.csv").write_text(text(PLAIN), encoding="utf-8")
        plain = io.StringIO()
        run(task_of(Loan, check_frame(good_rates(), Loan, source="test", dated="2026-01-01")), directory / "artifact")
        with redirect_stdout(plain):
            assert self.evaluate(directory / "plain.csv", File()) == 0
        self.figures = json.loads(plain.getvalue())

    def evaluate(self, path: Path, file: File, marital: str = GROUPS) -> int:
        """Run `python -m model evaluate` under a contract with these declarations."""
        source = (CONTRACTS / "loan.py").read_text(encoding="utf-8").replace(GROUPS, marital)
        source = source.replace("import Contract,", "import Contract, File,")
        contract = self.directory / "declared.py"
        contract.write_text(source.replace(MARK, f"    file: ClassVar[File] = {file!r}\n{MARK}"), encoding="utf-8")
        words = ["--artifact", str(self.directory / "artifact"), "--contract", f"{contract}:Loan", "--data", str(path)]
        return main(["evaluate", *words])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    return Bank(tmp_path_factory.mktemp("bank"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_a_kind_of_file_is_refused_helpfully_and_judged_once_it_is_declared(
    kind: Kind, bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given such a file
    path = tmp_path / kind.name
    path.write_bytes(kind.content.encode() if isinstance(kind.content, str) else kind.content)
    # When nothing is declared, then the command names the line that accepts it
    assert bank.evaluate(path, File(separator=";") if kind.id == "points and commas" else File()) == 1
    printed = capsys.readouterr()
    assert kind.says in printed.err
    assert printed.out == ""
    # When that line stands in the contract, then the figures are those of the plain file
    assert bank.evaluate(path, kind.file) == 0
    assert json.loads(capsys.readouterr().out) == bank.figures


def test_parquet_is_judged_like_a_csv(bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pa.parquet.write_table(pa.table(typed()), tmp_path / "loans.parquet")
    assert bank.evaluate(tmp_path / "loans.parquet", File()) == 0
    assert json.loads(capsys.readouterr().out) == bank.figures


def worded(*words: str) -> Rows:
    """The rows with other words in the sensitive column, in turn."""
    return [row | {"marital": words[place % len(words)]} for place, row in enumerate(PLAIN)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_group_that_is_spelled_like_a_missing_value_is_judged(
    kind: str, bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, path = worded("WH", "NA", "BL"), tmp_path / f"loans.{kind}"
    if kind == "csv":
        path.write_text(text(rows), encoding="utf-8")
    else:
        pa.parquet.write_table(pa.table(typed() | {"marital": [row["marital"] for row in rows]}), path)
    groups = 'Sensitive("marital", groups={"white": ("WH",), "native american": ("NA",), "black": ("BL",)})'
    assert bank.evaluate(path, File(), groups) == 0
    by_group = json.loads(capsys.readouterr().out)["groups"]["marital"]["by_group"]
    rows_of = {name: group["rows"] for name, group in by_group.items()}
    assert rows_of == {"white": 14, "native american": 13, "black": 13}


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        pytest.param(text(worded("F", "f")), 0, "the groups F, f of marital differ by case alone", id="case"),
        pytest.param(text(worded("WH", "NA")), 0, "20 cells of marital hold 'NA', which is read as missing", id="NA"),
        pytest.param(text(PLAIN * 5), 0, "160 of 200 applications repeat another one", id="copies"),
        pytest.param(
            text([row | {"marital": f"{place}"} for place, row in enumerate(PLAIN * 10)]),
            1,
            "the sensitive column marital has 400 different values, as an id",
            id="ids",
        ),
        pytest.param(text(PLAIN).replace("café", '"see file', 1), 1, "line: open_quote in 40 (line 2", id="quote"),
        pytest.param(text(PLAIN, header={"years": "y\x1b[31m"}), 1, "y\\x1b[31m", id="escape sequences"),
    ],
)
def test_what_looks_wrong_is_told(
    content: str, code: int, told: str, bank: Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loans.csv").write_text(content, encoding="utf-8")
    assert bank.evaluate(tmp_path / "loans.csv", File(), 'Sensitive("marital")') == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert "\x1b" not in printed.err
