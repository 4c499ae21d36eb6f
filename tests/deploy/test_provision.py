"""provision.sh when the stacks exist, do not exist, or cannot be read; CloudFormation's answers are made up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IMAGE_URI = "host/ccapproval-deploy@sha256:" + "a" * 64
# Records its calls, and answers with the status of each stack that STATUSES names; "throttled" is an error.
AWS = """#!{python}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["ASKED"], "a") as file:
    file.write(json.dumps(words) + "\\n")
if "describe-stacks" in words:
    name = words[words.index("--stack-name") + 1]
    status = json.loads(os.environ["STATUSES"]).get(name)
    if status in (None, "throttled"):
        sys.exit("Throttling: Rate exceeded" if status else f"Stack with id {{name}} does not exist")
    print(status)
elif "describe-log-groups" in words or "describe-repositories" in words:
    left = [left for left in json.loads(os.environ["LEFT"]) if left in " ".join(words)]
    if os.environ.get("LISTING") == "refused":
        sys.exit("AccessDenied: not you")
    if not left and "ecr" in words:
        sys.exit("RepositoryNotFoundException: no such repository")
    print("\\t".join(left))
"""


@dataclass
class Ended:
    """How a run ended: its exit status, its output, and the calls that change CloudFormation's stacks."""

    status: int
    told: str
    changes: list[list[str]]


def provision(directory: Path, statuses: dict[str, str], *left: str, **environ: str) -> Ended:
    """Run provision.sh beside a deploy.sh that has pushed an image, with programs that do nothing."""
    for name in ("scripts/provision.sh", "scripts/aws_cli.sh", "infra/registry.yaml", "infra/service.yaml"):
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, directory / name)
    pushed = json.dumps({"image_uri": IMAGE_URI, "architecture": "arm64"})
    programs = {
        # An image is pushed, and never released.
        "scripts/deploy.sh": f"#!/bin/sh\n[ \"$*\" = --push ] || exit 9\necho '{pushed}'\n",
        "bin/docker": "#!/bin/sh\n",
        "bin/aws": AWS.format(python=sys.executable),
    }
    (directory / "bin").mkdir()
    for name, text in programs.items():
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    environment = {
        "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
        "STATUSES": json.dumps(statuses),
        "ASKED": str(directory / "asked"),
        "LEFT": json.dumps(left),
        **environ,
    }
    done = subprocess.run(
        [directory / "scripts/provision.sh"], env=environment, capture_output=True, text=True, check=False
    )
    asked = [json.loads(line) for line in (directory / "asked").read_text().splitlines()]
    changes = [words for words in asked if words[1] in ("deploy", "delete-stack")]
    return Ended(done.returncode, done.stderr, changes)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_an_existing_stack_keeps_its_first_image(status: str, tmp_path: Path) -> None:
    # when
    ended = provision(tmp_path, {"ccapproval-registry": "CREATE_COMPLETE", "ccapproval": status})
    # then
    assert ended.status == 0, ended.told
    assert [words[1] for words in ended.changes] == ["deploy", "deploy"]
    assert "ImageUri" not in json.dumps(ended.changes)


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_a_new_stack_gets_the_image_that_was_pushed(status: str | None, tmp_path: Path) -> None:
    # when
    ended = provision(tmp_path, {} if status is None else {"ccapproval": status})
    # then
    assert ended.status == 0, ended.told
    assert [words[1] for words in ended.changes] == ["deploy", "deploy"]
    assert {f"ImageUri={IMAGE_URI}", "Architecture=arm64"} <= set(ended.changes[-1])


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_a_stack_whose_creation_failed_is_removed_and_created_again(status: str, tmp_path: Path) -> None:
    # when
    ended = provision(tmp_path, {"ccapproval-registry": status, "ccapproval": status})
    # then
    assert ended.status == 0, ended.told
    assert [(words[1], words[3]) for words in ended.changes] == [
        ("delete-stack", "ccapproval-registry"),
        ("deploy", "ccapproval-registry"),
        ("delete-stack", "ccapproval"),
        ("deploy", "ccapproval"),
    ]
    assert f"ImageUri={IMAGE_URI}" in ended.changes[-1]


def test_a_stack_that_cannot_be_read_is_not_mistaken_for_a_new_one(tmp_path: Path) -> None:
    # when
    ended = provision(tmp_path, {"ccapproval-registry": "CREATE_COMPLETE", "ccapproval": "throttled"})
    # then
    assert ended.status == 1
    assert "can't be read" in ended.told
    assert [words[3] for words in ended.changes] == ["ccapproval-registry"]


def test_what_a_deleted_stack_has_left_is_kept_and_not_created_again(tmp_path: Path) -> None:
    # when
    ended = provision(tmp_path, {}, "/aws/lambda/ccapproval", "ccapproval-deploy")
    # then
    assert ended.status == 0, ended.told
    registry, service = ended.changes
    assert "InferenceRepositoryExists=true" in registry
    assert "TrainingRepositoryExists=true" not in registry
    assert "LogGroupExists=true" in service
    assert "/aws/lambda/ccapproval is there already and is kept" in ended.told


def test_a_new_account_has_nothing_left(tmp_path: Path) -> None:
    ended = provision(tmp_path, {})

    assert "Exists=true" not in json.dumps(ended.changes)


def test_an_existing_stack_is_not_asked_what_it_has_left(tmp_path: Path) -> None:
    """Its own log group and repositories are there, and an update that said so would take them out of the stack."""
    left = ("/aws/lambda/ccapproval", "ccapproval-deploy")
    ended = provision(tmp_path, {"ccapproval-registry": "CREATE_COMPLETE", "ccapproval": "UPDATE_COMPLETE"}, *left)

    assert ended.status == 0, ended.told
    assert "Exists=true" not in json.dumps(ended.changes)


def test_what_cannot_be_listed_is_not_taken_for_gone(tmp_path: Path) -> None:
    ended = provision(tmp_path, {}, LISTING="refused")

    assert ended.status == 1
    assert "can't be listed" in ended.told
    assert ended.changes == []
