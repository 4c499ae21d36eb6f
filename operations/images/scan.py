"""Waits for ECR's scan of an image, and judges the findings."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations.errors import ScanFindings, ScanUnfinished, UnreadableInput
from operations.images.index import INDEX_ADVICE, is_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import (
        EnhancedImageScanFindingTypeDef,
        ImageIdentifierTypeDef,
        ImageScanFindingTypeDef,
    )

# From the mildest to the worst. Basic scanning says UNDEFINED where enhanced scanning says UNTRIAGED.
SEVERITIES = ("UNDEFINED", "UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
# Where a scan may be told to fail: the milder ones are not rated, or not a weakness.
FAILING = SEVERITIES[SEVERITIES.index("LOW") :]
WAITING = ("PENDING", "IN_PROGRESS")
# ACTIVE is enhanced scanning's word for an image whose first scan has ended and which stays under watch.
DONE = ("COMPLETE", "ACTIVE")
SHOWN = 20


@dataclass(frozen=True)
class Image:
    """An image in an ECR repository.

    Parameters
    ----------
    repository : str
        The repository's name.
    name : str
        A tag, or a digest ("sha256:…").
    """

    repository: str
    name: str

    def __str__(self) -> str:
        return f"{self.repository} {self.name}"

    @property
    def identifier(self) -> ImageIdentifierTypeDef:
        """The image as ECR's API names it."""
        return {"imageDigest": self.name} if self.name.startswith("sha256:") else {"imageTag": self.name}


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to ask.

    Parameters
    ----------
    timeout, interval : float
        Seconds: in all, and from one question to the next.
    sleep : callable
        Waits for some seconds.
    clock : callable
        Tells the time, in seconds since any moment.
    """

    timeout: float
    interval: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


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
        The repository, and the tag or digest that was asked about.
    digest : str
        The digest of the image that was scanned.
    status : str
        One of DONE.
    completed_at : str
        When the scan ended, in ISO 8601.
    counts : dict of str to int
        Findings by severity.
    findings : tuple of Finding
        The worst first.
    """

    repository: str
    image: str
    digest: str
    status: str
    completed_at: str
    counts: dict[str, int]
    findings: tuple[Finding, ...]

    def require_below(self, severity: str) -> None:
        """Raise ScanFindings if any finding is of this severity or worse."""
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


def wait_for_scan(client: ECRClient, image: Image, patience: Patience, say: Callable[[str], None]) -> ScanResult:
    """Ask ECR until the scan of an image has ended.

    Parameters
    ----------
    client : boto3 ECR client
    image : Image
    patience : Patience
    say : callable
        Called with a line whenever the status changes.

    Raises
    ------
    ScanUnfinished
        The scan failed, is not possible, or did not end in time.
    UnreadableInput
        ECR has no such image or repository.
    """
    deadline = patience.clock() + patience.timeout
    last = ""
    while True:
        status, reason = _status(client, image)
        if status != last:
            say(f"{image}: scan {status.lower()}")
            last = status
        if status in DONE and not reason:
            return _read(client, image, status)
        if status not in (*WAITING, *DONE):
            raise ScanUnfinished(f"{image}: the scan ended as {status}: {reason or 'ECR gives no reason'}", status)
        if patience.clock() + patience.interval > deadline:
            raise ScanUnfinished(
                f"{image}: the scan did not end within {patience.timeout:g} s (last: {status}). {reason}", status
            )
        patience.sleep(patience.interval)


def _status(client: ECRClient, image: Image) -> tuple[str, str]:
    """The scan's status, and what is wrong with it; nothing is, once it has ended and says when."""
    refused = client.exceptions
    try:
        answer = client.describe_image_scan_findings(repositoryName=image.repository, imageId=image.identifier)
    except refused.ScanNotFoundException:
        if _is_index(client, image):
            return "UNSUPPORTED_IMAGE", "it is an index of several images, which ECR does not scan. " + INDEX_ADVICE
        # A scan on push shows up some seconds after the push.
        return "PENDING", "ECR knows of no scan: switch on scan on push, or run aws ecr start-image-scan."
    except (refused.ImageNotFoundException, refused.RepositoryNotFoundException) as err:
        raise UnreadableInput(image.repository, "ECR has no such image; push it first") from err
    status = answer["imageScanStatus"]
    if status["status"] not in DONE:
        return status["status"], status.get("description", "")
    # Enhanced scanning is ACTIVE from the push on; an image without findings may not have been looked at yet.
    judged = "imageScanCompletedAt" in answer.get("imageScanFindings", {})
    return status[
        "status"
    ], "" if judged else "ECR does not say when the image was scanned, so it may not have been yet."


def _is_index(client: ECRClient, image: Image) -> bool:
    found = client.describe_images(repositoryName=image.repository, imageIds=[image.identifier])["imageDetails"]
    return any(is_index(details.get("imageManifestMediaType", "")) for details in found)


def _read(client: ECRClient, image: Image, status: str) -> ScanResult:
    counts: dict[str, int] = {}
    found: list[Finding] = []
    digest = completed_at = ""
    pages = client.get_paginator("describe_image_scan_findings")
    for page in pages.paginate(repositoryName=image.repository, imageId=image.identifier):
        digest = page["imageId"].get("imageDigest", digest)
        scanned = page.get("imageScanFindings", {})
        if when := scanned.get("imageScanCompletedAt"):
            completed_at = when.isoformat()
        counts.update(scanned.get("findingSeverityCounts", {}).items())
        found += _basic(scanned.get("findings", ()))
        found += _enhanced(scanned.get("enhancedFindings", ()))
    found.sort(key=lambda finding: (-_rank(finding.severity), finding.name))
    counts = counts or Counter(finding.severity for finding in found)
    return ScanResult(image.repository, image.name, digest, status, completed_at, counts, tuple(found))


def _basic(findings: Iterable[ImageScanFindingTypeDef]) -> Iterable[Finding]:
    for finding in findings:
        attributes = {pair["key"]: pair.get("value", "") for pair in finding.get("attributes", ())}
        package, version = attributes.get("package_name", "?"), attributes.get("package_version", "")
        yield Finding(finding.get("name", "?"), finding["severity"], package, version)


def _enhanced(findings: Iterable[EnhancedImageScanFindingTypeDef]) -> Iterable[Finding]:
    for finding in findings:
        details = finding.get("packageVulnerabilityDetails", {})
        packages = details.get("vulnerablePackages") or [{}]
        name = details.get("vulnerabilityId") or finding.get("title", "?")
        yield Finding(name, finding["severity"], packages[0].get("name", "?"), packages[0].get("version", ""))


def _rank(severity: str) -> int:
    # A severity that this code does not know ranks as the worst, so it cannot slip through.
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
