"""Every command of the Harness pipeline, run in order against the local cloud, ends with a deployed function."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from model.data.generator import generate
from operations.evidence.review import verify
from tests.pipeline.harness import step_named, steps
from tests.pipeline.runner import BUCKET, COMMENT, RUN, Runner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTPUT = "Run_test_and_upload_artifacts.Export_accuracy_and_fairness_variables"
MONITOR = "Monitor_Model_Stage.Monitor_Model_Step"
MOVED = "Deploy_Model.Deploy_Model.MOVED"
APPLICATION = {"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1}
DATA = "data/applications.parquet"
ROWS = 40_000


@dataclass(frozen=True)
class Finished:
    """A run of the whole pipeline.

    Attributes
    ----------
    before : str
        The version that was live before it.
    planted : list of Path
        What a value did that became code.
    """

    runner: Runner
    before: str
    planted: list[Path]

    def live(self) -> str:
        """The version that is live now."""
        return _live(self.runner.host)


@pytest.fixture(scope="module")
def finished(cloud: str, scans: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """Every step run, on data from a bucket, except the one that rolls a failed release back."""
    scratch = tmp_path_factory.mktemp("run")
    generate(ROWS).to_parquet(scratch / "applications.parquet", index=False)
    bucket = _client("s3", cloud)
    bucket.create_bucket(Bucket=BUCKET)
    bucket.upload_file(str(scratch / "applications.parquet"), BUCKET, DATA)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    runner = Runner(scratch, cloud, scans, {"data": f"s3://{BUCKET}/{DATA}", "dated": yesterday})
    before = _live(cloud)
    try:
        for step in steps():
            if step.when.get("stageStatus") != "Failure":
                runner.run(step)
        yield Finished(runner, before, list(scratch.rglob("planted")))
    finally:
        _remove_images(cloud, runner.image)


@pytest.mark.docker
@pytest.mark.timeout(3600)
def test_the_pipeline_s_commands_end_with_a_deployed_function(finished: Finished) -> None:
    values, host = finished.runner.values, finished.runner.host

    # The alias names a new version, of the model that was trained
    version = values[f"{OUTPUT}.MODEL_VERSION"]
    asked = {"FunctionName": "ccapproval", "Qualifier": "live", "Payload": json.dumps(APPLICATION)}
    answer = json.loads(_client("lambda", host).invoke(**asked)["Payload"].read())
    decision = json.loads(answer["body"])
    assert finished.live() != finished.before
    assert values[MOVED] == "yes"
    assert (decision["model_version"], decision["decision"]) == (version, "approve")
    # and the evidence of it, approved, is kept
    bucket = _client("s3", host)
    members = verify(bucket.get_object(Bucket=BUCKET, Key=f"{RUN}/evidence.zip")["Body"].read(), "release")
    manifest = json.loads(members["model/manifest.json"])
    approval = json.loads(members["approval.json"])
    assert (approval["by"], approval["comment"]) == ("officer@bank.example", COMMENT)
    assert manifest["model_version"] == version
    assert bucket.head_object(Bucket=BUCKET, Key=f"{RUN}/model_metrics.html")["ContentLength"] > 0
    # and it was trained on the data that was asked for
    assert (manifest["data"]["source"], manifest["data"]["rows"]) == ("applications.parquet", ROWS)
    assert manifest["data"]["dated"] == finished.runner.inputs["dated"]
    # and the figures were passed on, and no value became code.
    assert float(values[f"{OUTPUT}.ACCURACY"]) > 0.9
    assert float(values[f"{OUTPUT}.EQUAL_OPPORTUNITY_FAIRNESS_PERCENT"]) < 21
    assert (values[f"{MONITOR}.MODEL_VERSION"], values[f"{MONITOR}.MODEL_STALE"]) == (version, "false")
    assert 1 <= float(values[f"{MONITOR}.DATA_AGE_DAYS"]) < 3
    assert finished.planted == []


# Keep this test last: after it the earlier model is live again.
@pytest.mark.docker
@pytest.mark.timeout(600)
def test_a_release_that_fails_after_the_deploy_is_rolled_back(finished: Finished) -> None:
    values, name = finished.runner.values, "pipeline.variables.function_name"
    function = values[name]
    assert finished.live() != finished.before

    # When the live function answers no better than one that does not exist
    values[name] = "none"
    with pytest.raises(subprocess.CalledProcessError):
        finished.runner.run(step_named("Test_Live_Function"))
    # then the step for this case moves the traffic back to where it was before the run.
    values[name] = function
    finished.runner.run(step_named("Roll_Back"))

    assert finished.live() == finished.before


def _client(service: str, host: str) -> Any:
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client(service, endpoint_url=f"http://{host}")


def _live(host: str) -> str:
    version: str = _client("lambda", host).get_alias(FunctionName="ccapproval", Name="live")["FunctionVersion"]
    return version


def _remove_images(host: str, image: str) -> None:
    listed = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"reference={host}/*"]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
    tagged = [name for name in names if not name.endswith(":<none>")]
    subprocess.run(["docker", "rmi", "--force", image, *tagged], capture_output=True, check=False)
