"""Whether an image's facts, bill of materials and scan in an evidence archive agree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch
from operations.evidence.members import need, read_object
from operations.images.scan import DONE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operations.evidence.members import Document

ROLES = ("training", "inference")
SCANS = tuple(f"images/{role}.scan.json" for role in ROLES)
PUSHED = re.compile(r"\w[\w.:/-]*@sha256:[0-9a-f]{64}", re.ASCII)


def check_image(members: Mapping[str, bytes], role: str) -> None:
    """Check that an image's facts, its bill of materials and its scan, if there is one, agree.

    Raises
    ------
    EvidenceMismatch
        One of them is malformed, or is of another image.
    """
    facts_member, bill_member, scan_member = (f"images/{role}.{end}" for end in ("json", "cdx.json", "scan.json"))
    facts = read_object(members, facts_member)
    digests = _digests(facts, facts_member)
    bill = read_object(members, bill_member)
    if bill.get("bomFormat") != "CycloneDX" or not need(bill, bill_member, "components", list):
        raise EvidenceMismatch(bill_member, "is not a CycloneDX bill of materials with components")
    component = need(need(bill, bill_member, "metadata", dict), bill_member, "component", dict)
    identity = need(facts, facts_member, "id", str)
    if not identity or component.get("version") != identity:
        raise EvidenceMismatch(bill_member, f"is of another image than {facts_member}")
    if scan_member in members:
        scan = read_object(members, scan_member)
        if need(scan, scan_member, "digest", str) not in {entry.rpartition("@")[2] for entry in digests}:
            raise EvidenceMismatch(scan_member, f"is of another image than {facts_member}")
        _check_scan(scan, scan_member)


def pushed_image(members: Mapping[str, bytes]) -> str:
    """The inference image in its registry, such as "registry/name@sha256:…"; empty if it was not pushed.

    If the engine knew the image in several repositories, the one in the image's name takes precedence.

    Raises
    ------
    EvidenceMismatch
        It was pushed with several digests.
    """
    member = "images/inference.json"
    facts = read_object(members, member)
    pushed, named = [entry for entry in _digests(facts, member) if _in_registry(entry)], str(facts.get("image", ""))
    chosen = (
        [entry for entry in pushed if entry == named]
        or [entry for entry in pushed if _repository(entry) == _repository(named)]
        or pushed
    )
    if len({entry.rpartition("@")[2] for entry in chosen}) > 1:
        reason = "has several digests; name the one to release: make evidence IMAGE=HOST/NAME@sha256:…"
        raise EvidenceMismatch(member, reason)
    return chosen[0] if chosen else ""


def scan_counts(members: Mapping[str, bytes], scan_member: str) -> str:
    """The findings of a checked scan by severity, in one line."""
    counts = read_object(members, scan_member)["counts"]
    return " ".join(f"{severity}={count}" for severity, count in sorted(counts.items())) or "no findings"


def _digests(facts: Document, member: str) -> list[str]:
    digests = need(facts, member, "digests", list)
    if not all(isinstance(entry, str) and PUSHED.fullmatch(entry) for entry in digests):
        raise EvidenceMismatch(member, "digests does not hold entries such as HOST/NAME@sha256:…")
    return digests


def _check_scan(scan: Document, member: str) -> None:
    if scan.get("status") not in DONE:
        raise EvidenceMismatch(member, "is of a scan that has not ended")
    counts = need(scan, member, "counts", dict)
    for severity in counts:
        if not re.fullmatch("[A-Z]+", severity) or need(counts, member, severity, int) < 0:
            raise EvidenceMismatch(member, "does not count findings by severity")
    if sum(counts.values()) < len(need(scan, member, "findings", list)):
        raise EvidenceMismatch(member, "lists more findings than it counts")


def _in_registry(entry: str) -> bool:
    # Docker's own rule for telling a host. With containerd's image store, an engine lists local names too.
    host, slash, _ = entry.partition("/")
    return bool(slash) and (host == "localhost" or "." in host or ":" in host)


def _repository(name: str) -> str:
    path, _, last = name.partition("@")[0].rpartition("/")
    return f"{path}/{last.partition(':')[0]}"
