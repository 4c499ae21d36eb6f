"""Pictures carry their alternative text in the report and in the notebook."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from IPython.core.formatters import DisplayFormatter

from model.report import captions, charts
from model.report.points import Bin, PointsTable

if TYPE_CHECKING:
    from model.run import TrainingRun


def table(name: str, *points: float) -> PointsTable:
    """A field with as many words as points."""
    return PointsTable(name, "A <field>", "words", "free", 0.0, None, tuple(Bin(f"w{p}", p, 0.5) for p in points))


def test_notebook_shows_a_picture_with_its_alternative_text() -> None:
    # given
    picture = captions.Picture(captions.points([table("F", 0.0, 1.0)])[0].figure, 'Points of "F" & <others>.')

    # when: a notebook displays it
    data, metadata = DisplayFormatter().format(picture)  # type: ignore[no-untyped-call]  # IPython has no types

    # then
    assert data.keys() == {"image/png", "text/plain"}
    assert data["text/plain"] == metadata["image/png"]["alt"] == picture.alt
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_same_figure_gives_the_same_bytes() -> None:
    first, second = (captions.points([table("F", 0.0, 1.0)])[0] for _ in range(2))
    assert first._repr_mimebundle_() == second._repr_mimebundle_()


def test_field_without_points_has_no_picture() -> None:
    tables = [table("Still", 0.0, 0.0), table("Moves", 0.0, 0.5)]
    assert captions.idle(tables) == ["Still"]
    assert [picture.alt.split(":")[0] for picture in captions.points(tables)] == ["Points of Moves in log-odds"]


def test_distribution_describes_each_group(small: TrainingRun) -> None:
    alt = captions.distribution(small.candidate.holdout, "Income", "Group").alt
    assert alt.startswith("Income of the applications. Group 0: median ")
    assert alt.count("labelled approve") == 2


def test_a_long_group_name_leaves_room_for_its_bars(small: TrainingRun) -> None:
    # Given a group whose name is longer than the chart is wide
    [column] = small.manifest["metrics"]["groups"].values()
    first, second = column["by_group"].values()
    by_group = {"separated, divorced, widowed or never asked at all": first, "1": second}
    # When its chart is drawn
    figure = charts.group_rates(by_group, "Marital")
    figure.canvas.draw()
    # Then the bars have at least half of the width
    [axes] = figure.axes
    assert axes.get_position().width > 0.5
