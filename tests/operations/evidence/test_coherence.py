"""Members that contradict each other are named, whatever shape they are in."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.commands import main
from operations.errors import EvidenceIncomplete, EvidenceMismatch
from operations.evidence import archive
from operations.evidence.images import pushed_image
from operations.evidence.review import ITEMS, remarks, verify
from tests.operations.conftest import APPROVED, CHAMPION, JUNIT, PUSHED, TESTED_AT, Run, write_run

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[Run], None]


def _written(name: str, content: str) -> Change:
    def change(run: Run) -> None:
        (run.root / name).write_text(content)

    return change


def _junit(old: str, new: str) -> Change:
    assert old in JUNIT
    return _written("report.xml", JUNIT.replace(old, new))


def _report_without(key: str) -> Change:
    def change(run: Run) -> None:
        report = run.root / "artifacts/model_metrics.html"
        report.write_text(report.read_text().replace(run.read(MANIFEST)[key], "other"))

    return change


def _edit(name: str, **changes: Any) -> Change:
    return lambda run: run.edit(name, **changes)


def _edit_input(**changes: Any) -> Change:
    return lambda run: run.edit(GATE, input=run.read(GATE)["input"] | changes)


def _edit_input_without(key: str) -> Change:
    def change(run: Run) -> None:
        run.edit(GATE, input={name: value for name, value in run.read(GATE)["input"].items() if name != key})

    return change


def _compared(**arguments: Any) -> Change:
    return lambda run: run.compare(**arguments)


def _denied_in_both(run: Run) -> None:
    run.edit(MANIFEST, gate=DENIED)
    run.edit(GATE, decision=DENIED)


def _monotonicity_in_neither(run: Run) -> None:
    run.edit(MANIFEST, monotonicity=None)
    asked = run.read(GATE)["input"]
    del asked["monotonicity"]
    run.edit(GATE, input=asked)


MANIFEST, METRICS, GATE = "artifacts/manifest.json", "artifacts/metrics.json", "artifacts/gate.json"
COMPARISON = "artifacts/comparison.json"
SCAN, IMAGE, BILL = "images/inference.scan.json", "images/inference.json", "images/inference.cdx.json"
DENIED = {"passed": False, "denials": [{"rule": "accuracy", "message": "too low"}]}
PASSING = '<testcase classname="credit_card_approval.ipynb" name="Cell 0"><system-out>well</system-out></testcase>'
WELL, URI = "<system-out>well</system-out>", f"registry.example/inference@{PUSHED['inference']}"
OTHER = f"registry.example/inference@sha256:{'c' * 64}"


# Changes, grouped by the member that must then be named.
CHANGES: dict[str, dict[str, Change]] = {
    "model/model.joblib": {"another model": _written("artifacts/model.joblib", "other")},
    "model/manifest.json": {
        "another cut-off": _edit(MANIFEST, threshold=0.4),
        "no digest": _edit(MANIFEST, digest=None),
        "no contract": _edit(MANIFEST, contract=None),
        "trained who knows when": _edit(MANIFEST, trained_at="2020-01-01"),
        "other decisions than the pipeline's": _edit(MANIFEST, parity={"rows": 9, "different_decisions": 1}),
        "parity of no row": _edit(MANIFEST, parity={"rows": 0, "different_decisions": 0}),
        "parity that says false": _edit(MANIFEST, parity={"rows": 9, "different_decisions": False}),
        "parity not checked": _edit(MANIFEST, parity=None),
        "monotonicity not checked": _monotonicity_in_neither,
    },
    "model/gate.json": {
        "no metrics": _edit(MANIFEST, metrics={}),
        "another monotonicity": _edit(MANIFEST, monotonicity={"pairs": 9}),
        "other leakage": _edit(MANIFEST, leakage={"copied_share": 0.9}),
        "other reasons": _edit(MANIFEST, explained={"denials": 9, "without_reason": 1}),
        "a reason for no groups": _edit_input(no_sensitive_reason="No need."),
        "gate denied": _denied_in_both,
        "gate denied, by the manifest": _edit(MANIFEST, gate=DENIED),
        "gate denied, but not in the manifest": _edit(GATE, decision=DENIED),
        "gate decided otherwise": _edit(GATE, decision={"passed": True}),
        "gate asked of another model": _edit_input(identity="other"),
        "gate asked of better metrics": _edit_input(metrics={"accuracy": 0.99}),
        "gate asked in other types": _edit_input(parity={"rows": 100.0, "different_decisions": False}),
        "gate asked with low limits": _edit_input(limits={"minimum_accuracy": 0.5}),
        "gate asked more": _edit_input(more=1),
        "gate asked less": _edit(GATE, input={"model_version": "other"}),
        "gate asked without a contract": _edit_input_without("contract"),
        "gate asked without an age": _edit_input_without("data_age_days"),
        "gate not asked": _edit(GATE, input=None),
        "stricter limits": _edit("limits.json", minimum_accuracy=0.95),
    },
    "policies/model_gate.rego": {"another policy": _written("model_gate.rego", "package other")},
    "model/metrics.json": {
        "better accuracy": _edit(METRICS, scorecard={"accuracy": 0.99}),
        "no accuracy": _edit(METRICS, scorecard=None),
        "figures at another cut-off": _edit(METRICS, threshold=0.6),
    },
    "model/alternatives.json": {
        "alternatives to another model": _edit("artifacts/alternatives.json", identity="other"),
        "alternatives to no model": _written("artifacts/alternatives.json", "{}"),
    },
    "model/model_metrics.html": {
        "report of another model": _report_without("identity"),
        "report of other bytes": _report_without("digest"),
        "report of another commit": _edit(MANIFEST, git_commit="fff"),
        "report of other data": _edit(MANIFEST, data={"digest": "fff"}),
    },
    "model/comparison.json": {
        "compared with none": _written(COMPARISON, "{}"),
        "not compared": _edit_input(champion=CHAMPION),
        "comparison of another model": _compared(model="other"),
        "comparison with other differences": _compared(differences=CHAMPION | {"gap": -0.1}),
    },
    "model/comparison.html": {
        "a page about no comparison": _written("artifacts/comparison.html", ""),
        "a page about another champion": _compared(page="{version} against another"),
        "a page about another model": _compared(page="against champion"),
    },
    "tests/notebook.xml": {
        "a test failed, by the count": _junit('failures="0"', 'failures="1"'),
        "a test broke, by the count": _junit('errors="0"', 'errors="1"'),
        "a test failed": _junit(WELL, f"{WELL}<failure/>"),
        "a skipped test broke": _junit("<skipped/>", "<error/>"),
        "every test skipped": _junit(WELL, "<skipped/>"),
        "a failure by another name": _junit(WELL, '<n:failure xmlns:n="n"/>'),
        "a test that is counted but not there": _junit(PASSING, ""),
        "tests of before": _junit(TESTED_AT, "2020-01-01T08:59:59+00:00"),
        "tests of before, elsewhere": _junit(TESTED_AT, "2020-01-01T10:05:00+02:00"),
        "a count in words": _junit('errors="0"', 'errors="none"'),
        "no report": _written("report.xml", "<testsuite"),
        "a report in no encoding": _written("report.xml", '<?xml version="1.0" encoding="none"?><testsuite/>'),
    },
    IMAGE: {
        "image of another model": _edit(IMAGE, identity="other"),
        "digests that are no list": _edit(IMAGE, digests=URI),
        "a digest of two lines": _edit(IMAGE, digests=[f"a.b/c\nX=1@{PUSHED['inference']}"]),
        "a digest that is an option": _edit(IMAGE, digests=[f"--a.b/c@{PUSHED['inference']}"]),
        "two digests": _edit(IMAGE, digests=[URI, OTHER]),
    },
    BILL: {
        "bill of another image": _edit(IMAGE, id="sha256:other"),
        "a bill of nothing": _edit(BILL, metadata=[]),
        "an empty bill": _edit(BILL, components=[]),
    },
    SCAN: {
        "another image's scan": _edit(SCAN, digest=PUSHED["training"], counts={"CRITICAL": 99}),
        "a scan of who knows what": _edit(SCAN, digest=None),
        "a scan that failed": _edit(SCAN, status="FAILED"),
        "counts that are no numbers": _edit(SCAN, counts={"HIGH": "none"}),
        "counts below nothing": _edit(SCAN, counts={"HIGH": -1, "LOW": 2}),
        "counts of no severity": _edit(SCAN, counts={"LOW=0\nHIGH": 1}),
        "findings that are not counted": _edit(SCAN, counts={}),
        "a scan that is not JSON": _written(SCAN, "nothing found"),
    },
    "benchmarks/results.json": {"benchmarks that are not JSON": _written("bench.json", "fast")},
}


@pytest.mark.parametrize(
    ("change", "member"),
    [pytest.param(change, member, id=name) for member, changes in CHANGES.items() for name, change in changes.items()],
)
def test_members_that_contradict_are_named(
    run: Run, change: Change, member: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(run)
    review = run.gather()

    assert main(["verify", str(review)]) == 8
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"verify: {member}: ")
    assert main(["approve", str(review), *APPROVED, "--out", str(run.root / "release.zip")]) == 8
    assert not (run.root / "release.zip").exists()


def _claims(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Change what a statement of provenance says of the build."""
    return lambda found: found["predicate"]["buildDefinition"].update(changes)


