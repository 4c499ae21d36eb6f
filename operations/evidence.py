"""What a release must be able to show: gathered, approved, and checked again by whoever doubts it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from operations import archive
from operations.archive import APPROVAL, Item
from operations.coherence import check_coherence
from operations.errors import EvidenceIncomplete, EvidenceMismatch, UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Literal

# Member, the file it is gathered from, what cannot be done without it, and what it is.
_SOURCES: tuple[tuple[str, str, archive.Step, str], ...] = (
    ("model/manifest.json", "{artifacts}/manifest.json", "review", "Manifest: version, digests, parity, gate result"),
    ("model/model.joblib", "{artifacts}/model.joblib", "review", "The model that the manifest describes"),
    ("model/metrics.json", "{artifacts}/metrics.json", "review", "Figures on the hold-out rows, by group"),
    ("model/gate.json", "{artifacts}/gate.json", "review", "What the gate was given, and what it decided"),
    ("model/model_metrics.html", "{artifacts}/model_metrics.html", "review", "Report for people"),
    ("tests/notebook.xml", "{junit}", "review", "The notebook's tests (JUnit)"),
    ("images/training.json", "{images}/training.json", "review", "Training image: digests, labels"),
    ("images/training.cdx.json", "{images}/training.cdx.json", "review", "Training image: bill of materials"),
    ("images/inference.json", "{images}/inference.json", "review", "Inference image: digests, labels"),
    ("images/inference.cdx.json", "{images}/inference.cdx.json", "review", "Inference image: bill of materials"),
    ("images/training.scan.json", "{images}/training.scan.json", "nothing", "Training image: scan result"),
    ("images/inference.scan.json", "{images}/inference.scan.json", "nothing", "Inference image: scan result"),
    ("benchmarks/results.json", "{benchmarks}", "nothing", "Benchmark results"),
    (APPROVAL, "", "release", "Who approved the release, when, and on which evidence"),
)
ITEMS = tuple(Item(member, step, title) for member, _, step, title in _SOURCES)


@dataclass(frozen=True)
class Approval:
    """A person's yes to a release.

    Parameters
    ----------
    by : str
        Who approved, as the approval system knows them.
    at : str
        When, ISO 8601 with a time zone.
    comment : str
    reference : str
        Where the approval can be looked up, such as the pipeline run's address.
    model_version : str
    evidence_sha256 : str
        The digest of the archive that was reviewed.
    """

    by: str
    at: str
    comment: str
    reference: str
    model_version: str
    evidence_sha256: str
    decision: str = "approved"


def gather(artifacts: Path, junit: Path, images: Path, benchmarks: Path) -> bytes:
    """An archive for review, of whatever is there.

    Parameters
    ----------
    artifacts, images : Path
        The directories of the model artifact, and of what `python -m operations image` wrote.
    junit, benchmarks : Path
        Files: the notebook's JUnit report, and the benchmark's results.

    Raises
    ------
    UnreadableInput
        A file is there but cannot be read.
    """
    places = {"artifacts": artifacts, "junit": junit, "images": images, "benchmarks": benchmarks}
    members: dict[str, bytes] = {}
    for member, source, _, _ in _SOURCES:
        path = source.format(**places)
        try:
            if path:
                with open(path, "rb") as file:  # noqa: PTH123  # a template, filled in
                    members[member] = file.read()
        except FileNotFoundError:
            continue
        except OSError as err:
            raise UnreadableInput(path, err.strerror or "cannot be read") from err
    return archive.pack(members, ITEMS)


def approve(review: bytes, by: str, at: str, comment: str, reference: str) -> bytes:
    """The release's archive: the reviewed one, and the approval.

    Parameters
    ----------
    review : bytes
        An archive for review, which must hold all that a reviewer needs.

    Raises
    ------
    EvidenceMismatch, EvidenceIncomplete
        The archive is not fit to be approved, or carries an approval already.
    UnreadableInput
        `by` is empty, or `at` is no date with a time zone.
    """
    members = verify(review, "review")
    if APPROVAL in members:
        raise EvidenceMismatch(APPROVAL, "the archive has been approved already")
    approval = Approval(
        by=by,
        at=at,
        comment=comment,
        reference=reference,
        model_version=json.loads(members["model/manifest.json"])["model_version"],
        evidence_sha256=hashlib.sha256(review).hexdigest(),
    )
    reason = _fault(approval)
    if reason:
        raise UnreadableInput("approval", reason)
    document = json.dumps(asdict(approval), indent=2, ensure_ascii=False).encode() + b"\n"
    return archive.pack({**members, APPROVAL: document}, ITEMS)


def verify(content: bytes, purpose: Literal["review", "release"]) -> dict[str, bytes]:
    """Check an archive, offline, from its bytes to what its members say of each other.

    Parameters
    ----------
    content : bytes
        The archive.
    purpose : {"review", "release"}
        What it is to be used for.

    Returns
    -------
    dict of str to bytes
        The members.

    Raises
    ------
    EvidenceMismatch
        Names the first thing that doesn't fit.
    EvidenceIncomplete
        Something that the purpose needs is missing.
    """
    members = archive.unpack(content, ITEMS)
    steps = ("review",) if purpose == "review" else ("review", "release")
    lacking = [item for item in archive.lacking(members, ITEMS) if item.required_for in steps]
    if lacking:
        names = "".join(f"\n  {item.member}: {item.title}" for item in lacking)
        raise EvidenceIncomplete(f"Missing for a {purpose}:{names}", tuple(item.member for item in lacking))
    check_coherence(members)
    if APPROVAL in members:
        _check_approval(members)
    return members


def _check_approval(members: Mapping[str, bytes]) -> None:
    try:
        approval = Approval(**json.loads(members[APPROVAL]))
    except (ValueError, TypeError) as err:
        raise EvidenceMismatch(APPROVAL, "is not an approval record") from err
    reviewed = archive.pack({name: data for name, data in members.items() if name != APPROVAL}, ITEMS)
    reason = _fault(approval)
    if not reason and approval.evidence_sha256 != hashlib.sha256(reviewed).hexdigest():
        reason = "was given for other evidence than this"
    if not reason and approval.model_version != json.loads(members["model/manifest.json"])["model_version"]:
        reason = "was given for another model version"
    if reason:
        raise EvidenceMismatch(APPROVAL, reason)


def _fault(approval: Approval) -> str:
    if approval.decision != "approved":
        return "does not say approved"
    if not approval.by.strip():
        return "does not say who approved"
    try:
        zone = datetime.fromisoformat(approval.at).tzinfo
    except ValueError:
        zone = None
    return "" if zone else "does not say when: an ISO 8601 date with a time zone is needed"
