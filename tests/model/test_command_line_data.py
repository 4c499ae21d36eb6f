"""What `python -m model` does and reports about its data: rejects, dates, the hold-out, another contract."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from lambda_app import artifact
from lambda_app.decision import Decider
from model.commands import main
from model.contract.carried import carried_fields
from model.data.applications import read_unlabelled
from model.data.encoding import values_of
from model.data.generator import generate
from model.report.page import FILE
from tests.artifacts import loans
from tests.contracts.mixed import Loan
from tests.trainings import CONTRACTS, MIXED, SMALL

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun


@pytest.fixture(scope="module")
def training_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The applications that `small` was trained on, as a file."""
    path = tmp_path_factory.mktemp("data") / "training.csv"
    generate(20_000, 0).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def broken_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other applications, seven of which break the contract."""
    path = tmp_path_factory.mktemp("data") / "broken.csv"
    frame = generate(4_000, 5)
    frame.loc[:6, "Income"] = -1
    frame.to_csv(path, index=False)
    return path


def test_training_reports_rejected_rows_and_an_unknown_date(
    broken_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given data with rejects and without a date
    command = ["train", "--no-track", "--contract", SMALL, "--data", str(broken_data), "--out", str(tmp_path)]
    # When a model is trained
    assert main(command) == 0
    # Then it reports both
    output = capsys.readouterr().out
    assert "rejected   7 of 4,000 rows rejected" in output
    assert "Income: greater_than_equal in 7 (lines 2, 3, 4, 5, 6, …)" in output
    assert "3,993 applications from broken.csv, of unknown date" in output
    assert json.loads((tmp_path / "manifest.json").read_text())["data"]["dated"] is None
    page = (tmp_path / FILE).read_text(encoding="utf-8")
    assert "3,993 applications of unknown date" in page
    assert "3,993 labelled applications, of unknown date" in page


def test_training_warns_of_reasons_that_name_what_is_not_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a contract with such a reason, and data that are too few to train on
    contract = tmp_path / "contract.py"
    loan = (CONTRACTS / "mixed.py").read_text(encoding="utf-8")
    contract.write_text(loan.replace("Savings too low", "Savings too low in relation to income"), encoding="utf-8")
    shutil.copy(CONTRACTS / "limits.json", tmp_path)
    loans(10, 0).to_csv(tmp_path / "loans.csv", index=False)
    command = ["train", "--no-track", "--data", str(tmp_path / "loans.csv"), "--out", str(tmp_path / "out")]
    # When a model is trained, then the warning names the field, and the contract as it was brings none
    assert main([*command, "--contract", f"{contract}:Loan"]) == 1
    assert "  warning    field Savings: the text of SAVINGS says 'in relation to', but" in capsys.readouterr().out
    assert main([*command, "--contract", MIXED]) == 1
    assert "warning    field" not in capsys.readouterr().out


def test_training_on_dated_data_keeps_the_date(
    broken_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given data and its date
    command = ["train", "--no-track", "--contract", SMALL, "--data", str(broken_data), "--out", str(tmp_path)]
    # When a model is trained
    assert main([*command, "--dated", "2024-01-31"]) == 0
    # Then the manifest has the date, and no output calls it unknown
    assert json.loads((tmp_path / "manifest.json").read_text())["data"]["dated"] == "2024-01-31"
    assert "dated 2024-01-31" in (tmp_path / FILE).read_text(encoding="utf-8")
    assert "unknown date" not in capsys.readouterr().out


def test_generated_applications_are_always_dated_today(capsys: pytest.CaptureFixture[str]) -> None:
    # Given a date without a file, when the command runs, then it stops before generating anything
    assert main(["train", "--no-track", "--dated", "2024-01-31"]) == 1
    assert "generated applications are dated today" in capsys.readouterr().err


def test_export_keeps_the_date_of_the_data(small: TrainingRun, training_data: Path, tmp_path: Path) -> None:
    # Given a model trained on dated data
    command = ["export", "--contract", SMALL, "--artifact", str(small.directory), "--data", str(training_data)]
    # When it is exported again from a file
    assert main([*command, "--out", str(tmp_path)]) == 0
    # Then its data has the same date as before
    assert json.loads((tmp_path / "manifest.json").read_text())["data"]["dated"] == small.manifest["data"]["dated"]


def test_evaluate_judges_a_model_on_the_rows_it_has_not_seen(
    small: TrainingRun, training_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given the very data that a model was trained on
    command = ["evaluate", "--contract", SMALL, "--artifact", str(small.directory), "--data", str(training_data)]
    # When it is evaluated
    assert main(command) == 0
    # Then the figures are those of its hold-out, and standard error says so
    printed = capsys.readouterr()
    assert json.loads(printed.out) == small.manifest["metrics"]
    assert "judged     the hold-out of the training data, 4,000 of 20,000 rows" in printed.err


def test_evaluate_judges_a_model_on_all_rows_of_other_data(
    small: TrainingRun, broken_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given other data, with rejects
    command = ["evaluate", "--contract", SMALL, "--artifact", str(small.directory), "--data", str(broken_data)]
    # When the model is evaluated
    assert main(command) == 0
    # Then every accepted row counts, and standard output holds only the figures
    printed = capsys.readouterr()
    figures = json.loads(printed.out)
    assert figures["rows"] == 3_993
    assert figures.keys() == small.manifest["metrics"].keys()
    assert "judged     all 3,993 rows" in printed.err
    assert "rejected   7 of 4,000 rows rejected" in printed.err


def with_other_word_order(directory: Path) -> str:
    """The mixed contract with two words swapped."""
    text = (CONTRACTS / "mixed.py").read_text(encoding="utf-8")
    assert '"own", "rent", "parents"' in text
    (directory / "other.py").write_text(text.replace('"own", "rent", "parents"', '"rent", "own", "parents"'))
    shutil.copy(CONTRACTS / "limits.json", directory / "limits.json")
    return f"{directory / 'other.py'}:Loan"


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_contract_that_is_not_the_models_own_is_refused(
    command: str, mixed: TrainingRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a contract with the same words in another order
    contract = with_other_word_order(tmp_path)
    loans(300, 1).to_csv(tmp_path / "loans.csv", index=False)
    words = ["--contract", contract, "--artifact", str(mixed.directory), "--data", str(tmp_path / "loans.csv")]
    # When it is given for a model of the original contract, then nothing is decided
    assert main([command, *words]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("ContractError: Loan is not the contract that the model was trained with")
    assert "different: Home" in printed.err
    assert printed.out == ""


def test_score_knows_the_models_own_fields_and_words(mixed: TrainingRun, tmp_path: Path) -> None:
    # Given applications for a model of another contract, in a file with its columns in another order
    applications = loans(300, 1)[[*reversed(Loan.model_fields), "Age"]]
    applications.to_csv(tmp_path / "applications.csv", index=False)
    # When they are scored, without a contract
    words = ["--artifact", str(mixed.directory), "--in", str(tmp_path / "applications.csv")]
    assert main(["score", *words, "--out", str(tmp_path / "scored.csv")]) == 0
    # Then each is decided as the service decides it
    scored = pd.read_csv(tmp_path / "scored.csv")
    fields = carried_fields(mixed.manifest["contract"])
    rows = read_unlabelled(tmp_path / "applications.csv", fields).matrix
    decider = Decider(artifact.load(str(mixed.directory)))
    decisions = [decider.decide(values_of(row, fields), "id").answer for row in rows]
    assert len(scored) == 300
    assert set(scored["prediction"]) == {0, 1}
    assert scored["prediction"].tolist() == [decision["prediction"] for decision in decisions]


@pytest.mark.parametrize(
    ("name", "reader"),
    [("scored.PARQUET", pd.read_parquet), ("scored.CSV", pd.read_csv)],
    ids=["parquet", "csv"],
)
def test_case_of_a_suffix_does_not_matter(name: str, reader: Any, small: TrainingRun, tmp_path: Path) -> None:
    # Given applications in a file with an upper-case suffix
    generate(50, 3).to_csv(tmp_path / "applications.CSV", index=False)
    words = ["score", "--artifact", str(small.directory), "--in", str(tmp_path / "applications.CSV")]
    # When they are scored into another such file, then it has the format of its suffix
    assert main([*words, "--out", str(tmp_path / name)]) == 0
    assert len(reader(tmp_path / name)) == 50


@pytest.mark.parametrize("name", ["scored.json", "scored", "scored.csv.gz"])
def test_another_format_is_refused_before_anything_is_read(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given neither artifact nor applications, when another output format is named, then that is the error
    words = ["score", "--artifact", str(tmp_path / "none"), "--in", str(tmp_path / "none.csv")]
    assert main([*words, "--out", str(tmp_path / name)]) == 1
    assert "must be a .csv or .parquet file" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["export", "evaluate", "track"])
@pytest.mark.parametrize("text", ["{}", '{"contract": 1}'], ids=["empty", "no-contract"])
def test_incomplete_manifest_is_named(
    command: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given a manifest that lacks something the command needs, when it is run, then the file is named
    (tmp_path / "manifest.json").write_text(text)
    assert main([command, "--artifact", str(tmp_path)]) == 1
    assert f"ArtifactCorrupt: {tmp_path / 'manifest.json'}" in capsys.readouterr().err


TOMORROW = (datetime.now(UTC) + timedelta(days=1, hours=1)).date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["train", "--rows", "-5"], "--rows: write a whole number", id="negative-rows"),
        pytest.param(["train", "--rows", "0"], "--rows: write a whole number", id="no-rows"),
        pytest.param(["train", "--rows", "5.0"], "--rows: write a whole number", id="fraction-of-rows"),
        pytest.param(["train", "--seed", "-1"], "--seed: write a whole number", id="negative-seed"),
        pytest.param(["evaluate", "--seed", str(2**32)], "--seed: write a whole number", id="seed-too-large"),
        pytest.param(["train", "--max-rejects", "5"], "--max-rejects: write a share", id="percentage"),
        pytest.param(["score", "--max-rejects", "nan"], "--max-rejects: write a share", id="no-number"),
        pytest.param(["train", "--dated", "31.01.2026"], "--dated: write a date", id="other-notation"),
        pytest.param(["train", "--dated", "20260131"], "--dated: write a date", id="other-iso-notation"),
        pytest.param(["train", "--dated", "2026-02-30"], "--dated: write a date", id="no-such-day"),
        pytest.param(["train", "--dated", TOMORROW], "is in the future", id="future"),
        pytest.param(["gate", "--dated", "2020-01-01"], "unrecognized arguments", id="gate-dates-no-data"),
        pytest.param(["track", "--contract", SMALL], "unrecognized arguments", id="track-needs-no-contract"),
        pytest.param(
            ["score", "--in", "a.csv", "--out", "b.csv", "--contract", MIXED],
            "unrecognized arguments",
            id="score-has-the-models-contract",
        ),
    ],
)
def test_invalid_argument_is_a_usage_error(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given an unknown option, or a value that an option cannot have, when the command is run, then it shows the usage
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err
