"""Whether the members of an evidence archive tell one story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambda_app.manifest import digest, model_version
from operations.errors import EvidenceMismatch
from operations.evidence.images import ROLES, check_image, pushed_image
from operations.evidence.junit import MEMBER as TESTS
from operations.evidence.junit import check_tests
from operations.evidence.members import moment, need, read_object, same

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MANIFEST, GATE, LIMITS = "model/manifest.json", "model/gate.json", "model/limits.json"
METRICS, REPORT, MODEL = "model/metrics.json", "model/model_metrics.html", "model/model.joblib"
POLICY, BENCHMARKS = "policies/model_gate.rego", "benchmarks/results.json"
PASSED: dict[str, Any] = {"passed": True, "denials": []}
# What the gate is asked about: of the manifest, and what else.
JUDGED, BESIDES = ("model_version", "metrics", "parity", "monotonicity"), ("limits", "champion")


def check_coherence(members: Mapping[str, bytes]) -> None:
    """Hold what the members say of the model, the gate, the tests and the images against each other.

    Parameters
    ----------
    members : mapping of str to bytes
        Everything that a review needs.

    Raises
    ------
    EvidenceMismatch
        With the first member that contradicts the manifest, or that says the model may not be released.
    """
    manifest = read_object(members, MANIFEST)
    _check_model(manifest, members[MODEL])
    _check_gate(manifest, read_object(members, GATE), read_object(members, LIMITS))
    if b"package model_gate" not in members[POLICY]:
        raise EvidenceMismatch(POLICY, "is not the policy that the gate asks")
    _check_metrics(manifest, read_object(members, METRICS))
    _check_report(manifest, members[REPORT])
    check_tests(members[TESTS], trained_at(manifest))
    for role in ROLES:
        check_image(members, role)
    pushed_image(members)
    if read_object(members, "images/inference.json").get("model_version") != manifest["model_version"]:
        raise EvidenceMismatch("images/inference.json", "carries another model than the manifest describes")
    if BENCHMARKS in members:
        read_object(members, BENCHMARKS)


def trained_at(manifest: Mapping[str, Any]) -> datetime:
    """When the model was trained.

    Raises
    ------
    EvidenceMismatch
        The manifest does not say so, or not in which time zone.
    """
    when = moment(need(manifest, MANIFEST, "trained_at", str))
    if not when:
        raise EvidenceMismatch(MANIFEST, "trained_at is not an ISO 8601 date with a time zone")
    return when


def _check_model(manifest: dict[str, Any], model: bytes) -> None:
    stated = need(manifest, MANIFEST, "digest", str), need(manifest, MANIFEST, "size", int)
    if stated != (digest(model), len(model)):
        raise EvidenceMismatch(MODEL, "is not the model that the manifest describes")
    try:
        version = model_version(manifest)
    except KeyError as err:
        raise EvidenceMismatch(MANIFEST, f"lacks {err}") from err
    if manifest.get("model_version") != version:
        raise EvidenceMismatch(MANIFEST, "what it says of the decision does not fit its model version")
    parity = need(manifest, MANIFEST, "parity", dict)
    compared, different = (need(parity, MANIFEST, key, int) for key in ("rows", "different_decisions"))
    if compared < 1 or different:
        raise EvidenceMismatch(MANIFEST, "the exported model was not shown to decide as the pipeline that was trained")
    for key in ("metrics", "monotonicity"):
        need(manifest, MANIFEST, key, dict)


def _check_gate(manifest: Mapping[str, Any], gate: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
    asked = need(gate, GATE, "input", dict)
    decision = need(gate, GATE, "decision", dict)
    if not same(decision, PASSED):
        raise EvidenceMismatch(GATE, "the gate denied the model")
    if not same(decision, manifest.get("gate")):
        raise EvidenceMismatch(GATE, "decides otherwise than the manifest records")
    if set(asked) != {*JUDGED, *BESIDES}:
        raise EvidenceMismatch(GATE, f"the gate was not asked about {', '.join((*JUDGED, *BESIDES))}")
    for key in JUDGED:
        if not same(asked[key], manifest[key]):
            raise EvidenceMismatch(GATE, f"the gate was asked about another {key} than the manifest records")
    if not same(asked["limits"], limits):
        raise EvidenceMismatch(GATE, f"the gate was asked with other limits than {LIMITS}")


def _check_metrics(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    for key, recorded in (("model_version", "model_version"), ("threshold", "threshold"), ("scorecard", "metrics")):
        if not same(metrics.get(key), manifest[recorded]):
            raise EvidenceMismatch(METRICS, f"{key} is not what the manifest records as {recorded}")


def _check_report(manifest: Mapping[str, Any], report: bytes) -> None:
    data = need(manifest, MANIFEST, "data", dict)
    named = {"model version": manifest["model_version"], "model digest": manifest["digest"]}
    named["data digest"] = need(data, MANIFEST, "digest", str)
    if manifest.get("git_commit") is not None:
        named["code's commit"] = need(manifest, MANIFEST, "git_commit", str)
    text = report.decode(errors="replace")
    for what, value in named.items():
        if not value or value not in text:
            raise EvidenceMismatch(REPORT, f"does not name the {what} that the manifest records")
