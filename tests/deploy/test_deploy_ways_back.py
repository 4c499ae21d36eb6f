"""deploy.sh --rollback to any version that was live, and --prune, which keeps them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.deploy.conftest import World


def release(world: World, digit: int) -> str:
    """Build and release another image; returns its version."""
    world.docker["images"]["ccapproval-deploy:latest"]["Id"] = f"sha256:{digit:x}" + "0" * 63
    result = world.deploy()
    assert result.status == 0, result.told
    return result.summary["live_version"]


def described(world: World) -> str:
    """What the alias says of the ways back."""
    description: str = world.client.get_alias(FunctionName="ccapproval", Name="live").get("Description", "")
    return description


def test_every_version_that_was_live_is_a_way_back(world: World) -> None:
    second, third, fourth = (release(world, digit) for digit in (3, 4, 5))
    assert described(world) == f"previous versions: {third} {second} 1"

    back = world.deploy("--rollback")
    assert back.summary["live_version"] == third
    assert described(world) == f"previous versions: {second} 1; rolled back from: {fourth}"
    further = world.deploy("--rollback")
    assert further.summary["live_version"] == second
    assert world.deploy("--rollback", "--to", "1").summary["live_version"] == "1"
    assert world.deploy("--rollback", "--to", fourth).summary["live_version"] == fourth
    assert described(world) == f"previous versions: 1; rolled back from: {second} {third}"


def test_a_rollback_names_both_models(world: World) -> None:
    release(world, 3)

    back = world.deploy("--rollback")

    assert (back.summary["previous_model"], back.summary["model_version"]) == ("m2", "m2")
    assert "from version 2 (model m2) to version 1 (model m2)" in back.told


def test_a_version_that_was_never_live_is_no_way_back(world: World) -> None:
    second = release(world, 3)
    never = str(int(second) + 1)

    result = world.deploy("--rollback", "--to", never)

    assert (result.status, result.summary["step"]) == (1, "function")
    assert f"Version {never} was never live" in result.summary["reason"]
    assert "Those that were: 1" in result.summary["reason"]
    assert "version" not in result.summary
    assert world.live()[0] == second


def test_a_rollback_to_where_live_is_changes_nothing(world: World) -> None:
    second = release(world, 3)
    world.proxy.operations.clear()

    result = world.deploy("--rollback", "--to", second)

    assert (result.status, result.summary["live_version"]) == (0, second)
    assert "UpdateAlias" not in world.proxy.operations


def test_an_alias_that_an_earlier_release_has_moved_can_be_rolled_back(world: World) -> None:
    second = release(world, 3)
    world.client.update_alias(FunctionName="ccapproval", Name="live", Description="previous version: 1")

    assert world.deploy("--rollback").summary["live_version"] == "1"
    assert described(world) == f"rolled back from: {second}"


@pytest.mark.parametrize(
    "options", [["--rollback", "--to"], ["--rollback", "--to", "x"], ["--to", "1"], ["--prune", "x"]]
)
def test_a_version_is_a_number_and_goes_with_rollback(world: World, options: list[str]) -> None:
    assert world.deploy(*options).status == 2


def versions(world: World) -> list[str]:
    """All versions but $LATEST."""
    found = world.client.list_versions_by_function(FunctionName="ccapproval")["Versions"]
    return [version["Version"] for version in found if version["Version"] != "$LATEST"]


def images(world: World) -> int:
    """How many images the repository holds."""
    import boto3

    client = boto3.client(
        "ecr", "us-east-1", endpoint_url=world.docker["registry"], aws_access_key_id="a", aws_secret_access_key="b"
    )
    found = len(client.describe_images(repositoryName="ccapproval-deploy")["imageDetails"])
    client.close()
    return found


def test_prune_keeps_what_an_alias_names_and_the_ways_back_and_some_more(world: World) -> None:
    # given five versions, of which the alias has forgotten the first two, and a canary that another alias runs
    for digit in (3, 4, 5, 6):
        release(world, digit)
    world.client.update_alias(FunctionName="ccapproval", Name="live", Description="previous versions: 4")
    world.client.create_alias(FunctionName="ccapproval", Name="other", FunctionVersion="3")
    assert (versions(world), images(world)) == (["1", "2", "3", "4", "5"], 5)
    # when
    kept_one = world.deploy("--prune", "1")
    # then
    assert kept_one.status == 0, kept_one.told
    assert kept_one.summary["pruned"] == "1"
    assert (versions(world), images(world)) == (["2", "3", "4", "5"], 4)
    # when
    kept_none = world.deploy("--prune", "0")
    # then
    assert kept_none.summary["pruned"] == "2"
    assert (versions(world), images(world)) == (["3", "4", "5"], 3)
    assert world.deploy("--prune", "0").summary.get("pruned") is None
    assert world.deploy("--rollback").summary["live_version"] == "4"


def test_prune_keeps_an_image_that_another_version_runs(world: World) -> None:
    # given two versions of one image, which differ in their configuration
    world.client.update_function_configuration(FunctionName="ccapproval", MemorySize=1024)
    world.client.publish_version(FunctionName="ccapproval")
    release(world, 3)
    world.client.update_alias(FunctionName="ccapproval", Name="live", Description="previous versions: 2")
    before = images(world)
    # when
    result = world.deploy("--prune", "0")
    # then
    assert result.summary["pruned"] == "1"
    assert images(world) == before


def test_prune_needs_neither_docker_nor_an_image(world: World) -> None:
    world.docker["running"] = False

    result = world.deploy("--prune")

    assert (result.status, json.dumps(result.summary.get("pruned"))) == (0, "null")
    assert "no version" in result.told
