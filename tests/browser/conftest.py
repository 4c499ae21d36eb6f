"""What the pages are made of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def example_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of the example's contract, whose fields are mostly optional or words."""
    from tests.trainings import example_to_write

    exported, _ = example_to_write()
    directory = tmp_path_factory.mktemp("example")
    (directory / "model.joblib").write_bytes(exported.content)
    (directory / "manifest.json").write_text(json.dumps({**exported.opened.manifest, "golden": []}))
    return directory
