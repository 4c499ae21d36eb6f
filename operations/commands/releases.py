"""The commands that release a model."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from operations import aws
from operations.commands.output import tell
from operations.errors import CloudRefused, EvidenceIncomplete
from operations.evidence import archive, review, signature
from operations.evidence.approval import Approval
from operations.evidence.images import pushed_image
from operations.evidence.rules import check_release, read_branch
from operations.images import bill, referrers, scan
from operations.live import ask_function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operations.commands.output import Add

IMAGES = Path("build/images")


def _champion(arguments: argparse.Namespace) -> None:
    try:
        with aws.client("lambda") as client:
            champion = ask_function(client, arguments.function, arguments.qualifier)
    except CloudRefused as refused:
        if refused.code != "ResourceNotFoundException":
            raise
        print(f"{arguments.function}:{arguments.qualifier} does not exist yet: no champion", file=sys.stderr)
        return
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(champion, indent=2) + "\n", encoding="utf-8")
    print(arguments.out)


def _image(arguments: argparse.Namespace) -> None:
    for path in bill.record(arguments.image, arguments.role, arguments.out):
        print(path)


def _wait_scan(arguments: argparse.Namespace) -> None:
    image = scan.Image(arguments.repository, arguments.image)
    patience = scan.Patience(arguments.timeout, arguments.interval)
    with aws.client("ecr") as client:
        result = scan.wait_for_scan(client, image, patience, lambda line: print(line, file=sys.stderr))
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    print(" ".join(f"{severity}={count}" for severity, count in sorted(result.counts.items())) or "no findings")
    result.require_below(arguments.fail_on)


def _evidence(arguments: argparse.Namespace) -> None:
    places = review.Places(
        artifacts=arguments.artifacts,
        junit=arguments.junit,
        images=arguments.images,
        benchmarks=arguments.benchmarks,
        limits=arguments.limits or arguments.artifacts.parent / "limits.json",
        policy=arguments.policy,
        checkout=Path(),
    )
    content = review.gather(places)
    _write(arguments.out, content)
    missing = archive.lacking(archive.unpack(content, review.ITEMS), review.ITEMS)
    for item in missing:
        need = "not required" if item.required_for == "nothing" else f"required for {item.required_for}"
        print(f"missing ({need}): {item.member}  {item.title}", file=sys.stderr)
    needed = tuple(item.member for item in missing if item.required_for == "review")
    if needed:
        makes = "".join(f"\n  {command}" for command in dict.fromkeys(map(review.made_by, needed)))
        raise EvidenceIncomplete(f"{arguments.out} is written, but lacks what a review needs. Make it:{makes}", needed)


def _attach(arguments: argparse.Namespace) -> None:
    members = review.verify(archive.read_file(arguments.file), "review")
    image = pushed_image(members)
    if not image:
        raise EvidenceIncomplete("the image was not pushed: scripts/deploy.sh --push", ("the image in a registry",))
    host, _, name = image.partition("/")
    with aws.client("ecr") as client:
        login = client.get_authorization_token()["authorizationData"][0]
    registry = referrers.Registry(host, login["authorizationToken"])
    registry.require_own(login["proxyEndpoint"])
    for member, media_type in referrers.DOCUMENTS.items():
        if member in members:
            print(referrers.attach(registry, name, media_type, members[member]), member)


def _approve(arguments: argparse.Namespace) -> None:
    approval = Approval(
        decision="approved",
        by=arguments.by,
        at=arguments.at or datetime.now(UTC).isoformat(timespec="seconds"),
        comment=arguments.comment,
        reference=arguments.reference,
        without_scans=arguments.without_scans,
    )
    _write(arguments.out, review.approve(archive.read_file(arguments.file), approval))


def _sign(arguments: argparse.Namespace) -> None:
    content = archive.read_file(arguments.file)
    review.verify(content, "release")
    if arguments.key:
        signed = signature.sign_with_file(content, arguments.key)
    else:
        with aws.client("kms") as client:
            signed = signature.sign_with_kms(content, arguments.kms_key, client)
    path = signature.beside(arguments.file)
    path.write_bytes(signed)
    print(path)


def _verify(arguments: argparse.Namespace) -> None:
    content = archive.read_file(arguments.file)
    if arguments.public_key:
        signature.check_signature(content, signature.beside(arguments.file), arguments.public_key)
    members = review.verify(content, "review" if arguments.purpose == "review" else "release")
    manifest = json.loads(members["model/manifest.json"])
    if arguments.purpose == "release":
        branch = read_branch(arguments.rules, arguments.policy, arguments.limits, arguments.commit)
        check_release(members, manifest, branch)
    if arguments.again:
        from operations.evidence.again import check_again

        check_again(members)
    found = {
        "MODEL_VERSION": manifest["model_version"],
        "IDENTITY": manifest["identity"],
        "IMAGE_URI": pushed_image(members),
        "EVIDENCE_SHA256": archive.sha256(content),
    }
    tell(found, arguments.output)
    if arguments.extract:
        for member in ("model/manifest.json", "model/model.joblib", "images/inference.json"):
            path = arguments.extract / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(members[member])
    for line in (*review.remarks(members), *_unproved(arguments)):
        print(line, file=sys.stderr)
    print(f"{arguments.file}: verified, {len(members)} members, good for a {arguments.purpose}", file=sys.stderr)


def _unproved(arguments: argparse.Namespace) -> Iterator[str]:
    """What this run of `verify` was not asked to look at."""
    if not arguments.public_key and arguments.purpose != "review":
        yield "signature: not checked; name the public key of whoever approves: --public-key FILE"
    if not arguments.again:
        yield "verdict and pages: not made again from the figures; --again does, in the training environment"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{archive.sha256(content)}  {path}")


def add_to(add: Add) -> None:
    """Add the commands to the parser."""
    champion = add(
        "champion", _champion, "Write down what the model in service says about itself, for train --champion."
    )
    champion.add_argument("--function", required=True, metavar="NAME")
    champion.add_argument("--qualifier", default="live", help="its alias or version (default: %(default)s)")
    champion.add_argument("--out", type=Path, default=Path("build/champion.json"), metavar="FILE")

    image = add("image", _image, "Record a local image for a release: ROLE.json and ROLE.cdx.json (its SBOM).")
    image.add_argument("role", choices=("training", "inference"))
    image.add_argument("image", metavar="IMAGE")
    image.add_argument("--out", type=Path, default=IMAGES, metavar="DIRECTORY", help="(default: %(default)s)")

    waiting = add("wait-scan", _wait_scan, "Wait for ECR's scan of an image; exit with 5 if a finding is too severe.")
    waiting.add_argument("repository")
    waiting.add_argument("image", metavar="TAG_OR_DIGEST")
    waiting.add_argument(
        "--fail-on",
        default="HIGH",
        type=str.upper,
        choices=scan.FAILING,
        metavar="SEVERITY",
        help="the mildest severity that fails (default: %(default)s): " + ", ".join(scan.FAILING),
    )
    waiting.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="(default: %(default)g)")
    waiting.add_argument("--interval", type=float, default=5.0, metavar="SECONDS", help="(default: %(default)g)")
    waiting.add_argument("--out", type=Path, metavar="FILE", help="write the result here as JSON, for the evidence")

    gather = add("evidence", _evidence, "Gather a release's evidence into one archive for review.")
    gather.add_argument("--artifacts", type=Path, default=Path("model/artifacts"), metavar="DIRECTORY")
    gather.add_argument("--junit", type=Path, default=Path("report.xml"), metavar="FILE", help="the notebook's tests")
    gather.add_argument("--images", type=Path, default=IMAGES, metavar="DIRECTORY", help="what `image` wrote")
    gather.add_argument("--benchmarks", type=Path, default=Path("benchmarks/results.json"), metavar="FILE")
    gather.add_argument(
        "--limits", type=Path, metavar="FILE", help="the gate's (default: limits.json beside the artifacts)"
    )
    gather.add_argument("--policy", type=Path, default=Path("policies/model_gate.rego"), metavar="FILE")
    gather.add_argument("--out", type=Path, default=Path("build/evidence-review.zip"), metavar="FILE")

    attach = add(
        "attach", _attach, "Attach an archive's SBOM, provenance and scan to the pushed image, as OCI referrers."
    )
    attach.add_argument("file", type=Path)

    approve = add("approve", _approve, "Add a person's approval to a reviewed archive, which makes it the release's.")
    approve.add_argument("file", type=Path)
    approve.add_argument("--by", required=True, metavar="WHO")
    approve.add_argument("--at", metavar="WHEN", help="ISO 8601 with a time zone (default: now)")
    approve.add_argument("--comment", default="")
    approve.add_argument("--reference", default="", metavar="URL", help="where the approval can be looked up")
    approve.add_argument(
        "--without-scans", default="", metavar="WHY", help="approve even though an image was not scanned"
    )
    approve.add_argument("--out", type=Path, default=Path("build/evidence.zip"), metavar="FILE")

    verify = add(
        "verify", _verify, "Check an archive offline; name the first member that was altered or contradicts another."
    )
    verify.add_argument("file", type=Path)
    verify.add_argument(
        "--purpose",
        choices=("review", "release", "record"),
        default="review",
        help="what it is needed for: a release needs an approval, a pushed image, and all that this checkout says; "
        "a record was released before, maybe from another checkout (default: %(default)s)",
    )
    verify.add_argument("--output", type=Path, metavar="FILE", help="append NAME=VALUE lines here too")
    verify.add_argument("--extract", type=Path, metavar="DIRECTORY", help="write the approved model and its image here")
    verify.add_argument(
        "--public-key", type=Path, metavar="FILE", help="check the signature, FILE.zip.sig, by this public key (PEM)"
    )
    verify.add_argument(
        "--again",
        action="store_true",
        help="ask the archive's policy again and make its pages again (needs the training environment)",
    )
    expected = verify.add_argument_group("for a release, what this checkout says")
    rules = Path(os.environ.get("RELEASE_RULES") or "policies/release.json")
    expected.add_argument("--rules", type=Path, default=rules, metavar="FILE", help="(default: %(default)s)")
    expected.add_argument("--policy", type=Path, default=Path("policies/model_gate.rego"), metavar="FILE")
    expected.add_argument("--limits", type=Path, default=Path("model/limits.json"), metavar="FILE")
    expected.add_argument("--commit", metavar="SHA", help="the commit that the image must be built from (default: any)")

    sign = add(
        "sign", _sign, "Sign an approved archive: ARCHIVE.sig, which deploy.sh checks before it changes anything."
    )
    sign.add_argument("file", type=Path)
    with_key = sign.add_mutually_exclusive_group(required=True)
    with_key.add_argument("--key", type=Path, metavar="FILE", help="a private key (PEM, elliptic curve P-256)")
    with_key.add_argument("--kms-key", metavar="KEY", help="an asymmetric key of AWS KMS: its id, ARN or alias")
