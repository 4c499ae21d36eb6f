"""deploy.sh when something goes wrong: live stays at a verified version, people learn what to do, a rerun succeeds.

That `live` never points at an unverified version is checked after every run, by `World.deploy` itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import CREDENTIALS, RESPONSE, World, decided
from tests.deploy.fault_proxy import Fault, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CHANGES = {"UpdateFunctionCode", "PublishVersion", "UpdateAlias", "CreateAlias", "Invoke"}


# Faults of the machine or the image, which are corrected before the next run.


def _no_docker(docker: dict[str, Any]) -> None:
    docker["running"] = False


def _no_image(docker: dict[str, Any]) -> None:
    docker["images"] = {}


def _other_architecture(docker: dict[str, Any]) -> None:
    docker["images"]["ccapproval-deploy:latest"]["Architecture"] = "arm64"


def _index_here(docker: dict[str, Any]) -> None:
    docker["images"]["ccapproval-deploy:latest"]["Descriptor"] = {"mediaType": INDEX_TYPE}


def _index_in_registry(docker: dict[str, Any]) -> None:
    docker["media"] = INDEX_TYPE


def _gate_failed(docker: dict[str, Any]) -> None:
    docker["manifest"]["gate"] = {"passed": False}


def _gate_absent(docker: dict[str, Any]) -> None:
    del docker["manifest"]["gate"]


def _no_golden_cases(docker: dict[str, Any]) -> None:
    docker["manifest"]["golden"] = []


def _no_manifest(docker: dict[str, Any]) -> None:
    docker["manifest"] = None


def _push_interrupted(docker: dict[str, Any]) -> None:
    docker["push"] = "interrupted"


@pytest.mark.parametrize(
    ("harm", "step", "reason", "advice"),
    [
        pytest.param(_no_docker, "tools", "Docker does not answer", "Start Docker", id="no Docker"),
        pytest.param(_no_image, "image", "no image ccapproval-deploy:latest", "make images", id="image missing"),
        pytest.param(_other_architecture, "image", "linux/arm64", "ARCHITECTURE=x86_64", id="wrong architecture"),
        pytest.param(_index_here, "image", "index", "--provenance=false", id="image index"),
        pytest.param(_index_in_registry, "digest", "index", "--provenance=false", id="image index in the registry"),
        pytest.param(_gate_failed, "image", "not passed its gate", "make run images", id="gate not passed"),
        pytest.param(_gate_absent, "image", "not passed its gate", "make run images", id="never gated"),
        pytest.param(_no_golden_cases, "image", "no golden cases", "make run images", id="nothing to verify with"),
        pytest.param(_no_manifest, "image", "manifest.json", "Dockerfile_Inference_Lambda", id="not our image"),
        pytest.param(_push_interrupted, "push", "interrupted", "Run again", id="push interrupted"),
    ],
)
def test_a_machine_or_image_at_fault(
    world: World, harm: Callable[[dict[str, Any]], None], step: str, reason: str, advice: str
) -> None:
    # given
    sound = json.loads(json.dumps(world.docker))
    harm(world.docker)
    # when
    result = world.deploy()
    # then
    world.assert_stopped(result, step, reason, advice)
    assert not CHANGES & set(world.proxy.operations)
    if step in ("push", "digest"):
        # when the image is built again, correctly: it has another id, so an index in the registry keeps its tag
        world.docker = sound
        world.docker["images"]["ccapproval-deploy:latest"]["Id"] = "sha256:" + "3" * 64
        # then
        world.converges()


def test_no_credentials(world: World) -> None:
    # when
    result = world.deploy(**dict.fromkeys(CREDENTIALS, ""))
    # then
    world.assert_stopped(result, "identity", "credentials", "AWS_PROFILE")
    world.converges()


def test_another_account_than_the_one_meant(world: World) -> None:
    # when, then
    world.assert_stopped(world.deploy(AWS_ACCOUNT_ID="999999999999"), "identity", "not 999999999999", "profile")


def test_nothing_answers_at_the_endpoint(world: World) -> None:
    # when, then
    world.assert_stopped(world.deploy(AWS_ENDPOINT_URL="http://127.0.0.1:9"), "identity", "onnect", "AWS_ENDPOINT_URL")


def _configured(**facts: str) -> Callable[[dict[str, Any]], None]:
    return lambda answer: answer["Configuration"].update(facts)


def _after(world: World, operation: str, change: Callable[[dict[str, Any]], None]) -> Fault:
    """Let `change` alter the answers of GetFunction once `operation` was seen."""
    return Fault("GetFunction", alter=lambda answer: change(answer) if operation in world.proxy.operations else None)


def test_an_update_stuck_in_progress(world: World) -> None:
    # given
    stuck = _configured(LastUpdateStatus="InProgress", State="Pending")
    world.proxy.inject(_after(world, "UpdateFunctionCode", stuck))
    # when
    result = world.deploy(UPDATE_TIMEOUT="1")
    # then
    world.assert_stopped(result, "state", "still in progress after 1 s", "Run again")
    # when it is still stuck the next time
    result = world.deploy(UPDATE_TIMEOUT="1")
    # then
    world.assert_stopped(result, "function", "still in progress", "Run again")
    world.converges()


def test_a_run_waits_for_the_update_that_an_earlier_one_began(world: World) -> None:
    # given
    world.proxy.inject(Fault("GetFunction", times=2, alter=_configured(LastUpdateStatus="InProgress")))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert "waiting for it" in result.told


def test_an_update_that_fails(world: World) -> None:
    # given
    failed = _configured(LastUpdateStatus="Failed", LastUpdateStatusReason="Lambda does not have permission to pull")
    world.proxy.inject(_after(world, "UpdateFunctionCode", failed))
    # when, then
    world.assert_stopped(world.deploy(), "state", "does not have permission to pull", "repository policy")
    world.converges()


def test_an_inactive_function_is_woken(world: World) -> None:
    # given
    def asleep(answer: dict[str, Any]) -> None:
        if "Invoke" not in world.proxy.operations:
            answer["Configuration"]["State"] = "Inactive"

    world.proxy.inject(Fault("GetFunction", alter=asleep))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert "waking it" in result.told


def test_a_function_that_stays_inactive(world: World) -> None:
    # given
    world.proxy.inject(Fault("GetFunction", alter=_configured(State="Inactive", StateReason="The image is gone")))
    # when, then
    result = world.deploy(UPDATE_TIMEOUT="1")
    world.assert_stopped(result, "state", "Inactive: The image is gone", "get-function")
    world.converges()


def _version_is(world: World, state: str, reason: str, until: str) -> None:
    """Keep a published version in this state until an operation was seen."""

    def altered(answer: dict[str, Any]) -> None:
        if until not in world.proxy.operations:
            answer |= {"State": state, "StateReason": reason}

    world.proxy.inject(Fault("GetFunctionConfiguration", alter=altered))


def test_an_idle_version_is_woken(world: World) -> None:
    # given
    _version_is(world, "Inactive", "The function is idle", until="Invoke")
    # when
    released = world.deploy()
    # then
    assert released.status == 0, released.told
    assert "waking it" in released.told
    # given an earlier version that lay idle as well
    world.proxy.operations.clear()
    # when
    back = world.deploy("--rollback")
    # then
    assert back.status == 0, back.told
    assert "waking it" in back.told
    assert world.live()[0] == "1"


def test_a_version_that_cannot_start_gives_lambda_s_reason(world: World) -> None:
    # given
    _version_is(world, "Failed", "The snapshot failed: Runtime.ExitError", until="nothing")
    # when, then
    world.assert_stopped(world.deploy(), "publish", "The snapshot failed: Runtime.ExitError", "run again")
    world.converges()


def test_a_version_that_stays_pending(world: World) -> None:
    # given
    _version_is(world, "Pending", "The function is being created", until="nothing")
    # when, then
    world.assert_stopped(world.deploy(UPDATE_TIMEOUT="1"), "publish", "still pending after 1 s", "Run again")
    world.converges()


WRONG = RESPONSE | {"prediction": 0, "decision": "deny"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(decided({"predictions": [RESPONSE, WRONG]}), "Golden case 1", id="wrong decision"),
        pytest.param(Reply(200, b'{"statusCode": 500, "body": "{}"}'), "status 500", id="internal error"),
        pytest.param(Reply(200, b'{"errorType": "x"}', {"X-Amz-Function-Error": "Unhandled"}), "Unhandled", id="crash"),
    ],
)
def test_a_golden_case_answered_wrongly(world: World, answer: Reply, reason: str) -> None:
    # given: an answer that verifies nothing
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=lambda _: answer))
    # when
    result = world.deploy()
    # then
    world.assert_stopped(result, "verify", reason, "correct the image")
    assert "Income" not in result.told
    world.converges()
