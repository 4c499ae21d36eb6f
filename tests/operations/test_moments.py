"""Dates are read by one rule, whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from operations.errors import EvidenceMismatch, UnreadableInput
from operations.evidence.approval import Approval
from operations.evidence.junit import began, check_tests
from operations.moments import in_future, read_date, read_moment
from operations.monitor.freshness import AgeLimits, assess

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[str], datetime | None]

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
LIMITS = AgeLimits(10, 10)
# What a reader takes for which moment; None is refused.
MOMENTS = {
    "2026-01-01T00:00:00+00:00": NEW_YEAR,
    "2026-01-01T00:00:00Z": NEW_YEAR,
    "2026-01-01T01:30:00+01:30": NEW_YEAR,
    "2026-01-01 00:00:00.000000+00:00": NEW_YEAR,
    "2026-01-01T00:00:00": None,
    "2026-01-01T00:00": None,
    "2026-01-01": None,
    "2026-02-30T00:00:00Z": None,
    "0001-01-01T00:00:00+23:00": None,
    "yesterday": None,
    "": None,
}
DATES = MOMENTS | {"2026-01-01": NEW_YEAR, "20260101": NEW_YEAR}


def _trained(text: str) -> datetime | None:
    """When the freshness check takes a model to be trained."""
    try:
        found = assess({"trained_at": text}, "manifest", LATER, LIMITS)
    except UnreadableInput:
        return None
    return LATER - timedelta(days=found.model_age_days)


def _dated(text: str) -> datetime | None:
    """When the freshness check takes the data to be from."""
    manifest = {"trained_at": LATER.isoformat(), "data": {"dated": text}}
    try:
        age = assess(manifest, "manifest", LATER, LIMITS).data_age_days
    except UnreadableInput:
        return None
    assert age is not None
    return LATER - timedelta(days=age)


def _approved(text: str) -> datetime | None:
    """When an approval takes itself to be given: it may not come before the training."""
    approval = Approval("approved", "officer", text, "", "", "")
    if "time zone" in approval.fault(LONG_AGO):
        return None
    assert not approval.fault(NEW_YEAR)
    assert "before" in approval.fault(NEW_YEAR + timedelta(microseconds=1))
    return NEW_YEAR


def _tested(text: str) -> datetime | None:
    """When a JUnit report's tests are taken to have begun."""
    report = f'<testsuite timestamp="{text}"><testcase/></testsuite>'.encode()
    if (started := began(report)) is not None:
        check_tests(report, started)
        with pytest.raises(EvidenceMismatch):
            check_tests(report, started + timedelta(microseconds=1))
    return started


@pytest.mark.parametrize("reader", [read_moment, _trained, _approved, _tested], ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_needs_a_time_zone_whoever_reads_it(reader: Reader, text: str) -> None:
    assert reader(text) == MOMENTS[text]


@pytest.mark.parametrize("reader", [read_date, _dated], ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("text", DATES)
def test_a_date_alone_is_the_start_of_its_day(reader: Reader, text: str) -> None:
    assert reader(text) == DATES[text]


@pytest.mark.parametrize("value", [None, 20260101, 1.5, True, ["2026-01-01"], {}])
def test_what_is_not_text_is_not_a_date(value: object) -> None:
    assert read_moment(value) is None
    assert read_date(value) is None


@pytest.mark.parametrize(
    ("minutes", "ahead"), [(-1, False), (0, False), (5, False), (5.1, True)], ids=["past", "now", "skew", "future"]
)
def test_clocks_may_differ_by_some_minutes(minutes: float, ahead: bool) -> None:
    assert in_future(NEW_YEAR + timedelta(minutes=minutes), NEW_YEAR) is ahead
