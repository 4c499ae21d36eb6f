"""Evidence is gathered, approved and verified; what is missing or contradicts is named."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from operations.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.operations.conftest import Run

APPROVAL = ["--by", "officer@bank.example", "--at", "2026-01-02T09:00:00+00:00", "--reference", "run 17"]


def _gathered(run: Run) -> Path:
    assert main(["evidence", *run.arguments]) == 0
    return run.root / "review.zip"


def _approved(run: Run) -> Path:
    release = run.root / "release.zip"
    assert main(["approve", str(_gathered(run)), *APPROVAL, "--out", str(release)]) == 0
    return release


def _index(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        index: dict[str, Any] = json.loads(archive.read("index.json"))
    return index


def test_complete_evidence_is_good_for_a_review(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    review = _gathered(run)

    assert main(["verify", str(review)]) == 0
    assert f"MODEL_VERSION={json.loads((run.root / 'artifacts/manifest.json').read_text())['model_version']}\n" in (
        capsys.readouterr().out
    )


def test_the_same_files_give_the_same_archive(run: Run) -> None:
    first = _gathered(run).read_bytes()

    assert _gathered(run).read_bytes() == first


def test_a_review_is_not_yet_a_release(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--purpose", "release", str(_gathered(run))]) == 7
    assert "approval.json" in capsys.readouterr().err


def test_an_approval_makes_a_release(run: Run) -> None:
    review = _gathered(run).read_bytes()
    release = _approved(run)

    with zipfile.ZipFile(release) as archive:
        approval = json.loads(archive.read("approval.json"))

    assert main(["verify", "--purpose", "release", str(release)]) == 0
    assert approval["by"] == "officer@bank.example"
    assert approval["evidence_sha256"] == hashlib.sha256(review).hexdigest()
    assert _index(release)["purpose"] == "release"


def test_the_variables_of_the_pipeline_are_appended_to_a_file(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("BEFORE=1\n")

    main(["verify", str(_gathered(run)), "--output", str(output)])

    told = dict(line.split("=") for line in output.read_text().splitlines())
    assert list(told) == ["BEFORE", "MODEL_VERSION", "IMAGE_URI"]
    assert told["IMAGE_URI"] == "registry/ccapproval-deploy@sha256:inference"


@pytest.mark.parametrize(
    ("file", "member", "step"),
    [
        ("artifacts/manifest.json", "model/manifest.json", "review"),
        ("artifacts/model.joblib", "model/model.joblib", "review"),
        ("artifacts/metrics.json", "model/metrics.json", "review"),
        ("artifacts/gate.json", "model/gate.json", "review"),
        ("artifacts/model_metrics.html", "model/model_metrics.html", "review"),
        ("report.xml", "tests/notebook.xml", "review"),
        ("images/training.json", "images/training.json", "review"),
        ("images/training.cdx.json", "images/training.cdx.json", "review"),
        ("images/inference.json", "images/inference.json", "review"),
        ("images/inference.cdx.json", "images/inference.cdx.json", "review"),
        ("bench.json", "benchmarks/results.json", "nothing"),
    ],
)
def test_what_is_missing_is_listed_with_whether_it_is_needed(
    run: Run, file: str, member: str, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.root / file).unlink()

    code = main(["evidence", *run.arguments])

    missing = {entry["name"]: entry["required_for"] for entry in _index(run.root / "review.zip")["missing"]}
    assert missing[member] == step
    assert member in capsys.readouterr().err
    assert code == (7 if step == "review" else 0)
    assert main(["verify", str(run.root / "review.zip")]) == code


def _other_model(run: Run) -> None:
    (run.root / "artifacts/model.joblib").write_bytes(b"another model")


def _other_tests(report: str) -> Callable[[Run], None]:
    def change(run: Run) -> None:
        (run.root / "report.xml").write_text(report)

    return change


def _edit(name: str, **changes: Any) -> Callable[[Run], None]:
    return lambda run: run.edit(name, **changes)


MANIFEST, METRICS, GATE = "artifacts/manifest.json", "artifacts/metrics.json", "artifacts/gate.json"
DENIED = {"passed": False, "denials": [{"rule": "accuracy", "message": "too low"}]}


@pytest.mark.parametrize(
    ("change", "member"),
    [
        pytest.param(_other_model, "model/model.joblib", id="another model"),
        pytest.param(_edit(MANIFEST, threshold=0.4), "model/manifest.json", id="another cut-off"),
        pytest.param(_edit(MANIFEST, digest=None), "model/manifest.json", id="no digest"),
        pytest.param(
            _edit(MANIFEST, parity={"rows": 9, "different_decisions": 1}),
            "model/manifest.json",
            id="decides otherwise than the pipeline",
        ),
        pytest.param(
            _edit(MANIFEST, parity={"rows": 0, "different_decisions": 0}), "model/manifest.json", id="parity of no row"
        ),
        pytest.param(_edit(MANIFEST, parity=None), "model/manifest.json", id="parity not checked"),
        pytest.param(_edit(MANIFEST, metrics={}), "model/gate.json", id="no metrics"),
        pytest.param(_edit(MANIFEST, gate=DENIED), "model/gate.json", id="gate denied in the manifest alone"),
        pytest.param(_edit(GATE, decision=DENIED), "model/gate.json", id="gate denied"),
        pytest.param(_edit(GATE, decision={"passed": True}), "model/gate.json", id="gate decided otherwise"),
        pytest.param(_edit(GATE, input={"model_version": "other"}), "model/gate.json", id="gate asked otherwise"),
        pytest.param(_edit(GATE, input=None), "model/gate.json", id="gate not asked"),
        pytest.param(_edit(METRICS, scorecard={"accuracy": 0.99}), "model/metrics.json", id="better accuracy"),
        pytest.param(_edit(METRICS, scorecard=None), "model/metrics.json", id="no accuracy"),
        pytest.param(_edit(METRICS, threshold=0.6), "model/metrics.json", id="figures at another cut-off"),
        pytest.param(
            _other_tests('<testsuite tests="3" failures="1" errors="0"/>'), "tests/notebook.xml", id="a test failed"
        ),
        pytest.param(
            _other_tests('<testsuite tests="3" failures="0" errors="1"/>'), "tests/notebook.xml", id="a test broke"
        ),
        pytest.param(_other_tests('<testsuite tests="0"/>'), "tests/notebook.xml", id="no test ran"),
        pytest.param(_other_tests("<testsuite"), "tests/notebook.xml", id="no report"),
        pytest.param(
            _edit("images/inference.json", model_version="other"), "images/inference.json", id="image of another model"
        ),
        pytest.param(
            _edit("images/inference.json", id="sha256:other"), "images/inference.cdx.json", id="bill of another image"
        ),
        pytest.param(_edit("images/training.cdx.json", components=[]), "images/training.cdx.json", id="an empty bill"),
    ],
)
def test_members_that_contradict_are_named(
    run: Run, change: Callable[[Run], None], member: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(run)
    review = _gathered(run)

    assert main(["verify", str(review)]) == 8
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"verify: {member}: ")
    assert main(["approve", str(review), *APPROVAL, "--out", str(run.root / "release.zip")]) == 8
    assert not (run.root / "release.zip").exists()


def _reapproved(run: Run, **changes: str) -> Path:
    """A release whose approval was altered, and everything else computed anew to fit it."""
    from operations import archive
    from operations.evidence import ITEMS

    members = archive.unpack(_approved(run).read_bytes(), ITEMS)
    members["approval.json"] = json.dumps(json.loads(members["approval.json"]) | changes).encode()
    forged = run.root / "forged.zip"
    forged.write_bytes(archive.pack(members, ITEMS))
    return forged


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decision": "rejected"}, "does not say approved"),
        ({"by": " "}, "does not say who"),
        ({"at": "2026-01-02"}, "does not say when"),
        ({"at": "yesterday"}, "does not say when"),
        ({"evidence_sha256": "0" * 64}, "other evidence"),
        ({"model_version": "other"}, "another model version"),
        ({"surprise": "1"}, "not an approval record"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_approval_that_does_not_hold_is_named(
    run: Run, changes: dict[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = _reapproved(run, **changes)

    assert main(["verify", "--purpose", "release", str(forged)]) == 8
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(("flag", "value"), [("--by", ""), ("--at", "2026-01-02"), ("--at", "soon")])
def test_an_approval_without_who_and_when_is_not_written(run: Run, flag: str, value: str) -> None:
    review, release = _gathered(run), run.root / "release.zip"

    assert main(["approve", str(review), *APPROVAL, flag, value, "--out", str(release)]) == 1
    assert not release.exists()


def test_a_release_is_not_approved_twice(run: Run) -> None:
    assert main(["approve", str(_approved(run)), *APPROVAL, "--out", str(run.root / "again.zip")]) == 8


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "none.zip")]) == 1
    assert "No such file" in capsys.readouterr().err
