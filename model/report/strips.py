"""Line charts of the report: strips that lie under each other and share their x axis.

A strip is drawn as an SVG that stretches to any width, while its labels are text of the page: they keep their size on a
phone, follow the dark mode, and never overlap, because each strip has one labelled line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.report import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from model.data.applications import Applications
    from model.judge.comparison import CutoffFigures, Metrics
    from model.judge.ranking import RocPoint

    Floats = NDArray[np.float64]
    # A place from 0, left or bottom, to 100, and its label.
    Tick = tuple[float, str]

# Accuracies further below the best one are cut off: cut-offs that approve nearly nobody would flatten what matters.
LOWEST = 0.15
# How finely the values of a field are counted.
BARS = 36


@dataclass(frozen=True)
class Strip:
    """One strip.

    Attributes
    ----------
    title, says : str
        What the line is, and its value at the mark.
    lines : tuple of (kind, points)
        Each line as SVG points from 0,0, top left, to 100,100. The kind is its CSS class.
    ticks : tuple of Tick
        Along the y axis.
    limit : Tick, optional
        A line across, such as the policy's limit.
    height : float, optional
        Where the line is at the mark, 0, at the bottom, to 100.
    """

    title: str
    says: str
    lines: tuple[tuple[str, str], ...]
    ticks: tuple[Tick, ...]
    limit: Tick | None = None
    height: float | None = None


@dataclass(frozen=True)
class Strips:
    """Strips with a common x axis.

    Attributes
    ----------
    alt : str
        What the chart shows, for those who do not see it.
    axis : str
        What the x axis is.
    ticks : tuple of Tick
    strips : tuple of Strip
    mark : Tick, optional
        A line through all strips.
    """

    alt: str
    axis: str
    ticks: tuple[Tick, ...]
    strips: tuple[Strip, ...]
    mark: Tick | None = None


def cutoffs(metrics: Metrics, limit: float | None) -> Strips:
    """Accuracy, the gap between groups (if there are groups) and the share approved at every cut-off.

    Parameters
    ----------
    metrics : Metrics
        As in `metrics.json`.
    limit : float, optional
        The largest gap that the policy allows.
    """
    curve, judged, threshold = metrics["curve"], metrics["scorecard"], metrics["threshold"]
    at = _column(curve, lambda point: point["cutoff"])
    accuracy = _column(curve, lambda point: point["accuracy"])
    gap = _column(curve, lambda point: point["gap"])
    approved = _column(curve, lambda point: point["approval_rate"])
    best = float(accuracy.max())
    strips = [
        _strip(
            "Accuracy",
            f"{words.percent(judged['accuracy'])} at the chosen cut-off",
            (at, accuracy),
            (max(float(accuracy.min()), best - LOWEST), best),
            judged["accuracy"],
        )
    ]
    if judged["equal_opportunity_gap"] is not None and not np.isnan(gap).all():
        top = max(float(np.nanmax(gap)), 1.15 * (limit or 0.0), 0.01)
        strips.append(
            _strip(
                "Gap between groups",
                f"{words.points(judged['equal_opportunity_gap'])} at the chosen cut-off",
                (at, gap),
                (0.0, top),
                judged["equal_opportunity_gap"],
                limit=None if limit is None else (limit, f"limit {words.points(limit)}"),
            )
        )
    strips.append(
        _strip(
            "Approved",
            f"{words.percent(judged['approval_rate'])} at the chosen cut-off",
            (at, approved),
            (0.0, 1.0),
            judged["approval_rate"],
        )
    )
    return Strips(
        "; ".join(f"{strip.title}: {strip.says}" for strip in strips),
        "cut-off: the lowest estimated probability that is approved",
        _ticks(0.0, 1.0, lambda value: f"{value:g}"),
        tuple(strips),
        (threshold * 100, f"chosen: {threshold:.3f}"),
    )


def roc(curve: Sequence[RocPoint], area: float | None) -> Strips:
    """The ROC curve of one model, above the diagonal of a coin toss."""
    deny = _column(curve, lambda point: point["false_positive_rate"])
    approve = _column(curve, lambda point: point["true_positive_rate"])
    line = _strip("Approved of those labelled approve", f"area {words.places(area)}", (deny, approve), (0.0, 1.0), None)
    chance = ("other", _points(np.array([0.0, 1.0]), np.array([0.0, 1.0])))
    return Strips(
        f"ROC curve; the area under it is {words.places(area)}",
        "approved of those labelled deny",
        _ticks(0.0, 1.0, words.share),
        (Strip(line.title, line.says, (chance, *line.lines), line.ticks),),
    )


def distribution(applications: Applications, field: str, column: str) -> Strips:
    """How a number's values are distributed in each group of a sensitive column; one strip a group."""
    place = [spec.name for spec in applications.fields].index(field)
    values, names = applications.matrix[:, place], applications.groups[column]
    edges = np.histogram_bin_edges(values[~np.isnan(values)], bins=BARS)
    low, high = float(edges[0]), float(edges[-1])
    x = (np.repeat(edges, 2)[1:-1] - low) / (high - low)
    of_group: dict[str, Floats] = {}
    for name in np.unique(names[names != ""]):
        counts, _ = np.histogram(values[names == name], edges)
        of_group[str(name)] = np.repeat(counts / max(1, counts.sum()), 2)
    top = max(float(shares.max()) for shares in of_group.values())
    strips = tuple(
        _strip(
            f"{column} {name}",
            f"{words.percent(float(applications.approved[names == name].mean()))} labelled approve, "
            f"median {np.nanmedian(values[names == name]):,.6g}",
            (x, shares),
            (0.0, top),
            None,
        )
        for name, shares in of_group.items()
    )
    return Strips(
        f"{field} of the applications. {'; '.join(f'{strip.title}: {strip.says}' for strip in strips)}.",
        f"{field}, in {applications.fields[place].scored.unit}",
        _ticks(low, high, words.short),
        strips,
    )


def _strip(
    title: str,
    says: str,
    line: tuple[Floats, Floats],
    ends: tuple[float, float],
    marked: float | None,
    limit: tuple[float, str] | None = None,
) -> Strip:
    """A strip of shares between two ends; `line` has x from 0 to 1."""
    low, high = ends
    width = high - low or 1.0
    return Strip(
        title,
        says,
        (("own", _points(line[0], (line[1] - low) / width)),),
        _ticks(low, high, words.share, 3),
        None if limit is None else ((limit[0] - low) / width * 100, limit[1]),
        None if marked is None else float(np.clip((marked - low) / width, 0, 1) * 100),
    )


def _points(x: Floats, y: Floats) -> str:
    """SVG points of a line through places from 0 to 1; an unknown y is left out."""
    known = ~np.isnan(y)
    return " ".join(f"{100 * a:.2f},{100 * (1 - b):.2f}" for a, b in zip(x[known], y[known], strict=True))


def _ticks(low: float, high: float, label: Callable[[float], str], most: int = 5) -> tuple[Tick, ...]:
    """At most so many round numbers from `low` to `high`."""
    width = high - low or 1.0
    step = 10.0 ** np.floor(np.log10(width / most))
    step *= next((times for times in (1, 2, 2.5, 5, 10) if width / (step * times) < most), 10)
    numbers = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return tuple((float((number - low) / width * 100), label(float(number) + 0.0)) for number in numbers)


def _column(rows: Sequence[Mapping[str, object]] | Sequence[CutoffFigures], get: Callable[..., object]) -> Floats:
    """One figure of each row; None becomes NaN."""
    return np.array([get(row) for row in rows], dtype=np.float64)
