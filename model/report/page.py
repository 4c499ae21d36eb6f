"""Writes `model_metrics.html`: one page about one model, for those who must answer for it.

The page is made of what lies in the artifact's directory and of nothing else. It holds its pictures and its style in
itself and may load nothing from elsewhere, which its content security policy enforces.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lambda_app import artifact
from model.report import captions, charts, words
from model.report.points import points_tables

FILE = "model_metrics.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
MODELS = ("scorecard", "tree", "boosted")
GENERATED = "the generator"


@dataclass(frozen=True)
class Rule:
    """One rule of the policy, as it was asked of this model.

    Attributes
    ----------
    name : str
        As the policy names it.
    asks : str
    value, limit : str
    passed : bool or None
        None where another rule says that there was nothing to ask.
    """

    name: str
    asks: str
    value: str
    limit: str
    passed: bool | None


def render(directory: Path) -> str:
    """The page about the model in a directory.

    Parameters
    ----------
    directory : Path
        Holds `manifest.json`, `model.joblib`, `metrics.json` and `gate.json`.

    Raises
    ------
    lambda_app.errors.ArtifactError
        The artifact cannot be trusted or read.
    OSError
        One of the files is not there.
    """
    manifest, metrics, gate = (
        json.loads((directory / f"{name}.json").read_text(encoding="utf-8")) for name in ("manifest", "metrics", "gate")
    )
    tables = points_tables(directory)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {name: getattr(words, name) for name in ("percent", "points", "places", "interval", "whole")}
    denial = example_denial(directory)
    counts, threshold = manifest["metrics"]["confusion"], manifest["threshold"]
    models = {name: metrics[name] for name in MODELS if name in metrics}
    limits = gate["input"]["limits"]
    intercept = manifest["reference"]["score"] - sum(manifest["reference"]["points"]) if tables else 0.0
    return environment.get_template("report.html.j2").render(
        manifest=manifest,
        title=manifest["contract"]["json_schema"].get("description", manifest["contract"]["name"]).rstrip("."),
        judged=manifest["metrics"],
        recorded=(counts["true_approve"] + counts["false_deny"]) / manifest["metrics"]["rows"],
        models=models,
        narrower=narrower(models),
        names=charts.NAMES,
        cutoffs=metrics["cutoffs"],
        choice=metrics["choice"],
        alternatives=metrics["alternatives"],
        rules=rules(gate["input"], gate["decision"]["denials"]),
        limits=limits,
        generated=manifest["data"]["source"].startswith(GENERATED),
        tables=tables,
        idle=captions.idle(tables),
        intercept=intercept,
        needed=log(threshold / (1 - threshold)) - intercept,
        denial=denial,
        pictures={
            "confusions": captions.confusions(models),
            "curves": captions.curves(models, metrics["roc"]),
            "groups": captions.groups(manifest["metrics"])
            + captions.cutoffs(metrics, limits["maximum_equal_opportunity_gap"]),
            "points": captions.points(tables),
            "shortfalls": captions.shortfalls(denial),
        },
    )


def narrower(models: dict[str, Any]) -> dict[str, Any]:
    """Those of the compared models whose gap between groups is smaller than the scorecard's."""
    gaps = {name: figures["equal_opportunity_gap"] for name, figures in models.items()}
    if None in gaps.values():
        return {}
    return {name: models[name] for name, gap in gaps.items() if gap < gaps["scorecard"]}


def rules(question: dict[str, Any], denials: list[dict[str, str]]) -> list[Rule]:
    """Every rule of the policy with this model's value, the limit, and whether the model passed it.

    Parameters
    ----------
    question : dict
        What the policy was asked (`model.gate.gate_input`).
    denials : list of dict
        What it answered; a rule that it does not name was passed.
    """
    limits, metrics, parity = question["limits"], question["metrics"], question["parity"]
    champion, monotone = question["champion"], question["monotonicity"]
    denied = {denial["rule"] for denial in denials}
    found = [
        ("limits", "Every limit is given", f"{len(limits)} limits", "5 numbers"),
        (
            "accuracy",
            "Decides as the record does",
            words.percent(metrics["accuracy"]),
            f"at least {words.percent(limits.get('minimum_accuracy'))}",
        ),
        (
            "sensitive",
            "There are groups to judge by",
            ", ".join(metrics["groups"]) or "no sensitive column",
            "at least 1 sensitive column",
        ),
        (
            "equal_opportunity",
            "Approves the creditworthy of all groups alike",
            _each(
                metrics["groups"],
                lambda column: f"{words.points(column['equal_opportunity_difference']['value'])} apart",
            ),
            f"at most {words.points(limits.get('maximum_equal_opportunity_gap'))}",
        ),
        (
            "group_size",
            "Each group is large enough to judge by",
            _each(metrics["groups"], lambda column: f"{column['smallest_group']:,} applications"),
            f"at least {words.whole(limits.get('minimum_group_size'))}",
        ),
        (
            "parity",
            "The exported model decides as the trained one",
            f"{parity['different_decisions']:,} of {parity['rows'] + parity['edge_rows']:,} decided differently; "
            f"probabilities {words.number(parity['largest_difference'])} apart",
            f"0 decisions; at most {words.number(limits.get('maximum_parity_difference'))}",
        ),
        (
            "monotonicity",
            "No field moves a decision against its direction",
            f"{monotone['violations']:,} of {monotone['pairs']:,} pairs of applicants"
            if monotone["directed_fields"]
            else "no field has a direction, so no pairs were compared",
            "none",
        ),
        (
            "champion",
            "Not worse than the model in service",
            "no model in service to compare with" if champion is None else _against(metrics, champion),
            f"at most {words.points(limits.get('maximum_champion_loss'))} worse",
        ),
    ]
    unasked = () if metrics["groups"] else ("equal_opportunity", "group_size")
    return [
        Rule(name, asks, value, limit, None if name in unasked else name not in denied)
        for name, asks, value, limit in found
    ]


def example_denial(directory: Path) -> dict[str, Any] | None:
    """The first of the artifact's golden cases that is denied, with each field's shortfall; None if none is.

    Golden cases are invented: no real applicant's values reach the page.
    """
    opened = artifact.load(str(directory))
    for case in opened.manifest["golden"]:
        if case["response"]["decision"] == "deny":
            values = {
                field["name"]: case["request"].get(field["name"]) for field in opened.manifest["contract"]["fields"]
            }
            shortfalls = opened.scorer.shortfalls(values, opened.scorer.bins(values))
            ranked = sorted(zip(values, shortfalls, strict=True), key=lambda pair: pair[1], reverse=True)
            return {"values": values, "response": case["response"], "shortfalls": ranked}
    return None


def _each(groups: dict[str, Any], say: Any) -> str:
    return "; ".join(f"{name}: {say(column)}" for name, column in groups.items()) or "no sensitive column"


def _against(metrics: dict[str, Any], champion: dict[str, Any]) -> str:
    if None in (metrics["equal_opportunity_gap"], champion["equal_opportunity_gap"]):
        return "a gap that the data cannot tell"
    accuracy = metrics["accuracy"] - champion["accuracy"]
    gap = metrics["equal_opportunity_gap"] - champion["equal_opportunity_gap"]
    return f"accuracy {accuracy * 100:+.2f}, gap {gap * 100:+.2f} percentage points"
