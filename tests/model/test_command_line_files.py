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

    def evaluate(self, path: Path, file: File) -> int:
        """Run `python -m model evaluate` under a contract with this declaration."""
        source = (CONTRACTS / "loan.py").read_text(encoding="utf-8")
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
