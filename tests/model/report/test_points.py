"""The scorecard's bins, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from model.report.points import bin_labels, points_tables

if TYPE_CHECKING:
    from model.run import TrainingRun


@pytest.mark.parametrize(
    ("spec", "entry", "minimum", "labels"),
    [
        pytest.param({"kind": "flag"}, {"edges": [0.5]}, 0, ["0", "1"], id="flag"),
        pytest.param({"kind": "int"}, {"edges": [0.5, 1.5, 3.5]}, 0, ["0", "1", "2 to 3", "4 or more"], id="count"),
        pytest.param(
            {"kind": "int"}, {"edges": [999.0, 2500.5]}, 0, ["up to 999", "1,000 to 2,500", "2,501 or more"], id="int"
        ),
        pytest.param(
            {"kind": "float"}, {"edges": [0.5, 10.25]}, 0, ["to 0.5", "over 0.5 to 10.25", "over 10.25"], id="float"
        ),
        pytest.param({"kind": "float"}, {"edges": []}, 0, ["any"], id="no-edge"),
        pytest.param({"kind": "choice"}, {"words": ["own", "rent"]}, None, ["own", "rent"], id="words"),
        pytest.param(
            {"kind": "int", "optional": True},
            {"edges": [7.0]},
            None,
            ["up to 7", "8 or more", "not given"],
            id="missing",
        ),
    ],
)
def test_bins_have_labels_in_words(spec: Any, entry: Any, minimum: float, labels: list[str]) -> None:
    assert bin_labels({"optional": False} | spec, entry, minimum) == labels


def test_each_training_row_is_in_the_bin_whose_label_covers_it(small: TrainingRun) -> None:
    # given
    training = small.candidate.training
    places = {spec.name: place for place, spec in enumerate(training.fields)}

    for table in points_tables(small.assessment.artifact):
        # when
        values = training.matrix[:, places[table.name]]
        inside = [np.array([_covers(row.label, value) for value in np.unique(values)]) for row in table.bins]

        # then
        assert np.sum(inside, axis=0).tolist() == [1] * len(np.unique(values))
        for row, covered in zip(table.bins, inside, strict=True):
            assert np.isin(values, np.unique(values)[covered]).mean() == pytest.approx(row.share, abs=1e-6)


def test_format_without_points_has_no_tables(mixed_sklearn: TrainingRun) -> None:
    assert points_tables(mixed_sklearn.assessment.artifact) == []


def _covers(label: str, value: float) -> bool:
    """Whether the label of a whole number's bin covers a value."""
    words = label.replace(",", "").split()
    match words:
        case ["any"]:
            return True
        case ["up", "to", high]:
            return value <= float(high)
        case [low, "or", "more"]:
            return value >= float(low)
        case [low, "to", high]:
            return float(low) <= value <= float(high)
        case [only]:
            return value == float(only)
    raise AssertionError(label)
