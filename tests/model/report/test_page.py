"""The report: true to the artifact, readable by everyone, and self-contained."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.artifact import Artifact
from model.applicant import Applicant
from model.data.applications import check_frame
from model.data.generator import generate
from model.fit.settings import TrainingSettings
from model.formats import scorecard
from model.report.page import FILE, TEMPLATES, example_denial, render
from model.report.points import idle, points_tables
from model.report.scale import Scale
from model.report.words import percent, places, points, whole
from model.run import run
from tests.pages import Page
from tests.trainings import task_of

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.manifest import Data
    from model.run import TrainingRun


@pytest.fixture(scope="module", params=["small", "mixed", "mixed_sklearn"])
def outcome(request: pytest.FixtureRequest) -> TrainingRun:
    """A published model: the default contract, a contract with words and gaps, and a format without points."""
    found: TrainingRun = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def page(outcome: TrainingRun) -> Page:
    return Page.of((outcome.directory / FILE).read_text(encoding="utf-8"))


def test_is_published_with_the_model(outcome: TrainingRun) -> None:
    assert render(outcome.assessment) == (outcome.directory / FILE).read_text(encoding="utf-8")


def test_is_well_formed(page: Page) -> None:
    assert page.open == []


def test_names_the_model_and_its_figures(outcome: TrainingRun, page: Page) -> None:
    manifest = outcome.manifest
    for fact in (
        manifest["model_version"],
        manifest["digest"],
        manifest["data"]["digest"],
        manifest["libraries"]["scikit-learn"],
        f"{manifest['metrics']['accuracy'] * 100:.1f}",
        f"{manifest['metrics']['roc_auc']:.4f}",
        f"{manifest['data']['rows']:,} labelled applications",
    ):
        assert fact in page.text


def test_shows_every_field_and_its_reason(outcome: TrainingRun, page: Page) -> None:
    without_points = idle(points_tables(outcome.assessment.artifact))
    for spec in outcome.manifest["contract"]["fields"]:
        assert spec["name"] in page.text
        assert (spec["text"] in page.text) is (spec["name"] not in without_points)


def test_says_which_field_affects_no_decision(mixed: TrainingRun) -> None:
    # given: a column with one value in all rows
    page = Page.of((mixed.directory / FILE).read_text(encoding="utf-8"))

    # then: it has no direction and no reason
    assert "Constant The same in all training rows units does not affect this model's decisions" in page.words()
    assert "Never" not in page.text


def test_describes_each_guideline_correctly(page: Page) -> None:
    assert "Law, as of 26 November 2026" in page.words()
    assert "guideline for employment selection (29 CFR 1607.4(D)), not a rule for credit" in page.words()
    assert "SR 26-2 (April 2026), which replaced SR 11-7" in page.words()
    assert "22 April 2026, in force since 21 July 2026, removed its effects test" in page.words()
    assert "SB 26-189, in force from 1 January 2027, replaces SB 24-205" in page.words()
    assert "biased" not in page.text


def test_loads_nothing_from_elsewhere(page: Page) -> None:
    addresses = [tag[name] or "" for _, tag in page.tags for name in ("src", "href", "data", "action") if name in tag]
    assert addresses
    assert [address for address in addresses if not address.startswith("#")] == []
    assert page.every("script") == page.every("link") == []
    [policy] = [meta["content"] for meta in page.every("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_has_no_dead_links(page: Page) -> None:
    targets = {f"#{tag['id']}" for _, tag in page.tags if "id" in tag}
    assert {link["href"] for link in page.every("a")} <= targets


def test_every_chart_is_described(page: Page) -> None:
    charts = [figure for figure in page.every("figure") if figure["role"] == "img"]
    assert len(charts) == len(page.every("figure")) == 2
    assert [chart for chart in charts if len(chart["aria-label"] or "") < 30] == []
    # What is only drawn is kept from screen readers: the numbers stand beside it
    drawn = [tag for name, tag in page.tags if name == "svg" or tag.get("class") == "track"]
    assert len(drawn) > 10
    assert all(tag["aria-hidden"] == "true" for tag in drawn)


def test_has_headings_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_captions_tables_and_scopes_their_headers(page: Page) -> None:
    assert len(page.every("caption")) == len(page.every("table")) >= 5
    assert {header.get("scope") for header in page.every("th")} == {"row", "col"}


def test_explains_a_denial_with_the_services_own_reasons(outcome: TrainingRun, page: Page) -> None:
    denied = next(case for case in outcome.manifest["golden"] if case["response"]["decision"] == "deny")
    assert denied["response"]["reasons"]
    for reason in denied["response"]["reasons"]:
        assert reason["text"] in page.text


def test_lists_the_largest_shortfalls_first(outcome: TrainingRun) -> None:
    denial = example_denial(outcome.assessment.artifact)
    assert denial is not None
    given = [reason["field"] for reason in denial.answer["reasons"]]
    assert given
    assert given == [name for name, _ in denial.shortfalls[: len(given)]]


def test_lists_all_points(small: TrainingRun) -> None:
    tables = points_tables(small.assessment.artifact)
    page = Page.of(render(small.assessment))
    for row in (row for table in tables for row in table.bins):
        assert f"{row.label} {Scale().points(row.points)} {row.points:.3f}" in page.words()


def test_gives_the_scores_at_the_start_and_at_the_cutoff(small: TrainingRun) -> None:
    # given: 600 points are odds of 50 to 1, and 20 more double the odds
    words = Page.of(render(small.assessment)).words()
    starts, needed = (
        float(text) for text in re.findall(r"starts with (\d+) points, .* with a score of (\d+) or", words)[0]
    )

    # when
    odds = [50 * 2 ** ((score - 600) / 20) for score in (starts, needed)]

    # then: half a point is 0.017 in log-odds
    threshold = small.manifest["threshold"]
    assert log(odds[1]) == pytest.approx(log(threshold / (1 - threshold)), abs=0.018)
    assert log(odds[0]) == pytest.approx(scorecard.tables(small.assessment.artifact)["intercept"], abs=0.018)


@pytest.fixture(scope="module")
def rejected(tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A run whose groups are too small to judge by."""
    applications = check_frame(generate(4_000, 0), Applicant, source="the generator, seed 0", dated="2026-01-01")
    return run(
        task_of(Applicant, applications, TrainingSettings(max_iter=20, folds=2)), tmp_path_factory.mktemp("rejected")
    )


