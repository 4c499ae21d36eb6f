"""The charts of a model, shared by the report and the notebook.

Each function takes plain data, as in `metrics.json` and the manifest, and returns a figure narrow enough for a phone.
Each series has its own marker, line style or hatching, so that colour is never the only difference.
"""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from model.fit.support import NOT_GIVEN
from model.report import words
from model.report.style import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    INK,
    LINES,
    ORANGE,
    SERIES,
    SHADES,
    WIDTH,
    framed,
    percent_axes,
    short,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambda_app.manifest import Calibration, Confusion, GroupFigures
    from model.data.applications import Applications
    from model.judge.comparison import CutoffFigures
    from model.judge.ranking import RocPoint
    from model.report.points import PointsTable

NAMES = {"scorecard": "Scorecard", "tree": "Tree of depth 3", "boosted": "Unconstrained boosting"}
# With this many edges or more, a curve is drawn instead of bars.
BARS = 12
# How many characters of a group's name fit on a line beside its bars.
LABEL = 16


@styled
def points(table: PointsTable) -> Figure:
    """The points of one field: bars for a few bins, a step curve for many."""
    if table.edges is not None and len(table.edges) >= BARS:
        return _steps(table, table.edges)
    return _bars(table)


@styled
def confusion(counts: Confusion, name: str) -> Figure:
    """One model's decisions against the recorded outcomes, as counts and as shares of each outcome."""
    figure, axes = framed(NAMES.get(name, name), width=3.1, height=2.6)
    cells = np.array(
        [
            [counts["true_approve"], counts["false_deny"]],
            [counts["false_approve"], counts["true_deny"]],
        ]
    )
    shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(2, 2):
        axes.text(
            column,
            row,
            f"{cells[row, column]:,}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            fontsize=11,
            linespacing=1.5,
        )
    axes.set_xticks([0, 1], ["approved", "denied"])
    axes.set_yticks([0, 1], ["approve", "deny"], rotation=90, va="center")
    axes.set_xlabel("the model's decision")
    axes.set_ylabel("recorded outcome")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    return figure


@styled
def roc(curves: Mapping[str, Sequence[RocPoint]], areas: Mapping[str, float | None]) -> Figure:
    """The ROC curve of each model."""
    figure, axes = framed("ROC curves")
    for (name, curve), series, line in zip(curves.items(), SERIES, LINES, strict=False):
        axes.plot(
            [point["false_positive_rate"] for point in curve],
            [point["true_positive_rate"] for point in curve],
            color=series["color"],
            linestyle=line,
            label=f"{NAMES.get(name, name)}, area {words.places(areas[name])}",
        )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, label="chance")
    percent_axes(axes, "x", "y")
    axes.set_xlabel("approved of those labelled deny")
    axes.set_ylabel("approved of those labelled approve")
    axes.legend(loc="lower right")
    return figure


@styled
def calibration(models: Mapping[str, Sequence[Calibration]]) -> Figure:
    """Estimated probabilities against observed shares, in tenths of the applicants."""
    figure, axes = framed("Calibration")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, label="as estimated")
    for (name, tenths), series, line in zip(models.items(), SERIES, LINES, strict=False):
        axes.plot(
            [tenth["predicted"] for tenth in tenths],
            [tenth["observed"] for tenth in tenths],
            **series,
            linestyle=line,
            label=NAMES.get(name, name),
        )
    percent_axes(axes, "x", "y")
    axes.set_xlabel("estimated probability")
    axes.set_ylabel("share labelled approve")
    axes.legend(loc="upper left")
    return figure


@styled
def operating_curve(curve: Sequence[CutoffFigures], threshold: float, limit: float) -> Figure:
    """Accuracy against the equal-opportunity gap at every cut-off, with the chosen cut-off marked."""
    figure, axes = framed("Cut-offs: accuracy against gap", height=3.6)
    cutoffs = np.array([point["cutoff"] for point in curve])
    gaps = np.array([point["gap"] for point in curve], dtype=np.float64)  # None becomes NaN
    accuracies = np.array([point["accuracy"] for point in curve])
    axes.plot(gaps, accuracies, color=BLUE, label="all cut-offs")
    for cutoff in (0.2, 0.8):
        place = np.abs(cutoffs - cutoff).argmin()
        axes.plot(gaps[place], accuracies[place], "o", color=BLUE)
        axes.annotate(
            f"{cutoff:.1f}", (gaps[place], accuracies[place]), xytext=(7, -4), textcoords="offset points", fontsize=9
        )
    chosen = np.abs(cutoffs - threshold).argmin()
    axes.plot(
        gaps[chosen],
        accuracies[chosen],
        "D",
        color=ORANGE,
        markersize=8,
        label=f"chosen: {threshold:.3f}",
        linestyle="none",
    )
    axes.axvline(limit, color=INK, linestyle="--", linewidth=1.3, label=f"policy's limit: {limit:.0%}")
    right = max(gaps.max(), limit * 1.25)
    axes.axvspan(limit, right, color=ORANGE, alpha=0.09, linewidth=0)
    axes.set_xlim(0, right)
    # Cut-offs that approve nearly everyone or nearly no one would flatten the part that matters.
    axes.set_ylim(max(accuracies.min(), accuracies.max() - 0.15), accuracies.max() + 0.01)
    axes.locator_params(axis="x", nbins=6)
    percent_axes(axes, "x", "y")
    axes.set_xlabel("equal-opportunity gap")
    axes.set_ylabel("accuracy")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@styled
