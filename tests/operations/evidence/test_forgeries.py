"""What is not what was approved, or not what this checkout releases, is refused, and what does not fit is named."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lambda_app.manifest import digest, identity, model_version
from operations.commands import main
from operations.evidence import archive
from operations.evidence.archive import APPROVAL
from operations.evidence.review import ITEMS
from operations.evidence.signature import sign_with_kms
from tests.operations.conftest import BASE, COMMIT, LABELS, PUSHED, REPORT, TRAINED_AT, new_key, write_run
from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.operations.conftest import Run

IMAGE, SCAN, GATE = "images/inference.json", "images/inference.scan.json", "artifacts/gate.json"
OTHER_COMMIT = "f" * 40


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """The officer's key, and a builder's."""
    directory = tmp_path_factory.mktemp("keys")
    return {name: new_key(directory, name) for name in ("officer", "builder")}


def labelled(**changes: str | None) -> dict[str, Any]:
    """The inference image's labels with some changed; None takes one out."""
    names = {
        "revision": "org.opencontainers.image.revision",
        "base": "org.opencontainers.image.base.name",
        "base_digest": "org.opencontainers.image.base.digest",
    }
    changed = {**LABELS, **{names[key]: value for key, value in changes.items()}}
    return {"labels": {key: value for key, value in changed.items() if value is not None}}


def limits_of_zero(run: Run) -> None:
    asked = run.read(GATE)["input"]
    zero = dict.fromkeys(asked["limits"], 0) | {"cutoff": asked["limits"]["cutoff"]}
    run.edit(GATE, input=asked | {"limits": zero})
    (run.root / "forged-limits.json").write_text(json.dumps({"minimum_accuracy": 0}))


def a_default_of_zero(run: Run) -> None:
    asked = run.read(GATE)["input"]
    run.edit(GATE, input=asked | {"limits": asked["limits"] | {"minimum_roc_auc": 0}})


def scanned_another(run: Run) -> None:
    other = f"sha256:{'c' * 64}"
    known = [*run.read(IMAGE)["digests"], f"registry.example/old@{other}"]
    run.edit(IMAGE, image=f"registry.example/inference@{PUSHED['inference']}", digests=known)
    run.edit(SCAN, digest=other)


def retrained_from(commit: str) -> Callable[[Run], None]:
    return lambda run: run.edit(IMAGE, **labelled(revision=commit))


def pushed_to(place: str) -> Callable[[Run], None]:
    return lambda run: run.edit(IMAGE, digests=[f"{place}@{PUSHED['inference']}"])


# What a builder could write before the approval, who writes it, and the member that is named.
BUILT: dict[str, tuple[Callable[[Run], None], str, str]] = {
    "limits of 0": (limits_of_zero, "model/limits.json", "are not the limits of this checkout"),
    "a default limit of 0": (a_default_of_zero, "model/gate.json", "other limits than this checkout's"),
    "a scan of another digest that the engine knew too": (
        scanned_another,
        SCAN,
        "is of another digest",
    ),
    "an image of another commit": (retrained_from(OTHER_COMMIT), IMAGE, f"was built from commit {OTHER_COMMIT}"),
    "an image of changed files": (retrained_from(f"{COMMIT}-dirty"), IMAGE, "is not a clean commit"),
    "an image of who knows what": (retrained_from("unknown"), IMAGE, "is not a clean commit"),
    "an image of half a commit": (retrained_from(COMMIT[:12]), IMAGE, "is not a clean commit"),
    "an image without labels": (lambda run: run.edit(IMAGE, labels={}), IMAGE, "revision is missing"),
    "an image on the stand-in base": (
        lambda run: run.edit(IMAGE, **labelled(base="ccapproval-standin-base:x86_64-0123", base_digest=None)),
        IMAGE,
        "is built on ccapproval-standin-base",
    ),
    "an image on a base of almost that name": (
        lambda run: run.edit(IMAGE, **labelled(base=f"evil.example/{BASE}")),
        IMAGE,
        "is built on evil.example",
    ),
    "an image on a base that no registry knows": (
        lambda run: run.edit(IMAGE, **labelled(base_digest=None)),
        IMAGE,
        "does not name the digest",
    ),
    "an image in a foreign registry": (pushed_to("evil.example/inference"), IMAGE, "is in the registry evil.example"),
    "an image in a registry of almost that name": (
        pushed_to("registry.example.evil.example/inference"),
        IMAGE,
        "is in the registry registry.example.evil.example",
    ),
}


