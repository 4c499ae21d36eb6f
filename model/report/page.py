"""Renders `model_metrics.html`: a report about one model, for the people accountable for it.

The page contains its own pictures and styles. Its content security policy ensures that it loads nothing from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lambda_app.reasons import ranked
from model.formats import find
from model.judge.comparison import models_of
from model.report import captions, charts, words
from model.report.points import points_tables
from model.report.rules import rules

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer, Application, Figures
    from model.judge.assessment import Assessment

FILE = "model_metrics.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
GENERATED = "the generator"


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


def render(assessment: Assessment) -> str:
    """The page about an assessed model."""
    opened, metrics, question = assessment.artifact, assessment.metrics, assessment.question
    manifest, limits = opened.manifest, question["limits"]
    judged, threshold = manifest["metrics"], manifest["threshold"]
    models, counts = models_of(metrics), judged["confusion"]
    read_off, tables, denied = find(manifest["format"]).tables(opened), points_tables(opened), example_denial(opened)
    intercept = read_off["intercept"] if read_off else 0.0
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            manifest=manifest,
            title=manifest["contract"]["json_schema"].get("description", manifest["contract"]["name"]).rstrip("."),
            judged=judged,
            recorded=(counts["true_approve"] + counts["false_deny"]) / judged["rows"],
            models=models,
            narrower=narrower(models),
            names=charts.NAMES,
            cutoffs=metrics["cutoffs"],
            choice=metrics["choice"],
            alternatives=metrics["alternatives"],
            rules=rules(question, assessment.verdict),
            limits=limits,
            generated=manifest["data"]["source"].startswith(GENERATED),
            tables=tables,
            idle=captions.idle(tables),
            intercept=intercept,
            needed=log(threshold / (1 - threshold)) - intercept,
            denied=denied,
            pictures={
                "confusions": captions.confusions(models),
                "curves": captions.curves(models, metrics["roc"]),
                "groups": captions.groups(judged) + captions.cutoffs(metrics, limits["maximum_equal_opportunity_gap"]),
                "points": captions.points(tables),
                "shortfalls": captions.shortfalls(denied.shortfalls) if denied else [],
            },
        )
    )


def narrower(models: dict[str, Figures]) -> dict[str, Figures]:
    """The compared models with a smaller gap between groups than the scorecard; empty if any gap is unknown."""
    gaps = {name: figures["equal_opportunity_gap"] for name, figures in models.items()}
    known = {name: gap for name, gap in gaps.items() if gap is not None}
    return {name: models[name] for name, gap in known.items() if known == gaps and gap < known["scorecard"]}


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


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(words, name) for name in ("percent", "percentage_points", "places", "interval", "whole")
    }
    return environment
