"""Starts MLflow's pages about the recorded training runs, and says where each experiment is: `make experiments`.

An address names what MLflow would otherwise have to be told by hand: that these are trained models rather than chat
models, and which figures to list beside each run (`VIEW` in `model/track.py`).
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from model.track import DEFAULTS, VIEW, failure, without_secrets


def main(arguments: list[str] | None = None) -> int:
    """Print the experiments' addresses, then become MLflow's server, unless the runs are on another one."""
    parser = argparse.ArgumentParser(prog="experiments", description=__doc__)
    parser.add_argument("--port", type=int, default=5000)
    chosen = parser.parse_args(arguments)
    for name, value in DEFAULTS.items():
        os.environ[name] = os.environ.get(name) or value
    uri = os.environ["MLFLOW_TRACKING_URI"]
    remote = uri.startswith("http")
    address = uri.rstrip("/") if remote else f"http://127.0.0.1:{chosen.port}"
    # MLflow and urllib3 log what they try again, addresses and all; the error at the end says what is wrong.
    logging.disable()
    try:
        found = _experiments()
    except Exception as err:  # noqa: BLE001  # MLflow's stores raise many kinds
        sys.stderr.write(f"{without_secrets(uri)} does not answer: {failure(uri, err)}\n")
        return 1
    finally:
        logging.disable(logging.NOTSET)
    if not found:
        sys.stdout.write("No training run is recorded there yet; `make run` records one.\n")
    for experiment in found:
        sys.stdout.write(f"  {experiment.name}\n    {page_of(without_secrets(address), experiment.experiment_id)}\n")
    if remote:
        sys.stdout.write("MLFLOW_TRACKING_URI names a server, which shows the runs on its own pages, above.\n")
        return 0
    sys.stdout.write(f"Open an address above, or {address} for all; Ctrl-C stops.\n")
    sys.stdout.flush()
    return _become_server(uri, chosen.port)


def page_of(address: str, experiment: str) -> str:
    """Where MLflow lists an experiment's runs, with their figures.

    >>> page_of("http://127.0.0.1:5000", "1")
    'http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=figures'
    """
    return f"{address}/#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={VIEW}"


def _become_server(uri: str, port: int) -> NoReturn:
    # In the environment: every user of this machine may read a process's arguments, and a password may be in there.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = uri
    serve = [str(Path(sys.executable).with_name("mlflow")), "ui", "--workers", "1"]
    os.execv(serve[0], [*serve, "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606  # no shell is the point


def _experiments() -> list[Any]:
    # MLflow takes seconds to import.
    import mlflow

    # MLflow creates `Default`, which stays empty; an experiment without the view has no run of ours.
    found = mlflow.search_experiments(order_by=["last_update_time DESC"])
    return [experiment for experiment in found if f"mlflow.sharedViewState.{VIEW}" in experiment.tags]


if __name__ == "__main__":
    sys.exit(main())
