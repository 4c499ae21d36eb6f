"""The record of a person's yes to a release."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch
from operations.evidence.archive import APPROVAL
from operations.evidence.members import moment, need, read_object
from operations.monitor.freshness import CLOCK_SKEW

if TYPE_CHECKING:
    from collections.abc import Mapping

# How a pipeline writes a value that it does not have: jq and JavaScript, Python, and Harness's expressions.
NOBODY = ("", "null", "undefined", "none")
UNRESOLVED = "<+"


@dataclass(frozen=True)
class Approval:
    """A person's yes to a release.

    Parameters
    ----------
    decision : str
        "approved".
    by : str
        Who approved, as the approval system knows them.
    at : str
        When, ISO 8601 with a time zone.
    comment : str
    reference : str
        Where the approval can be looked up, such as the pipeline run's address.
    without_scans : str
        Why the release may lack an image's scan; empty if it may not.
    model_version : str
    evidence_sha256 : str
        The digest of the archive that was reviewed.
    """

    decision: str
    by: str
    at: str
    comment: str
    reference: str
    without_scans: str
    model_version: str
    evidence_sha256: str

    def fault(self, trained_at: datetime) -> str:
        """Why this is not an approval of a model that was trained at some moment; empty if it is one."""
        if self.decision != "approved":
            return "does not say approved"
        if not _says_something(self.by) or not self.by.isprintable():
            return "does not say who approved"
        if self.without_scans and not _says_something(self.without_scans):
            return "does not say why there need be no scan"
        when = moment(self.at)
        if not when:
            return "does not say when: an ISO 8601 date with a time zone is needed"
        if when < trained_at:
            return "was given before the model was trained"
        return "is dated in the future" if when > datetime.now(UTC) + CLOCK_SKEW else ""


def read_approval(members: Mapping[str, bytes]) -> Approval:
    """The approval in an archive, as it stands there.

    Raises
    ------
    EvidenceMismatch
        It is no approval record.
    """
    record = read_object(members, APPROVAL)
    names = [field.name for field in fields(Approval)]
    if set(record) != set(names):
        raise EvidenceMismatch(APPROVAL, "is not an approval record")
    return Approval(**{name: need(record, APPROVAL, name, str) for name in names})


def _says_something(text: str) -> bool:
    return text.strip().lower() not in NOBODY and UNRESOLVED not in text