def test_is_kept_for_a_rejected_model_and_names_the_rule(rejected: TrainingRun) -> None:
    words = Page.of((rejected.directory / FILE).read_text(encoding="utf-8")).words()
    assert rejected.directory.name == "rejected"
    broken = list(dict(rejected.verdict.denials))
    assert "group_size" in broken
    assert f"Stopped at the policy gate: {', '.join(broken)}" in words
    for rule, message in rejected.verdict.denials:
        assert f"Rule {rule}: {message}" in words
    assert words.count("✗ failed:") == len(broken)


def test_says_when_a_group_cannot_be_judged(tmp_path: Path) -> None:
    # given: a group without creditworthy applicants
    frame = generate(4_000, 0)
    frame.loc[:100, ["Group", "Target"]] = [2, 0]
    applications = check_frame(frame, Applicant, source="the generator, seed 0", dated="2026-01-01")

    # when
    found = run(task_of(Applicant, applications, TrainingSettings(max_iter=20, folds=2)), tmp_path)

    # then
    words = Page.of((found.directory / FILE).read_text(encoding="utf-8")).words()
    assert "equal_opportunity" in [rule for rule, _ in found.verdict.denials]
    assert found.manifest["metrics"]["groups"]["Group"]["by_group"]["2"]["true_positive_rate"] is None
    assert "a gap that this data cannot show" in words
    assert "Equal opportunity difference not known" in words


def test_shows_rejected_rows_and_escapes_file_names(small: TrainingRun) -> None:
    # given
    opened = small.assessment.artifact
    data: Data = {
        **small.manifest["data"],
        "source": "<script>alert(1)</script>.csv",
        "rejects": {
            **small.manifest["data"]["rejects"],
            "rows_rejected": 3,
            "by_field": {"Income": {"int_type": {"rows": 3, "first_lines": [2, 5, 9]}}},
            "ignored_columns": ["<b>Notes</b>"],
        },
    }

    # when
    changed = Artifact({**opened.manifest, "data": data}, opened.scorer)
    page = Page.of(render(replace(small.assessment, artifact=changed)))

    # then
    assert page.every("script") == page.every("b") == []
    assert "<script>alert(1)</script>.csv" in page.text
    assert "3 of 20,000 rows broke the contract" in page.words()
    assert "Income int_type 3" in page.words()
    assert "were ignored: <b>Notes</b>" in page.words()


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2.2 defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


RULES = re.findall(r"\.report \{(.*?)\}", (TEMPLATES / "report.css").read_text(encoding="utf-8"), re.DOTALL)
LIGHT, DARK = (dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", rules)) for rules in RULES[:2])


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_enough_contrast(colours: dict[str, str]) -> None:
    for paper in ("page", "pale"):
        for ink in ("ink", "grey", "link", "orange", "green", "alarm"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for badge in ("good", "bad"):
        assert contrast("#ffffff", colours[badge]) >= 4.5, badge


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_stand_out_from_their_track(colours: dict[str, str]) -> None:
    for bar in ("blue", "green", "orange", "grey", "ink"):
        assert contrast(colours[bar], colours["track"]) >= 3, bar


def test_figures_on_the_page_are_those_of_the_metrics(outcome: TrainingRun, page: Page) -> None:
    metrics = json.loads((outcome.directory / "metrics.json").read_text(encoding="utf-8"))["scorecard"]
    shown = page.every("data")
    assert {"/accuracy", "/approval_rate", "/equal_opportunity_gap", "/roc_auc"} <= {
        figure["data-figure"] for figure in shown
    }
    assert len(shown) > 20
    for figure in shown:
        found: Any = metrics
        for key in str(figure["data-figure"]).split("/")[1:]:
            found = found[int(key)] if isinstance(found, list) else found[key.replace("~1", "/").replace("~0", "~")]
        assert figure["value"] == str(found)
        assert figure["text"] in {percent(found), places(found), points(found), whole(found)}
