"""docs/figures.md explains every figure: each key of `metrics.json` and of the judged parts of the manifest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.run import TrainingRun

JUDGED = ("leakage", "strength", "explained", "monotonicity", "parity")
# Parts of a figure that the page explains once for all, and what is no figure.
GENERAL = {"low", "high", "lowest", "highest", "intervals", "identity", "fields"}


def keys(found: object, names: set[str]) -> Iterator[str]:
    """Every key that is the name of a figure; the names of models, columns, groups and fields are not."""
    if isinstance(found, list):
        for each in found[:1]:
            yield from keys(each, names)
    elif isinstance(found, dict):
        for key, each in found.items():
            if key not in names:
                yield key
            yield from keys(each, names)


def test_every_figure_is_explained(mixed: TrainingRun) -> None:
    # Given the keys of all figures
    metrics, manifest = mixed.assessment.metrics, mixed.manifest
    columns = metrics["scorecard"]["groups"]
    names = {*metrics["cutoffs"], *columns, *manifest["strength"]["fields"]}
    names |= {group for column in columns.values() for group in column["by_group"]}
    judged = {key: part for key, part in manifest.items() if key in JUDGED}
    found = {*keys(metrics, names), *keys(judged, names)} - GENERAL
    # When the page is read, then it names each
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert len(found) > 80
    assert found - set(re.findall(r"`(\w+)`", page)) == set()
