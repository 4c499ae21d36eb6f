"""The report in a browser: readable on every screen, in the dark and on paper, whatever the contract's words."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import Field

from model.compare import page as comparison
from model.contract import Contract, Outcome, Scored, Sensitive
from model.data.applications import check_frame
from model.fit.settings import TrainingSettings
from model.fit.task import TrainingTask
from model.formats.export import export
from model.judge.limits import DEFAULTS
from model.report import page
from model.run import run
from tests.browser.browsing import FAULTS, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from model.run import TrainingRun

pytestmark = pytest.mark.browser
FIELDS, WORDS, GROUPS, ROWS = 60, 10, 12, 3_000
LONG = "skilled employee or official in a permanent post, number {:02}"


def hard_contract() -> type[Contract]:
    """A contract of 60 fields, some with ten words of 60 characters."""
    words: Any = Literal[tuple(LONG.format(number) for number in range(WORDS))]
    annotations: dict[str, Any] = {}
    for number in range(FIELDS):
        code = f"REASON_{number:02}"
        about = f"The applicant's figure number {number} as the bank's own system of record describes it"
        free = Scored("free", "words", code, "An unfavourable answer to a question of the application form")
        up = Scored("up", "thousands of currency units a year", code, "Too small a figure in the application form")
        name = f"status_of_existing_checking_account_number_{number:02}"
        annotations[name] = (
            Annotated[words, Field(description=about), free]
            if number % 10 == 0
            else Annotated[int, Field(ge=0, le=9, description=about), up]
        )
    return type(
        "Application",
        (Contract,),
        {
            "__module__": __name__,
            "__annotations__": annotations,
            "outcome": Outcome("outcome", "yes", "no"),
            "sensitive": (Sensitive("A column with a rather long name"),),
        },
    )


def hard_task(iterations: int) -> TrainingTask:
    """The hard contract, judged by twelve groups, one of them without creditworthy applicants."""
    contract, generator = hard_contract(), np.random.default_rng(0)
    columns: dict[str, Any] = {
        name: [LONG.format(word) for word in generator.integers(0, WORDS, ROWS)]
        if number % 10 == 0
        else generator.integers(0, 10, ROWS)
        for number, name in enumerate(contract.model_fields)
    }
    frame = pd.DataFrame(columns)
    score = frame.iloc[:, 1] + frame.iloc[:, 2] - 9 + generator.normal(0, 2, ROWS)
    groups = generator.integers(0, GROUPS, ROWS)
    frame["A column with a rather long name"] = [f"separated, divorced or widowed, {group}" for group in groups]
    frame["outcome"] = np.where((score > 0) & (groups != 3), "yes", "no")
    applications = check_frame(frame, contract, source="a file with a long name.csv", dated=None)
    limits: Any = {
        **DEFAULTS,
        "minimum_accuracy": 0.6,
        "maximum_equal_opportunity_gap": 0.2,
        "minimum_group_size": 10,
        "maximum_champion_loss": 0.02,
        "maximum_parity_difference": 1e-9,
    }
    settings = TrainingSettings(folds=2, max_iter=iterations, most_iterations=iterations, min_samples_leaf=20)
    return TrainingTask(contract, applications, limits, settings)


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A denied model of the hard contract."""
    return run(hard_task(60), tmp_path_factory.mktemp("hard"))


@pytest.fixture(scope="module")
def compared(hard: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """Another one, compared with it as if it were in service."""
    task, champion = hard_task(20), tmp_path_factory.mktemp("champion")
    shutil.copy(hard.directory / "manifest.json", champion)
    (champion / "model.joblib").write_bytes(export(hard_task(60), hard.candidate).content)
    return run(replace(task, champion=champion), tmp_path_factory.mktemp("compared"))


@pytest.fixture(params=["small", "mixed", "hard", "compared"])
def address(request: pytest.FixtureRequest) -> str:
    """The report of a model that passed, of one with words and gaps, of the hard one; two of those compared."""
    found: TrainingRun = request.getfixturevalue(request.param)
    return (found.directory / (comparison.FILE if request.param == "compared" else page.FILE)).as_uri()


def unfold(tab: Page) -> None:
    """Open everything that is folded."""
    tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(address: str, width: int, scheme: Literal["light", "dark"]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with chromium() as browser:
        tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        requests: list[str] = []
        logged: list[str] = []
        tab.on("request", lambda request: requests.append(request.url))
        tab.on("console", lambda message: logged.append(message.text))
        tab.goto(address)
        folded = tab.evaluate(FAULTS)
        unfold(tab)
        unfolded = tab.evaluate(FAULTS)
        violations = Axe().run(tab).response["violations"]

    assert folded["faults"] == []
    assert unfolded["faults"] == []
    assert unfolded["texts"] > folded["texts"] > 100
    assert [(found["id"], found["nodes"][0]["html"][:200]) for found in violations] == []
    assert [url for url in requests if not url.startswith("file:")] == []
    assert logged == []


def test_a_text_that_overlaps_or_sticks_out_would_be_found(small: TrainingRun) -> None:
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.goto((small.directory / page.FILE).as_uri())
        tab.add_style_tag(content=".tiles dt { margin-bottom: -1.2rem } h1 { white-space: nowrap; text-indent: 15rem }")
        faults = " ".join(tab.evaluate(FAULTS)["faults"])
    assert "overlaps: Accuracy / 9" in faults
    assert "sticks out" in faults


def test_phone_page_of_the_default_contract_is_short(small: TrainingRun) -> None:
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 390, "height": 800})
        tab.goto((small.directory / page.FILE).as_uri())
        assert tab.evaluate("document.documentElement.scrollHeight") <= 9_000


def test_paper_is_filled(small: TrainingRun, tmp_path: Path) -> None:
    # Given the report on paper
    with chromium() as browser:
        tab = browser.new_page()
        tab.goto((small.directory / page.FILE).as_uri())
        tab.pdf(path=tmp_path / "report.pdf", format="A4", print_background=True)
    # Then it is a few pages
    pages = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes()))
    assert 3 <= pages <= 7
