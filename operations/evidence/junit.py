"""What a JUnit report shows: that tests ran, that none failed, and that they ran on this model."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from operations.errors import EvidenceMismatch
from operations.evidence.members import moment

if TYPE_CHECKING:
    from datetime import datetime

MEMBER = "tests/notebook.xml"
# What a test that passed may have said; anything else beside them (skipped, failure, …) says that it did not pass.
SAID_IN_PASSING = {"properties", "system-out", "system-err"}


def check_tests(report: bytes, trained_at: datetime) -> None:
    """Count the tests themselves, since the counts that a report states are only what it says of them.

    Raises
    ------
    EvidenceMismatch
        A test failed or broke, none passed, or they ran before the model was trained.
    """
    root = _parsed(report)
    failed = sum(1 for name in ("failure", "error") for _ in root.iter(name))
    try:
        stated = sum(int(suite.get(name, 0)) for suite in root.iter("testsuite") for name in ("failures", "errors"))
    except ValueError as err:
        raise EvidenceMismatch(MEMBER, "is not a JUnit report") from err
    if failed or stated:
        raise EvidenceMismatch(MEMBER, f"reports {max(failed, stated)} failures and errors")
    if not any(SAID_IN_PASSING.issuperset(said.tag for said in case) for case in root.iter("testcase")):
        raise EvidenceMismatch(MEMBER, "reports no test that passed")
    started = began(report)
    if started and started < trained_at:
        raise EvidenceMismatch(MEMBER, "is older than the model; run the tests again")


def began(report: bytes) -> datetime | None:
    """When the first suite of tests began; None if a suite does not say so, or not in which time zone."""
    starts = [moment(suite.get("timestamp")) for suite in _parsed(report).iter("testsuite")]
    known = [start for start in starts if start]
    return min(known) if known and len(known) == len(starts) else None


def _parsed(report: bytes) -> ElementTree.Element:
    try:
        # Expat bounds entity expansion itself, and the archive's digests have been checked by now.
        return ElementTree.fromstring(report)  # noqa: S314  # see above
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as err:
        raise EvidenceMismatch(MEMBER, "is not a JUnit report") from err
