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
from model.report import captions, charts, groups, quality, words
from model.report.choice import choice_words, smaller_gaps
from model.report.fields import field_rows
from model.report.points import points_tables
from model.report.proofs import explained_words, monotonicity_words
from model.report.rules import rules
from model.report.scale import Scale

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer, Application, ColumnFigures, Figures
    from model.alternatives.search import Alternatives
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


@dataclass(frozen=True)
class Column:
    """A sensitive column: its figures, and the sentences about them (`model.report.groups`)."""

    name: str
    figures: ColumnFigures
    picture: captions.Picture
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
    opened, metrics, question = assessment.artifact, assessment.metrics, assessment.question
    manifest, judged, limits = opened.manifest, opened.manifest["metrics"], question["limits"]
    models, counts, denied = models_of(metrics), judged["confusion"], example_denial(opened)
    columns = _columns(judged)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            manifest=manifest,
            title=manifest["contract"]["json_schema"].get("description", manifest["contract"]["name"]).rstrip("."),
            judged=judged,
            recorded=(counts["true_approve"] + counts["false_deny"]) / judged["rows"],
            models=models,
            compared=quality.compared(models, metrics["cutoffs"]),
            skill=quality.skill_words(judged.get("skill")),
            calibration=quality.calibration_words(judged),
            narrower=narrower(models),
            names=charts.NAMES,
            cutoffs=metrics["cutoffs"],
            columns=columns,
            widest=groups.widest(judged),
            intersections=judged.get("intersections"),
            no_sensitive_reason=manifest.get("no_sensitive_reason"),
            choice=choice_words(metrics["choice"], limits["cutoff"], manifest["threshold"], groups=bool(columns)),
            other_cutoffs=metrics["alternatives"],
            smaller_gaps=smaller_gaps(metrics),
            alternatives=alternatives,
            rules=rules(question, assessment.verdict),
            limits=limits,
            generated=manifest["data"]["source"].startswith(GENERATED),
            **_points(opened),
            monotonicity=monotonicity_words(manifest["monotonicity"]),
            explained=explained_words(manifest.get("explained")),
            leakage=manifest.get("leakage"),
            score_stability=manifest["strength"]["score_stability_index"] if "strength" in manifest else None,
            denied=denied,
            pictures={
                "confusions": captions.confusions(models),
                "curves": captions.curves(models, metrics["roc"]),
                "cutoffs": captions.cutoffs(metrics, limits["maximum_equal_opportunity_gap"]),
                "points": captions.points(points_tables(opened)),
                "shortfalls": captions.shortfalls(denied.shortfalls) if denied else [],
            },
        )
    )


def _points(opened: Artifact) -> dict[str, object]:
    """What the page shows of a scorecard's points, on both scales."""
    manifest, tables = opened.manifest, points_tables(opened)
    read_off, idle = find(manifest["format"]).tables(opened), captions.idle(tables)
    scale, threshold = Scale.of(manifest["settings"]), manifest["threshold"]
    intercept = read_off["intercept"] if read_off else 0.0
    log_cutoff = log(threshold / (1 - threshold))
    return {
        "tables": tables,
        "fields": field_rows(manifest, idle),
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
            picture,
            groups.approved_less(name, figures),
            groups.gap(name, figures),
            groups.misjudged(name, figures),
        )
        for (name, figures), picture in zip(judged["groups"].items(), captions.groups(judged), strict=True)
    ]


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
