"""The command line's arguments. An invalid value ends in a usage error before any work is done."""

from __future__ import annotations

import argparse
from argparse import ArgumentTypeError
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from model.data.rejects import MAX_REJECT_SHARE
from model.fit.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_CONTRACT = "model.applicant:Applicant"
ARTIFACTS = Path("model/artifacts")
# The formats that a trained model can be written in; `onnx` is for those of `adopt`.
TRAINED = ("scorecard", "sklearn")
# Those of `model.sql.query`, which imports too much for `--help`.
DIALECTS = ("duckdb", "sqlite", "postgres", "spark", "trino", "bigquery", "snowflake", "redshift")
# The largest seed that scikit-learn accepts.
LARGEST_SEED = 2**32 - 1


def parser(description: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m model`. The parsed options hold the name of the command in `command`."""
    program = argparse.ArgumentParser(prog="python -m model", description=description)
    commands = program.add_subparsers(required=True, metavar="COMMAND", dest="command")

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=summary)

    training = command(
        "train", "train a model, export it, judge the export, check it against the policy gate, and publish it"
    )
    _labelled(training)
    training.add_argument("--dated", type=day, metavar="YYYY-MM-DD", help="when --data is from; default: unknown")
    _written(training)
    _compared(training)
    _set(training)
    training.add_argument(
        "--track",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="record the run with MLflow, on the server MLFLOW_TRACKING_URI or in mlflow.db; default: yes",
    )
    training.add_argument(
        "--alternatives", action="store_true", help="look for alternatives as well, as that command does"
    )
    looking = command(
        "alternatives",
        "look for models as good as a trained one that treat groups more alike; write alternatives.json and the report",
    )
    _opened(looking)
    _labelled(looking)
    exporting = command(
        "export", "export a trained pipeline again, for instance in another format; judge and gate it again"
    )
    _opened(exporting)
    _labelled(exporting)
    _written(exporting)
    adopting = command("adopt", "take over a model of any framework from its ONNX file: judge, gate and export it")
    adopting.add_argument("--onnx", type=Path, required=True, metavar="FILE", help="the model, in one file")
    adopting.add_argument(
        "--output", metavar="NAME", help="the output with the estimates; default: the only one of floats"
    )
    adopting.add_argument("--column", type=int, metavar="N", help="its column for approve, from 0; default: the last")
    adopting.add_argument(
        "--threshold", type=float, metavar="P", help="the cut-off; default: chosen on the training rows, as for train"
    )
    _labelled(adopting)
    adopting.add_argument("--dated", metavar="YYYY-MM-DD", help="when the data is from")
    adopting.add_argument("--out", type=Path, required=True, metavar="DIR", help="the artifact's directory")
    _compared(adopting)
    evaluating = command(
        "evaluate",
        "judge an artifact on labelled applications and print every figure; of its training data, only the hold-out",
    )
    _opened(evaluating)
    _labelled(evaluating)
    gating = command(
        "gate", "check an artifact's figures against the policy again; exits with 3 if the policy denies the model"
    )
    _opened(gating)
    _labelled(gating)
    _compared(gating)
    comparing = command(
        "compare",
        "compare two models on the same applications: figures, reasons, points, and who would be decided otherwise; "
        "write comparison.html and comparison.json",
    )
    comparing.add_argument(
        "champion",
        type=Path,
        metavar="CHAMPION",
        help="the model in service: its artifact's directory, or a manifest.json, to compare the figures alone",
    )
    comparing.add_argument("artifact", type=Path, metavar="MODEL", help="the other model: its artifact's directory")
    _labelled(comparing)
    comparing.add_argument("--out", type=Path, metavar="DIR", help="default: beside the model")
    drafting = command(
        "contract", "draft a contract from a file of labelled applications, with every guess marked to be confirmed"
    )
    drafting.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FILE", help="CSV, Parquet or Excel"
    )
    drafting.add_argument("--outcome", metavar="COLUMN", help="default: the column that is named like an outcome")
    drafting.add_argument("--out", type=Path, default=Path("applicant.py"), metavar="FILE", help="default: %(default)s")
    writing = command("sql", "print one SELECT that decides the rows of a table exactly as the service does")
    _opened(writing)
    writing.add_argument("--dialect", choices=DIALECTS, required=True)
    writing.add_argument("--table", required=True, metavar="NAME", help="the table of applications, maybe SCHEMA.NAME")
    _identified(writing, "default: numbers of rows")
    noticing = command("notice", "draft the notice of adverse action for one denied application (HTML)")
    _opened(noticing)
    noticing.add_argument("--in", dest="input", type=Path, required=True, metavar="FILE", help="the request as JSON")
    noticing.add_argument("--creditor", type=Path, metavar="FILE", help="who it is from as JSON; default: empty lines")
    noticing.add_argument("--out", dest="output", type=Path, required=True, metavar="FILE")
    describing = command("openapi", "print the OpenAPI document of the service, as GET /openapi.json gives it")
    _opened(describing)
    describing.add_argument("--base-path", default="", metavar="PATH", help="what stands before every path")
    tracking = command("track", "record a trained artifact with MLflow, if that failed during training")
    _opened(tracking)
    scoring = command("score", "decide a file of applications offline, using the artifact's own contract")
    _opened(scoring)
    _checked(scoring)
    scoring.add_argument(
        "--in",
        dest="input",
        type=Path,
        required=True,
        metavar="FILE",
        help="the applications, in a file like the training data",
    )
    scoring.add_argument(
        "--out",
        dest="output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the answers, one for each row: a .csv or .parquet file",
    )
    _identified(scoring, "default: the id of the contract's file, if it names one")
    return program


def whole(least: int, most: int) -> Callable[[str], int]:
    """A parser for whole numbers in a range, both ends included.

    >>> whole(1, 10)("7")
    7
    """

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ArgumentTypeError(f"write a whole number from {least:,} to {most:,}, not '{text}'")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """A parser for numbers in a range, both ends included.

    >>> number(0, 1)("0.25")
    0.25
    """

    def parse(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not least <= found <= most:
            raise ArgumentTypeError(f"write a number from {least:,} to {most:,}, not '{text}'")
        return found

    return parse


def settings_of(options: argparse.Namespace) -> TrainingSettings:
    """The training settings that the options name."""
    return TrainingSettings(**{setting.name: getattr(options, setting.name) for setting in fields(TrainingSettings)})


def share(text: str) -> float:
    """Parse a share, 0 to 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ArgumentTypeError(f"write a share from 0 to 1, not '{text}'")
    return found


def day(text: str) -> str:
    """Parse an ISO date that is not in the future, UTC."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    # Python reads other ISO forms too, but the manifest's readers expect this one.
    if found is None or found.isoformat() != text:
        raise ArgumentTypeError(f"write a date as YYYY-MM-DD, not '{text}'")
    if found > datetime.now(UTC).date():
        raise ArgumentTypeError(f"{text} is in the future")
    return text


def _contracted(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--contract", default=DEFAULT_CONTRACT, metavar="MODULE_OR_FILE:CLASS", help="default: %(default)s"
    )


def _checked(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--max-rejects",
        type=share,
        default=MAX_REJECT_SHARE,
        metavar="SHARE",
        help="stop if a larger share of the rows breaks the contract; default: %(default)s",
    )


def _labelled(added: argparse.ArgumentParser) -> None:
    _contracted(added)
    added.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="in the form that the contract declares (CSV, Parquet or Excel); default: generated applications",
    )
    added.add_argument(
        "--rows", type=whole(1, 10**9), default=500_000, help="how many to generate; default: %(default)s"
    )
    added.add_argument("--seed", type=whole(0, LARGEST_SEED), default=0, help="seeds everything; default: %(default)s")
    _checked(added)


def _written(added: argparse.ArgumentParser) -> None:
    added.add_argument("--out", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")
    added.add_argument("--format", choices=TRAINED, default="scorecard", help="default: %(default)s")


def _opened(added: argparse.ArgumentParser) -> None:
    added.add_argument("--artifact", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")


def _identified(added: argparse.ArgumentParser, default: str) -> None:
    added.add_argument("--id", dest="id_column", metavar="COLUMN", help=f"answer with this column too; {default}")


def _compared(added: argparse.ArgumentParser) -> None:
    added.add_argument(
        "--champion",
        type=Path,
        metavar="PATH",
        help="the model in service: its artifact's directory, to compare both on the same rows, or a manifest.json",
    )


def _set(added: argparse.ArgumentParser) -> None:
    """An option for each training setting; `_labelled` adds the seed, which also generates applications."""
    group = added.add_argument_group("training settings")
    for setting in fields(TrainingSettings):
        if setting.name != "seed":
            least, most = setting.metadata["least"], setting.metadata["most"]
            group.add_argument(
                f"--{setting.name.replace('_', '-')}",
                type=whole(least, most) if setting.type == "int" else number(least, most),
                default=setting.default,
                metavar="N",
                help=f"{setting.metadata['about']}; {least:,} to {most:,}, default: %(default)s",
            )
