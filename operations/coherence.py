"""Whether the members of an evidence archive tell one story."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from lambda_app.artifact import digest, model_version
from operations.errors import EvidenceMismatch

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("training", "inference")


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
    manifest = _read(members, "model/manifest.json")
    _check_model(manifest, members["model/model.joblib"])
    _check_gate(manifest, _read(members, "model/gate.json"))
    _check_metrics(manifest, _read(members, "model/metrics.json"))
    _check_tests(members["tests/notebook.xml"])
    for role in ROLES:
        facts = _read(members, f"images/{role}.json")
        _check_image(role, facts, _read(members, f"images/{role}.cdx.json"))
        if role == "inference" and facts.get("model_version") != manifest["model_version"]:
            raise EvidenceMismatch(f"images/{role}.json", "carries another model than the manifest describes")


def _check_model(manifest: Mapping[str, Any], model: bytes) -> None:
    member = "model/manifest.json"
    try:
        version = model_version(dict(manifest))
        stated = (manifest["digest"], manifest["size"], manifest["model_version"])
        parity = manifest["parity"]
        different = parity["different_decisions"] if parity["rows"] else None
    except (KeyError, TypeError) as err:
        raise EvidenceMismatch(member, f"lacks {err}") from err
    if stated[:2] != (digest(model), len(model)):
        raise EvidenceMismatch("model/model.joblib", "is not the model that the manifest describes")
    if stated[2] != version:
        raise EvidenceMismatch(member, "what it says of the decision does not fit its model version")
    if different != 0:
        raise EvidenceMismatch(member, "the exported model was not shown to decide as the pipeline that was trained")


def _check_gate(manifest: Mapping[str, Any], gate: Mapping[str, Any]) -> None:
    member = "model/gate.json"
    asked, decision = gate.get("input"), gate.get("decision")
    if not isinstance(asked, dict) or not isinstance(decision, dict):
        raise EvidenceMismatch(member, "does not hold the gate's input and its decision")
    if decision.get("passed") is not True or decision.get("denials"):
        raise EvidenceMismatch(member, "the gate denied the model")
    if decision != manifest.get("gate"):
        raise EvidenceMismatch(member, "decides otherwise than the manifest records")
    for key in ("model_version", "metrics", "parity"):
        if asked.get(key) != manifest.get(key):
            raise EvidenceMismatch(member, f"the gate was asked about another {key} than the manifest records")


def _check_metrics(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    for key, recorded in (("model_version", "model_version"), ("threshold", "threshold"), ("scorecard", "metrics")):
        if metrics.get(key) != manifest.get(recorded):
            raise EvidenceMismatch("model/metrics.json", f"{key} is not what the manifest records as {recorded}")


def _check_tests(report: bytes) -> None:
    member = "tests/notebook.xml"
    try:
        # Expat bounds entity expansion itself, and the archive's digests have been checked by now.
        suites = list(ElementTree.fromstring(report).iter("testsuite"))  # noqa: S314
        count = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors")}
    except (ElementTree.ParseError, ValueError) as err:
        raise EvidenceMismatch(member, "is not a JUnit report") from err
    if not count["tests"]:
        raise EvidenceMismatch(member, "reports no test")
    if count["failures"] or count["errors"]:
        raise EvidenceMismatch(member, f"reports {count['failures']} failures and {count['errors']} errors")


def _check_image(role: str, facts: Mapping[str, Any], bill: Mapping[str, Any]) -> None:
    member = f"images/{role}.cdx.json"
    if bill.get("bomFormat") != "CycloneDX" or not bill.get("components"):
        raise EvidenceMismatch(member, "is not a CycloneDX bill of materials with components")
    identity = facts.get("id")
    if not identity or bill.get("metadata", {}).get("component", {}).get("version") != identity:
        raise EvidenceMismatch(member, f"is of another image than images/{role}.json")


def _read(members: Mapping[str, bytes], member: str) -> dict[str, Any]:
    try:
        document = json.loads(members[member])
    except ValueError as err:
        raise EvidenceMismatch(member, "is not JSON") from err
    if not isinstance(document, dict):
        raise EvidenceMismatch(member, "is not a JSON object")
    return document
