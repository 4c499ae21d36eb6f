"""The fields as the report lists them: every sentence that may be given, and what a manifest lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from model.report.fields import field_rows
from model.report.points import idle, points_tables

if TYPE_CHECKING:
    from lambda_app.manifest import Manifest
    from model.run import TrainingRun


def changed(run: TrainingRun, name: str, **changes: Any) -> Manifest:
    """The manifest with one field of its contract changed."""
    contract: Any = run.manifest["contract"]
    fields = [{**field, **changes} if field["name"] == name else field for field in contract["fields"]]
    return cast("Manifest", {**run.manifest, "contract": {**contract, "fields": fields}})


def test_lists_the_sentences_of_a_missing_value_and_of_words(mixed: TrainingRun) -> None:
    # Given a field of words with sentences of its own
    missing, none = {"code": "JOB_NOT_STATED", "text": "Job not stated"}, {"code": "JOB_NONE", "text": "No job"}
    manifest = changed(mixed, "Job", missing=missing, by_word={"none": none})
    # When its row is read
    [row] = [row for row in field_rows(manifest, []) if row.name == "Job"]
    # Then it has the general sentence, and each other one with its occasion
    general = {"code": "JOB", "text": "Kind of employment"}
    assert row.reasons == (("", general), ("none", none), ("not given", missing))


def test_a_field_that_decides_nothing_gives_no_reason(mixed: TrainingRun) -> None:
    rows = {row.name: row for row in field_rows(mixed.manifest, idle(points_tables(mixed.assessment.artifact)))}
    assert rows["Constant"].reasons == ()
    assert rows["Constant"].direction == "does not affect this model's decisions"
    assert rows["Amount"].direction == "counts against"


def test_shows_what_each_field_explains(mixed: TrainingRun) -> None:
    # Given what two columns' groups are explained by
    leak = {"outcome": 0.25, "groups": {"Age": {"old": 0.1, "young": 0.1}, "Town": {"a": 0.01, "b": 0.2, "c": 0.0}}}
    fields = {field["name"]: leak for field in mixed.manifest["contract"]["fields"]}
    leakage = {"twin_share": 0.0, "copied_share": 0.0, "fields": fields}
    # When a row is read
    row = field_rows(cast("Manifest", {**mixed.manifest, "leakage": leakage}), [])[0]
    # Then two groups share a figure, and three have one each
    assert row.outcome.replace("\u00a0", " ") == "25.0 %"
    assert row.groups["Age"].replace("\u00a0", " ") == "10.0 %"
    assert row.groups["Town"].replace("\u00a0", " ") == "a 1.0 %; b 20.0 %; c 0.0 %"


def test_an_older_manifest_leaves_figures_unknown(mixed: TrainingRun) -> None:
    older: Any = {key: value for key, value in mixed.manifest.items() if key not in ("strength", "leakage")}
    for row in field_rows(older, []):
        assert {row.information_value, row.stability_index, row.outcome} == {"not known"}
        assert row.groups == {}
