"""Models that nobody should use end with exit code 3 and the name of a rule; a sound one of the same size passes."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from model.commands import main
from tests.trainings import CONTRACTS, FAST, SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from model.run import TrainingRun

ROWS = 4_000
PLAIN = f"{CONTRACTS / 'plain.py'}:Applicant"


def applications(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Applications whose income tells good from bad; neither shoe size nor group tells anything."""
    generator = np.random.default_rng(seed)
    income = generator.integers(0, 101, rows)
    return pd.DataFrame(
        {
            "Income": income,
            "Shoe_Size": generator.integers(0, 101, rows),
            "Repaid": np.where(income + generator.logistic(0, 8, rows) > 50, "yes", "no"),
            "Group": generator.choice(["a", "b"], rows),
        }
    )


def noise(good: float) -> pd.DataFrame:
    """Applications whose outcome nothing tells, with this share of good ones."""
    found = applications()
    return found.assign(Repaid=np.where(np.random.default_rng(1).random(len(found)) < good, "yes", "no"))


def memorised() -> pd.DataFrame:
    """A few applications with random outcomes, each of them many times."""
    few = noise(0.5).head(250)
    return pd.concat([few] * 24, ignore_index=True)


def given_away() -> pd.DataFrame:
    """Applications with a field that is known only after the decision."""
    found = applications()
    return found.assign(Shoe_Size=np.where(found["Repaid"] == "yes", 60, 20))


def seen_through() -> pd.DataFrame:
    """Applications with a field that says which group the applicant is in."""
    found = applications()
    return found.assign(Shoe_Size=np.where(found["Group"] == "a", 60, 20))


def unknown_groups() -> pd.DataFrame:
    """Applications of which four in five name no group."""
    found = applications()
    return found.assign(Group=found["Group"].where(np.random.default_rng(1).random(len(found)) < 0.2))


def few_creditworthy() -> pd.DataFrame:
    """Applications with a group that is large, but has five creditworthy applicants."""
    found = applications()
    good, bad = (np.flatnonzero(found["Repaid"] == label) for label in ("yes", "no"))
    found.loc[[*good[:5], *bad[:900]], "Group"] = "c"
    return found


@pytest.fixture(scope="module", autouse=True)
def _fast() -> Iterator[None]:
    """Fewer rounds and no pictures: what a model may not do does not depend on them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.fit.settings.TrainingSettings", lambda seed: replace(FAST, seed=seed))
        patch.setattr("model.report.page.render", lambda assessment: "")  # noqa: ARG005  # the real one's argument
        yield


def train(found: pd.DataFrame, place: Path, *words: str, contract: str = PLAIN) -> int:
    """Train a model on these applications, with the command line."""
    place.mkdir(exist_ok=True)
    found.to_csv(place / "applications.csv", index=False)
    given = ["--contract", contract, "--data", str(place / "applications.csv"), "--out", str(place / "artifact")]
    return main(["train", "--no-track", *given, *words])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of a sound model."""
    place = tmp_path_factory.mktemp("sound")
    assert train(applications(), place) == 0
    return place / "artifact"


def rules_in(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """The rules that were named."""
    lines = capsys.readouterr().out.splitlines()
    return {line.split("DENIED by rule ")[1].split(":")[0] for line in lines if "DENIED by rule " in line}


@pytest.mark.parametrize(
    ("found", "words", "rule"),
    [
        pytest.param(lambda: noise(0.05), (), "skill", id="denies-everybody"),
        pytest.param(lambda: noise(0.95), (), "skill", id="approves-everybody"),
        pytest.param(memorised, (), "duplicates", id="has-memorised-random-outcomes"),
        pytest.param(given_away, (), "giveaway", id="is-told-the-outcome"),
        pytest.param(seen_through, (), "proxy", id="is-told-the-group"),
        pytest.param(unknown_groups, (), "known_groups", id="is-judged-on-a-fifth-of-the-rows"),
        pytest.param(few_creditworthy, (), "group_size", id="is-judged-on-five-creditworthy"),
        pytest.param(applications, ("--dated", "1999-12-31"), "data_age", id="is-from-another-age"),
    ],
)
def test_nonsense_is_denied_by_name(
    found: Callable[[], pd.DataFrame],
    words: tuple[str, ...],
    rule: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train(found(), tmp_path, *words) == 3
    assert rule in rules_in(capsys)
    assert not list((tmp_path / "artifact").glob("*.joblib"))


@pytest.mark.parametrize(
    "limits",
    [
        *({"minimum_accuracy": value} for value in (-1, 9, 0, 5, 1e9)),
        {"maximum_equal_opportunity_gap": 5},
        {"minimum_group_size": 0},
        {"minimum_acuracy": 0.9},
    ],
    ids=str,
)
def test_nonsensical_limits_are_denied_before_any_data_is_read(
    limits: dict[str, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given limits that switch the gate off, and no data
    shutil.copy(CONTRACTS / "plain.py", tmp_path / "plain.py")
    known = json.loads((CONTRACTS / "limits.json").read_text(encoding="utf-8"))
    (tmp_path / "limits.json").write_text(json.dumps(known | limits), encoding="utf-8")
    # When a model is to be trained, then the rule denies it, and nothing else is complained about
    words = ["--contract", f"{tmp_path / 'plain.py'}:Applicant", "--data", str(tmp_path / "nowhere.csv")]
    assert main(["train", "--no-track", *words]) == 3
    assert rules_in(capsys) == {"limits"}


def test_champion_is_not_replaced_by_a_worse_model(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(noise(0.5), tmp_path, "--champion", str(sound)) == 3
    assert "champion" in rules_in(capsys)


@pytest.mark.parametrize("file", ["", "manifest.json"], ids=["artifact", "manifest"])
def test_champion_of_another_contract_is_no_champion(
    file: str, sound: Path, small: TrainingRun, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--artifact", str(sound), "--contract", PLAIN, "--champion", str(small.directory / file)]
    assert main(["gate", *words]) == 3
    assert "contract" in rules_in(capsys)


def test_limits_of_another_contract_are_not_the_models(sound: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gate", "--artifact", str(sound), "--contract", SMALL]) == 3
    assert "contract" in rules_in(capsys)
