"""The charts of a model with alternative text and captions, shared by the report and the notebook.

Each function takes plain data, as in `metrics.json` and the manifest.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from model.report import charts, words
from model.report.style import png, svg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from lambda_app.manifest import Confusion, Figures
    from model.data.applications import Applications
    from model.judge.comparison import Metrics
    from model.judge.ranking import RocPoint
    from model.report.points import PointsTable


@dataclass(frozen=True)
class Picture:
    """A chart, its alternative text and its caption.

    A notebook stores it as a PNG, which every viewer shows; viewers remove HTML and SVG from an untrusted file. By
    Jupyter's convention the alternative text goes into the output's metadata; it is the output's plain text as well.
    """

    figure: Figure
    alt: str
    caption: str = ""

    @property
    def source(self) -> Markup:
        """The chart as a data URL."""
        content = base64.b64encode(svg(self.figure).encode()).decode("ascii")
        return Markup("data:image/svg+xml;base64,") + content

    def _repr_mimebundle_(self, **_wanted: object) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        # IPython drops the types that it did not request.
        data = {
            "image/png": base64.b64encode(png(self.figure)).decode("ascii"),
            "text/plain": self.alt,
        }
        return data, {"image/png": {"alt": self.alt}}


def confusions(models: Mapping[str, Figures]) -> list[Picture]:
    """Each model's decisions against the recorded outcomes."""
    return [
        Picture(charts.confusion(figures["confusion"], name), _described(name, figures["confusion"]))
        for name, figures in models.items()
    ]


def curves(models: Mapping[str, Figures], roc: Mapping[str, Sequence[RocPoint]]) -> list[Picture]:
    """The ROC curves and the calibration."""
    areas = {name: figures["roc_auc"] for name, figures in models.items()}
    calibrations = {name: figures["calibration"] for name, figures in models.items()}
    return [
        Picture(
            charts.roc(roc, areas),
            "ROC curves. Area under the curve: "
            + "; ".join(f"{charts.NAMES[name]} {words.places(area)}" for name, area in areas.items()),
            "Closer to the top left is better; the diagonal is a coin toss.",
        ),
        Picture(
            charts.calibration(calibrations),
            "Calibration of the scorecard: "
            + "; ".join(
                f"estimated {words.percent(tenth['predicted'])}, observed {words.percent(tenth['observed'])}"
                for tenth in calibrations["scorecard"]
            ),
            "On the diagonal, the estimated probability equals the share labelled approve.",
        ),
    ]


def groups(judged: Figures) -> list[Picture]:
    """The rates of each group, one picture per sensitive column."""
    return [
        Picture(
            charts.group_rates(column["by_group"], name),
            "; ".join(
                f"{name} {group}: {words.percent(rates['approval_rate'])} approved, "
                f"{words.percent(rates['true_positive_rate'])} of the creditworthy approved"
                for group, rates in column["by_group"].items()
            ),
            "Thin lines are 95 % intervals.",
        )
        for name, column in judged["groups"].items()
    ]


def cutoffs(metrics: Metrics, limit: float) -> list[Picture]:
    """Accuracy against the gap at every cut-off; no picture if there are no groups to compare."""
    judged, threshold = metrics["scorecard"], metrics["threshold"]
    if not judged["groups"]:
        return []
    return [
        Picture(
            charts.operating_curve(metrics["curve"], threshold, limit),
            f"Accuracy against the equal-opportunity gap. The chosen cut-off of {threshold:.3f} has an accuracy of "
            f"{words.percent(judged['accuracy'])} at a gap of "
            f"{words.percentage_points(judged['equal_opportunity_gap'])}; "
            f"the policy allows {words.percentage_points(limit)}.",
            "Each point on the curve is one cut-off, judged on the hold-out.",
        )
    ]


def points(tables: Sequence[PointsTable]) -> list[Picture]:
    """The points of each field that can affect a decision."""
    return [
        Picture(
            charts.points(table),
            f"Points of {table.name} in log-odds: from {min(row.points for row in table.bins):.2f} to "
            f"{max(row.points for row in table.bins):.2f}; at the cut-off {table.reference:.2f} on average.",
            f"{table.description}. At most {max(row.points for row in table.bins):.2f} in log-odds.",
        )
        for table in tables
        if table.name not in idle(tables)
    ]


def idle(tables: Sequence[PointsTable]) -> list[str]:
    """The fields without points: they never affect a decision, and are never a reason."""
    return [table.name for table in tables if not any(row.points for row in table.bins)]


def shortfalls(found: Sequence[tuple[str, float]]) -> list[Picture]:
    """How far a denied applicant falls short in each field (`model.report.page.Denied`)."""
    return [
        Picture(
            charts.shortfalls(found),
            "Shortfall in log-odds: " + "; ".join(f"{name} {value:+.2f}" for name, value in found),
            "The largest shortfall comes first; the notice to the applicant gives at most four, and no slight ones.",
        )
    ]


def distribution(applications: Applications, field: str, column: str) -> Picture:
    """How a field's values are distributed in each group, and the share labelled approve."""
    place = [spec.name for spec in applications.fields].index(field)
    values, names = applications.matrix[:, place], applications.groups[column]
    by_group = [
        f"{column} {name}: median {np.nanmedian(values[names == name]):,.6g}, "
        f"{words.percent(float(applications.approved[names == name].mean()))} labelled approve"
        for name in np.unique(names[names != ""])
    ]
    return Picture(
        charts.distribution(applications, field, column), f"{field} of the applications. {'; '.join(by_group)}."
    )


def _described(name: str, counts: Confusion) -> str:
    return (
        f"{charts.NAMES[name]}: of those labelled approve {counts['true_approve']:,} approved and "
        f"{counts['false_deny']:,} denied; of those labelled deny {counts['false_approve']:,} approved and "
        f"{counts['true_deny']:,} denied."
    )
