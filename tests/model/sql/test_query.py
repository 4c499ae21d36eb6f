"""The SELECT decides as the service does: run in three engines on edges, their neighbours, gaps and bad values."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import sqlglot

from lambda_app.decision import Decider
from lambda_app.errors import ServiceError
from model import arguments
from model.applicant import Applicant
from model.commands import main
from model.sql.query import DIALECTS, NoTables, lowest_score, select
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Application
    from model.run import TrainingRun

# `SQL_ROWS=200000 python -m pytest tests/model/sql --timeout 0` looks at more.
ROWS = int(os.environ.get("SQL_ROWS", "3000"))


@pytest.fixture(scope="module", params=["small", "mixed"])
def opened(request: pytest.FixtureRequest) -> Artifact:
    """A model of numbers, and one of every kind of field, with gaps."""
    run: TrainingRun = request.getfixturevalue(request.param)
    return run.assessment.artifact


def rows_of(opened: Artifact) -> list[Application]:
    """Invented applications: every edge and both its neighbours, bounds, gaps, and values that the contract refuses."""
    generator, contract = np.random.default_rng(0), opened.manifest["contract"]
    drawn: dict[str, list[Any]] = {}
    for field, bins in zip(contract["fields"], opened.scorer.fields, strict=True):
        if field["kind"] == "choice":
            values: list[Any] = [*field["words"], "a 'quoted' word", ""]
        else:
            edges = np.array(bins["edges"], dtype=np.float64)
            near = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), edges - 1, edges + 1]
            values = [float(value) for value in np.concatenate([*near, [-1e9, 0.0, 1.0, 1e12]])]
            if field["kind"] != "float":
                values = [math.floor(value) for value in values] + [math.ceil(value) for value in values]
        drawn[field["name"]] = [*values, None]
    columns = {
        name: [values[place] for place in generator.integers(0, len(values), ROWS)] for name, values in drawn.items()
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def expected(opened: Artifact, rows: list[Application]) -> list[tuple[Any, ...]]:
    """What the service answers: prediction, decision, probability, reasons."""
    decider, found = Decider(opened), list[tuple[Any, ...]]()
    for row in rows:
        given = {name: value for name, value in row.items() if value is not None}
        try:
            decision = decider.decide(given, "")
        except ServiceError:
            found.append((None, "refused", None, ""))
        else:
            answer = decision.answer
            codes = ";".join(reason["code"] for reason in answer["reasons"])
            found.append((answer["prediction"], answer["decision"], answer["probability"], codes))
    return found


def in_duckdb(opened: Artifact, rows: list[Application]) -> list[tuple[Any, ...]]:
    import duckdb

    applications = pd.DataFrame(rows)
    with closing(duckdb.connect()) as engine:
        engine.register("frame", applications)
        engine.execute("create table applications as select * from frame")
        return engine.execute(select(opened, "applications", "duckdb")).fetchall()


def in_sqlite(opened: Artifact, rows: list[Application]) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as engine:
        names = ", ".join(f'"{name}"' for name in rows[0])
        engine.execute(f"create table applications ({names})")
        insert = f"insert into applications values ({', '.join('?' * len(rows[0]))})"  # noqa: S608  # question marks
        engine.executemany(insert, [tuple(row.values()) for row in rows])
        return engine.execute(select(opened, "applications", "sqlite")).fetchall()


def in_spark(opened: Artifact, rows: list[Application]) -> list[tuple[Any, ...]]:
    from pyspark.sql import SparkSession

    kinds = {"int": "bigint", "flag": "bigint", "float": "double", "choice": "string"}
    fields = opened.manifest["contract"]["fields"]
    schema = ", ".join(["key bigint", *(f"`{field['name']}` {kinds[field['kind']]}" for field in fields)])
    # An address of its own, and no page for people: it listens on loopback only.
    settings = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false"}
    with SparkSession.builder.master("local[2]").config(map=settings).getOrCreate() as engine:
        table = engine.createDataFrame([(place + 1, *row.values()) for place, row in enumerate(rows)], schema)
        table.createOrReplaceTempView("applications")
        answers = engine.sql(select(opened, "applications", "spark", "key")).collect()
    return sorted((tuple(answer) for answer in answers), key=lambda answer: int(answer[0]))


def compare(
    answers: list[tuple[Any, ...]], right: list[tuple[Any, ...]], rows: list[Application], opened: Artifact
) -> None:
    """Check that an engine's answers are the service's."""
    counts = Counter(decision for _, decision, _, _ in right)
    assert min(counts[decision] for decision in ("approve", "deny", "refused")) > 20
    assert len(answers) == len(right)
    for place, (answer, (prediction, decision, probability, codes)) in enumerate(zip(answers, right, strict=True)):
        assert answer[0] == place + 1
        assert (answer[1], answer[2], answer[4]) == (prediction, decision, codes), rows[place]
        assert answer[3] == (None if probability is None else pytest.approx(probability, abs=1e-12))
        assert answer[-1] == opened.manifest["model_version"]


@pytest.fixture(scope="module")
def psql() -> Iterator[dict[str, str]]:
    """The environment in which `psql` reaches a PostgreSQL of its own, without a network."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not programs:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    # It refuses to run as root.
    user: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        home = Path(name)
        if user:
            shutil.chown(home, "postgres", "postgres")

        def run(program: str, *arguments: str) -> None:
            command = [str(programs[0] / program), *arguments]
            subprocess.run(command, cwd=home, capture_output=True, check=True, timeout=120, **user)

        run("initdb", "--pgdata", str(home / "data"), "--auth", "trust", "--username", "bank", "--encoding", "UTF8")
        options = f"-k {home} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", str(home / "data"), "-o", options, "-l", str(home / "log"), "-w", "start")
        reached = {"PGHOST": str(home), "PGUSER": "bank", "PGDATABASE": "postgres", "PSQLRC": os.devnull}
        yield {**os.environ, **reached, "PATH": f"{Path(sys.executable).parent}:{programs[0]}:{os.environ['PATH']}"}
        run("pg_ctl", "-D", str(home / "data"), "-m", "immediate", "stop")


