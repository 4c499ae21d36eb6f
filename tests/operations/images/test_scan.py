"""The pipeline waits for ECR's scan until it ends or the time is up, and stops if a finding is too severe."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.ecr.models import ecr_backends

from operations.commands import main
from operations.errors import ScanFindings, ScanUnfinished, UnreadableInput
from operations.images.scan import Image, Patience, ScanResult, wait_for_scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_ecr import ECRClient

ACCOUNT, REPOSITORY, TAG = "123456789012", "ccapproval", "run-17"
COMPLETED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
MANIFEST = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def ecr() -> Iterator[ECRClient]:
    with mock_aws():
        client = boto3.client("ecr")
        client.create_repository(repositoryName=REPOSITORY)
        client.put_image(repositoryName=REPOSITORY, imageTag=TAG, imageManifest=json.dumps(MANIFEST))
        yield client


def _finds(client: ECRClient, findings: dict[str, Any], status: str = "COMPLETE") -> None:
    """Let moto's next scan of the image end with these findings."""
    client.start_image_scan(repositoryName=REPOSITORY, imageId={"imageTag": TAG})
    result = {
        "registryId": ACCOUNT,
        "repositoryName": REPOSITORY,
        "imageId": {"imageTag": TAG, "imageDigest": "sha256:abc"},
        "imageScanStatus": {"status": status, "description": f"it is {status}"},
        "imageScanFindings": {"imageScanCompletedAt": COMPLETED, **findings},
    }
    ecr_backends[ACCOUNT]["us-east-1"].scan_finding_results.append(result)


def _wait(client: ECRClient, clock: Clock, said: list[str] | None = None) -> ScanResult:
    say = (said if said is not None else []).append
    return wait_for_scan(client, Image(REPOSITORY, TAG), Patience(60, 5, clock.sleep, clock), say)


def _basic(name: str, severity: str) -> dict[str, Any]:
    attributes = [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "3.0"}]
    return {"name": name, "severity": severity, "attributes": attributes}


BASIC = {
    "findings": [_basic("CVE-1", "LOW"), _basic("CVE-2", "HIGH")],
    "findingSeverityCounts": {"LOW": 1, "HIGH": 1},
}
ENHANCED = {
    "enhancedFindings": [
        {
            "severity": "CRITICAL",
            "title": "CVE-3 - numpy",
            "packageVulnerabilityDetails": {
                "vulnerabilityId": "CVE-3",
                "vulnerablePackages": [{"name": "numpy", "version": "1.0"}],
            },
        }
    ],
    "findingSeverityCounts": {"CRITICAL": 1},
}


@pytest.mark.parametrize(
    ("findings", "fail_on", "code"),
    [
        pytest.param({}, "LOW", 0, id="nothing found"),
        pytest.param(BASIC, "CRITICAL", 0, id="high passes below critical"),
        pytest.param(BASIC, "HIGH", 5, id="high fails at high"),
        pytest.param(BASIC, "low", 5, id="low fails, in lower case"),
        pytest.param(ENHANCED, "CRITICAL", 5, id="enhanced scanning"),
        pytest.param({"findingSeverityCounts": {"UNTRIAGED": 3}}, "LOW", 0, id="untriaged is not low"),
        pytest.param({"findingSeverityCounts": {"CATASTROPHIC": 1}}, "CRITICAL", 5, id="unknown counts as the worst"),
        pytest.param({"findings": [_basic("CVE-4", "HIGH")]}, "HIGH", 5, id="findings without counts"),
    ],
)
def test_the_severity_decides_the_exit_code(ecr: ECRClient, findings: dict[str, Any], fail_on: str, code: int) -> None:
    _finds(ecr, findings)

    assert main(["wait-scan", REPOSITORY, TAG, "--fail-on", fail_on]) == code


@pytest.mark.parametrize(
    ("findings", "worst"), [(BASIC, "CVE-2  openssl 3.0"), (ENHANCED, "CVE-3  numpy 1.0")], ids=["basic", "enhanced"]
)
def test_what_was_found_is_named_and_kept(
    ecr: ECRClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    findings: dict[str, Any],
    worst: str,
) -> None:
    _finds(ecr, findings, "ACTIVE")
    kept = tmp_path / "images/training.scan.json"

    main(["wait-scan", REPOSITORY, TAG, "--fail-on", "HIGH", "--out", str(kept)])

    assert worst in capsys.readouterr().err
    assert json.loads(kept.read_text())["counts"] == findings["findingSeverityCounts"]
    assert json.loads(kept.read_text())["digest"] == "sha256:abc"


def test_only_findings_that_fail_are_listed_the_worst_first(ecr: ECRClient) -> None:
    _finds(ecr, {"findings": [*BASIC["findings"], _basic("CVE-5", "CRITICAL")]})

    with pytest.raises(ScanFindings) as caught:
        _wait(ecr, Clock()).require_below("HIGH")

    assert [line.split()[1] for line in str(caught.value).splitlines()[1:-1]] == ["CVE-5", "CVE-2"]


