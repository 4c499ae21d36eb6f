"""What a release must be, besides consistent: what the protected branch says, which no pipeline run can change."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch, UnreadableInput
from operations.evidence.archive import APPROVAL, read_file
from operations.evidence.coherence import GATE, LIMITS, POLICY, PROVENANCE, stated_locks
from operations.evidence.images import ROLES, pushed_image
from operations.evidence.members import equal_json, need, read_object
from operations.images.labels import BASE_DIGEST, BASE_NAME, REVISION
from operations.images.provenance import locks_of
from operations.moments import read_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.manifest import Manifest
    from operations.evidence.members import Document

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Rules:
    """What `policies/release.json` holds.

    Parameters
    ----------
    registries : tuple of str
        The registries' hosts that an image may come from, as patterns such as "*.dkr.ecr.*.amazonaws.com".
    base_images : tuple of str
        The names, as patterns, of the images that the inference image may be built on.
    approval_days : float
        The oldest that an approval may be. An older one was for another day's traffic.
    """

    registries: tuple[str, ...]
    base_images: tuple[str, ...]
    approval_days: float


@dataclass(frozen=True)
class Branch:
    """What the protected branch says about a release.

    Parameters
    ----------
    rules : Rules
    policy : bytes
        The gate's rules.
    locks : dict of str to str
        The digests of the requirements; see `operations.images.provenance.locks_of`.
    limits : dict
        The gate's limits.
    commit : str, optional
        The commit that the image must be built from; None if any will do that was clean.
    """

    rules: Rules
    policy: bytes
    locks: dict[str, str]
    limits: Document
    commit: str | None = None


def read_branch(rules: Path, policy: Path, limits: Path, commit: str | None) -> Branch:
    """Read what the checkout says.

    Raises
    ------
    UnreadableInput
        A file is missing, or is not what it should be.
    """
    return Branch(read_rules(rules), read_file(policy), locks_of(Path()), _object(limits), commit)


def read_rules(path: Path) -> Rules:
    """Read `policies/release.json`.

    Raises
    ------
    UnreadableInput
        It is missing, or is not what it should be.
    """
    document = _object(path)
    days = document.get("approval_days")
    if set(document) != {"registries", "base_images", "approval_days"}:
        raise UnreadableInput(str(path), "must hold registries, base_images and approval_days")
    if isinstance(days, bool) or not isinstance(days, int | float) or not days > 0:
        raise UnreadableInput(str(path), "approval_days must be a number above 0")
    return Rules(_patterns(path, document, "registries"), _patterns(path, document, "base_images"), float(days))


def check_release(members: Mapping[str, bytes], manifest: Manifest, branch: Branch) -> None:
    """Compare a consistent release with what the protected branch says.

    Parameters
    ----------
    members : mapping of str to bytes
        An approved archive's, found consistent.
    manifest : Manifest
    branch : Branch

    Raises
    ------
    EvidenceMismatch
        Names the first member that does not fit.
    """
    from model.judge.limits import DEFAULTS  # loads the standard library alone

    if members[POLICY] != branch.policy:
        raise EvidenceMismatch(POLICY, "is not the policy of this checkout")
    if not equal_json(read_object(members, LIMITS), branch.limits):
        raise EvidenceMismatch(LIMITS, "are not the limits of this checkout")
    if not equal_json(read_object(members, GATE)["input"]["limits"], {**DEFAULTS, **branch.limits}):
        raise EvidenceMismatch(GATE, "the gate was asked with other limits than this checkout's and their defaults")
    if stated_locks(members) != branch.locks:
        raise EvidenceMismatch(PROVENANCE, "names other requirements than this checkout's")
    _check_image(members, manifest, branch)
    approved = read_moment(read_object(members, APPROVAL)["at"])
    age = (datetime.now(UTC) - approved).total_seconds() / 86_400 if approved else float("inf")
    if age > branch.rules.approval_days:
        raise EvidenceMismatch(
            APPROVAL, f"was given {age:.1f} days ago; {branch.rules.approval_days:g} are allowed. Approve again"
        )


def _check_image(members: Mapping[str, bytes], manifest: Manifest, branch: Branch) -> None:
    member = f"images/{ROLES[1]}.json"
    host = pushed_image(members).partition("/")[0]
    if not _matches(host, branch.rules.registries):
        raise EvidenceMismatch(member, f"is in the registry {host}, which policies/release.json does not allow")
    labels = need(read_object(members, member), member, "labels", dict)
    revision, base = (need(labels, member, key, str) for key in (REVISION, BASE_NAME))
    if not COMMIT.fullmatch(revision):
        raise EvidenceMismatch(member, f"was built from '{revision}', which is not a clean commit")
    if (trained := manifest.get("git_commit")) is not None and revision != trained:
        raise EvidenceMismatch(member, f"was built from commit {revision}, the model from {trained}")
    if branch.commit and revision != branch.commit:
        raise EvidenceMismatch(member, f"was built from commit {revision}, not from {branch.commit}")
    if not _matches(base, branch.rules.base_images):
        raise EvidenceMismatch(member, f"is built on {base}, which policies/release.json does not allow")
    if "/" in base and not str(labels.get(BASE_DIGEST, "")).startswith("sha256:"):
        raise EvidenceMismatch(member, f"does not name the digest of the {base} that it is built on")


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _patterns(path: Path, document: Document, key: str) -> tuple[str, ...]:
    found = document[key]
    if not isinstance(found, list) or not found or not all(isinstance(entry, str) and entry for entry in found):
        raise UnreadableInput(str(path), f"{key} must be a list of patterns")
    return tuple(found)


def _object(path: Path) -> Document:
    try:
        document = json.loads(read_file(path))
    except ValueError as err:
        raise UnreadableInput(str(path), "is not JSON") from err
    if not isinstance(document, dict):
        raise UnreadableInput(str(path), "is not a JSON object")
    return document
