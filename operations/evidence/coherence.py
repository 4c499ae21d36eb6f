"""Whether the members of an evidence archive agree with each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lambda_app.manifest import digest, identity, model_version
from operations.errors import EvidenceMismatch
from operations.evidence.images import ROLES, check_image, pushed_image
from operations.evidence.junit import MEMBER as TESTS
from operations.evidence.junit import check_tests
from operations.evidence.members import equal_json, need, read_object
from operations.images.provenance import statement
from operations.moments import read_moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lambda_app.manifest import Gate, Manifest
    from operations.evidence.members import Document
    from operations.images.provenance import Statement

MANIFEST, GATE, LIMITS = "model/manifest.json", "model/gate.json", "model/limits.json"
METRICS, REPORT, MODEL = "model/metrics.json", "model/model_metrics.html", "model/model.joblib"
ALTERNATIVES = "model/alternatives.json"
COMPARISON, COMPARISON_PAGE = "model/comparison.json", "model/comparison.html"
PROVENANCE = "images/inference.provenance.json"
POLICY, BENCHMARKS = "policies/model_gate.rego", "benchmarks/results.json"
PASSED: Gate = {"passed": True, "denials": []}
# What the gate is asked about: these of the manifest, and what else.
JUDGED = ("identity", "no_sensitive_reason", "metrics", "leakage", "parity", "monotonicity", "explained")
BESIDES = ("contract", "limits", "data_age_days", "champion")


def check_coherence(members: Mapping[str, bytes]) -> Manifest:
    """Compare what the members say about the model, the gate, the tests and the images.

    Parameters
    ----------
    members : mapping of str to bytes
        Everything that a review needs.

    Returns
    -------
    Manifest
        The archive's manifest, as far as the checks here reach.

    Raises
    ------
    EvidenceMismatch
        Names the first member that contradicts the manifest, or shows that the model may not be released.
    """
    manifest = _read_manifest(members)
    _check_gate(manifest, read_object(members, GATE), read_object(members, LIMITS))
    if b"package model_gate" not in members[POLICY]:
        raise EvidenceMismatch(POLICY, "is not the policy that the gate asks")
    _check_metrics(manifest, read_object(members, METRICS))
    if read_object(members, ALTERNATIVES).get("identity") != manifest["identity"]:
        raise EvidenceMismatch(ALTERNATIVES, "is about another model than the manifest describes")
    _check_report(manifest, members[REPORT])
    _check_comparison(manifest, members, read_object(members, GATE)["input"]["champion"])
    check_tests(members[TESTS], trained_at(manifest))
    for role in ROLES:
        check_image(members, role)
    _check_released(members)
    _check_provenance(members)
    if read_object(members, "images/inference.json").get("identity") != manifest["identity"]:
        raise EvidenceMismatch("images/inference.json", "carries another model than the manifest describes")
    if BENCHMARKS in members:
        read_object(members, BENCHMARKS)
    return manifest


def _check_released(members: Mapping[str, bytes]) -> None:
    """The scan is of the very image that would be deployed, not of another that the engine knew by the same id."""
    released = pushed_image(members)
    scan = "images/inference.scan.json"
    if released and scan in members and read_object(members, scan)["digest"] != released.rpartition("@")[2]:
        raise EvidenceMismatch(scan, f"is of another digest than {released}, which would be deployed")


def provenance_of(members: Mapping[str, bytes], locks: Mapping[str, str]) -> Statement:
    """The provenance of the inference image that the archive is about.

    Parameters
    ----------
    members : mapping of str to bytes
        Hold at least the image's facts.
    locks : mapping of str to str
        See `operations.images.provenance.statement`.
    """
    member = "images/inference.json"
    facts = read_object(members, member)
    released = pushed_image(members) or f"{facts.get('image')}@{facts.get('id')}"
    name, _, image_digest = released.rpartition("@")
    return statement(name, image_digest, need(facts, member, "labels", dict), locks)


def _check_provenance(members: Mapping[str, bytes]) -> None:
    """It says of the image what the facts and the labels say; who built it, and from which locks, it alone says."""
    found = read_object(members, PROVENANCE)
    expected = provenance_of(members, stated_locks(members))
    expected["predicate"]["runDetails"] = need(found, PROVENANCE, "predicate", dict).get("runDetails")
    if not equal_json(found, expected):
        raise EvidenceMismatch(PROVENANCE, "is of another image than images/inference.json, or of another build")


def stated_locks(members: Mapping[str, bytes]) -> dict[str, str]:
    """The digests of the requirements that the provenance names.

    Raises
    ------
    EvidenceMismatch
        It is not a statement of provenance.
    """
    try:
        build = read_object(members, PROVENANCE)["predicate"]["buildDefinition"]
        return {lock["name"]: f"sha256:{lock['digest']['sha256']}" for lock in build["resolvedDependencies"][2:]}
    except (KeyError, TypeError) as err:
        raise EvidenceMismatch(PROVENANCE, "is not a statement of SLSA provenance") from err


def trained_at(manifest: Manifest) -> datetime:
    """When the model was trained.

    Raises
    ------
    EvidenceMismatch
        The manifest does not say, or gives no time zone.
    """
    when = read_moment(manifest["trained_at"])
    if not when:
        raise EvidenceMismatch(MANIFEST, "trained_at is not an ISO 8601 date and time with a time zone")
    return when


def _read_manifest(members: Mapping[str, bytes]) -> Manifest:
    """The manifest, once it is known to describe the archive's model and to hold every key that is read here."""
    manifest, model = read_object(members, MANIFEST), members[MODEL]
    stated = need(manifest, MANIFEST, "digest", str), need(manifest, MANIFEST, "size", int)
    if stated != (digest(model), len(model)):
        raise EvidenceMismatch(MODEL, "is not the model that the manifest describes")
    try:
        found = identity(manifest)
    except KeyError as err:
        raise EvidenceMismatch(MANIFEST, f"lacks {err}") from err
    if (manifest.get("identity"), manifest.get("model_version")) != (found, model_version(found)):
        raise EvidenceMismatch(MANIFEST, "its identity is not that of what it says about deciding")
    parity = need(manifest, MANIFEST, "parity", dict)
    compared, different = (need(parity, MANIFEST, key, int) for key in ("rows", "different_decisions"))
    if compared < 1 or different:
        raise EvidenceMismatch(MANIFEST, "does not show that the exported model decides like the trained pipeline")
    for key in ("metrics", "leakage", "monotonicity", "explained"):
        need(manifest, MANIFEST, key, dict)
    need(manifest, MANIFEST, "trained_at", str)
    need(need(manifest, MANIFEST, "data", dict), MANIFEST, "digest", str)
    if manifest.get("git_commit") is not None:
        need(manifest, MANIFEST, "git_commit", str)
    return cast("Manifest", manifest)