@pytest.mark.parametrize("forgery", BUILT)
def test_a_consistent_release_that_this_checkout_does_not_want_is_refused(
    run: Run, forgery: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forge, member, reason = BUILT[forgery]
    branch = run.root / "limits.json"
    honest = branch.read_bytes()
    forge(run)
    if (forged := run.root / "forged-limits.json").exists():
        branch.write_bytes(forged.read_bytes())
    flags = ["--by", "officer@bank.example", "--out", str(run.root / "release.zip")]

    status = main(["approve", str(run.gather()), *flags])
    branch.write_bytes(honest)
    status = status or run.verify(run.root / "release.zip")

    assert status == 8
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.partition(": ")[2].startswith(f"{member}: ")
    assert reason in told


def test_a_policy_that_allows_everything_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    policy = run.root / "model_gate.rego"
    honest = policy.read_bytes()
    policy.write_text("package model_gate\ndefault allow := true\n")
    release = run.approve()
    policy.write_bytes(honest)

    assert run.verify(release) == 8
    assert "policies/model_gate.rego: is not the policy of this checkout" in capsys.readouterr().err


def test_an_image_of_another_commit_than_the_one_to_release_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    release = run.approve()

    assert run.verify(release, "--commit", COMMIT) == 0
    assert run.verify(release, "--commit", OTHER_COMMIT) == 8
    assert f"was built from commit {COMMIT}, not from {OTHER_COMMIT}" in capsys.readouterr().err


def test_an_image_of_other_requirements_than_this_checkouts_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release = run.approve()
    assert run.verify(release) == 0
    other = {"requirements/inference.txt": f"sha256:{'0' * 64}"}
    monkeypatch.setattr("operations.evidence.rules.locks_of", lambda _: other)

    assert run.verify(release) == 8
    assert "inference.provenance.json: names other requirements than this checkout's" in capsys.readouterr().err


def test_an_old_approval_is_not_replayed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.edit("release.json", approval_days=7)
    approved = (datetime.now(UTC) - timedelta(days=7, minutes=1)).isoformat()
    review, release = run.gather(), run.root / "release.zip"

    assert main(["approve", str(review), "--by", "a", "--at", approved, "--out", str(release)]) == 0
    assert run.verify(release) == 8
    assert "approval.json: was given 7.0 days ago; 7 are allowed. Approve again" in capsys.readouterr().err
    # It stays good as a record of what was released.
    assert main(["verify", str(release), "--purpose", "record"]) == 0


def released(directory: Path, digit: str) -> dict[str, bytes]:
    """The members of a sound release, which differs from that of another digit in every member."""
    directory.mkdir()
    run = write_run(directory)
    model = f"model {digit}".encode()
    manifest = run.read("artifacts/manifest.json") | {
        "digest": digest(model),
        "size": len(model),
        "metrics": {"accuracy": float(f"0.92{digit}")},
    }
    manifest["identity"] = identity(manifest)
    manifest["model_version"] = model_version(manifest["identity"])
    named = {"identity": manifest["identity"]}
    (run.root / "artifacts/model.joblib").write_bytes(model)
    run.edit("artifacts/manifest.json", **manifest)
    run.edit("artifacts/metrics.json", scorecard=manifest["metrics"], **named)
    run.edit("artifacts/alternatives.json", points=int(digit), **named)
    asked = run.read(GATE)["input"] | {"metrics": manifest["metrics"], **named}
    run.edit("limits.json", minimum_group_size=int(digit))
    run.edit(GATE, input=asked | {"limits": asked["limits"] | {"minimum_group_size": int(digit)}})
    (run.root / "artifacts/model_metrics.html").write_text(REPORT.format(**manifest))
    (run.root / "model_gate.rego").write_text(f"package model_gate\n# {digit}\n")
    (run.root / "bench.json").write_text(f'{{"cold_start": {digit}}}')
    junit = run.root / "report.xml"
    junit.write_text(junit.read_text().replace(">well<", f">well {digit}<"))
    for role in ("training", "inference"):
        pushed, image_id = f"sha256:{digit * 64}", f"sha256:{role}{digit}"
        run.edit(f"images/{role}.json", id=image_id, digests=[f"registry.example/{role}@{pushed}"])
        run.edit(f"images/{role}.scan.json", digest=pushed)
        run.edit(f"images/{role}.cdx.json", metadata={"component": {"version": image_id}})
    run.edit("images/inference.json", **named)
    run.compare(page="{version} against champion, " + digit)
    flags = [
        "--by",
        f"officer {digit}",
        "--at",
        TRAINED_AT.replace("T09", "T10"),
        "--out",
        str(run.root / "release.zip"),
    ]
    assert main(["approve", str(run.gather()), *flags]) == 0
    return archive.unpack((run.root / "release.zip").read_bytes(), ITEMS)


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Two sound releases that have no member in common."""
    directory = tmp_path_factory.mktemp("releases")
    ours, theirs = released(directory / "ours", "1"), released(directory / "theirs", "2")
    assert set(ours) == set(theirs) == {item.member for item in ITEMS}
    assert not [member for member in ours if ours[member] == theirs[member] and "comparison.json" not in member]
    return ours, theirs


@pytest.mark.parametrize("member", sorted(item.member for item in ITEMS if item.member != "model/comparison.json"))
def test_each_member_replaced_by_another_releases_is_refused(
    releases: tuple[dict[str, bytes], dict[str, bytes]],
    member: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours, theirs = releases
    forged = tmp_path / "forged.zip"
    forged.write_bytes(archive.pack({**ours, member: theirs[member]}, ITEMS))

    assert main(["verify", str(forged), "--purpose", "record"]) == 8
    told = capsys.readouterr().err
    # The first that no longer fits; at the latest the approval, which names the archive's digest.
    assert any(f"verify: {name}: " in told for name in ours)


@pytest.mark.parametrize("member", sorted(item.member for item in ITEMS if item.member != APPROVAL))
def test_a_member_changed_together_with_the_approval_is_refused_by_the_signature(
    releases: tuple[dict[str, bytes], dict[str, bytes]],
    keys: dict[str, tuple[Path, Path]],
    member: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours, theirs = releases
    private, public = keys["officer"]
    release = tmp_path / "release.zip"
    release.write_bytes(archive.pack(ours, ITEMS))
    assert main(["sign", str(release), "--key", str(private)]) == 0

    members = {**ours, member: theirs[member] + b"\n"}
    reviewed = {name: content for name, content in members.items() if name != APPROVAL}
    approval = json.loads(ours[APPROVAL]) | {"evidence_sha256": archive.sha256(archive.pack(reviewed, ITEMS))}
    members[APPROVAL] = json.dumps(approval).encode()
    release.write_bytes(archive.pack(members, ITEMS))

    assert main(["verify", str(release), "--purpose", "record", "--public-key", str(public)]) == 8
    assert "verify: signature: release.zip.sig is not a signature of this archive" in capsys.readouterr().err


def signed(run: Run, key: Path) -> Path:
    release = run.approve()
    assert main(["sign", str(release), "--key", str(key)]) == 0
    return release


def test_a_release_is_verified_by_python_alone(run: Run, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["officer"]
    words = [str(signed(run, private)), "--purpose", "release", "--public-key", str(public), "--commit", COMMIT]
    branch = ("--rules", "release.json", "--policy", "model_gate.rego", "--limits", "limits.json")
    words += [word if word.startswith("--") else str(run.root / word) for word in branch]

    command = [sys.executable, "-S", "-m", "operations", "verify", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_honest_release_passes_and_openssl_alone_agrees(run: Run, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["officer"]
    release = signed(run, private)

    assert run.verify(release, "--public-key", str(public)) == 0
    words = ["openssl", "dgst", "-sha256", "-verify", str(public), "-signature", f"{release}.sig", str(release)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "Verified OK"


FORGED_SIGNATURES: dict[str, Callable[[bytes], bytes | None]] = {
    "none": lambda _: None,
    "empty": lambda _: b"",
    "cut off": lambda signature: signature[:-1],
    "one bit off": lambda signature: signature[:-1] + bytes([signature[-1] ^ 1]),
    "not a signature": lambda _: b"approved by the officer",
}


@pytest.mark.parametrize("forgery", FORGED_SIGNATURES)
def test_a_damaged_signature_is_refused(
    run: Run, keys: dict[str, tuple[Path, Path]], forgery: str, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = keys["officer"]
    release = signed(run, private)
    place = release.with_name("release.zip.sig")
    forged = FORGED_SIGNATURES[forgery](place.read_bytes())
    if forged is None:
        place.unlink()
    else:
        place.write_bytes(forged)

    assert run.verify(release, "--public-key", str(public)) == 8
    assert "verify: signature: " in capsys.readouterr().err


def test_whoever_builds_cannot_sign_for_the_officer(
    run: Run, keys: dict[str, tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    release = signed(run, keys["builder"][0])

    assert run.verify(release, "--public-key", str(keys["officer"][1])) == 8
    assert "is not a signature of this archive by officer.pub.pem" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"", b"no key"], ids=["missing", "empty", "no key"])
def test_a_public_key_that_is_none_is_not_taken_for_agreement(
    run: Run, keys: dict[str, tuple[Path, Path]], content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    release, public = signed(run, keys["officer"][0]), run.root / "key.pem"
    if content is not None:
        public.write_bytes(content)

    assert run.verify(release, "--public-key", str(public)) == 1
    assert "key.pem: " in capsys.readouterr().err


def test_a_private_key_that_is_none_signs_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    release = run.approve()

    assert main(["sign", str(release), "--key", str(run.root / "limits.json")]) == 1
    assert "limits.json: openssl cannot sign with it" in capsys.readouterr().err
    assert not release.with_name("release.zip.sig").exists()


def test_what_was_not_approved_is_not_signed(run: Run, keys: dict[str, tuple[Path, Path]]) -> None:
    assert main(["sign", str(run.gather()), "--key", str(keys["officer"][0])]) == 7


class Kms:
    """KMS with one key: it signs a digest as it is. (Moto digests it once more.)"""

    def __init__(self, key: Path) -> None:
        self._key = key

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, bytes]:  # noqa: N803  # KMS's names
        assert (KeyId, MessageType, SigningAlgorithm) == ("alias/officer", "DIGEST", "ECDSA_SHA_256")
        words = ["openssl", "pkeyutl", "-sign", "-inkey", str(self._key), "-pkeyopt", "digest:sha256"]
        return {"Signature": subprocess.run(words, input=Message, capture_output=True, check=True).stdout}


def test_a_key_in_kms_signs_what_openssl_verifies(run: Run, keys: dict[str, tuple[Path, Path]]) -> None:
    private, public = keys["officer"]
    release = run.approve()
    kms: Any = Kms(private)

    signed_by_kms = sign_with_kms(release.read_bytes(), "alias/officer", kms)
    release.with_name("release.zip.sig").write_bytes(signed_by_kms)

    assert run.verify(release, "--public-key", str(public)) == 0


def test_the_command_signs_with_a_key_in_kms(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    release = run.approve()
    with mock_aws():
        assert main(["sign", str(release), "--kms-key", "alias/nobody"]) == 1
        assert "kms: " in capsys.readouterr().err
        key = boto3.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        assert main(["sign", str(release), "--kms-key", key]) == 0
    assert f"{release}.sig" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"registries": ["a"], "base_images": ["b"]}', "must hold registries, base_images and approval_days"),
        ('{"registries": [], "base_images": ["b"], "approval_days": 7}', "registries must be a list of patterns"),
        ('{"registries": "*", "base_images": ["b"], "approval_days": 7}', "registries must be a list of patterns"),
        ('{"registries": ["a"], "base_images": [""], "approval_days": 7}', "base_images must be a list of patterns"),
        ('{"registries": ["a"], "base_images": ["b"], "approval_days": 0}', "approval_days must be a number above 0"),
        ('{"registries": ["a"], "base_images": ["b"], "approval_days": true}', "approval_days must be a number"),
    ],
)
def test_rules_that_say_nothing_clear_release_nothing(
    run: Run, content: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    release = run.approve()
    (run.root / "release.json").write_text(content)

    assert run.verify(release) == 1
    assert reason in capsys.readouterr().err
