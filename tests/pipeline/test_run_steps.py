"""Every command of the Harness pipeline, run in order against the local cloud, ends with a deployed function."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from operations.evidence import verify
from tests.pipeline.harness import steps
from tests.pipeline.runner import BUCKET, COMMENT, RUN, Runner

if TYPE_CHECKING:
    from pathlib import Path

OUTPUT = "Run_test_and_upload_artifacts.Export_accuracy_and_fairness_variables"
MONITOR = "Monitor_Model_Stage.Monitor_Model_Step"
APPLICATION = {"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1}


def _client(service: str, host: str) -> Any:
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")  # noqa: S106
    return session.client(service, endpoint_url=f"http://{host}")


@pytest.mark.docker
@pytest.mark.timeout(3600)
def test_the_pipeline_s_commands_end_with_a_deployed_function(cloud: str, scans: str, tmp_path: Path) -> None:
    functions, bucket = _client("lambda", cloud), _client("s3", cloud)
    bucket.create_bucket(Bucket=BUCKET)
    before = functions.get_alias(FunctionName="ccapproval", Name="live")["FunctionVersion"]

    # When every step is done, but the one that takes a failed release back
    runner = Runner(tmp_path, cloud, scans)
    try:
        for step in steps():
            if step.when.get("stageStatus") != "Failure":
                runner.run(step)
    finally:
        _remove_images(cloud, runner.image)
        # What containers wrote belongs to root.
        planted = list(tmp_path.rglob("planted"))

    # Then the alias names a new version, of the model that was trained
    version = runner.values[f"{OUTPUT}.MODEL_VERSION"]
    live = functions.get_alias(FunctionName="ccapproval", Name="live")["FunctionVersion"]
    answer = json.loads(
        functions.invoke(FunctionName="ccapproval", Qualifier="live", Payload=json.dumps(APPLICATION))["Payload"].read()
    )
    assert live != before
    assert json.loads(answer["body"])["model_version"] == version
    assert json.loads(answer["body"])["decision"] == "approve"
    # and the evidence of it, approved, is kept
    kept = bucket.get_object(Bucket=BUCKET, Key=f"{RUN}/evidence.zip")["Body"].read()
    members = verify(kept, "release")
    assert json.loads(members["approval.json"])["comment"] == COMMENT
    assert json.loads(members["model/manifest.json"])["model_version"] == version
    assert bucket.head_object(Bucket=BUCKET, Key=f"{RUN}/model_metrics.html")["ContentLength"] > 0
    # and the figures were passed on, and nothing that was passed on became code.
    assert float(runner.values[f"{OUTPUT}.ACCURACY"]) > 0.9
    assert float(runner.values[f"{OUTPUT}.EQUAL_OPPORTUNITY_FAIRNESS_PERCENT"]) < 21
    monitored = {name: runner.values[f"{MONITOR}.{name}"] for name in ("MODEL_VERSION", "MODEL_STALE", "DATA_AGE_DAYS")}
    assert (monitored["MODEL_VERSION"], monitored["MODEL_STALE"]) == (version, "false")
    assert 0 <= float(monitored["DATA_AGE_DAYS"]) < 2
    assert planted == []


def _remove_images(host: str, image: str) -> None:
    listed = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={host}/*"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    tagged = [name for name in names if not name.endswith(":<none>")]
    subprocess.run(["docker", "rmi", "--force", image, *tagged], capture_output=True, check=False)  # noqa: S607
