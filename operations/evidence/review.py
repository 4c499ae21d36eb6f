"""The evidence for a release: gather it, approve it, and let anyone check it again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from operations.errors import EvidenceIncomplete, EvidenceMismatch, UnreadableInput
from operations.evidence import archive
from operations.evidence.approval import read_approval
from operations.evidence.archive import APPROVAL, Item
from operations.evidence.coherence import PROVENANCE, check_coherence, provenance_of, trained_at
from operations.evidence.images import SCANS, pushed_image, scan_counts
from operations.evidence.junit import MEMBER as TESTS
from operations.evidence.junit import began
from operations.images.provenance import locks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Literal

    from lambda_app.manifest import Manifest
    from operations.evidence.approval import Approval

# Member, the file it comes from, what cannot be done without it, and what it is.
_SOURCES: tuple[tuple[str, str, archive.Step, str], ...] = (
    ("model/manifest.json", "{artifacts}/manifest.json", "review", "Manifest: version, digests, parity, gate result"),
    ("model/model.joblib", "{artifacts}/model.joblib", "review", "The model that the manifest describes"),
    ("model/metrics.json", "{artifacts}/metrics.json", "review", "Figures on the hold-out rows, by group"),
    ("model/alternatives.json", "{artifacts}/alternatives.json", "review", "Models as good and fairer that were found"),
    ("model/gate.json", "{artifacts}/gate.json", "review", "What the gate was given, and what it decided"),
    ("model/limits.json", "{limits}", "review", "The limits that the gate held the model to"),
    ("policies/model_gate.rego", "{policy}", "review", "The rules that the gate asked (Rego)"),
    ("model/model_metrics.html", "{artifacts}/model_metrics.html", "review", "Report for people"),
    (
        "model/comparison.json",
        "{artifacts}/comparison.json",
        "nothing",
        "How the model differs from the one in service",
    ),
    (
        "model/comparison.html",
        "{artifacts}/comparison.html",
        "nothing",
        "The same for people: who is decided otherwise",
    ),
    ("tests/notebook.xml", "{junit}", "review", "The notebook's tests (JUnit)"),
    ("images/training.json", "{images}/training.json", "review", "Training image: digests, labels"),
    ("images/training.cdx.json", "{images}/training.cdx.json", "review", "Training image: bill of materials"),
    ("images/inference.json", "{images}/inference.json", "review", "Inference image: digests, labels"),
    ("images/inference.cdx.json", "{images}/inference.cdx.json", "review", "Inference image: bill of materials"),
    (PROVENANCE, "", "review", "Inference image: what it was built from (SLSA provenance)"),
    ("images/training.scan.json", "{images}/training.scan.json", "release", "Training image: scan result"),
    ("images/inference.scan.json", "{images}/inference.scan.json", "release", "Inference image: scan result"),
    ("benchmarks/results.json", "{benchmarks}", "nothing", "Benchmark results"),
    (APPROVAL, "", "release", "Who approved the release, when, and on which evidence"),
)
ITEMS = tuple(Item(member, step, title) for member, _, step, title in _SOURCES)
# The command that makes what is missing, by the beginning of its name.
MAKES = {
    "model/alternatives.json": "python -m model alternatives",
    "model/comparison": "python -m operations champion --function NAME, then train with --champion build/champion.json",
    "model/": "make run",
    "policies/": "git checkout policies",
    "tests/": "pytest --nbval-lax credit_card_approval.ipynb --junitxml=report.xml",
    "images/inference.scan": "python -m operations wait-scan --out build/images/inference.scan.json REPOSITORY DIGEST",
    "images/training.scan": "python -m operations wait-scan --out build/images/training.scan.json REPOSITORY TAG",
    "images/": "make images",
    "benchmarks/": "make bench",
    APPROVAL: "python -m operations approve",
}


def made_by(member: str) -> str:
    """The command that makes a member.

    >>> made_by("tests/notebook.xml")
    'pytest --nbval-lax credit_card_approval.ipynb --junitxml=report.xml'
    """
    return next(command for beginning, command in MAKES.items() if member.startswith(beginning))


@dataclass(frozen=True)
class Places:
    """Where a run has left its evidence.

    Parameters
    ----------
    artifacts : Path
        The directory of the model artifact.
    junit : Path
        The JUnit report of the notebook's tests.
    images : Path
        The directory that `python -m operations image` writes to.
    benchmarks : Path
        The benchmarks' results.
    limits, policy : Path
        The gate's limits and its rules.
    checkout : Path
        What the images were built from.
    """

    artifacts: Path
    junit: Path
    images: Path
    benchmarks: Path
    limits: Path
    policy: Path
    checkout: Path


def gather(places: Places) -> bytes:
    """Make an archive for review of whatever is there.

    Raises
    ------
    UnreadableInput
        A file exists but cannot be read.
    """
    members: dict[str, bytes] = {}
    for member, source, _, _ in _SOURCES:
        path = source.format(**vars(places))
        try:
            if path:
                with open(path, "rb") as file:  # noqa: PTH123  # a template, filled in
                    members[member] = file.read()
        except FileNotFoundError:
            continue
        except OSError as err:
            raise UnreadableInput(path, err.strerror or "cannot be read") from err
    if "images/inference.json" in members:
        try:
            document = provenance_of(members, locks_of(places.checkout))
        except EvidenceMismatch:
            document = {}  # of facts that `verify` names
        members[PROVENANCE] = json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
    return archive.pack(members, ITEMS)


def approve(review: bytes, approval: Approval) -> bytes:
    """Make the release's archive: the reviewed one, and the approval of it.

    Parameters
    ----------
    review : bytes
        An archive for review.
    approval : Approval
        What the person said; which model and which archive it is about is filled in here.

    Raises
    ------
    EvidenceMismatch, EvidenceIncomplete
        The archive would not do for a release, or has been approved already.
    UnreadableInput
        The approval lacks something that it must say.
    """
    members, manifest = _verified(review, "review")
    if APPROVAL in members:
        raise EvidenceMismatch(APPROVAL, "the archive has been approved already")
    fault = approval.fault(trained_at(manifest))
    if fault:
        raise UnreadableInput("approval", fault)
    complete = replace(approval, identity=manifest["identity"], evidence_sha256=archive.sha256(review))
    # "replace": words from a command line need not be valid Unicode.
    document = json.dumps(asdict(complete), indent=2, ensure_ascii=False).encode(errors="replace") + b"\n"
    release = archive.pack({**members, APPROVAL: document}, ITEMS)
    verify(release, "release")
    return release


def verify(content: bytes, purpose: Literal["review", "release"]) -> dict[str, bytes]:
    """Check an archive, offline: its bytes, and whether its members agree with each other.

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
        Names the first member that was altered, or contradicts another.
    EvidenceIncomplete
        Something that the purpose needs is missing.
    """
    return _verified(content, purpose)[0]


def _verified(content: bytes, purpose: Literal["review", "release"]) -> tuple[dict[str, bytes], Manifest]:
    members = archive.unpack(content, ITEMS)
    approval = read_approval(members) if APPROVAL in members else None
    steps = ("review",) if purpose == "review" else ("review", "release")
    waived = SCANS if approval and approval.without_scans else ()
    lacking = archive.lacking(members, ITEMS)
    _require([item for item in lacking if item.required_for in steps and item.member not in waived])
    manifest = check_coherence(members)
    if approval:
        _check_approval(approval, members, manifest)
    if purpose == "release" and not pushed_image(members):
        raise EvidenceMismatch("images/inference.json", "is of an image in no registry: scripts/deploy.sh --push first")
    return members, manifest


def remarks(members: Mapping[str, bytes]) -> list[str]:
    """What to know before relying on a verified archive, a line each: the scans' findings, and what is not proved."""
    lines = []
    for scan in SCANS:
        if scan in members:
            lines.append(f"{scan}: {scan_counts(members, scan)}")
        elif APPROVAL in members:
            reason = json.dumps(read_approval(members).without_scans, ensure_ascii=False)
            lines.append(f"{scan}: none; approved without it: {reason}")
        else:
            lines.append(f"{scan}: none; a release needs it, or an approval that says why not")
    if not began(members[TESTS]):
        lines.append(f"{TESTS}: does not say when the tests ran; they may be older than the model")
    if not pushed_image(members):
        lines.append("images/inference.json: not in a registry yet; a release needs it there")
    return lines


def _require(missing: Sequence[Item]) -> None:
    if not missing:
        return
    lines = [f"{item.member}: {item.title}. Make it: {made_by(item.member)}" for item in missing]
    if any(item.member in SCANS for item in missing):
        lines.append('Scan the images (python -m operations wait-scan), or: approve --without-scans "WHY"')
    message = "\n  ".join(["the archive lacks", *lines])
    raise EvidenceIncomplete(message, tuple(item.member for item in missing))


def _check_approval(approval: Approval, members: Mapping[str, bytes], manifest: Manifest) -> None:
    reviewed = archive.pack({name: data for name, data in members.items() if name != APPROVAL}, ITEMS)
    fault = approval.fault(trained_at(manifest))
    if not fault and approval.evidence_sha256 != archive.sha256(reviewed):
        fault = "was given for other evidence than this"
    if not fault and approval.identity != manifest["identity"]:
        fault = "was given for another model"
    if fault:
        raise EvidenceMismatch(APPROVAL, fault)
