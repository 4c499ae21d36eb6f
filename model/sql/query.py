"""Writes a scorecard as one SELECT.

Its steps are common table expressions: the values as numbers and words, and whether the contract refuses the row; the
bin of each value; the points of each bin; score and shortfalls; the rank of each reason. Sums are made in the service's
order. A decision compares the score with the smallest score whose probability reaches the cut-off, so that an engine's
own `EXP` decides nothing.

Where an engine would work out a step again for each use of it, the step is materialized.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, nextafter
from typing import TYPE_CHECKING

from sqlglot import exp as sql

from lambda_app.reasons import MOST, by_bin
from model.contract.carried import carried_fields
from model.contract.reasons import SEPARATOR
from model.errors import ModelError
from model.formats import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import FieldPoints
    from lambda_app.manifest import Reason
    from model.contract.fields import FieldSpec

# The engines that `tests/model/sql` decides with, all of which can materialize a step, and those whose text is written
# and parsed only.
RUN = ("duckdb", "sqlite", "postgres")
WRITTEN = ("spark", "trino", "bigquery", "snowflake", "redshift")
DIALECTS = (*RUN, *WRITTEN)
# A number for the rows of a table without an id, where the engine has one.
ROW = {"duckdb": "rowid + 1", "sqlite": "rowid"}


class NoTables(ModelError):
    """The model's format has no tables of points, so it cannot be written as SQL."""


@dataclass(frozen=True)
class Part:
    """A field of the model, with what is needed to write it."""

    number: int
    spec: FieldSpec
    column: str
    entry: FieldPoints
    reasons: Sequence[Reason]
    reference: float

    def name(self, letter: str) -> sql.Column:
        """A column about this field: its value (v), bin, points, shortfall, rank, code, whether given, order (o)."""
        return sql.column(f"{letter}{self.number}")


def select(opened: Artifact, table: str, dialect: str, id_column: str | None = None) -> str:
    """The SELECT that decides every row of a table.

    Parameters
    ----------
    opened : Artifact
    table : str
        The table's name, maybe with a schema before a point.
    dialect : str
        One of `DIALECTS`.
    id_column : str, optional
        The column to answer with; without it, the rows are numbered.

    Raises
    ------
    NoTables
    """
    tables = find(opened.manifest["format"]).tables(opened)
    if tables is None:
        raise NoTables(f"a model of format {opened.manifest['format']} has no tables of points to write as SQL")
    contract = opened.manifest["contract"]
    renamed = contract.get("file", {}).get("columns", {})
    parts = [
        Part(number, spec, renamed.get(spec.name, spec.name), entry, reasons, reference)
        for number, (spec, entry, reasons, reference) in enumerate(
            zip(
                carried_fields(contract),
                tables["fields"],
                by_bin(contract["fields"], opened.scorer.fields),
                opened.manifest["reference"]["points"],
                strict=True,
            )
        )
    ]
    least = opened.manifest["reference"].get("least_share", 0.0)
    steps = {
        "typed": _typed(parts, table, dialect, id_column),
        "binned": _binned(parts),
        "scored": _scored(parts, tables["intercept"]),
        "short": _short(parts, lowest_score(opened.manifest["threshold"])),
        "ranked": _ranked(parts, least),
        "placed": _placed(parts),
    }
    query = _answers(parts, opened.manifest["model_version"])
    for name, step in steps.items():
        query = query.with_(name, step, materialized=True if dialect in RUN else None, copy=False)
    return query.sql(dialect=dialect, pretty=True)


def lowest_score(threshold: float) -> float:
    """The smallest score whose probability, as the service computes it, is at least the cut-off.

    >>> 1 / (1 + exp(-lowest_score(0.5))) >= 0.5 > 1 / (1 + exp(-nextafter(lowest_score(0.5), -inf)))
    True
    """

    def reaches(score: float) -> bool:
        try:
            return 1.0 / (1.0 + exp(-score)) >= threshold
        except OverflowError:
            return False

    low, high = -800.0, 800.0
    while nextafter(low, inf) < high:
        middle = low + (high - low) / 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def _typed(parts: Sequence[Part], table: str, dialect: str, id_column: str | None) -> sql.Select:
    """The row, each value, and whether the contract refuses the row."""
    if id_column is not None:
        row: sql.Expr = sql.column(id_column, quoted=True)
    elif dialect in ROW:
        row = sql.maybe_parse(ROW[dialect], dialect=dialect)
    else:
        row = sql.maybe_parse("ROW_NUMBER() OVER (ORDER BY 1)")
    refused: list[sql.Expr] = []
    columns: list[sql.Expr] = [sql.alias_(row, "id")]
    for part in parts:
        value: sql.Expr = sql.column(part.column, quoted=True)
        spec = part.spec
        if not spec.optional:
            refused.append(value.is_(sql.null()))
        if spec.words:
            known = value.isin(*[sql.Literal.string(word) for word in spec.words])
            refused.append(sql.and_(value.is_(sql.null()).not_(), sql.not_(known)))
        else:
            if dialect == "sqlite":
                # SQLite keeps text in a column of numbers, and reads it as 0.
                kind = sql.func("TYPEOF", value.copy())
                number = kind.isin(sql.Literal.string("integer"), sql.Literal.string("real"))
                refused.append(sql.and_(value.is_(sql.null()).not_(), sql.not_(number)))
            value = sql.cast(value, "double")
            low, high = (_number(bound) for bound in (spec.minimum or 0.0, spec.maximum or 0.0))
            refused.append(sql.or_(value.copy() < low, value.copy() > high))
            if spec.kind != "float":
                refused.append(sql.NEQ(this=value.copy(), expression=sql.func("FLOOR", value.copy())))
        columns.append(sql.alias_(value, f"v{part.number}"))
    is_refused = sql.case().when(sql.or_(*refused), _whole(1)).else_(_whole(0))
    return sql.select(*columns, sql.alias_(is_refused, "refused")).from_(sql.to_table(table))


