"""The notebook as a test: it passes on applications like the tutorial's, and stops at the gate on bad ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from model.data.generator import generate

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "credit_card_approval.ipynb"
ROWS = 30_000


@dataclass(frozen=True)
class Run:
    """The result of the command, and the numbers of the code cells that failed."""

    code: int
    cells: int
    failed: list[int]
    output: str


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    """The code cells, in order."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def numbered(cells: list[dict[str, Any]], text: str) -> int:
    """The number of the one cell that contains a text."""
    [number] = [number for number, cell in enumerate(cells) if text in "".join(cell["source"])]
    return number


def run_on(data: Path, junit: Path) -> Run:
    """Run the notebook's tests as the pipeline does, on a file of applications."""
    command = [sys.executable, "-m", "pytest", "--nbval-lax", NOTEBOOK.name, f"--junitxml={junit}"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    found = list(ElementTree.parse(junit).iter("testcase"))  # noqa: S314 - pytest has just written it
    failed = [number for number, case in enumerate(found) if case.find("failure") is not None]
    return Run(done.returncode, len(found), failed, done.stdout)


def test_passes_on_applications_like_the_tutorials(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    # given
    generate(ROWS, 0).to_csv(tmp_path / "applications.csv", index=False)

    # when
    ran = run_on(tmp_path / "applications.csv", tmp_path / "report.xml")

    # then
    assert ran.code == 0, ran.output
    assert ran.cells == len(cells)


def test_stops_shuffled_labels_at_the_gate(tmp_path: Path, cells: list[dict[str, Any]]) -> None:
    # given
    applications = generate(ROWS, 0)
    applications["Target"] = np.random.default_rng(0).permutation(applications["Target"].to_numpy())
    applications.to_csv(tmp_path / "shuffled.csv", index=False)

    # when
    ran = run_on(tmp_path / "shuffled.csv", tmp_path / "report.xml")

    # then
    assert ran.code == 1
    assert ran.failed[0] == numbered(cells, "outcome.verdict.passed")
    assert numbered(cells, 'limits["minimum_accuracy"]') in ran.failed
    assert "the accuracy on the hold-out is" in ran.output


def test_is_committed_as_left_by_a_single_run(cells: list[dict[str, Any]]) -> None:
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))


def test_charts_can_be_read_without_seeing_them_and_there_are_no_progress_bars(cells: list[dict[str, Any]]) -> None:
    outputs = [output for cell in cells for output in cell["outputs"]]
    shown = [output["data"] for output in outputs if "data" in output]
    parts = [data for data in shown if 'class="report"' in "".join(data.get("text/html", ""))]
    assert len(parts) == 7
    for part in parts:
        assert len("".join(part["text/plain"])) >= 100
        assert "".join(part["text/html"]).count("<figure") == "".join(part["text/html"]).count(
            'role="img" aria-label="'
        )
    assert [output for output in outputs if output.get("name") == "stderr"] == []


def test_uses_the_kernel_that_every_installation_has() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}


def test_keeps_no_trace_of_the_machine_that_ran_it(cells: list[dict[str, Any]]) -> None:
    kept = json.dumps([[cell["metadata"], cell["outputs"]] for cell in cells])
    assert str(ROOT) not in kept
    assert "/tmp" not in kept  # noqa: S108  # looked for, not used
    assert "iopub" not in kept
