"""Renders `model_metrics.html`: a report about one model, for the people accountable for it.

The page contains its own charts and styles. Its content security policy ensures that it loads nothing from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lambda_app.reasons import ranked
from model.formats import find
from model.judge.comparison import models_of
from model.report import groups, quality, strips, words
from model.report.choice import choice_words, smaller_gaps
from model.report.fields import field_rows
from model.report.points import idle, points_tables
from model.report.proofs import explained_words, monotonicity_words
from model.report.rules import rules
from model.report.scale import Scale
from model.report.summary import NAMES, is_generated, recorded_rate, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer, Application, ColumnFigures, Figures
    from model.alternatives.search import Alternatives
    from model.judge.assessment import Assessment

FILE = "model_metrics.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
FILTERS = ("percent", "percentage_points", "points", "places", "interval", "whole", "in_order", "signed")


@dataclass(frozen=True)
class Denied:
    """An invented application that the model denies.

    Attributes
    ----------
    application : Application
        Every field; None where a value is missing.
    answer : Answer
        What the applicant gets.
    shortfalls : tuple of (field, shortfall)
        Largest shortfall first.
    """

    application: Application
    answer: Answer
    shortfalls: tuple[tuple[str, float], ...]

    @property
    def most(self) -> float:
        """The largest shortfall; 1 if there is none."""
        return max((value for _, value in self.shortfalls), default=0.0) or 1.0


@dataclass(frozen=True)
class Column:
    """A sensitive column: its figures, and the sentences about them (`model.report.groups`)."""

    name: str
    figures: ColumnFigures
    approved_less: str
    gap: str
    misjudged: str


def render(assessment: Assessment, alternatives: Alternatives | None = None) -> str:
    """The page about an assessed model.

    Parameters
    ----------
    assessment : Assessment
    alternatives : Alternatives, optional
        What a search for models that are as good and fairer has found; None if nobody has searched.
    """
    return environment().get_template("report.html.j2").render(**context(assessment, alternatives))


def context(assessment: Assessment, alternatives: Alternatives | None) -> dict[str, object]:
    """Everything that the sections show."""
    opened, metrics, question = assessment.artifact, assessment.metrics, assessment.question
    manifest, judged, limits = opened.manifest, opened.manifest["metrics"], question["limits"]
    models, columns = models_of(metrics), _columns(judged)
    return {
        "manifest": manifest,
        "about": manifest["contract"]["json_schema"].get("description", manifest["contract"]["name"]).rstrip("."),
        "summary": summary(assessment, alternatives),
        "judged": judged,
        "figure": figures_of(judged),
        "recorded": recorded_rate(judged),
        "models": models,
        "compared": quality.compared(models, metrics["cutoffs"]),
        "skill": quality.skill_words(judged.get("skill")),
        "calibration": quality.calibration_words(judged),
        "names": NAMES,
        "columns": columns,
        "widest": groups.widest(judged),
        "intersections": judged.get("intersections"),
        "no_sensitive_reason": manifest.get("no_sensitive_reason"),
        "choice": choice_words(metrics["choice"], limits["cutoff"], manifest["threshold"], groups=bool(columns)),
        "other_cutoffs": metrics["alternatives"],
        "smaller_gaps": smaller_gaps(metrics),
        "alternatives": alternatives,
        "rules": rules(question, assessment.verdict),
        "limits": limits,
        "generated": is_generated(manifest),
        **_points(opened),
        "monotonicity": monotonicity_words(manifest["monotonicity"]),
        "explained": explained_words(manifest.get("explained")),
        "leakage": manifest.get("leakage"),
        "score_stability": manifest["strength"]["score_stability_index"] if "strength" in manifest else None,
        "denied": example_denial(opened),
        "charts": {
            "cutoffs": strips.cutoffs(metrics, limits.get("maximum_equal_opportunity_gap")),
            "roc": strips.roc(metrics["roc"]["scorecard"], judged["roc_auc"]),
        },
    }


def figures_of(judged: Mapping[str, Any] | Figures) -> Callable[..., Markup]:
    """A function for templates that shows a figure with its place in a JSON file, so that programs can read it back.

    `figure("groups", "Sex", "by_group", "f", "accuracy")` looks it up by these keys, and formats it with the function
    of `words` that `kind` names.
    """

    def figure(*path: str | int, kind: str = "percent") -> Markup:
        found: Any = judged
        for key in path:
            found = found[key]
        pointer = "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in path)
        shown = getattr(words, kind)(found)
        return Markup('<data value="{}" data-figure="{}">{}</data>').format(found, pointer, shown)

    return figure


def _points(opened: Artifact) -> dict[str, object]:
    """What the page shows of a scorecard's points, on both scales; the field that can move a score most comes first."""
    manifest, tables = opened.manifest, points_tables(opened)
    moves = {table.name: max(row.points for row in table.bins) for table in tables}
    read_off = find(manifest["format"]).tables(opened)
    scale, threshold = Scale.of(manifest["settings"]), manifest["threshold"]
    intercept = read_off["intercept"] if read_off else 0.0
    log_cutoff = log(threshold / (1 - threshold))
    return {
        "tables": sorted(tables, key=lambda table: -moves[table.name]),
        "most": max(moves.values(), default=0.0) or 1.0,
        "fields": field_rows(manifest, idle(tables)),
        "scale": scale,
        "intercept": intercept,
        "base": scale.score(intercept),
        "log_cutoff": log_cutoff,
        "needed": scale.score(log_cutoff),
    }


def _columns(judged: Figures) -> list[Column]:
    return [
        Column(
            name,
            figures,
            groups.approved_less(name, figures),
            groups.gap(name, figures),
            groups.misjudged(name, figures),
        )
        for name, figures in judged["groups"].items()
    ]


def example_denial(opened: Artifact) -> Denied | None:
    """The first denied golden case of the artifact; None if there is none.

    Golden cases are invented: no real applicant's values reach the page.
    """
    manifest, scorer = opened.manifest, opened.scorer
    names = [field["name"] for field in manifest["contract"]["fields"]]
    for case in manifest["golden"]:
        if case["response"]["decision"] == "deny":
            values = {name: case["request"].get(name) for name in names}
            shortfalls = scorer.shortfalls(values, scorer.bins(values))
            largest_first = tuple((names[place], shortfalls[place]) for place in ranked(shortfalls))
            return Denied(values, case["response"], largest_first)
    return None


def environment(*more: Path) -> Environment:
    """The templates, with their filters; those of other directories may build on the report's."""
    made = Environment(
        loader=FileSystemLoader([TEMPLATES, *more]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {name: getattr(words, name) for name in FILTERS}
    return made
