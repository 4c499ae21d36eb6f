"""docs/contract.md: its examples run, and it names everything that a contract may declare."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from model.contract import File, Outcome, Sensitive, Split
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from tests.serving import ROOT

PAGE = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
CALLS = re.findall(r"`((?:File|Outcome|Sensitive|Split)\(.*?\))`", PAGE)


def test_the_contract_on_the_page_is_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path_factory.mktemp("contract") / "loan.py"
    path.write_text(code, encoding="utf-8")
    assert [spec.name for spec in fields_of(load_contract(f"{path}:Loan"))] == ["income", "savings"]


@pytest.mark.parametrize("call", [call for call in CALLS if "…" not in call])
def test_every_declaration_on_the_page_is_accepted(call: str) -> None:
    names = {"File": File, "Outcome": Outcome, "Sensitive": Sensitive, "Split": Split}
    assert eval(call.replace("\\|", "|"), names)  # noqa: S307  # the page is ours


@pytest.mark.parametrize("declared", [File, Split])
def test_the_page_names_everything_that_can_be_declared(declared: type) -> None:
    shown = " ".join(call for call in CALLS if call.startswith(declared.__name__))
    assert [entry.name for entry in fields(declared) if f"{entry.name}=" not in shown] == []