@pytest.mark.parametrize("status", ["PENDING", "IN_PROGRESS"])
def test_a_scan_that_does_not_end_is_waited_for_until_the_timeout(ecr: ECRClient, status: str) -> None:
    _finds(ecr, {}, status)
    clock, said = Clock(), list[str]()

    with pytest.raises(ScanUnfinished, match="did not end within 60 s") as caught:
        _wait(ecr, clock, said)

    assert (caught.value.status, clock.now, len(said)) == (status, 60, 1)


def test_a_scan_that_was_never_asked_for_is_explained(ecr: ECRClient) -> None:
    with pytest.raises(ScanUnfinished, match="switch on scan on push"):
        _wait(ecr, Clock())


@pytest.mark.parametrize(
    "status", ["FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED", "FINDINGS_UNAVAILABLE", "SOMETHING_NEW"]
)
def test_a_scan_that_fails_is_not_waited_for(ecr: ECRClient, status: str) -> None:
    _finds(ecr, {}, status)
    clock = Clock()

    with pytest.raises(ScanUnfinished, match=f"it is {status}"):
        _wait(ecr, clock)

    assert clock.now == 0


@pytest.mark.parametrize(("repository", "image"), [(REPOSITORY, "none"), ("none", TAG), (REPOSITORY, "sha256:0")])
def test_a_missing_image_is_reported(ecr: ECRClient, repository: str, image: str) -> None:
    with pytest.raises(UnreadableInput, match="push it first"):
        wait_for_scan(ecr, Image(repository, image), Patience(60, 5, Clock().sleep), list[str]().append)


def test_it_asks_again_until_the_scan_ends_and_reads_every_page() -> None:
    client = boto3.client("ecr")
    clock, said = Clock(), list[str]()
    asked = {"repositoryName": REPOSITORY, "imageId": {"imageTag": TAG}}
    running: dict[str, Any] = {"imageScanStatus": {"status": "IN_PROGRESS"}}
    page = {"imageScanStatus": {"status": "COMPLETE"}, "imageId": {"imageDigest": "sha256:abc"}}
    when = {"imageScanCompletedAt": datetime(2026, 1, 2, tzinfo=UTC)}
    first = {"findings": [{"name": "CVE-1", "severity": "LOW"}], "findingSeverityCounts": {"LOW": 2}, **when}
    second = {"findings": [{"name": "CVE-2", "severity": "LOW"}], "findingSeverityCounts": {"LOW": 2}}
    with Stubber(client) as stubber:
        stubber.add_client_error("describe_image_scan_findings", "ScanNotFoundException", expected_params=asked)
        stubber.add_response(
            "describe_images",
            {"imageDetails": [{"imageManifestMediaType": MANIFEST["mediaType"]}]},
            {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": TAG}]},
        )
        stubber.add_response("describe_image_scan_findings", running, asked)
        stubber.add_response("describe_image_scan_findings", page, asked)
        stubber.add_response("describe_image_scan_findings", page | {"imageScanFindings": when}, asked)
        stubber.add_response(
            "describe_image_scan_findings", page | {"imageScanFindings": first, "nextToken": "t"}, asked
        )
        stubber.add_response(
            "describe_image_scan_findings", page | {"imageScanFindings": second}, asked | {"nextToken": "t"}
        )

        result = _wait(client, clock, said)

    assert (clock.now, [finding.name for finding in result.findings]) == (15, ["CVE-1", "CVE-2"])
    assert [line.rsplit(" ", 1)[1] for line in said] == ["pending", "in_progress", "complete"]


@pytest.mark.parametrize("status", ["ACTIVE", "COMPLETE"])
def test_an_image_that_nobody_has_looked_at_yet_is_not_free_of_findings(ecr: ECRClient, status: str) -> None:
    """Enhanced scanning says ACTIVE as soon as an image is pushed, with no findings."""
    _finds(ecr, {}, status)
    del ecr_backends[ACCOUNT]["us-east-1"].scan_finding_results[0]["imageScanFindings"]["imageScanCompletedAt"]
    clock = Clock()

    with pytest.raises(ScanUnfinished, match="does not say when the image was scanned") as caught:
        _wait(ecr, clock)

    assert (caught.value.status, clock.now) == (status, 60)


def test_an_index_that_ecr_never_scans_is_not_waited_for(ecr: ECRClient) -> None:
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": MANIFEST["mediaType"], "digest": f"sha256:{'a' * 64}", "size": 7}],
    }
    ecr.put_image(
        repositoryName=REPOSITORY,
        imageTag="index",
        imageManifest=json.dumps(index),
        imageManifestMediaType="application/vnd.oci.image.index.v1+json",
    )
    clock = Clock()

    with pytest.raises(ScanUnfinished, match="an index of several images, which ECR does not scan"):
        wait_for_scan(ecr, Image(REPOSITORY, "index"), Patience(60, 5, clock.sleep, clock), list[str]().append)
    assert clock.now == 0
