"""The style of every chart: colours, fonts, sizes."""

from __future__ import annotations

from io import BytesIO, StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK, GREY, LINE = "#1b2733", "#5b6875", "#d5dbe1"
BLUE, ORANGE, GREEN = "#1f5fa8", "#c2500a", "#3f7d2c"
SHADES = LinearSegmentedColormap.from_list("shades", ["#f4f7fb", "#9dbfe3"])
SERIES: tuple[Any, ...] = (
    {"color": BLUE, "marker": "o"},
    {"color": ORANGE, "marker": "s"},
    {"color": GREEN, "marker": "^"},
)
LINES = ("-", "--", ":")
WIDTH, HEIGHT = 4.2, 3.2

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.7,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "figure.constrained_layout.use": True,
    # Text stays text, so that the reader's own font draws it sharply. The salt makes identifiers the same in every run.
    "svg.fonttype": "none",
    "svg.hashsalt": "model-report",
}
styled = mpl.rc_context(STYLE)


def svg(figure: Figure) -> str:
    """The figure as an SVG document; the same bytes for the same figure."""
    written = StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as a PNG; the same bytes for the same figure."""
    written = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(written, format="png", dpi=110, metadata={"Software": None})
    return written.getvalue()


def framed(title: str, height: float = HEIGHT, width: float = WIDTH) -> tuple[Figure, Axes]:
    """A figure with one titled chart; sizes in inches."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def percent_axes(axes: Axes, *which: str) -> None:
    """Format the given axes, "x" or "y", as percentages."""
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(PercentFormatter(1))


def short(value: float, _place: int) -> str:
    """A number in few characters: 10,000 and above in thousands."""
    return f"{value / 1000:,.0f}k" if abs(value) >= 10_000 else f"{value:,.6g}"
