"""Checks on the text of the GitHub workflows, and that they do the same as the Harness pipeline."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.pipeline.harness import ROOT, steps, triggers

WORKFLOWS = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / ".github/workflows").glob("*.yml"))
}
JOBS = {f"{name}: {key}": job for name, workflow in WORKFLOWS.items() for key, job in workflow["jobs"].items()}
STEPS = {f"{name}, step {place}": step for name, job in JOBS.items() for place, step in enumerate(job["steps"])}
# What a run of a workflow calls: our programs, and AWS.
CALLS = re.compile(
    r"-m operations [\w-]+|scripts/deploy\.sh(?: --\w+| .\$@.)?|train --alternatives .\$@.|aws lambda \w+"
    r"|pytest --nbval-lax \S+|--(?:champion|data|dated)\b|aws s3 cp --no-progress .\$DATA_URI."
)


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_no_value_is_written_into_a_command(step: dict[str, Any]) -> None:
    assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_an_action_is_pinned_to_a_commit(step: dict[str, Any]) -> None:
    assert ("uses" in step) is not ("run" in step)
    assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])


def test_an_action_s_version_stands_beside_its_commit_and_is_the_same_everywhere() -> None:
    files = [*(ROOT / ".github/workflows").glob("*.yml"), *(ROOT / ".harness").glob("pipeline*.yaml")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", text, re.MULTILINE))

    assert len(re.findall(r"uses: ", text)) == len(re.findall(r"uses: \S+@[0-9a-f]{40} # v[\d.]+$", text, re.MULTILINE))
    assert len(named) == len({action for action, _, _ in named})


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_checkout_leaves_no_token_behind(step: dict[str, Any]) -> None:
    assert "checkout" not in step.get("uses", "") or step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS.keys())
def test_a_workflow_may_only_read(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS.keys())
def test_a_job_may_write_nothing_but_its_identity(job: dict[str, Any]) -> None:
    written = {name for name, right in job.get("permissions", {}).items() if right == "write"}

    assert written <= {"id-token"}
    assert job["timeout-minutes"] > 0


def test_pull_requests_of_strangers_get_no_credentials() -> None:
    # YAML reads the key `on` as true.
    started = {name: set(workflow[True]) for name, workflow in WORKFLOWS.items()}

    assert not any("pull_request_target" in events for events in started.values())
    assert [name for name, events in started.items() if "pull_request" in events] == ["ci.yml"]
    assert "id-token" not in str(WORKFLOWS["ci.yml"])


def test_traffic_waits_for_the_environment_s_reviewers() -> None:
    approve, deploy = (WORKFLOWS["release.yml"]["jobs"][name] for name in ("approve", "deploy"))

    assert (approve["environment"], approve["needs"]) == ("approval", "train-and-export")
    assert (deploy["environment"], deploy["needs"]) == ("production", "approve")


def test_a_release_needs_signed_evidence() -> None:
    (deploy,) = (step for step in STEPS.values() if step.get("id") == "deploy")

    assert deploy["env"]["REQUIRE_EVIDENCE"] == "true"
    assert deploy["env"]["EVIDENCE_PUBLIC_KEY"]
    assert "--evidence build/evidence.zip" in deploy["run"]


def test_a_rollback_waits_for_the_release_that_runs() -> None:
    rollback = WORKFLOWS["rollback.yml"]

    assert rollback["concurrency"] == WORKFLOWS["release.yml"]["concurrency"]
    assert rollback["jobs"]["rollback"]["environment"] == "production"


def test_the_deployer_s_role_is_assumed_only_after_the_approval() -> None:
    assumed = {
        name: step["with"]["role-to-assume"]
        for name, job in JOBS.items()
        for step in job["steps"]
        if "configure-aws-credentials" in step.get("uses", "")
    }

    builder, deployer = "${{ vars.AWS_BUILD_ROLE }}", "${{ vars.AWS_DEPLOY_ROLE }}"
    approver = "${{ vars.AWS_APPROVE_ROLE }}"
    assert assumed == {
        "monitor.yml: freshness": builder,
        "release.yml: train-and-export": builder,
        "release.yml: approve": approver,
        "release.yml: deploy": deployer,
        "rollback.yml: rollback": deployer,
    }


def test_what_a_person_wrote_is_never_taken_for_an_option() -> None:
    (command,) = (step["run"] for step in STEPS.values() if "operations approve" in step.get("run", ""))

    assert set(re.findall(r'--(by|comment|reference)="\$', command)) == {"by", "comment", "reference"}


def test_only_a_release_that_moved_live_and_failed_afterwards_is_rolled_back() -> None:
    deploy = WORKFLOWS["release.yml"]["jobs"]["deploy"]["steps"]
    (moving,) = (step for step in deploy if step.get("id") == "deploy")
    (back,) = (step for step in deploy if "--rollback" in step.get("run", ""))

    assert back["if"] == "failure() && steps.deploy.outcome == 'success' && steps.deploy.outputs.MOVED == 'yes'"
    assert "MOVED=" in moving["run"]


def test_it_calls_what_the_harness_pipeline_calls() -> None:
    github = [call for step in STEPS.values() for call in CALLS.findall(step.get("run", ""))]
    every = (*steps(), *steps("pipeline_rollback.yaml"))
    harness = [call for step in every if step.type == "Run" for call in CALLS.findall(step.spec["command"])]

    assert set(github) == set(harness)


def test_both_start_on_the_same_pushes_and_hours() -> None:
    started = WORKFLOWS["release.yml"][True]
    hours = [WORKFLOWS[name][True]["schedule"][0]["cron"] for name in ("release.yml", "monitor.yml")]
    changed = triggers()["trigger_push.yaml"]["source"]["spec"]["spec"]["spec"]["payloadConditions"][1]["value"]

    assert hours == [
        triggers()[f"trigger_{name}.yaml"]["source"]["spec"]["spec"]["expression"] for name in ("retrain", "monitor")
    ]
    for path in started["push"]["paths"]:
        assert re.fullmatch(changed, path.replace("**", "file").replace("*", "x"))
