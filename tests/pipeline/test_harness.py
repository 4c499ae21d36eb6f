"""Checks on the text of the Harness pipeline: order, quoting, and names that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.pipeline.harness import (
    EXPRESSION,
    HARNESS,
    OUTPUT,
    ROOT,
    SECRETS,
    Step,
    filled_in,
    pipeline,
    step_named,
    steps,
    strings,
    triggers,
)

STAGES = [entry["stage"] for entry in pipeline()["stages"]]
STEPS = steps()
RUN_STEPS = [step for step in (*STEPS, *steps("pipeline_rollback.yaml")) if step.type == "Run"]
ORDER = [step.identifier for step in STEPS]
RUN_ID = "<+pipeline.stages.Train_Model.spec.execution.steps.Name_Run.output.outputVariables.RUN_ID>"
# The variables that Harness itself, or the shell, gives.
GIVEN = {"PATH", "HOME"}


def _identified(step: Step) -> str:
    return step.identifier


@pytest.mark.parametrize("step", RUN_STEPS, ids=_identified)
def test_no_value_is_written_into_a_command(step: Step) -> None:
    assert "<+" not in step.spec["command"]


@pytest.mark.parametrize("step", RUN_STEPS, ids=_identified)
def test_a_command_stops_at_its_first_failure(step: Step) -> None:
    lines = [line for line in step.spec["command"].splitlines() if not line.startswith("#")]

    assert len(lines) == 1 or lines[0] in ("set -eu", "set -euo pipefail")
    assert "|| true" not in step.spec["command"]


@pytest.mark.parametrize("step", RUN_STEPS, ids=_identified)
def test_shellcheck_finds_nothing_in_a_command(step: Step) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    shell = {"Sh": "sh", "Bash": "bash"}[step.spec["shell"]]
    declared = "".join(f"export {name}=given\n" for name in step.environment)

    done = subprocess.run(
        ["shellcheck", "--shell", shell, "-"],
        input=f"{declared}{step.spec['command']}\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("step", RUN_STEPS, ids=_identified)
def test_every_variable_of_a_command_is_given_or_made_in_it(step: Step) -> None:
    command = step.spec["command"]
    used = set(re.findall(r"\$\{?([A-Z][A-Z_0-9]*)", command))
    made = set(re.findall(r"\b([A-Z][A-Z_0-9]*)=", command))

    assert used <= set(step.environment) | made | GIVEN
    assert set(step.outputs) <= made


@pytest.mark.parametrize("step", RUN_STEPS, ids=_identified)
def test_a_command_calls_what_people_call(step: Step) -> None:
    command = step.spec["command"]
    targets = set(re.findall(r"^([\w./$()-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    targets |= {target.replace("$(BIN)", ".venv/bin").replace("$(VENV)", ".venv") for target in targets}

    for script in re.findall(r"(?<![\w/])scripts/\w+\.sh", command):
        assert (ROOT / script).is_file()
    for target in re.findall(r"^make (\S+)", command, re.MULTILINE):
        assert target in targets


def test_every_expression_names_something_that_exists() -> None:
    variables = {variable["name"] for variable in pipeline()["variables"]}
    known = {
        *(f"pipeline.variables.{name}" for name in variables),
        *("input", "pipeline.executionId", "pipeline.executionUrl"),
        *(f'secrets.getValue("{name}")' for name in SECRETS),
        "pipeline.stages.Approve_Release.spec.execution.steps.Approve.status",
    }
    outputs = {f"{step.stage}.{step.identifier}.{name}": "" for step in RUN_STEPS for name in step.outputs}
    approval = "pipeline.stages.Approve_Release.spec.execution.steps.Approve.output.approvalActivities[0]."

    for step in STEPS:
        for text in strings(step.spec):
            for expression in EXPRESSION.findall(text):
                if OUTPUT.fullmatch(expression):
                    assert filled_in(f"<+{expression}>", step.stage, outputs) == ""
                else:
                    assert expression in known or expression.startswith(approval), expression


def test_an_output_is_used_only_after_it_was_made() -> None:
    for place, step in enumerate(STEPS):
        for text in strings(step.spec):
            for output in OUTPUT.finditer(text):
                assert output[2] in ORDER[:place]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Harness_Training", "Wait_for_ECR_Image_Scan"),
        ("Fetch_Data", "Train"),
        ("Pull_Training_Image", "Train"),
        ("Train", "Export_Model"),
        ("pytest", "Export_Model"),
        ("Enforce_Fairness_and_Accuracy_Policy", "Export_Model"),
        ("Export_Model", "Wait_for_Inference_Image_Scan"),
        ("Gather_Evidence", "Approve"),
        ("Wait_for_Inference_Image_Scan", "Approve"),
        ("Approve", "Record_Approval"),
        ("Record_Approval", "Deploy_Model"),
        ("Deploy_Model", "Test_Live_Function"),
        ("Test_Live_Function", "Roll_Back"),
        ("Deploy_Model", "Monitor_Model_Step"),
        ("Monitor_Model_Step", "Email"),
    ],
)
def test_the_order_holds(earlier: str, later: str) -> None:
    assert ORDER.index(earlier) < ORDER.index(later)


def test_no_failure_is_ignored() -> None:
    text = (HARNESS / "pipeline.yaml").read_text(encoding="utf-8")

    assert not re.search(r"type: (Ignore|MarkAsSuccess)", text)
    assert all(stage["when"]["pipelineStatus"] == "Success" for stage in STAGES)
    assert [step.identifier for step in STEPS if step.when.get("stageStatus", "Success") != "Success"] == ["Roll_Back"]


def test_an_image_s_tag_begins_with_a_letter() -> None:
    """And is the same in a run that is retried from a later stage, which has another execution id."""
    naming = step_named("Name_Run")
    texts = {step.identifier: strings(step.spec) for step in STEPS}

    assert naming.environment == {"EXECUTION": "<+pipeline.executionId>"}
    assert 'RUN_ID="run-$EXECUTION"' in naming.spec["command"]
    named = [step for step, found in texts.items() if any("pipeline.executionId" in text for text in found)]
    assert named == ["Name_Run", "Train"]  # and MLflow's tag
    images = [text for found in texts.values() for text in found if text.startswith("<+pipeline.variables.registry>/")]
    assert images
    assert all(text.endswith(f"ccapproval:{RUN_ID}") for text in images)


@pytest.mark.parametrize("stage", STAGES, ids=[stage["identifier"] for stage in STAGES])
def test_python_is_chosen_before_a_stage_s_first_command_on_the_machine(stage: dict[str, Any]) -> None:
    here = [step for step in STEPS if step.stage == stage["identifier"]]
    ours = re.compile(r"python|make |scripts/")
    on_machine = [
        step for step in here if step.type == "Run" and "image" not in step.spec and ours.search(step.spec["command"])
    ]

    if not on_machine:
        assert not any(step.type == "Action" for step in here)
    else:
        (chosen,) = (step for step in here if step.type == "Action")
        assert re.fullmatch(r"actions/setup-python@[0-9a-f]{40}", chosen.spec["uses"])
        assert chosen.spec["with"] == {"python-version": "3.13"}
        assert here.index(chosen) < here.index(on_machine[0])


def test_the_model_and_the_notebook_s_tests_read_the_same_data() -> None:
    train, notebook = step_named("Train"), step_named("pytest")

    assert train.environment["DATA_URI"] == notebook.environment["DATA_URI"] == "<+pipeline.variables.data>"
    file = "build/data/${DATA_URI##*/}"
    assert file in train.spec["command"]
    assert file in notebook.spec["command"]


def test_identifiers_are_unique() -> None:
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("trigger", triggers().values(), ids=triggers().keys())
def test_a_trigger_starts_this_pipeline(trigger: dict[str, Any]) -> None:
    whole = pipeline()
    inputs = yaml.safe_load(trigger["inputYaml"])["pipeline"]

    assert trigger["pipelineIdentifier"] == inputs["identifier"] == whole["identifier"]
    assert {trigger[key] for key in ("orgIdentifier", "projectIdentifier")} == {
        whole[key] for key in ("orgIdentifier", "projectIdentifier")
    }
    assert "stagesToExecute" not in trigger
    assert set(inputs) == {"identifier", "variables"}
    asked = {variable["name"] for variable in whole["variables"] if variable["value"].startswith("<+input>")}
    assert {variable["name"] for variable in inputs["variables"]} == asked


@pytest.mark.parametrize(
    ("file", "starts"),
    [
        ("credit_card_approval.ipynb", True),
        ("model/fit/train.py", True),
        ("model/limits.json", True),
        ("model/report/templates/report.html.j2", True),
        ("lambda_app/handler.py", True),
        ("lambda_app/web/events.py", True),
        ("policies/model_gate.rego", True),
        ("Dockerfile_Inference_Lambda", True),
        ("README.md", False),
        ("docs/model/page.md", False),
        ("old/credit_card_approval.ipynb", False),
    ],
)
def test_a_push_starts_it_if_it_can_change_a_decision(file: str, starts: bool) -> None:
    conditions = triggers()["trigger_push.yaml"]["source"]["spec"]["spec"]["spec"]["payloadConditions"]
    (changed,) = (condition for condition in conditions if condition["key"] == "changedFiles")

    assert bool(re.fullmatch(changed["value"], file)) is starts
