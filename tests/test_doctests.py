"""Runs the examples in docstrings."""

from __future__ import annotations

import doctest
import importlib
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILES = [
    path.relative_to(ROOT)
    for package in ("lambda_app", "model", "operations")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


def test_there_are_examples() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=str)
def test_examples_print_what_they_show(file: Path) -> None:
    # Given a module whose docstrings show examples
    parts = file.with_suffix("").parts
    module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
    # When they are run, then each prints what the docstring says
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
