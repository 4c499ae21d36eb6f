"""Evidence is gathered, approved and verified; whatever is missing or contradicts the rest is named."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from operations.commands import main
from operations.evidence import archive
from operations.evidence.review import ITEMS
from tests.operations.conftest import APPROVED, JUNIT, PUSHED, TESTED_AT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.operations.conftest import Run

URI = f"registry.example/inference@{PUSHED['inference']}"


def _index(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as opened:
        index: dict[str, Any] = json.loads(opened.read("index.json"))
    return index


def test_complete_evidence_is_good_for_a_review(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    review = run.gather()

    assert main(["verify", str(review)]) == 0
    assert f"MODEL_VERSION={json.loads((run.root / 'artifacts/manifest.json').read_text())['model_version']}\n" in (
        capsys.readouterr().out
    )


def test_the_same_files_give_the_same_archive(run: Run) -> None:
    first = run.gather().read_bytes()

    assert run.gather().read_bytes() == first


def test_a_review_is_not_yet_a_release(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.verify(run.gather()) == 7
    assert "approval.json" in capsys.readouterr().err


def test_an_approval_makes_a_release(run: Run) -> None:
    review = run.gather().read_bytes()
    release = run.approve()

    with zipfile.ZipFile(release) as opened:
        approval = json.loads(opened.read("approval.json"))

    assert run.verify(release) == 0
    assert approval["by"] == "officer@bank.example"
    assert approval["evidence_sha256"] == hashlib.sha256(review).hexdigest()
    assert _index(release)["purpose"] == "release"


def test_the_variables_of_the_pipeline_are_appended_to_a_file(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("BEFORE=1\n")

    main(["verify", str(run.gather()), "--output", str(output)])

    told = dict(line.split("=") for line in output.read_text().splitlines())
    assert list(told) == ["BEFORE", "MODEL_VERSION", "IDENTITY", "IMAGE_URI", "EVIDENCE_SHA256"]
    assert told["IMAGE_URI"] == URI


@pytest.mark.parametrize(
    ("file", "member", "step"),
    [
        ("artifacts/manifest.json", "model/manifest.json", "review"),
        ("artifacts/model.joblib", "model/model.joblib", "review"),
        ("artifacts/metrics.json", "model/metrics.json", "review"),
        ("artifacts/alternatives.json", "model/alternatives.json", "review"),
        ("artifacts/gate.json", "model/gate.json", "review"),
        ("artifacts/model_metrics.html", "model/model_metrics.html", "review"),
        ("limits.json", "model/limits.json", "review"),
        ("model_gate.rego", "policies/model_gate.rego", "review"),
        ("report.xml", "tests/notebook.xml", "review"),
        ("images/training.json", "images/training.json", "review"),
        ("images/training.cdx.json", "images/training.cdx.json", "review"),
        ("images/inference.json", "images/inference.json", "review"),
        ("images/inference.cdx.json", "images/inference.cdx.json", "review"),
        ("images/training.scan.json", "images/training.scan.json", "release"),
        ("images/inference.scan.json", "images/inference.scan.json", "release"),
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


SCANS = ("images/training.scan.json", "images/inference.scan.json")


@pytest.mark.parametrize("lacking", [SCANS, SCANS[:1], SCANS[1:]], ids=["none", "inference only", "training only"])
def test_a_release_needs_both_scans(run: Run, lacking: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for scan in lacking:
        (run.root / scan).unlink()
    review, release = run.gather(), run.root / "release.zip"

    assert main(["verify", str(review)]) == 0
    assert main(["approve", str(review), *APPROVED, "--out", str(release)]) == 7
    assert "--without-scans" in capsys.readouterr().err
    assert not release.exists()


def test_an_approval_may_say_why_there_is_no_scan(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for scan in SCANS:
        (run.root / scan).unlink()
    release = run.approve("--without-scans", "the local cloud has no scanner")

    assert run.verify(release) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[-5:-3] == [f'{scan}: none; approved without it: "the local cloud has no scanner"' for scan in SCANS]


def test_an_approval_without_scans_does_not_excuse_a_scan_of_another_image(run: Run) -> None:
    run.edit(SCANS[1], digest=f"sha256:{'0' * 64}")
    flags = [*APPROVED, "--without-scans", "not scanned", "--out", str(run.root / "release.zip")]

    assert main(["approve", str(run.gather()), *flags]) == 8


def test_findings_are_shown_to_whoever_verifies(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.edit(SCANS[0], counts={"CRITICAL": 2, "HIGH": 0, "LOW": 7})
    run.edit(SCANS[1], counts={}, findings=[])

    assert main(["verify", str(run.gather())]) == 0
    told = capsys.readouterr().err
    assert f"{SCANS[0]}: CRITICAL=2 HIGH=0 LOW=7\n" in told
    assert f"{SCANS[1]}: no findings\n" in told


@pytest.mark.parametrize("when", ["", "2020-01-01T08:00:00"], ids=["not said", "in no time zone"])
def test_tests_that_do_not_say_when_they_ran_are_pointed_out(
    run: Run, when: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.root / "report.xml").write_text(JUNIT.replace(TESTED_AT, when))

    assert main(["verify", str(run.gather())]) == 0
    assert "tests/notebook.xml: does not say when the tests ran" in capsys.readouterr().err


LOCAL = f"127.0.0.1:4566/inference@{PUSHED['inference']}"
OTHER = f"registry.example/inference@sha256:{'c' * 64}"


@pytest.mark.parametrize(
    ("image", "digests", "chosen"),
    [
        pytest.param("inference:latest", [URI], URI, id="the only one"),
        pytest.param("inference:latest", [LOCAL, URI], LOCAL, id="the first of several that agree"),
        pytest.param("registry.example/inference:tag", [LOCAL, URI], URI, id="of the repository it was named by"),
        pytest.param(URI, [OTHER, LOCAL, URI], URI, id="the one it was named by"),
        pytest.param("inference:latest", [f"inference@{PUSHED['training']}", URI], URI, id="no local name"),
    ],
)
def test_the_image_to_release_is_the_one_that_was_pushed(
    run: Run, image: str, digests: list[str], chosen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run.edit("images/inference.json", image=image, digests=digests)
    run.edit("release.json", registries=["registry.example", "127.0.0.1:4566"])
    release = run.approve()

    assert run.verify(release) == 0
    assert f"IMAGE_URI={chosen}" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("digests", [[], [f"inference@{PUSHED['inference']}"]], ids=["no digest", "local name only"])
def test_an_image_in_no_registry_is_reviewed_but_not_released(
    run: Run, digests: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run.edit("images/inference.json", digests=digests)
    (run.root / SCANS[1]).unlink()
    review, release = run.gather(), run.root / "release.zip"

    assert main(["verify", str(review)]) == 0
    assert "images/inference.json: not in a registry yet" in capsys.readouterr().err
    assert main(["approve", str(review), *APPROVED, "--without-scans", "not pushed", "--out", str(release)]) == 8
    assert not release.exists()


def _reapproved(run: Run, **changes: Any) -> Path:
    """A release whose approval was altered, with everything else recomputed to fit it."""
    members = archive.unpack(run.approve().read_bytes(), ITEMS)
    record = json.loads(members["approval.json"]) | changes
    members["approval.json"] = json.dumps({key: value for key, value in record.items() if value is not None}).encode()
    forged = run.root / "forged.zip"
    forged.write_bytes(archive.pack(members, ITEMS))
    return forged


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decision": "rejected"}, "does not say approved"),
        ({"decision": None}, "not an approval record"),
        ({"by": " "}, "does not say who"),
        ({"by": 5}, "by is missing, or is not text"),
        ({"at": 5}, "at is missing, or is not text"),
        ({"comment": ["agreed"]}, "comment is missing, or is not text"),
        ({"without_scans": "null"}, "why no scan is needed"),
        ({"at": "2020-01-01T08:59:59+00:00"}, "before the model was trained"),
        ({"at": "2020-01-01T10:00:00+01:30"}, "before the model was trained"),
        ({"at": "9999-01-01T00:00:00+00:00"}, "in the future"),
        ({"at": "2020-01-02"}, "does not say when"),
        ({"at": "yesterday"}, "does not say when"),
        ({"evidence_sha256": "0" * 64}, "other evidence"),
        ({"identity": "other"}, "another model"),
        ({"surprise": "1"}, "not an approval record"),
    ],
    ids=str,
)
def test_an_invalid_approval_is_named(
    run: Run, changes: dict[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = _reapproved(run, **changes)

    assert run.verify(forged) == 8
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--by", ""),
        ("--by", "null"),
        ("--by", "None"),
        ("--by", "<+pipeline.stages.Approve.output.approvalActivities[0].user.email>"),
        ("--by", "officer\n"),
        ("--at", "2020-01-02"),
        ("--at", "soon"),
        ("--at", "2019-12-31T00:00:00+00:00"),
        ("--at", "9999-12-31T00:00:00+00:00"),
        ("--without-scans", "<+input>"),
    ],
)
def test_an_invalid_approval_is_not_written(run: Run, flag: str, value: str) -> None:
    review, release = run.gather(), run.root / "release.zip"

    assert main(["approve", str(review), *APPROVED, flag, value, "--out", str(release)]) == 1
    assert not release.exists()


def test_a_comment_that_is_not_valid_unicode_is_recorded_with_question_marks(run: Run) -> None:
    release = run.approve("--comment", "agr\udcffed")

    assert json.loads(archive.unpack(release.read_bytes(), ITEMS)["approval.json"])["comment"] == "agr?ed"


def test_a_release_is_not_approved_twice(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["approve", str(run.approve()), *APPROVED, "--out", str(run.root / "again.zip")]) == 8
    assert "has been approved already" in capsys.readouterr().err


def test_a_missing_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "none.zip")]) == 1
    assert "No such file" in capsys.readouterr().err


def test_an_unreadable_file_is_not_mistaken_for_a_missing_one(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (run.root / "bench.json").unlink()
    (run.root / "bench.json").mkdir()

    assert main(["evidence", *run.arguments]) == 1
    assert "bench.json: Is a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("report.xml", "pytest --nbval-lax credit_card_approval.ipynb --junitxml=report.xml"),
        ("images/training.cdx.json", "make images"),
        ("artifacts/model.joblib", "make run"),
        ("artifacts/alternatives.json", "python -m model alternatives"),
    ],
)
def test_what_is_missing_names_the_command_that_makes_it(
    run: Run, file: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.root / file).unlink()

    assert main(["evidence", *run.arguments]) == 7
    assert f"\n  {command}\n" in capsys.readouterr().err
