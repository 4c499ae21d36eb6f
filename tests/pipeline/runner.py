"""Runs the pipeline's steps as Harness would: a fresh clone for each stage, commands in order, outputs passed on.

What is not a command is done by other means: images are built by scripts/images.sh and pushed, S3 uploads go through
the AWS CLI, the policy is asked by `model.judge.gate`, and the approver's answer is given. ECR's scans come from moto,
which alone of the two emulators has them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3

from model.judge.gate import judge
from tests.pipeline.harness import ROOT, SECRETS, Step, filled_in, pipeline
from tests.pipeline.push import push

if TYPE_CHECKING:
    from pathlib import Path

# Harness's identifiers are base64 made safe for addresses, so they may begin like this; an image's tag may not.
EXECUTION = "-pipeline_test"
RUN = f"run-{EXECUTION}"
BUCKET = "ccapproval-evidence"
ACCOUNT = "000000000000"
# Nothing in a comment may run, or be taken for an option.
COMMENT = "--by=nobody looks right; \"fine\" $(touch planted) `touch planted` 'ok' <b>"
APPROVE = "pipeline.stages.Approve_Release.spec.execution.steps.Approve"
APPROVAL = f"{APPROVE}.output.approvalActivities[0]"
OUTPUTS = "build/outputs"
STEP_SECONDS = 1500
SCANNED = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json"})


@dataclass
class Runner:
    """One run of the pipeline against a cloud.

    Attributes
    ----------
    directory : Path
        Where the clones go.
    host : str
        The local cloud's host and port: its API and its registry.
    scans : str
        The address of moto's server.
    inputs : dict
        The pipeline's variables that are not as the file has them.
    values : dict
        What expressions mean, so far.
    training_digest : str
        What the registry calls the training image, once it was pushed.
    base : str
        The image that the function's images are built on here: AWS's, or the stand-in.
    public_key : str
        The key by which the organisation's checkout knows its approvals (PEM).
    """

    directory: Path
    host: str
    scans: str
    inputs: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    training_digest: str = ""
    base: str = ""
    public_key: str = ""

    def __post_init__(self) -> None:
        """Set what is known before the first step."""
        own = {variable["name"]: variable["value"] for variable in pipeline()["variables"]}
        given = {"aws_region": "us-east-1", "aws_account_id": ACCOUNT, "registry": self.host, "bucket": BUCKET}
        self.values |= {f"pipeline.variables.{name}": value for name, value in (own | given | self.inputs).items()}
        self.values |= {
            "pipeline.executionId": EXECUTION,
            "pipeline.executionUrl": f"https://harness.example/run/{RUN}?a=1&b=2",
            f"{APPROVE}.status": "SUCCEEDED",
            f"{APPROVAL}.user.email": "officer@bank.example",
            f"{APPROVAL}.comments": COMMENT,
        }
        self._make_key()
        self.base = base_of(f"pipeline-test-earlier:{self.host.rpartition(':')[2]}")
        for name in SECRETS:
            self.values[f'secrets.getValue("{name}")'] = "test"

    @property
    def image(self) -> str:
        """The inference image's name here."""
        return f"pipeline-test:{self.host.rpartition(':')[2]}"

    def workspace(self, stage: str) -> Path:
        """The clone of a stage, made at its first step; it holds nothing that another stage has left."""
        clone = self.directory / stage
        if not clone.exists():
            listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            for name in filter(None, files.split("\0")):
                if (ROOT / name).is_file():
                    (clone / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / name, clone / name)
            # The environment and the downloads that make would repeat, which take minutes and prove nothing here; with
            # lock files older than they are, make leaves them alone.
            for lock in (clone / "requirements").iterdir():
                os.utime(lock, (0, 0))
            (clone / "build").mkdir(exist_ok=True)
            for name in (".venv", "build/wheels"):
                (clone / name).symlink_to(ROOT / name)
            self._commit(clone)
        return clone

    def _make_key(self) -> None:
        """Make a key for approvals, as infra/evidence.yaml does."""
        session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        kms = session.client("kms", endpoint_url=f"http://{self.host}")
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        words = ["openssl", "pkey", "-pubin", "-inform", "DER"]
        der = kms.get_public_key(KeyId=key)["PublicKey"]
        self.public_key = subprocess.run(words, input=der, capture_output=True, check=True).stdout.decode()
        self.values["pipeline.variables.approval_key"] = key

    def _commit(self, clone: Path) -> None:
        """Make the clone an organisation's own, with its key, registry and base: always the same commit."""
        rules = {"registries": [self.host], "base_images": [self.base], "approval_days": 7}
        (clone / "policies/release.json").write_text(json.dumps(rules))
        (clone / "policies/approval.pem").write_text(self.public_key)
        who = {f"GIT_{role}_{key}": "test" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        when = {f"GIT_{role}_DATE": "2026-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "clone"]):
            subprocess.run(["git", *words], cwd=clone, env={**os.environ, **who, **when}, check=True)

    def run(self, step: Step) -> None:
        """Run a step; if it fails, that is a CalledProcessError with its output."""
        match step.type:
            case "Run":
                self._command(step)
            case "BuildAndPushECR":
                self._build(step)
            case "S3Upload":
                spec = {name: self._value(step, value) for name, value in step.spec.items()}
                target = (
                    f"s3://{spec['bucket']}/{spec['target']}/{spec['sourcePath'].removeprefix(spec['stripPrefix'])}"
                )
                self._host(step, f'aws s3 cp --no-progress "{spec["sourcePath"]}" "{target}"', {})
            case "Policy":
                verdict = judge(json.loads(self._value(step, step.spec["policySpec"]["payload"])))
                assert verdict.passed, verdict.denials
            case "HarnessApproval":
                assert self._value(step, step.spec["approvalMessage"])
            case "AWSECR" | "Plugin" | "Email" | "Action":
                pass
            case other:
                raise AssertionError(f"nothing here does what a step of type {other} does")

    def _command(self, step: Step) -> None:
        environment = {name: self._value(step, value) for name, value in step.environment.items()}
        if "wait-scan" in step.spec["command"]:
            self._scan(environment)
        told = "".join(f"\nprintenv {name} >{OUTPUTS}/{name}" for name in step.outputs)
        outputs = self.workspace(step.stage) / OUTPUTS
        outputs.mkdir(parents=True, exist_ok=True)
        command = step.spec["command"] + told
        if "image" in step.spec:
            self._container(step, command, environment)
        else:
            self._host(step, command, environment)
        for name in step.outputs:
            self.values[f"{step.stage}.{step.identifier}.{name}"] = (outputs / name).read_text().removesuffix("\n")

    def _host(self, step: Step, command: str, environment: dict[str, str]) -> None:
        # The machine's own settings (proxy, certificates) stay; its AWS does not.
        base = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # A name of its own for the image that is built, so that no developer's image loses its name.
        base |= {
            "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}",
            "IMAGE": self.image,
            **self._cloud(),
            "BASE_IMAGE": self.base,
        }
        self._process(["bash", "-c", command], step, base | environment)

    def _container(self, step: Step, command: str, environment: dict[str, str]) -> None:
        # Harness mounts the clone at /harness, and gives each step a container of its own.
        mounted = ["--volume", f"{self.workspace(step.stage)}:/harness", "--workdir", "/harness"]
        variables = [
            word for name, value in (self._cloud() | environment).items() for word in ("--env", f"{name}={value}")
        ]
        image = self._value(step, step.spec["image"])
        docker = ["docker", "run", "--rm", "--network", "host", *mounted, *variables, image, "sh", "-c", command]
        self._process(docker, step, dict(os.environ))

    def _process(self, words: list[str], step: Step, environment: dict[str, str]) -> None:
        print(f"== {step.stage} / {step.identifier}", file=sys.stderr)  # noqa: T201  # for who reads a failure
        subprocess.run(words, cwd=self.workspace(step.stage), env=environment, check=True, timeout=STEP_SECONDS)

    def _build(self, step: Step) -> None:
        repository, tag = step.spec["imageName"], self._value(step, step.spec["tags"][0])
        image = f"{self.host}/{repository}:{tag}"
        assert step.spec["dockerfile"] == "Dockerfile_Training_Testing"
        self._host(step, "scripts/images.sh training", {"TRAINING_IMAGE": image})
        self.training_digest = push(image, self.host, repository, tag, self.directory)

    def _value(self, step: Step, text: str) -> str:
        return filled_in(text, step.stage, self.values)

    def _cloud(self) -> dict[str, str]:
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        return credentials | {"AWS_ENDPOINT_URL": f"http://{self.host}", "AWS_DEFAULT_REGION": "us-east-1"}

    def _scan(self, environment: dict[str, str]) -> None:
        """Tell moto about the image that was pushed, and let it scan it: one finding, of low severity."""
        inference = "IMAGE_DIGEST" in environment
        repository = "ccapproval-deploy" if inference else "ccapproval"
        digest = environment["IMAGE_DIGEST"] if inference else self.training_digest
        image_id = {"imageDigest": digest} if inference else {"imageTag": RUN}
        session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        ecr = session.client("ecr", endpoint_url=self.scans)
        ecr.create_repository(repositoryName=repository)
        ecr.put_image(repositoryName=repository, imageTag=RUN, imageManifest=SCANNED, imageDigest=digest)
        ecr.start_image_scan(repositoryName=repository, imageId=image_id)
        result = {
            "registryId": "123456789012",
            "repositoryName": repository,
            "imageId": image_id | {"imageDigest": digest},
            "imageScanStatus": {"status": "COMPLETE", "description": ""},
            "imageScanFindings": {"findingSeverityCounts": {"LOW": 1}, "imageScanCompletedAt": time.time()},
        }
        body = json.dumps({"results": [result], "region": "us-east-1"}).encode()
        address = f"{self.scans}/moto-api/static/ecr/scan-finding-results"
        post = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # loopback
        urllib.request.urlopen(post, timeout=60).close()
        environment["AWS_ENDPOINT_URL_ECR"] = self.scans


def base_of(image: str) -> str:
    """The name of the image that an image of ours was built on."""
    label = '{{index .Config.Labels "org.opencontainers.image.base.name"}}'
    words = ["docker", "image", "inspect", "--format", label, image]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