def _binned(parts: Sequence[Part]) -> sql.Select:
    return sql.select("id", "refused", *[sql.alias_(_bin(part), f"b{part.number}") for part in parts]).from_("typed")


def _bin(part: Part) -> sql.Expr:
    """The number of the bin of a value; the last one is that of a missing value."""
    value = part.name("v")
    if "words" in part.entry:
        places = sql.case()
        for number, word in enumerate(part.entry["words"]):
            places = places.when(value.eq(sql.Literal.string(word)), _whole(number))
        return places.else_(_whole(len(part.entry["words"])))
    edges = part.entry["edges"]
    return sql.case().when(value.is_(sql.null()), _whole(len(edges) + 1)).else_(_bisected(value, edges, 0, len(edges)))


def _bisected(value: sql.Expr, edges: Sequence[float], low: int, high: int) -> sql.Expr:
    """How many edges from `low` to `high` are below the value, plus `low`, by nested comparisons."""
    if low == high:
        return _whole(low)
    middle = (low + high) // 2
    below = _bisected(value, edges, low, middle)
    above = _bisected(value, edges, middle + 1, high)
    return sql.case().when(sql.LTE(this=value.copy(), expression=_number(edges[middle])), below).else_(above)


def _scored(parts: Sequence[Part], intercept: float) -> sql.Select:
    """The points of each bin, and the score: their sum, in the service's order."""
    points = [sql.alias_(_looked_up(part, part.entry["points"]), f"p{part.number}") for part in parts]
    inner = sql.select("id", "refused", *[f"b{part.number}" for part in parts], *points).from_("binned")
    score: sql.Expr = _number(intercept)
    for part in parts:
        score = sql.Add(this=score, expression=part.name("p"))
    kept = [f"{letter}{part.number}" for part in parts for letter in "bp"]
    return sql.select("id", "refused", *kept, sql.alias_(score, "score")).from_(inner.subquery("pointed"))


def _looked_up(part: Part, values: Sequence[float]) -> sql.Expr:
    found = sql.case()
    for number, value in enumerate(values):
        found = found.when(part.name("b").eq(_whole(number)), _number(value))
    return found.else_(_number(0.0))


def _short(parts: Sequence[Part], lowest: float) -> sql.Select:
    """How far each field falls short of the reference, their positive sum, and the decision."""
    shortfalls = [
        sql.alias_(sql.Sub(this=_number(part.reference), expression=part.name("p")), f"s{part.number}")
        for part in parts
    ]
    approved = sql.case().when(sql.column("score") >= _number(lowest), _whole(1)).else_(_whole(0))
    kept = [f"b{part.number}" for part in parts]
    inner = sql.select("id", "refused", "score", sql.alias_(approved, "approved"), *kept, *shortfalls).from_("scored")
    total: sql.Expr = _number(0.0)
    for part in parts:
        positive = sql.case().when(part.name("s") > _number(0.0), part.name("s")).else_(_number(0.0))
        total = sql.Add(this=total, expression=positive)
    outer = ["id", "refused", "score", "approved", *kept, *[f"s{part.number}" for part in parts]]
    return sql.select(*outer, sql.alias_(total, "total")).from_(inner.subquery("fallen"))


def _ranked(parts: Sequence[Part], least: float) -> sql.Select:
    """The rank of each field, its code, and whether it is given: the first, or one that explains enough."""
    ranks, codes = [], []
    for part in parts:
        rank: sql.Expr = _whole(1)
        for other in parts:
            if other.number != part.number:
                # Ties keep the contract's order.
                larger = (sql.GTE if other.number < part.number else sql.GT)(
                    this=other.name("s"), expression=part.name("s")
                )
                rank = sql.Add(this=rank, expression=sql.case().when(larger, _whole(1)).else_(_whole(0)))
        ranks.append(sql.alias_(rank, f"r{part.number}"))
        codes.append(sql.alias_(_code(part), f"c{part.number}"))
    kept = [
        "id",
        "refused",
        "score",
        "approved",
        "total",
        *[f"{letter}{part.number}" for part in parts for letter in "bs"],
    ]
    inner = sql.select(*kept, *ranks, *codes).from_("short")
    given = []
    for part in parts:
        enough = sql.GTE(this=part.name("s"), expression=sql.Mul(this=_number(least), expression=sql.column("total")))
        is_given = sql.and_(part.name("s") > _number(0.0), sql.or_(part.name("r").eq(_whole(1)), enough))
        given.append(sql.alias_(sql.case().when(is_given, _whole(1)).else_(_whole(0)), f"g{part.number}"))
    outer = ["id", "refused", "score", "approved", *[f"{letter}{part.number}" for part in parts for letter in "brc"]]
    return sql.select(*outer, *given).from_(inner.subquery("lined"))


