"""Writes `model_metrics.html`: one page about one model, for those who must answer for it.

The page is made of what lies in the artifact's directory and of nothing else. It holds its pictures and its style in
itself and may load nothing from elsewhere, which its content security policy enforces.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from lambda_app import artifact
from model import charts, wording
from model.chart_style import svg
from model.points import Table, points_tables

FILE = "model_metrics.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
MODELS = ("scorecard", "tree", "boosted")
GENERATED = "the generator"


@dataclass(frozen=True)
class Chart:
    """A picture with the words for those who cannot see it."""

    source: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Rule:
    """One rule of the policy, as it was asked of this model.

    Attributes
    ----------
    name : str
        As the policy names it.
    asks : str
    value, limit : str
    passed : bool
    """

    name: str
    asks: str
    value: str
    limit: str
    passed: bool


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
    environment.filters |= {
        name: getattr(wording, name) for name in ("percent", "points", "places", "interval", "whole")
    }
    denial = example_denial(directory)
    counts, threshold = manifest["metrics"]["confusion"], manifest["threshold"]
    intercept = manifest["reference"]["score"] - sum(manifest["reference"]["points"]) if tables else 0.0
    return environment.get_template("report.html.j2").render(
        manifest=manifest,
        title=manifest["contract"]["json_schema"].get("description", manifest["contract"]["name"]).rstrip("."),
        judged=manifest["metrics"],
        recorded=(counts["true_approve"] + counts["false_deny"]) / manifest["metrics"]["rows"],
        models={name: metrics[name] for name in MODELS if name in metrics},
        names=charts.NAMES,
        rules=rules(gate["input"], gate["decision"]["denials"]),
        limits=gate["input"]["limits"],
        generated=manifest["data"]["source"].startswith(GENERATED),
        tables=tables,
        intercept=intercept,
        needed=log(threshold / (1 - threshold)) - intercept,
        denial=denial,
        charts=_charts(manifest, metrics, gate["input"]["limits"], tables, denial),
    )


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
            wording.percent(metrics["accuracy"]),
            f"at least {wording.percent(limits.get('minimum_accuracy'))}",
        ),
        (
            "equal_opportunity",
            "Approves the creditworthy of all groups alike",
            _each(
                metrics["groups"],
                lambda column: f"{wording.points(column['equal_opportunity_difference']['value'])} apart",
            ),
            f"at most {wording.points(limits.get('maximum_equal_opportunity_gap'))}",
        ),
        (
            "group_size",
            "Each group is large enough to judge by",
            _each(metrics["groups"], lambda column: f"{column['smallest_group']:,} applications"),
            f"at least {wording.whole(limits.get('minimum_group_size'))}",
        ),
        (
            "parity",
            "The exported model decides as the trained one",
            f"{parity['different_decisions']:,} of {parity['rows'] + parity['edge_rows']:,} decided differently; "
            f"probabilities {wording.number(parity['largest_difference'])} apart",
            f"0 decisions; at most {wording.number(limits.get('maximum_parity_difference'))}",
        ),
        (
            "monotonicity",
            "No field moves a decision against its direction",
            f"{monotone['violations']:,} of {monotone['pairs']:,} pairs of applicants",
            "none",
        ),
        (
            "champion",
            "Not worse than the model in service",
            "no model in service to compare with" if champion is None else _against(metrics, champion),
            f"at most {wording.points(limits.get('maximum_champion_loss'))} worse",
        ),
    ]
    return [Rule(name, asks, value, limit, name not in denied) for name, asks, value, limit in found]


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


def _charts(
    manifest: dict[str, Any],
    metrics: dict[str, Any],
    limits: dict[str, Any],
    tables: list[Table],
    denial: dict[str, Any] | None,
) -> dict[str, list[Chart]]:
    models = {name: metrics[name] for name in MODELS if name in metrics}
    areas = {name: figures["roc_auc"] for name, figures in models.items()}
    gap = wording.points(manifest["metrics"]["equal_opportunity_gap"])
    calibrations = {name: figures["calibration"] for name, figures in models.items()}
    return {
        "confusion": [
            _chart(charts.confusion(figures["confusion"], name), _told(name, figures["confusion"]), "")
            for name, figures in models.items()
        ],
        "curves": [
            _chart(
                charts.roc(metrics["roc"], areas),
                "ROC curves. Area under the curve: "
                + "; ".join(f"{charts.NAMES[name]} {area:.4f}" for name, area in areas.items()),
                "Further up and to the left is better; the diagonal is a coin toss.",
            ),
            _chart(
                charts.calibration(calibrations),
                "Calibration of the scorecard: "
                + "; ".join(
                    f"estimated {wording.percent(tenth['predicted'])}, observed {wording.percent(tenth['observed'])}"
                    for tenth in calibrations["scorecard"]
                ),
                "On the diagonal an estimated probability is met by the same share of approvals on record.",
            ),
        ],
        "groups": [
            _chart(
                charts.group_rates(column["by_group"], name),
                "; ".join(
                    f"{name} {group}: {wording.percent(rates['approval_rate'])} approved, "
                    f"{wording.percent(rates['true_positive_rate'])} of the creditworthy approved"
                    for group, rates in column["by_group"].items()
                ),
                "Thin lines are 95 % intervals.",
            )
            for name, column in manifest["metrics"]["groups"].items()
        ]
        + [
            _chart(
                charts.operating_curve(
                    metrics["curve"], manifest["threshold"], limits["maximum_equal_opportunity_gap"]
                ),
                f"Accuracy against the equal-opportunity gap. The chosen cut-off of {manifest['threshold']:.3f} has an "
                f"accuracy of {wording.percent(manifest['metrics']['accuracy'])} at a gap of {gap}; the policy allows "
                f"{wording.points(limits['maximum_equal_opportunity_gap'])}.",
                "Chosen was the most accurate cut-off that keeps a margin to the policy's limit.",
            )
        ],
        "points": [
            _chart(
                charts.points(table),
                f"Points of {table.name}: from {min(row.points for row in table.bins):.2f} to "
                f"{max(row.points for row in table.bins):.2f}; at the cut-off {table.reference:.2f} on average.",
                f"{table.description}. At most {max(row.points for row in table.bins):.2f} points.",
            )
            for table in tables
        ],
        "denial": []
        if denial is None
        else [
            _chart(
                charts.shortfalls(denial["shortfalls"]),
                "Shortfall: " + "; ".join(f"{name} {value:+.2f}" for name, value in denial["shortfalls"]),
                "What counts most stands first; the letter names at most four.",
            )
        ],
    }


def _chart(figure: Figure, alt: str, caption: str) -> Chart:
    content = base64.b64encode(svg(figure).encode()).decode("ascii")
    return Chart(Markup("data:image/svg+xml;base64,") + content, alt, caption)


def _told(name: str, counts: dict[str, int]) -> str:
    return (
        f"{charts.NAMES[name]}: of those labelled approve {counts['true_approve']:,} approved and "
        f"{counts['false_deny']:,} denied; of those labelled deny {counts['false_approve']:,} approved and "
        f"{counts['true_deny']:,} denied."
    )


def _each(groups: dict[str, Any], say: Any) -> str:
    return "; ".join(f"{name}: {say(column)}" for name, column in groups.items()) or "no sensitive column"


def _against(metrics: dict[str, Any], champion: dict[str, Any]) -> str:
    if None in (metrics["equal_opportunity_gap"], champion["equal_opportunity_gap"]):
        return "a gap that the data cannot tell"
    accuracy = metrics["accuracy"] - champion["accuracy"]
    gap = metrics["equal_opportunity_gap"] - champion["equal_opportunity_gap"]
    return f"accuracy {accuracy * 100:+.2f}, gap {gap * 100:+.2f} percentage points"
