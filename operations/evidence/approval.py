"""The record of a person's approval of a release."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch
from operations.evidence.archive import APPROVAL
from operations.evidence.members import need, read_object
from operations.moments import in_future, read_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

# What pipelines write for a value they do not have: jq and JavaScript, Python, and Harness's expressions.
NOBODY = ("", "null", "undefined", "none")
UNRESOLVED = "<+"


@dataclass(frozen=True)
class Approval:
    """A person's approval of a release.

    Parameters
    ----------
    decision : str
        "approved".
    by : str
        Who approved, as the approval system knows them.
    at : str
        When, in ISO 8601 with a time zone.
    comment : str
    reference : str
        Where the approval can be looked up, such as the pipeline run's address.
    without_scans : str
        Why the release may lack an image's scan; empty if it may not.
    identity : str
        The model that was approved; `operations.evidence.review.approve` fills it in.
    evidence_sha256 : str
        The digest of the archive that was reviewed; filled in likewise.
    """

    decision: str
    by: str
    at: str
    comment: str
    reference: str
    without_scans: str
    identity: str = ""
    evidence_sha256: str = ""

    def fault(self, trained_at: datetime) -> str:
        """What keeps this from approving a model trained at that moment; empty if nothing does."""
        if self.decision != "approved":
            return "does not say approved"
        if not _says_something(self.by) or not self.by.isprintable():
            return "does not say who approved"
        if self.without_scans and not _says_something(self.without_scans):
            return "does not say why no scan is needed"
        when = read_moment(self.at)
        if not when:
            return "does not say when: an ISO 8601 date and time with a time zone is needed"
        if when < trained_at:
            return "was given before the model was trained"
        return "is dated in the future" if in_future(when, datetime.now(UTC)) else ""


def read_approval(members: Mapping[str, bytes]) -> Approval:
    """Read the approval in an archive.

    Raises
    ------
    EvidenceMismatch
        It is not an approval record.
    """
    record = read_object(members, APPROVAL)
    names = [field.name for field in fields(Approval)]
    if set(record) != set(names):
        raise EvidenceMismatch(APPROVAL, "is not an approval record")
    return Approval(**{name: need(record, APPROVAL, name, str) for name in names})


def _says_something(text: str) -> bool:
    return text.strip().lower() not in NOBODY and UNRESOLVED not in text
