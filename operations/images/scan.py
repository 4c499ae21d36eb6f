"""Waits for ECR's scan of an image, and judges what it found."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from operations.errors import ScanFindings, ScanUnfinished, UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

# From the mildest to the worst. Basic scanning says UNDEFINED where enhanced scanning says UNTRIAGED.
SEVERITIES = ("UNDEFINED", "UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
WAITING = ("PENDING", "IN_PROGRESS")
# ACTIVE is enhanced scanning's word for an image whose first scan is done and which it goes on watching.
DONE = ("COMPLETE", "ACTIVE")
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One vulnerability that the scan found."""

    name: str
    severity: str
    package: str
    version: str


@dataclass(frozen=True)
class ScanResult:
    """What a finished scan found.

    Parameters
    ----------
    repository, image : str
        The repository, and the tag or digest that was asked for.
    digest : str
        The digest of the image that was scanned.
    status : str
        "COMPLETE" or "ACTIVE".
    counts : dict of str to int
        Findings by severity.
    findings : tuple of Finding
        The worst first.
    """

    repository: str
    image: str
    digest: str
    status: str
    counts: dict[str, int]
    findings: tuple[Finding, ...]

    def require_below(self, severity: str) -> None:
        """Raise ScanFindings if anything is as severe as `severity`, or worse."""
        limit = _rank(severity)
        total = sum(count for name, count in self.counts.items() if _rank(name) >= limit)
        if not total:
            return
        worst = [finding for finding in self.findings if _rank(finding.severity) >= limit]
        lines = [f"  {found.severity:<8} {found.name}  {found.package} {found.version}" for found in worst[:SHOWN]]
        more = [f"  … and {total - SHOWN} more"] if total > SHOWN else []
        heading = f"{self.repository} {self.image}: {total} findings of severity {severity} or worse:"
        advice = "Rebuild on a newer base image or newer packages, or set --fail-on to a worse severity."
        raise ScanFindings("\n".join([heading, *lines, *more, advice]), self.counts)


def wait_for_scan(
    client: ECRClient,
    repository: str,
    image: str,
    timeout: float,
    interval: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ScanResult:
    """Ask ECR until the scan of an image has ended.

    Parameters
    ----------
    client : boto3 ECR client
    repository : str
        The repository's name.
    image : str
        A tag, or a digest ("sha256:…").
    timeout, interval : float
        Seconds: how long to wait in all, and between two questions.
    say : callable
        Told each new status.

    Raises
    ------
    ScanUnfinished
        The scan failed, is not possible, or did not end in time.
    UnreadableInput
        The image or the repository is not there.
    """
    image_id: ImageIdentifierTypeDef = {"imageDigest": image} if image.startswith("sha256:") else {"imageTag": image}
    name = f"{repository} {image}"
    deadline = clock() + timeout
    last = ""
    while True:
        status, reason = _status(client, repository, image_id)
        if status != last:
            say(f"{name}: scan {status.lower()}")
            last = status
        if status in DONE:
            return _read(client, repository, image, image_id, status)
        if status not in WAITING:
            raise ScanUnfinished(f"{name}: the scan ended as {status}: {reason or 'ECR gives no reason'}", status)
        if clock() + interval > deadline:
            raise ScanUnfinished(
                f"{name}: the scan did not end within {timeout:g} s (last: {status}). {reason}", status
            )
        sleep(interval)


def _status(client: ECRClient, repository: str, image_id: ImageIdentifierTypeDef) -> tuple[str, str]:
    try:
        answer = client.describe_image_scan_findings(repositoryName=repository, imageId=image_id)
    except ClientError as err:
        code = err.response["Error"]["Code"]
        if code == "ScanNotFoundException":
            # A scan on push shows up some seconds after the push.
            return "PENDING", "ECR knows of no scan: switch on scan on push, or run aws ecr start-image-scan."
        if code in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise UnreadableInput(repository, "ECR has no such image; push it first") from err
        raise
    status = answer["imageScanStatus"]
    return status["status"], status.get("description", "")


def _read(client: ECRClient, repository: str, image: str, image_id: ImageIdentifierTypeDef, status: str) -> ScanResult:
    counts: dict[str, int] = {}
    found: list[Finding] = []
    digest = ""
    for page in client.get_paginator("describe_image_scan_findings").paginate(
        repositoryName=repository, imageId=image_id
    ):
        digest = page["imageId"].get("imageDigest", digest)
        scanned: dict[str, Any] = dict(page.get("imageScanFindings", {}))
        counts.update(scanned.get("findingSeverityCounts", {}))
        found += [_basic(finding) for finding in scanned.get("findings", ())]
        found += [_enhanced(finding) for finding in scanned.get("enhancedFindings", ())]
    found.sort(key=lambda finding: (-_rank(finding.severity), finding.name))
    return ScanResult(repository, image, digest, status, counts or Counter(f.severity for f in found), tuple(found))


def _basic(finding: dict[str, Any]) -> Finding:
    attributes = {pair["key"]: pair.get("value", "") for pair in finding.get("attributes", ())}
    package, version = attributes.get("package_name", "?"), attributes.get("package_version", "")
    return Finding(finding.get("name", "?"), finding["severity"], package, version)


def _enhanced(finding: dict[str, Any]) -> Finding:
    details = finding.get("packageVulnerabilityDetails", {})
    package: dict[str, Any] = next(iter(details.get("vulnerablePackages", ())), {})
    name = details.get("vulnerabilityId") or finding.get("title", "?")
    return Finding(name, finding["severity"], package.get("name", "?"), package.get("version", ""))


def _rank(severity: str) -> int:
    # A severity that this code does not know is taken for the worst, so that it cannot slip through.
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