PROVENANCES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "of another image": lambda found: found["subject"][0]["digest"].update(sha256="c" * 64),
    "of two images": lambda found: found["subject"].append(found["subject"][0]),
    "of another commit": lambda found: found["predicate"]["buildDefinition"]["resolvedDependencies"][0].update(
        digest={"gitCommit": "f" * 40}
    ),
    "of another base": lambda found: found["predicate"]["buildDefinition"]["resolvedDependencies"][1].update(name="b"),
    "of another model": _claims(externalParameters={"model": "other"}),
    "of another builder's kind": _claims(buildType="other"),
    "of nothing": _claims(resolvedDependencies=None),
    "of another kind": lambda found: found.update(predicateType="other"),
    "no statement": lambda found: found.clear(),
}


@pytest.mark.parametrize("forgery", PROVENANCES)
def test_a_provenance_that_does_not_fit_is_named(sound: dict[str, bytes], forgery: str) -> None:
    member = "images/inference.provenance.json"
    document = json.loads(sound[member])
    PROVENANCES[forgery](document)

    assert _judge(_resealed(sound, member, json.dumps(document).encode())) == member


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of a sound release, of a model that was compared with the one in service."""
    run = write_run(tmp_path_factory.mktemp("sound"))
    _compared()(run)
    return archive.unpack(run.approve().read_bytes(), ITEMS)


def _resealed(members: dict[str, bytes], member: str, content: bytes) -> bytes:
    """An archive with one member replaced, and every checksum recomputed, the approval's too."""
    members = members | {member: content}
    if member != archive.APPROVAL:
        reviewed = {name: data for name, data in members.items() if name != archive.APPROVAL}
        approval = json.loads(members[archive.APPROVAL])
        approval["evidence_sha256"] = archive.sha256(archive.pack(reviewed, ITEMS))
        members[archive.APPROVAL] = json.dumps(approval).encode()
    return archive.pack(members, ITEMS)


