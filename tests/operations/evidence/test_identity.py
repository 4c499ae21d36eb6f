"""One identity: whatever decides is in it, and every place that checks it compares the whole."""

from __future__ import annotations

import copy
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_app import artifact
from lambda_app.errors import ArtifactCorrupt, ArtifactUnsupported
from lambda_app.manifest import DECIDING, identity, model_version
from operations.errors import EvidenceMismatch
from operations.evidence import archive
from operations.evidence.archive import APPROVAL
from operations.evidence.review import ITEMS, verify
from tests.operations.conftest import write_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lambda_app.manifest import Manifest
    from model.run import TrainingRun


def leaves(value: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to every text, number and truth value inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        if value is not None and value != "":
            yield before
    else:
        for key, child in inside:
            yield from leaves(child, (*before, key))


def one_bit_off(value: str | float, place: int) -> str | float:
    """A value of the same type that differs in one bit."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ (1 << place % 16)
    if isinstance(value, float):
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        flipped: float = struct.unpack("<d", struct.pack("<Q", bits ^ (1 << place % 52)))[0]
        return flipped
    at = place % len(value)
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_bit_of_what_decides_makes_another_identity_and_is_refused(small: TrainingRun, data: st.DataObject) -> None:
    content = (small.directory / "model.joblib").read_bytes()
    manifest: Any = copy.deepcopy(small.manifest)
    ways = [way for way in leaves({key: manifest[key] for key in DECIDING}) if way != ("digest",)]
    way = data.draw(st.sampled_from(ways))
    at = manifest
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = one_bit_off(at[way[-1]], data.draw(st.integers(0, 63)))

    assert identity(manifest) != small.manifest["identity"]
    with pytest.raises((ArtifactCorrupt, ArtifactUnsupported)):
        artifact.opened(manifest, content)


def nearly(stated: str, place: int) -> str:
    """Another identity in one hexadecimal digit past the twelve that people read: the same model version."""
    at = len("sha256:") + 12 + place % 52
    return stated[:at] + format(int(stated[at], 16) ^ 1, "x") + stated[at + 1 :]


def _document(member: str, *path: str) -> Callable[[dict[str, bytes], str], None]:
    def forge(members: dict[str, bytes], forged: str) -> None:
        document = json.loads(members[member])
        at = document
        for key in path[:-1]:
            at = at[key]
        assert at[path[-1]].startswith("sha256:")
        at[path[-1]] = forged
        members[member] = json.dumps(document).encode()

    return forge


def _report(members: dict[str, bytes], forged: str) -> None:
    stated = json.loads(members["model/manifest.json"])["identity"]
    members["model/model_metrics.html"] = members["model/model_metrics.html"].replace(stated.encode(), forged.encode())


# Every place that names the model, and how to make it name another whose version is the same.
NAMED: Mapping[str, Callable[[dict[str, bytes], str], None]] = {
    "model/manifest.json": _document("model/manifest.json", "identity"),
    "model/gate.json": _document("model/gate.json", "input", "identity"),
    "model/metrics.json": _document("model/metrics.json", "identity"),
    "model/alternatives.json": _document("model/alternatives.json", "identity"),
    "model/comparison.json": _document("model/comparison.json", "model", "identity"),
    "model/model_metrics.html": _report,
    "images/inference.json": _document("images/inference.json", "identity"),
    APPROVAL: _document(APPROVAL, "identity"),
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of a sound release."""
    run = write_run(tmp_path_factory.mktemp("released"))
    run.compare()
    return archive.unpack(run.approve().read_bytes(), ITEMS)


@pytest.mark.parametrize("member", NAMED)
@given(place=st.integers(0, 51))
@settings(max_examples=10, deadline=None)
def test_an_identity_that_agrees_in_the_digits_that_people_read_is_refused(
    released: dict[str, bytes], member: str, place: int
) -> None:
    stated = json.loads(released["model/manifest.json"])["identity"]
    forged = nearly(stated, place)
    assert model_version(forged) == model_version(stated)
    members = dict(released)
    NAMED[member](members, forged)
    if member != APPROVAL:  # as a forger would, who could approve
        approval = json.loads(members[APPROVAL])
        reviewed = {name: content for name, content in members.items() if name != APPROVAL}
        approval["evidence_sha256"] = archive.sha256(archive.pack(reviewed, ITEMS))
        members[APPROVAL] = json.dumps(approval).encode()

    with pytest.raises(EvidenceMismatch) as refused:
        verify(archive.pack(members, ITEMS), "release")
    assert refused.value.member == member


def test_a_service_refuses_a_stated_identity_that_only_people_would_take_for_the_same(small: TrainingRun) -> None:
    manifest: Manifest = copy.deepcopy(small.manifest)
    manifest["identity"] = nearly(manifest["identity"], 51)
    with pytest.raises(ArtifactCorrupt, match="identity"):
        artifact.opened(manifest, (small.directory / "model.joblib").read_bytes())
