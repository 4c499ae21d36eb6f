"""The image that Lambda runs: its answers, its labels, its content."""

from __future__ import annotations

import json
import math
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.hardened import live
from benchmarks.image_size import size_of
from lambda_app.golden import same

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.run import TrainingRun

pytestmark = [pytest.mark.docker, pytest.mark.timeout(1800)]

# Runs in the image: lists its files, and those that Python would compile or check again.
CONTENTS = """
import json, pathlib
root = pathlib.Path("/var/task")
sources = sorted(str(path.relative_to(root)) for path in root.rglob("*.py"))
def sealed(path):
    cached = root / path
    cached = cached.parent / "__pycache__" / (cached.stem + ".cpython-313.pyc")
    return cached.exists() and int.from_bytes(cached.read_bytes()[4:8], "little") == 0b01
print(json.dumps({
    "top": sorted(path.name for path in root.iterdir()),
    "model": sorted(str(path.relative_to(root / "model")) for path in (root / "model").rglob("*")),
    "unsealed": [path for path in sources if not sealed(path)],
    "sources": len(sources),
    "times": sorted({int(path.stat().st_mtime) for path in [root, *root.rglob("*")]}),
    "unreadable": [str(path) for path in root.rglob("*") if not path.stat().st_mode & 0o004],
    "file": __import__("lambda_app.artifact").artifact.load.__code__.co_filename,
}))
"""


def inspect(image: str) -> Any:
    """What the Docker engine knows about an image."""
    return json.loads(subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=True).stdout)[0]


def decisions(answers: list[Any]) -> list[dict[str, Any]]:
    """The bodies without the request's own id."""
    bodies = [json.loads(answer["body"]) for answer in answers]
    return [{key: value for key, value in body.items() if key != "request_id"} for body in bodies]


@pytest.mark.parametrize(
    ("image_of", "outcome_of"),
    [
        pytest.param("scorecard_image", "mixed", id="scorecard"),
        pytest.param("sklearn_image", "mixed_sklearn", id="sklearn"),
    ],
)
def test_hardened_container_decides_golden_cases_as_exported(
    image_of: str, outcome_of: str, request: pytest.FixtureRequest
) -> None:
    outcome: TrainingRun = request.getfixturevalue(outcome_of)
    golden = outcome.manifest["golden"]
    life = live(request.getfixturevalue(image_of), [case["request"] for case in golden])
    for found, case in zip(decisions(life.answers), golden, strict=True):
        assert same(case["response"], found)


def test_both_formats_decide_golden_cases_alike(sklearn_image: str, mixed: TrainingRun) -> None:
    golden = mixed.manifest["golden"]
    found = decisions(live(sklearn_image, [case["request"] for case in golden]).answers)
    assert [one["decision"] for one in found] == [case["response"]["decision"] for case in golden]
    for one, case in zip(found, golden, strict=True):
        assert math.isclose(one["probability"], case["response"]["probability"], abs_tol=1e-9)


def test_the_same_image_serves_plain_http_and_stops_when_asked(scorecard_image: str, mixed: TrainingRun) -> None:
    # Given a container that is as locked up as a platform may lock it
    locked = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--user", "12345", "--memory", "256m")  # noqa: S108
    words = ("docker", "run", "--detach", *locked, "--publish", "127.0.0.1::8080", "--env", "WORKERS=2")
    name = subprocess.run([*words, scorecard_image, "serve"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        port = subprocess.run(["docker", "port", name, "8080"], capture_output=True, text=True, check=True).stdout
        address = f"http://{port.split()[0]}"
        wait_for(f"{address}/live")
        # When it is asked as a platform or a browser would
        golden = mixed.manifest["golden"][0]
        request = urllib.request.Request(f"{address}/predict", json.dumps(golden["request"]).encode())  # loopback
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.read().startswith(b"<!doctype html>")
        # Then it decides as exported, writes Lambda's line, and ends by itself
        assert same(golden["response"], {key: value for key, value in found.items() if key != "request_id"})
        subprocess.run(["docker", "stop", "--time", "20", name], capture_output=True, check=True)
        ended = subprocess.run(["docker", "inspect", "--format", "{{.State.ExitCode}}", name], capture_output=True)
        log = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
        assert int(ended.stdout) == 0, log.stderr
        assert [json.loads(line)["event"] for line in log.stdout.splitlines()] == ["decision", "metrics"]
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True)


def wait_for(address: str) -> None:
    """Wait until something answers there."""
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=30).close()  # loopback
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing answers at {address}")


def test_labels_describe_the_model(scorecard_image: str, base: str, mixed: TrainingRun) -> None:
    labels = inspect(scorecard_image)["Config"]["Labels"]
    manifest = mixed.manifest
    assert {key: labels[key] for key in labels if key.startswith("ccapproval.")} == {
        "ccapproval.model_version": manifest["model_version"],
        "ccapproval.identity": manifest["identity"],
        "ccapproval.model_format": "scorecard",
        "ccapproval.trained_at": manifest["trained_at"],
        "ccapproval.data_digest": manifest["data"]["digest"],
        "ccapproval.metrics": labels["ccapproval.metrics"],
        "ccapproval.gate": "passed",
    }
    assert json.loads(labels["ccapproval.metrics"])["accuracy"] == manifest["metrics"]["accuracy"]
    assert labels["com.amazonaws.lambda.feature.snapstart"] == "Allow"
    # A registry knows this digest; the stand-in is in no registry, and has none.
    known = {digest.partition("@")[2] for digest in inspect(base)["RepoDigests"]}
    assert labels["org.opencontainers.image.base.name"] == base
    assert labels.get("org.opencontainers.image.base.digest") in (known or {None})


def test_image_holds_only_the_sealed_service_and_artifact(scorecard_image: str) -> None:
    words = ["docker", "run", "--rm", "--network=none", "--entrypoint=python3", scorecard_image, "-c", CONTENTS]
    found = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)
    packages = {name for name in found["top"] if not name.endswith(".dist-info")}
    assert packages == {"__pycache__", "gunicorn", "lambda_app", "model", "pydantic_core", "typing_extensions.py"}
    assert found["model"] == ["artifacts", "artifacts/manifest.json", "artifacts/model.joblib"]
    assert found["sources"] > 10
    assert [path for path in found["unsealed"] if not path.startswith("gunicorn/")] == []
    assert found["unreadable"] == []
    assert len(found["times"]) == 1
    assert found["file"] == "/var/task/lambda_app/artifact.py"


def test_image_adds_at_most_three_megabytes(scorecard_image: str, base: str) -> None:
    assert 1 < size_of(scorecard_image, base).adds <= 3


def test_same_inputs_give_the_same_layers(
    build: Callable[..., subprocess.CompletedProcess[str]], scorecard_image: str, base: str, mixed: TrainingRun
) -> None:
    image = f"{scorecard_image}-again"
    done = build("inference", image, ARTIFACTS=mixed.directory, BASE_IMAGE=base, NO_CACHE=1)
    assert done.returncode == 0, done.stderr
    assert inspect(image)["RootFS"]["Layers"] == inspect(scorecard_image)["RootFS"]["Layers"]
