"""Checks on the release in the Harness pipeline: who may approve it, with whose rights it runs, and its rollback."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.pipeline.harness import pipeline, step_named, steps, strings, triggers

if TYPE_CHECKING:
    from pathlib import Path

STAGES = [entry["stage"] for entry in pipeline()["stages"]]
STEPS = steps()


def test_only_a_release_that_moved_live_and_failed_afterwards_is_rolled_back() -> None:
    moved = "<+execution.steps.Deploy_Model.output.outputVariables.MOVED>"

    assert step_named("Roll_Back").when == {
        "stageStatus": "Failure",
        "condition": f'<+execution.steps.Deploy_Model.status> == "SUCCEEDED" && {moved} == "yes"',
    }
    assert "MOVED" in step_named("Deploy_Model").outputs


@pytest.mark.parametrize(
    ("deployed", "told"),
    [
        pytest.param('echo \'{"status": "live", "moved": "yes"}\'', "yes", id="moved live"),
        pytest.param('echo \'{"status": "live"}\'', "no", id="found live there already"),
        pytest.param('echo \'{"status": "stopped"}\'; exit 1', "", id="stopped"),
    ],
)
def test_a_deploy_says_whether_it_moved_live(deployed: str, told: str, tmp_path: Path) -> None:
    for name, content in {"aws": "", "docker": "cat >/dev/null", "scripts/deploy.sh": deployed}.items():
        _program(tmp_path / name, content)
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "build").mkdir()
    step = step_named("Deploy_Model")

    done = _run(f"{step.spec['command']}\nprintenv MOVED >moved", step.environment, tmp_path)

    moved = (tmp_path / "moved").read_text(encoding="utf-8") if (tmp_path / "moved").exists() else ""
    assert (done.returncode == 0, moved.strip()) == (told != "", told)


def test_whoever_starts_a_run_chooses_neither_its_stages_nor_its_branch() -> None:
    whole = pipeline()
    after = [stage["identifier"] for stage in STAGES].index("Deploy_Model") + 1
    conditions = [stage["when"].get("condition") for stage in STAGES]

    assert whole["allowStageExecutions"] is False
    assert whole["properties"]["ci"]["codebase"]["build"] == {"type": "branch", "spec": {"branch": "main"}}
    assert set(conditions[:after]) == {'<+pipeline.variables.monitor_only> != "true"'}
    assert set(conditions[after:]) == {None}


@pytest.mark.parametrize(("status", "recorded"), [("SUCCEEDED", True), ("SKIPPED", False), ("null", False)])
def test_an_approval_that_was_not_given_is_not_recorded(status: str, recorded: bool, tmp_path: Path) -> None:
    for program in ("aws", "make", "sha256sum", ".venv/bin/python"):
        _program(tmp_path / program, "cat >/dev/null; touch called")
    step = step_named("Record_Approval")

    done = _run(step.spec["command"], {**step.environment, "APPROVAL_STATUS": status}, tmp_path)

    assert (done.returncode == 0, (tmp_path / "called").exists()) == (recorded, recorded)


def test_the_deployer_s_credentials_are_used_only_after_the_approval() -> None:
    for step in STEPS:
        secrets = set(re.findall(r'secrets\.getValue\("(\w+)"\)', " ".join(strings(step.spec))))
        deployer = {name for name in secrets if name.startswith("aws_deploy_")}
        approver = {name for name in secrets if name.startswith("aws_approve_")}
        approves = step.identifier == "Record_Approval"

        assert deployer == (secrets if step.stage == "Deploy_Model" and not approves else set()), step.identifier
        assert approver == (secrets if approves else set()), step.identifier


def test_training_gets_no_credentials_and_nothing_it_could_change() -> None:
    for name in ("Train", "pytest"):
        step = step_named(name)

        assert "scripts/train_isolated.sh" in step.spec["command"]
        assert "image" not in step.spec
        assert not [text for text in strings(step.spec) if "secrets." in text]


def test_what_a_person_wrote_is_never_taken_for_an_option() -> None:
    command = step_named("Record_Approval").spec["command"]

    assert set(re.findall(r'--(by|comment|reference)="\$', command)) == {"by", "comment", "reference"}


def test_whoever_starts_a_run_does_not_approve_it() -> None:
    (step,) = (step for step in STEPS if step.type == "HarnessApproval")

    assert step.spec["approvers"]["disallowPipelineExecutor"] is True
    assert step.spec["approvers"]["minimumCount"] >= 1


def test_only_the_daily_trigger_monitors_and_does_nothing_else() -> None:
    given = {name: yaml.safe_load(trigger["inputYaml"])["pipeline"] for name, trigger in triggers().items()}
    monitor_only = {
        name: variable["value"]
        for name, inputs in given.items()
        for variable in inputs["variables"]
        if variable["name"] == "monitor_only"
    }

    assert monitor_only == {
        "trigger_monitor.yaml": "true",
        "trigger_push.yaml": "false",
        "trigger_retrain.yaml": "false",
    }


def _program(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n", encoding="utf-8")
    path.chmod(0o755)


def _run(command: str, environment: dict[str, str], directory: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a directory whose programs take precedence over the machine's."""
    words = ["bash", "-c", command]
    given = environment | {"PATH": f"{directory}:/usr/bin:/bin"}
    return subprocess.run(words, cwd=directory, env=given, stdin=subprocess.DEVNULL, check=False)