def group_rates(by_group: Mapping[str, GroupFigures], column: str) -> Figure:
    """Approval and true-positive rates of each group, with their intervals."""
    labels = [fill(name, LABEL) for name in by_group]
    lines = sum(max(2, label.count("\n") + 1) for label in labels)
    figure, axes = framed(f"Rates by {column}", height=1.35 + 0.28 * lines)
    rates: dict[Literal["approval_rate", "true_positive_rate"], str] = {
        "approval_rate": "approved of all",
        "true_positive_rate": "approved of the creditworthy",
    }
    places = np.arange(len(by_group))
    for offset, (key, label), series in zip((-0.19, 0.19), rates.items(), SERIES, strict=False):
        values = np.array([group[key] for group in by_group.values()], dtype=np.float64)  # None becomes NaN
        low = np.array([group["intervals"][key]["low"] for group in by_group.values()])
        high = np.array([group["intervals"][key]["high"] for group in by_group.values()])
        bars = axes.barh(
            places + offset,
            values,
            0.34,
            xerr=np.maximum(0, [values - low, high - values]),
            color=series["color"],
            ecolor=INK,
            capsize=2.5,
            label=label,
            hatch="" if key == "approval_rate" else "///",
            edgecolor="white",
            linewidth=0,
        )
        axes.bar_label(bars, ["" if np.isnan(value) else f"{value:.1%}" for value in values], padding=4)
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, 1.18)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(loc="outside lower left", ncols=2)
    return figure


@styled
def shortfalls(found: Sequence[tuple[str, float]]) -> Figure:
    """How far a denied applicant falls short of the reference in each field, in the given order."""
    figure, axes = framed("Points short of the cut-off's mean", height=0.95 + 0.36 * len(found))
    names, values = [name for name, _ in found], [value for _, value in found]
    bars = axes.barh(names, values, color=[ORANGE if value > 0 else BLUE for value in values], height=0.62)
    axes.bar_label(bars, fmt="%+.2f", padding=3)
    axes.axvline(0, color=INK, linewidth=0.9)
    axes.spines.left.set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.2)
    axes.set_xlabel("log-odds; above 0 counts against the applicant")
    return figure


@styled
def distribution(applications: Applications, field: str, column: str) -> Figure:
    """How a field's values are distributed in each group of a sensitive column, and the share labelled approve."""
    place = [spec.name for spec in applications.fields].index(field)
    values, groups = applications.matrix[:, place], applications.groups[column]
    figure = Figure(figsize=(WIDTH, HEIGHT * 1.6))
    spread, approved = figure.subplots(2, 1, sharex=True)
    edges = np.histogram_bin_edges(values, bins=36)
    middles = (edges[:-1] + edges[1:]) / 2
    for name, series, line in zip(np.unique(groups[groups != ""]), SERIES, LINES, strict=False):
        of_group = groups == name
        counts, _ = np.histogram(values[of_group], edges)
        good, _ = np.histogram(values[of_group & applications.approved], edges)
        spread.stairs(counts, edges, color=series["color"], linestyle=line, linewidth=1.8, label=f"{column} {name}")
        enough = counts > 0
        approved.plot(
            middles[enough],
            good[enough] / counts[enough],
            color=series["color"],
            linestyle=line,
            label=f"{column} {name}",
        )
    for axes, title in ((spread, f"{field}: applications"), (approved, f"{field}: share labelled approve")):
        axes.set_title(title)
        axes.xaxis.set_major_formatter(FuncFormatter(short))
        axes.legend()
    approved.set_xlabel(applications.fields[place].scored.unit)
    spread.yaxis.set_major_formatter(FuncFormatter(short))
    spread.set_ylim(bottom=0)
    percent_axes(approved, "y")
    return figure


def _steps(table: PointsTable, edges: tuple[float, ...]) -> Figure:
    figure, axes = framed(f"{table.name}: points in log-odds")
    margin = (edges[-1] - edges[0]) * 0.06
    ends = [edges[0] - margin, *edges, edges[-1] + margin]
    known = [row.points for row in table.bins[: len(edges) + 1]]
    axes.stairs(known, ends, fill=True, color=BLUE, alpha=0.18)
    axes.stairs(known, ends, color=BLUE, linewidth=1.8, baseline=None)
    legend = "dashed: at the cut-off"
    axes.axhline(table.reference, color=ORANGE, linestyle="--", linewidth=1.4)
    if len(table.bins) > len(known):
        axes.axhline(table.bins[-1].points, color=GREEN, linestyle=":", linewidth=1.8)
        legend += f"; dotted: {NOT_GIVEN}"
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    axes.set_xlim(ends[0], ends[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(f"{table.unit} ({legend})")
    axes.set_ylabel("log-odds")
    return figure


def _bars(table: PointsTable) -> Figure:
    figure, axes = framed(f"{table.name}: points in log-odds", height=0.9 + 0.36 * len(table.bins))
    bars = axes.barh([row.label for row in table.bins], [row.points for row in table.bins], color=BLUE, height=0.62)
    # The white box keeps the dashed line from striking a number through.
    axes.bar_label(bars, fmt="%.2f", padding=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    axes.axvline(table.reference, color=ORANGE, linestyle="--", linewidth=1.4)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, max(1.16 * max(row.points for row in table.bins), 0.01))
    axes.set_xlabel("log-odds (dashed: at the cut-off)")
    return figure
