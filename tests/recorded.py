"""Training runs that MLflow has recorded, for tests."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any

from model.track import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

LONG = 120.0


def environment(**changes: str) -> dict[str, str]:
    """The environment without any MLflow settings, plus changes."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | changes


def runs_of(database: Path) -> list[dict[str, Any]]:
    """The runs in a database, oldest first, as in MLflow's tables."""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        found = opened.execute("select run_uuid, name, status from runs order by start_time").fetchall()
        return [
            {
                "id": run,
                "name": name,
                "status": status,
                "params": dict(opened.execute("select key, value from params where run_uuid = ?", [run])),
                "metrics": dict(opened.execute("select key, value from metrics where run_uuid = ?", [run])),
                "tags": dict(opened.execute("select key, value from tags where run_uuid = ?", [run])),
            }
            for run, name, status in found
        ]


def record_two(outcome: TrainingRun, folder: Path) -> Path:
    """Record a model twice in a local database, the first time with a pipeline id, and return the database."""
    given = environment(MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db")
    with contextlib.chdir(folder):
        for pipeline in ("first-7", ""):
            with Recorder("Applicant", given | {"PIPELINE_ID": pipeline}, LONG) as recorder:
                message = recorder.record(outcome.directory)
            assert recorder.recorded, message
            assert outcome.manifest["model_version"] in message
    return folder / "mlflow.db"
