"""deploy.sh beside another deploy: it waits for conflicts to end, and never undoes another's work.

That `live` never points at an unverified version is checked after every run, by `World.deploy` itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import MANIFEST_TYPE
from tests.deploy.docker_stand_in import put_image
from tests.deploy.fault_proxy import OUTDATED, Fault, Reply, Request, aws_error

if TYPE_CHECKING:
    from tests.deploy.conftest import World

CONFLICT = aws_error(
    409, "ResourceConflictException", "The operation cannot be performed at this time. An update is in progress"
)


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"])
def test_a_conflict_is_retried_from_how_things_stand_then(world: World, operation: str) -> None:
    # given another update that ends after two conflicts; as on AWS, each changes the revision
    calls = 0

    def latest(revision: str) -> str:
        return f"{revision}-{min(calls, 2)}"

    def conflict(request: Request) -> Reply | None:
        nonlocal calls
        calls += 1
        outdated = not json.loads(request.body)["RevisionId"].endswith("-2")
        return CONFLICT if calls <= 2 else OUTDATED if outdated else None

    def revised(answer: dict[str, Any]) -> None:
        facts = answer.get("Configuration", answer)
        facts["RevisionId"] = latest(facts.get("RevisionId", "revision"))

    world.proxy.inject(Fault(operation, answer=conflict))
    world.proxy.inject(Fault("GetAlias" if operation == "UpdateAlias" else "GetFunction", alter=revised))
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    assert result.told.count("another update is under way") == 2
    assert calls == 3


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion"])
def test_a_conflict_with_a_deploy_of_another_image_is_not_overridden(world: World, operation: str) -> None:
    # given: when the conflict is over, the function has an image that is neither the one before nor ours
    def other_image(answer: dict[str, Any]) -> None:
        if operation in world.proxy.operations:
            answer["Code"]["ResolvedImageUri"] = "host/name@sha256:" + "f" * 64

    world.proxy.inject(Fault(operation, times=1, answer=lambda _: CONFLICT))
    world.proxy.inject(Fault("GetFunction", alter=other_image))
    # when
    result = world.deploy()
    # then
    assert result.status == 1
    assert "another deploy came between" in result.summary["reason"]
    assert world.proxy.operations.count(operation) == 1
    world.converges()


def test_a_conflict_that_does_not_end(world: World) -> None:
    # given
    world.proxy.inject(Fault("UpdateFunctionCode", answer=lambda _: CONFLICT))
    # when, then
    world.assert_stopped(world.deploy(CONFLICT_RETRIES="2"), "update", "ResourceConflict", "Wait for it to end")
    assert world.proxy.operations.count("UpdateFunctionCode") == 3
    world.converges()


@pytest.mark.parametrize(
    ("operation", "step"),
    [
        pytest.param("UpdateFunctionCode", "update", id="update"),
        pytest.param("PublishVersion", "publish", id="publish"),
    ],
)
def test_two_deploys_at_once(world: World, operation: str, step: str) -> None:
    # given: AWS finds that our RevisionId is not the latest
    revisions: list[str] = []

    def outdated(request: Request) -> Reply:
        revisions.append(json.loads(request.body)["RevisionId"])
        return OUTDATED

    world.proxy.inject(Fault(operation, times=1, answer=outdated))
    world.proxy.inject(
        Fault("GetFunction", alter=lambda answer: answer["Configuration"].update(RevisionId="the-latest"))
    )
    # when
    result = world.deploy()
    # then
    world.assert_stopped(result, step, "PreconditionFailed", "ccapproval changed meanwhile")
    assert revisions == ["the-latest"]
    world.converges()


def test_the_alias_is_moved_only_from_where_it_was_seen(world: World) -> None:
    # given
    seen = world.client.get_alias(FunctionName="ccapproval", Name="live")["RevisionId"]
    moves: list[dict[str, str]] = []

    def outdated(request: Request) -> Reply:
        moves.append(json.loads(request.body))
        return OUTDATED

    world.proxy.inject(Fault("UpdateAlias", answer=outdated))
    # when
    result = world.deploy()
    # then
    world.assert_stopped(result, "traffic", "PreconditionFailed", "ccapproval changed meanwhile")
    assert [move["RevisionId"] for move in moves] == [seen]
    world.converges()


def test_an_alias_that_another_deploy_has_moved_is_left_there(world: World) -> None:
    # given
    digest = put_image(world.docker["registry"], "ccapproval-deploy", "m9", "sha256:" + "9" * 64, MANIFEST_TYPE)
    image = world.client.get_function(FunctionName="ccapproval")["Code"]["ImageUri"].partition("@")[0]
    changed = {"FunctionName": "ccapproval", "ImageUri": f"{image}@{digest}", "Publish": True}
    other = world.client.update_function_code(**changed)["Version"]

    def move(_: Request) -> Reply:
        world.client.update_alias(FunctionName="ccapproval", Name="live", FunctionVersion=other)
        world.verified.add(other)
        return OUTDATED

    world.proxy.inject(Fault("UpdateAlias", answer=move))
    # when
    result = world.deploy()
    # then
    assert result.status == 1
    assert f"at version {other} meanwhile" in result.summary["reason"]
    assert world.live()[0] == result.summary["live_version"] == other


def test_another_deploy_came_between(world: World) -> None:
    # given: after our update the function has an image that is not ours
    def other_image(answer: dict[str, Any]) -> None:
        if "UpdateFunctionCode" in world.proxy.operations:
            answer["Code"]["ResolvedImageUri"] = "host/name@sha256:" + "f" * 64

    world.proxy.inject(Fault("GetFunction", alter=other_image))
    # when, then
    world.assert_stopped(world.deploy(), "state", "another deploy", "See who deploys")
    world.converges()