def _judge(content: bytes) -> str:
    """The member at fault in an archive, or ""; any error other than evidence's own fails the test."""
    try:
        members = verify(content, "release")
    except EvidenceMismatch as mismatch:
        return mismatch.member
    except EvidenceIncomplete as incomplete:
        return incomplete.missing[0]
    assert remarks(members)
    assert pushed_image(members)
    return ""


def _places(value: object, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(way for key, child in inside for way in _places(child, (*before, key)))]


def _put(document: Any, way: tuple[str | int, ...], value: object) -> Any:
    if not way:
        return value
    changed = copy.deepcopy(document)
    at = changed
    for key in way[:-1]:
        at = at[key]
    at[way[-1]] = value
    return changed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("9999-12-31T00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = sorted(item.member for item in ITEMS if item.member.endswith(".json"))


@pytest.mark.parametrize("member", MEMBERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_json_a_member_holds_verify_ends_in_a_verdict(
    sound: dict[str, bytes], member: str, data: st.DataObject
) -> None:
    document = json.loads(sound[member])
    way = data.draw(st.sampled_from(_places(document)))
    changed = json.dumps(_put(document, way, data.draw(JSON))).encode()

    assert _judge(_resealed(sound, member, changed)) in {"", *sound}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="a bomb"),
        pytest.param(b'{"a":' * 60 + b"1" + b"}" * 60, id="deeply nested"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="a huge number"),
        pytest.param(b'{"by": "a", "by": "b"}', id="a key twice"),
    ],
)
@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_that_is_not_a_plain_json_object_is_named(
    sound: dict[str, bytes], member: str, content: bytes
) -> None:
    assert _judge(_resealed(sound, member, content)) == member


def test_an_untouched_release_is_verified(sound: dict[str, bytes]) -> None:
    assert _judge(_resealed(sound, "model/manifest.json", sound["model/manifest.json"])) == ""