def asked(psql: dict[str, str], script: str, given: str = "") -> str:
    """What PostgreSQL prints when it runs a script with some input."""
    command = ["psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--command", script]
    return subprocess.run(
        command, input=given, env=psql, capture_output=True, text=True, check=True, timeout=300
    ).stdout


def create_table(psql: dict[str, str], opened: Artifact, key: str) -> None:
    """Create an empty table of applications."""
    kinds = {"int": "bigint", "flag": "bigint", "float": "double precision", "choice": "text"}
    fields = opened.manifest["contract"]["fields"]
    columns = ", ".join(f'"{field["name"]}" {kinds[field["kind"]]}' for field in fields)
    asked(psql, f"drop table if exists applications; create table applications ({key} int, {columns})")


def in_postgres(opened: Artifact, rows: list[Application], psql: dict[str, str]) -> list[tuple[Any, ...]]:
    create_table(psql, opened, "key")
    given = io.StringIO()
    csv.writer(given).writerows(
        [place + 1, *("NIL" if value is None else value for value in row.values())] for place, row in enumerate(rows)
    )
    asked(psql, "copy applications from stdin with (format csv, null 'NIL')", given.getvalue())
    query = select(opened, "applications", "postgres", "key")
    answers = asked(psql, f"copy ({query}) to stdout with (format csv, null 'NIL')")
    found = []
    for key, prediction, decision, probability, reasons, *more in csv.reader(io.StringIO(answers)):
        known = prediction != "NIL"
        found.append(
            (
                int(key),
                int(prediction) if known else None,
                decision,
                float(probability) if known else None,
                reasons,
                *more,
            )
        )
    return found


def test_postgresql_decides_as_the_service(opened: Artifact, psql: dict[str, str]) -> None:
    rows = rows_of(opened)
    compare(in_postgres(opened, rows, psql), expected(opened, rows), rows, opened)


def test_the_example_keeps_decisions_in_a_warehouse(small: TrainingRun, psql: dict[str, str], tmp_path: Path) -> None:
    # Given the example's first commands, and a table with the two sample applications and one without an income
    page = (ROOT / "examples" / "in_place" / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0]
    opened = small.assessment.artifact
    create_table(psql, opened, "application_id")
    names = [field["name"] for field in opened.manifest["contract"]["fields"]]
    approved, denied = Applicant.samples
    without_income = {name: value for name, value in approved.items() if name != "Income"}
    samples = [[row.get(name) for name in names] for row in (approved, denied, without_income)]
    given = io.StringIO()
    csv.writer(given).writerows([place, *row] for place, row in enumerate(samples))
    asked(psql, "copy applications from stdin with (format csv)", given.getvalue())
    # When they are copied
    ended = subprocess.run(
        ["bash", "-ec", commands.replace("model/artifacts", str(small.directory))],
        env={**psql, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    # Then each is decided, and the decisions are kept
    assert re.findall(r"(\w+) +\| +(\d+)", ended.stdout) == [("approve", "1"), ("deny", "1"), ("refused", "1")]


# Spark takes part wherever somebody has installed it: pip install pyspark, apt-get install default-jre-headless.
ENGINES = [in_duckdb, in_sqlite, *([in_spark] if find_spec("pyspark") else [])]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_row_is_decided_as_by_the_service(engine: Any, opened: Artifact) -> None:
    rows = rows_of(opened)
    compare(engine(opened, rows), expected(opened, rows), rows, opened)


def test_an_id_is_answered_with(small: TrainingRun) -> None:
    import duckdb

    rows = [{"key": f"a'{place}", **row} for place, row in enumerate(rows_of(small.assessment.artifact)[:50])]
    with closing(duckdb.connect()) as engine:
        engine.register("frame", pd.DataFrame(rows))
        found = engine.execute(select(small.assessment.artifact, "frame", "duckdb", "key")).fetchall()
    assert sorted(answer[0] for answer in found) == sorted(row["key"] for row in rows)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_parses(dialect: str, opened: Artifact) -> None:
    written = select(opened, "bank.applications", dialect, "application id")
    assert sqlglot.parse_one(written, dialect=dialect).sql(dialect=dialect, pretty=True) == written


def test_the_command_prints_the_query(small: TrainingRun, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "--artifact", str(small.directory), "--dialect", "duckdb", "--table", "applications"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == select(small.assessment.artifact, "applications", "duckdb")
    assert arguments.DIALECTS == DIALECTS


def test_a_model_without_tables_is_refused(mixed_sklearn: TrainingRun) -> None:
    with pytest.raises(NoTables, match="has no tables of points"):
        select(mixed_sklearn.assessment.artifact, "applications", "duckdb")


@pytest.mark.parametrize("threshold", [1e-9, 0.25, 0.5298, 0.999999])
def test_the_lowest_score_is_where_the_decision_turns(threshold: float) -> None:
    lowest = lowest_score(threshold)
    assert 1 / (1 + math.exp(-lowest)) >= threshold
    assert 1 / (1 + math.exp(-math.nextafter(lowest, -math.inf))) < threshold