def _code(part: Part) -> sql.Expr:
    codes = [reason["code"] for reason in part.reasons]
    usual = max(dict.fromkeys(codes), key=codes.count)
    others = [(number, code) for number, code in enumerate(codes) if code != usual]
    if not others:
        return sql.Literal.string(usual)
    found = sql.case()
    for number, code in others:
        found = found.when(part.name("b").eq(_whole(number)), sql.Literal.string(code))
    return found.else_(sql.Literal.string(usual))


def _placed(parts: Sequence[Part]) -> sql.Select:
    """The place of each given code among those given; 0 if it is not given, or was given before."""
    possible = {part.number: {reason["code"] for reason in part.reasons} for part in parts}
    first = []
    for part in parts:
        keeps: list[sql.Expr] = [part.name("g").eq(_whole(1))]
        for other in parts:
            if other.number != part.number and possible[other.number] & possible[part.number]:
                same = sql.and_(
                    other.name("g").eq(_whole(1)),
                    sql.LT(this=other.name("r"), expression=part.name("r")),
                    sql.EQ(this=other.name("c"), expression=part.name("c")),
                )
                keeps.append(sql.not_(same))
        first.append(sql.alias_(sql.case().when(sql.and_(*keeps), _whole(1)).else_(_whole(0)), f"f{part.number}"))
    kept = ["id", "refused", "score", "approved", *[f"{letter}{part.number}" for part in parts for letter in "brc"]]
    inner = sql.select(*kept, *first).from_("ranked")
    places = []
    for part in parts:
        place: sql.Expr = _whole(1)
        for other in parts:
            if other.number != part.number:
                before = sql.and_(
                    other.name("f").eq(_whole(1)), sql.LT(this=other.name("r"), expression=part.name("r"))
                )
                place = sql.Add(this=place, expression=sql.case().when(before, _whole(1)).else_(_whole(0)))
        is_first = part.name("f").eq(_whole(1))
        places.append(sql.alias_(sql.case().when(is_first, place).else_(_whole(0)), f"o{part.number}"))
    outer = ["id", "refused", "score", "approved", *[f"{letter}{part.number}" for part in parts for letter in "bc"]]
    return sql.select(*outer, *places).from_(inner.subquery("first"))


def _answers(parts: Sequence[Part], version: str) -> sql.Select:
    """One answer a row: as the service gives it, or refused."""
    accepted = sql.column("refused").eq(_whole(0))
    denied = sql.and_(accepted.copy(), sql.column("approved").eq(_whole(0)))
    minus = sql.Neg(this=sql.Paren(this=sql.column("score")))
    probability = sql.Div(
        this=_number(1.0), expression=sql.Paren(this=sql.Add(this=_number(1.0), expression=sql.func("EXP", minus)))
    )
    reasons: sql.Expr = sql.Literal.string("")
    for place in range(1, min(MOST, len(parts)) + 1):
        code = sql.case()
        for part in parts:
            written: sql.Expr = part.name("c")
            if place > 1:
                written = sql.DPipe(this=sql.Literal.string(SEPARATOR), expression=written, safe=True)
            code = code.when(part.name("o").eq(_whole(place)), written)
        reasons = sql.DPipe(this=reasons, expression=sql.Paren(this=code.else_(sql.Literal.string(""))), safe=True)
    decision = (
        sql.case()
        .when(sql.column("refused").eq(_whole(1)), sql.Literal.string("refused"))
        .when(sql.column("approved").eq(_whole(1)), sql.Literal.string("approve"))
        .else_(sql.Literal.string("deny"))
    )
    return (
        sql.select(
            "id",
            sql.alias_(sql.case().when(accepted.copy(), sql.column("approved")), "prediction"),
            sql.alias_(decision, "decision"),
            sql.alias_(sql.case().when(accepted.copy(), probability), "probability"),
            sql.alias_(sql.case().when(denied, reasons).else_(sql.Literal.string("")), "reasons"),
            *[
                sql.alias_(sql.case().when(accepted.copy(), part.name("b")), f"bin_{part.spec.name}", quoted=True)
                for part in parts
            ],
            sql.alias_(sql.Literal.string(version), "model_version"),
        )
        .from_("placed")
        .order_by("id")
    )


def _number(value: float) -> sql.Expr:
    """A number as a double, so that no engine takes it for a decimal."""
    literal = sql.Literal.number(repr(abs(float(value))))
    return sql.cast(sql.Neg(this=literal) if value < 0 else literal, "double")


def _whole(value: int) -> sql.Expr:
    return sql.Literal.number(value)
