"""What a JUnit report shows: that tests ran, that none failed, and that they ran on this model."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from operations.errors import EvidenceMismatch
from operations.moments import read_moment

if TYPE_CHECKING:
    from datetime import datetime

MEMBER = "tests/notebook.xml"
# What the report may hold of a test that passed; any other element (skipped, failure, …) means that it did not pass.
ALLOWED_IF_PASSED = {"properties", "system-out", "system-err"}


def check_tests(report: bytes, trained_at: datetime) -> None:
    """Check that tests passed, that none failed, and that they began after the training.

    The tests themselves are counted: the totals in the report are only what it claims about them.

    Raises
    ------
    EvidenceMismatch
        A test failed or broke, none passed, or they ran before the model was trained.
    """
    root = _parsed(report)
    failed = sum(1 for name in ("failure", "error") for _ in root.iter(name))
    try:
        claimed = sum(int(suite.get(name, 0)) for suite in root.iter("testsuite") for name in ("failures", "errors"))
    except ValueError as err:
        raise EvidenceMismatch(MEMBER, "is not a JUnit report") from err
    if failed or claimed:
        raise EvidenceMismatch(MEMBER, f"reports {max(failed, claimed)} failures and errors")
    if not any(ALLOWED_IF_PASSED.issuperset(element.tag for element in case) for case in root.iter("testcase")):
        raise EvidenceMismatch(MEMBER, "reports no test that passed")
    started = began(report)
    if started and started < trained_at:
        raise EvidenceMismatch(MEMBER, "is older than the model; run the tests again")


def began(report: bytes) -> datetime | None:
    """When the first suite of tests began; None if any suite gives no time, or one without a time zone."""
    starts = [read_moment(suite.get("timestamp")) for suite in _parsed(report).iter("testsuite")]
    known = [start for start in starts if start]
    return min(known) if known and len(known) == len(starts) else None


def _parsed(report: bytes) -> ElementTree.Element:
    try:
        # Expat itself bounds entity expansion, and the archive's digests have been checked by now.
        return ElementTree.fromstring(report)  # noqa: S314  # see above
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as err:
        raise EvidenceMismatch(MEMBER, "is not a JUnit report") from err
