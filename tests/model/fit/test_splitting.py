"""Which applications train a model and which judge it, as a contract declares; and how much each of them counts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from model.commands import main
from model.contract import Contract, ContractError, File, Split
from model.contract.fields import fields_of
from model.data.applications import check_frame, read
from model.data.rejects import MissingColumns, TooManyRejects
from model.errors import TrainingError
from model.fit.settings import TrainingSettings
from model.fit.splitting import folds, sample, split
from model.fit.train import train
from model.report.page import FILE
from tests.artifacts import loans
from tests.contracts.mixed import Loan
from tests.trainings import MIXED, task_of

if TYPE_CHECKING:
    from model.data.applications import Applications

ROWS = 600
DAYS = pd.Series(pd.date_range("2023-01-01", periods=ROWS // 2)).repeat(2).reset_index(drop=True)
# Each customer applies three times, far apart in the file.
CUSTOMERS = pd.Series([f"C{row % 200}" for row in range(ROWS)])


def contract_with(way: Split | None = None, weight: str | None = None, file: File | None = None) -> type[Contract]:
    """The mixed contract with a split and weights."""

    class Changed(Loan):
        split: ClassVar[Split] = way or Split()

    Changed.weight = weight
    Changed.file = file or File()
    return Changed


def checked(contract: type[Contract], **columns: Any) -> Applications:
    return check_frame(loans(ROWS, 1).assign(**columns), contract, source="test", dated=None)


def held_out(contract: type[Contract], **columns: Any) -> Any:
    """Which of the rows are the hold-out."""
    training, holdout = split(checked(contract, **columns), TrainingSettings())
    assert sorted([*training.accepted, *holdout.accepted]) == list(range(ROWS))
    return np.isin(np.arange(ROWS), holdout.accepted)


def test_by_a_column() -> None:
    side = np.where(np.arange(ROWS) % 3 == 0, "test", "train")
    way = Split(column="part", training=("train",), holdout=("test", "out of time"))
    assert np.array_equal(held_out(contract_with(way), part=side), side == "test")


def test_by_time_the_newest_judge_and_one_day_stays_together() -> None:
    shuffled = DAYS.sample(frac=1, random_state=3).reset_index(drop=True)
    found = held_out(contract_with(Split(date="day")), day=shuffled)
    assert found.sum() == ROWS * 0.2
    assert shuffled[found].min() > shuffled[~found].max()


@pytest.mark.parametrize(
    ("written", "file"),
    [
        pytest.param(DAYS, File(), id="timestamps"),
        pytest.param(DAYS.dt.date, File(), id="dates"),
        pytest.param(DAYS.dt.tz_localize("UTC"), File(), id="with a zone"),
        pytest.param(DAYS.dt.strftime("%Y-%m-%d"), File(), id="text"),
        pytest.param(DAYS.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), File(), id="text with a zone"),
        pytest.param(DAYS.dt.strftime("%d.%m.%Y"), File(date_format="%d.%m.%Y"), id="declared text"),
        pytest.param(DAYS.dt.strftime("%Y%m%d").astype(int), File(), id="numbers"),
    ],
)
def test_the_same_dates_however_written_in_memory_csv_and_parquet(written: Any, file: File, tmp_path: Path) -> None:
    contract = contract_with(Split(date="day"), file=file)
    frame = loans(ROWS, 1).assign(day=written)
    frame.to_csv(tmp_path / "loans.csv", index=False)
    frame.to_parquet(tmp_path / "loans.parquet")
    plain = checked(contract_with(Split(date="day")), day=DAYS)
    for path in (tmp_path / "loans.csv", tmp_path / "loans.parquet"):
        assert read(path, contract).digest == plain.digest


@pytest.mark.parametrize(
    ("written", "says"),
    [("%d.%m.%Y", 'File(date_format="%d.%m.%Y")'), ("%m/%d/%Y", 'File(date_format="%m/%d/%Y")'), ("%W", "")],
)
def test_other_dates_are_refused_with_the_line_that_accepts_them(written: str, says: str, tmp_path: Path) -> None:
    frame = loans(ROWS, 1).assign(day=DAYS.dt.strftime(written))
    frame.to_csv(tmp_path / "loans.csv", index=False)
    frame.to_parquet(tmp_path / "loans.parquet")
    for path in (tmp_path / "loans.csv", tmp_path / "loans.parquet"):
        with pytest.raises(TooManyRejects) as refused:
            read(path, contract_with(Split(date="day")))
        assert "date_parsing" in str(refused.value)
        assert says in str(refused.value)


def test_by_group_nobody_is_on_both_sides_nor_in_two_folds() -> None:
    contract = contract_with(Split(group="customer"))
    found = held_out(contract, customer=CUSTOMERS)
    assert not set(CUSTOMERS[found]) & set(CUSTOMERS[~found])
    assert 0.15 < found.mean() < 0.25
    training, _ = split(checked(contract, customer=CUSTOMERS), TrainingSettings())
    customers = CUSTOMERS.to_numpy()[training.accepted]
    seen = []
    for fit_rows, other_rows in folds(training, TrainingSettings()):
        assert not set(customers[fit_rows]) & set(customers[other_rows])
        seen += other_rows.tolist()
    assert sorted(seen) == list(range(len(customers)))


def test_equal_rows_stay_on_one_side() -> None:
    frame = loans(200, 1)
    tripled = pd.concat([frame] * 3, ignore_index=True)
    tripled["Status"] = np.where(np.arange(ROWS) < 500, tripled["Status"], "good")  # an outcome may differ
    applications = check_frame(tripled, contract_with(Split(equal_rows=True)), source="test", dated=None)
    training, holdout = split(applications, TrainingSettings())
    assert not set(training.accepted % 200) & set(holdout.accepted % 200)
    apart = split(check_frame(tripled, Loan, source="test", dated=None), TrainingSettings())
    assert set(apart[0].accepted % 200) & set(apart[1].accepted % 200)


def test_a_weight_counts_while_all_models_are_fitted() -> None:
    # Given applications of which the denied ones stand for five each
    frame = loans(2_000, 1)
    weights = np.where(frame["Status"] == "bad", 5.0, 1.0)
    applications = check_frame(
        frame.assign(weight=weights), contract_with(weight="weight"), source="test", dated="2026-01-01"
    )
    # When models are trained, then what they estimate is the share of all that they stand for
    candidate = train(task_of(Loan, applications))
    training = candidate.training
    assert training.weights is not None
    share = np.average(training.approved, weights=training.weights)
    assert share < training.approved.mean() - 0.1
    for pipeline in (candidate.pipeline, *candidate.rivals.values()):
        estimates = pipeline.predict_proba(training.matrix)[:, 1]
        assert np.average(estimates, weights=training.weights) == pytest.approx(share, abs=0.02)


def test_a_training_says_how_it_was_divided_and_weighed(tmp_path: Path) -> None:
    # Given a contract with a date and weights, beside its limits
    source = Path(MIXED.rpartition(":")[0])
    shutil.copy(source.with_name("limits.json"), tmp_path)
    declared = '    split: ClassVar[Split] = Split(date="Day")\n    weight: ClassVar[str | None] = "Weight"\n'
    text = source.read_text(encoding="utf-8").replace("Scored, Sensitive", "Scored, Sensitive, Split")
    (tmp_path / "loan.py").write_text(text.replace("    samples:", declared + "    samples:"), encoding="utf-8")
    days = pd.Series(pd.date_range("2020-01-01", periods=1_500)).repeat(2).to_numpy()
    loans(3_000, 0).assign(Day=days, Weight=2.0).to_parquet(tmp_path / "loans.parquet")
    out = tmp_path / "out"
    command = ["train", "--no-track", "--contract", f"{tmp_path / 'loan.py'}:Loan", "--out", str(out)]
    # When a model is trained, and evaluated on the same file
    assert main([*command, "--data", str(tmp_path / "loans.parquet"), "--max-iter", "60"]) in (0, 3)
    # Then the manifest and the report say which applications judged it
    data = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["data"]
    since = "2023-04-15"
    assert data["split"] == {"by": "date", "column": "Day", "training": 2_400, "holdout": 600, "since": since}
    assert data["weighted_by"] == "Weight"
    page = " ".join((out / FILE).read_text(encoding="utf-8").split())
    assert f"600 were held out to judge the model, the newest by Day, from {since} on" in page
    assert "each application counted as much as the column Weight says" in page


@pytest.mark.parametrize(
    ("columns", "contract", "field", "rule"),
    [
        ({"part": "dev"}, contract_with(Split(column="part")), "part", "literal_error"),
        ({"part": None}, contract_with(Split(column="part")), "part", "missing"),
        ({"day": None}, contract_with(Split(date="day")), "day", "missing"),
        ({"customer": np.nan}, contract_with(Split(group="customer")), "customer", "missing"),
        ({"weight": 0.0}, contract_with(weight="weight"), "weight", "greater_than_equal"),
        ({"weight": -1.0}, contract_with(weight="weight"), "weight", "greater_than_equal"),
        ({"weight": np.nan}, contract_with(weight="weight"), "weight", "missing"),
    ],
)
def test_a_mark_that_is_none_is_rejected_with_its_row(
    columns: dict[str, Any], contract: type[Contract], field: str, rule: str, tmp_path: Path
) -> None:
    good = {"part": "training", "day": "2024-01-01", "customer": 1.0, "weight": 1.0}
    bad = {name: [value, *[good[name]] * (ROWS - 1)] for name, value in columns.items()}
    frame = loans(ROWS, 1).assign(**bad)
    frame.to_csv(tmp_path / "loans.csv", index=False)
    for applications in (
        check_frame(frame, contract, source="test", dated=None),
        read(tmp_path / "loans.csv", contract),
    ):
        assert applications.rejects.rows_rejected == 1
        assert applications.rejects.as_dict()["by_field"][field][rule]["rows"] == 1


def test_a_file_without_the_column_is_refused(tmp_path: Path) -> None:
    loans(ROWS, 1).to_csv(tmp_path / "loans.csv", index=False)
    for contract, column in ((contract_with(Split(date="opened")), "opened"), (contract_with(weight="w"), "w")):
        with pytest.raises(MissingColumns, match=column):
            read(tmp_path / "loans.csv", contract)


@pytest.mark.parametrize(
    ("way", "columns", "why"),
    [
        (Split(column="part"), {"part": "training"}, "0 approvals and 0 denials in the hold-out"),
        (Split(column="part"), {"part": "holdout"}, "0 approvals and 0 denials among the rows that train"),
        (Split(date="day"), {"day": "2024-01-01"}, "0 approvals and 0 denials among the rows that train"),
    ],
)
def test_a_side_without_outcomes_trains_nothing(way: Split, columns: dict[str, str], why: str) -> None:
    with pytest.raises(TrainingError, match=why):
        split(checked(contract_with(way), **columns), TrainingSettings())


def test_a_sample_has_the_same_share_of_each_outcome() -> None:
    applications = checked(Loan)
    found = sample(applications, 400, seed=0)
    assert len(np.unique(found.accepted)) == len(found.accepted) == 400
    assert found.approved.mean() == pytest.approx(applications.approved.mean(), abs=0.01)
    assert np.array_equal(sample(applications, ROWS, seed=0).accepted, applications.accepted)


@pytest.mark.parametrize("branches", [1, 2, 5])
def test_too_few_groups_train_nothing(branches: int) -> None:
    applications = checked(contract_with(Split(group="branch")), branch=np.arange(ROWS) % branches)
    with pytest.raises(TrainingError, match="groups are too few: more than 5"):
        split(applications, TrainingSettings())


def test_too_few_groups_to_train_on_make_no_folds() -> None:
    applications = checked(contract_with(Split(group="branch")), branch=np.arange(ROWS) % 6)
    training, _ = split(applications, TrainingSettings(holdout=0.5))
    with pytest.raises(TrainingError, match="groups are too few: at least 5 must train"):
        list(folds(training, TrainingSettings()))


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Split(column="a", date="b"),
        lambda: Split(group="a", equal_rows=True),
        lambda: Split(column="a", training=("x",), holdout=("x",)),
        lambda: Split(column="a", training=()),
        lambda: Split(column="a", training="train"),  # type: ignore[arg-type]  # the mistake
        lambda: File(date_format="day"),
        lambda: File(date_format="%d.%m."),
        lambda: fields_of(contract_with(Split(date="Age"))),
        lambda: fields_of(contract_with(Split(group="Status"))),
        lambda: fields_of(contract_with(weight="Amount")),
        lambda: fields_of(contract_with(Split(date="when"), weight="when")),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declare: Any) -> None:
    with pytest.raises(ContractError):
        declare()
