"""Whatever schemathesis makes of the OpenAPI document, the service answers as the document says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT
from tests.web.serving import serving

if TYPE_CHECKING:
    from model.run import TrainingRun

CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.parametrize("contract", ["default", "mixed"])
def test_every_route_passes_every_check(contract: str, by_hand: Path, mixed: TrainingRun, tmp_path: Path) -> None:
    directory = by_hand if contract == "default" else mixed.directory
    with serving(directory) as address:
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"),
                *(f"{address}/openapi.json", "--checks", "all", "--max-examples", "60", "--no-color"),
                *("--generation-deterministic", "--continue-on-failure"),
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
        )
    assert done.returncode == 0, done.stdout[-5_000:]
    assert "Tested: 8" in done.stdout