def _check_gate(manifest: Manifest, gate: Document, limits: Document) -> None:
    asked = need(gate, GATE, "input", dict)
    decision = need(gate, GATE, "decision", dict)
    if not equal_json(decision, PASSED):
        raise EvidenceMismatch(GATE, "the gate denied the model")
    if not equal_json(decision, manifest.get("gate")):
        raise EvidenceMismatch(GATE, "the gate's decision is not the one that the manifest records")
    if set(asked) != {*JUDGED, *BESIDES}:
        raise EvidenceMismatch(GATE, f"the gate was not asked about {', '.join((*JUDGED, *BESIDES))}")
    for key in JUDGED:
        if not equal_json(asked[key], manifest.get(key)):
            raise EvidenceMismatch(GATE, f"the gate was asked about another {key} than the manifest records")
    # The gate completes the file's limits with defaults.
    held = {name: asked["limits"].get(name) for name in limits} if isinstance(asked["limits"], dict) else None
    if not equal_json(held, limits):
        raise EvidenceMismatch(GATE, f"the gate was asked with other limits than {LIMITS}")


def _check_metrics(manifest: Manifest, metrics: Document) -> None:
    recorded = {"identity": manifest["identity"], "threshold": manifest["threshold"]}
    for key, value in {**recorded, "scorecard": manifest["metrics"]}.items():
        if not equal_json(metrics.get(key), value):
            raise EvidenceMismatch(METRICS, f"{key} differs from the manifest")


def _check_report(manifest: Manifest, report: bytes) -> None:
    named = {
        "identity": manifest["identity"],
        "model digest": manifest["digest"],
        "data digest": manifest["data"]["digest"],
    }
    if (commit := manifest.get("git_commit")) is not None:
        named["code's commit"] = commit
    text = report.decode(errors="replace")
    for what, value in named.items():
        if not value or value not in text:
            raise EvidenceMismatch(REPORT, f"does not name the {what} that the manifest records")


def _check_comparison(manifest: Manifest, members: Mapping[str, bytes], champion: object) -> None:
    """The comparison is there if and only if the gate compared the model with one in service, and says the same."""
    for member in (COMPARISON, COMPARISON_PAGE):
        if (member in members) != (champion is not None):
            says = "is missing, although a" if champion is not None else "is there, although no"
            raise EvidenceMismatch(member, f"{says} model in service was compared")
    if champion is None:
        return
    compared = read_object(members, COMPARISON)
    if need(compared, COMPARISON, "model", dict).get("identity") != manifest["identity"]:
        raise EvidenceMismatch(COMPARISON, "is about another model than the manifest describes")
    if not equal_json(compared.get("differences"), champion):
        raise EvidenceMismatch(COMPARISON, "has other differences than the gate was asked about")
    named = need(compared, COMPARISON, "champion", dict).get("model_version")
    page = members[COMPARISON_PAGE].decode(errors="replace")
    for version in (manifest["model_version"], named):
        if not isinstance(version, str) or version not in page:
            raise EvidenceMismatch(COMPARISON_PAGE, f"does not name {version}, which was compared")
