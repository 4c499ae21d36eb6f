"""deploy.sh when nothing goes wrong, and its options."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import DEPLOY
from tests.deploy.fault_proxy import Fault, Reply

if TYPE_CHECKING:
    from tests.deploy.conftest import World

CHANGES = {"UpdateFunctionCode", "PublishVersion", "UpdateAlias", "CreateAlias", "PutImage", "Invoke"}


def test_a_release_moves_live_to_a_verified_version_of_the_new_image(world: World) -> None:
    # when
    result = world.deploy()
    # then
    assert result.status == 0, result.told
    version, digest = world.live()
    assert result.summary["status"] == "live"
    assert (result.summary["live_version"], result.summary["digest"]) == (version, digest)
    assert digest != world.first_digest
    assert result.summary["image_uri"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/ccapproval-deploy@{digest}"
    assert result.summary["model_version"] == "m2"


def test_each_step_is_named_as_it_runs(world: World) -> None:
    # when
    told = world.deploy().told
    # then
    steps = [line.split("] ")[1] for line in told.splitlines() if line.startswith("[")]
    assert steps == [
        "tools", "identity", "function", "image", "push", "digest", "update", "state", "publish", "verify", "traffic",
    ]  # fmt: skip


def test_a_second_run_changes_nothing(world: World) -> None:
    # given
    first = world.deploy()
    world.proxy.operations.clear()
    # when
    second = world.deploy()
    # then
    assert second.summary["live_version"] == first.summary["live_version"]
    assert (first.summary["moved"], second.summary.get("moved")) == ("yes", None)
    assert not {"UpdateFunctionCode", "UpdateAlias", "CreateAlias"} & set(world.proxy.operations)


def test_dry_run_checks_everything_and_changes_nothing(world: World) -> None:
    # when
    result = world.deploy("--dry-run")
    # then
    assert result.status == 0, result.told
    assert result.summary["status"] == "planned"
    assert not CHANGES & set(world.proxy.operations)
    assert world.live() == ("1", world.first_digest)


def test_push_stops_at_the_digest_and_needs_no_function(world: World) -> None:
    # given
    world.proxy.inject(Fault("GetFunction", answer=lambda _: Reply(500)))
    # when
    result = world.deploy("--push")
    # then
    assert result.status == 0, result.told
    assert result.summary["status"] == "pushed"
    assert result.summary["image_uri"].endswith(result.summary["digest"])
    assert result.summary["architecture"] == "x86_64"
    assert world.live() == ("1", world.first_digest)


def test_rollback_moves_live_back_once_and_then_says_that_there_is_no_more(world: World) -> None:
    # given
    assert world.deploy().status == 0
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=lambda _: Reply(200, b'{"statusCode": 200, "body": "{}"}')))
    # when
    back = world.deploy("--rollback")
    again = world.deploy("--rollback")
    # then
    assert back.status == 0, back.told
    assert back.summary["status"] == "rolled-back"
    assert again.status == 1
    assert "Deploy an older image" in again.told
    assert world.live() == ("1", world.first_digest)


def test_rollback_refuses_a_version_that_does_not_answer(world: World) -> None:
    # given
    released = world.deploy().summary["live_version"]
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=lambda _: Reply(200, b'{"statusCode": 500, "body": "{}"}')))
    # when
    result = world.deploy("--rollback")
    # then
    assert result.status == 1
    assert "does not answer" in result.summary["reason"]
    assert world.live()[0] == released


def start_canary(world: World) -> str:
    """Give a second version a tenth of the traffic."""
    world.build_another()
    canary: str = world.client.publish_version(FunctionName="ccapproval", Description="canary")["Version"]
    weights = {"AdditionalVersionWeights": {canary: 0.1}}
    world.client.update_alias(FunctionName="ccapproval", Name="live", RoutingConfig=weights)
    return canary


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--rollback"]], ids=" ".join)
def test_a_running_canary_is_not_ended_without_a_word(world: World, options: list[str]) -> None:
    # given
    if options == ["--rollback"]:
        world.client.update_alias(FunctionName="ccapproval", Name="live", Description="previous versions: 1")
    canary = start_canary(world)
    # when
    result = world.deploy(*options)
    # then
    world.assert_stopped(
        result, "function" if options == ["--rollback"] else "traffic", f"version {canary}: a canary", "--abort-canary"
    )
    assert world.client.get_alias(FunctionName="ccapproval", Name="live")["RoutingConfig"] == {
        "AdditionalVersionWeights": {canary: 0.1}
    }


def test_what_moves_is_exactly_what_was_read(world: World) -> None:
    # given a canary's weight on the alias
    start_canary(world)
    published, moved = world.seen("PublishVersion"), world.seen("UpdateAlias")
    # when
    result = world.deploy("--abort-canary")
    # then: the version is of this code and no other, and the alias loses the canary
    (publication,), (move,) = [[json.loads(request.body) for request in seen] for seen in (published, moved)]
    assert publication["CodeSha256"] == world.client.get_function_configuration(FunctionName="ccapproval")["CodeSha256"]
    assert publication["RevisionId"]
    assert move["RoutingConfig"] == {"AdditionalVersionWeights": {}}
    assert move["Description"] == "previous versions: 1"
    assert (result.summary["moved"], result.summary["previous_version"]) == ("yes", "1")


def sharing(world: World) -> Any:
    """The versions of the alias: its own, and those that share its traffic."""
    found = world.client.get_alias(FunctionName="ccapproval", Name="live")
    return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def test_a_canary_gets_its_share_and_no_more(world: World) -> None:
    # given
    released = world.live()[0]
    world.build_another()
    # when
    result = world.deploy("--canary", "10")
    # then
    assert result.status == 0, result.told
    assert (result.summary["status"], result.summary["live_version"]) == ("canary", released)
    assert sharing(world) == (released, {result.summary["version"]: 0.1})
    # when it is started again, with another share
    again = world.deploy("--canary", "25")
    # then
    assert (again.status, again.summary["version"]) == (0, result.summary["version"])
    assert sharing(world) == (released, {result.summary["version"]: 0.25})


def test_a_canary_in_place_of_another_needs_a_word(world: World) -> None:
    # given
    released, first = world.live()[0], start_canary(world)
    world.build_another("6")
    # when
    refused = world.deploy("--canary", "10")
    # then
    world.assert_stopped(refused, "traffic", f"version {first}: a canary", "--abort-canary")
    # when
    result = world.deploy("--canary", "10", "--abort-canary")
    # then
    assert result.status == 0, result.told
    assert sharing(world) == (released, {result.summary["version"]: 0.1})


def test_a_canary_needs_a_version_beside_it(world: World) -> None:
    # when
    result = world.deploy("--canary", "10", ALIAS="beta")
    # then
    world.assert_stopped(result, "function", "nothing beside it", "without --canary")


def test_a_dry_run_starts_no_canary(world: World) -> None:
    # given
    world.build_another()
    before = sharing(world)
    # when
    result = world.deploy("--canary", "10", "--dry-run")
    # then
    assert "10 % of live" in result.told
    assert sharing(world) == before


@pytest.mark.parametrize(
    "words", [["--canary"], ["--canary", "0"], ["--canary", "51"], ["--canary", "ten"], ["--rollback", "--canary", "5"]]
)
def test_a_canary_that_makes_no_sense_is_misuse(world: World, words: list[str]) -> None:
    assert world.deploy(*words).status == 2


def test_rollback_of_a_function_that_does_not_exist_says_so(world: World) -> None:
    # when
    result = world.deploy("--rollback", FUNCTION_NAME="mistyped")
    # then
    assert result.status == 1
    assert "mistyped can't be read" in result.summary["reason"]
    assert "FUNCTION_NAME" in result.summary["next"]


def test_rollback_needs_no_docker(world: World) -> None:
    # given
    assert world.deploy().status == 0
    world.docker["running"] = False
    # when, then
    assert world.deploy("--rollback").summary["live_version"] == "1"


def test_rollback_before_any_release_says_that_there_is_nothing_to_go_back_to(world: World) -> None:
    # when
    result = world.deploy("--rollback")
    # then
    assert result.status == 1
    assert "no earlier version" in result.summary["reason"]


def test_a_missing_alias_is_created_at_the_verified_version(world: World) -> None:
    # when
    result = world.deploy(ALIAS="canary-free")
    # then
    assert result.status == 0, result.told
    named = world.client.get_alias(FunctionName="ccapproval", Name="canary-free")
    assert named["FunctionVersion"] == result.summary["live_version"] == result.summary["version"]
    assert world.live() == ("1", world.first_digest)


def test_another_registry_host_is_pushed_to_and_deployed_from(world: World) -> None:
    # when
    result = world.deploy(REGISTRY="registry.bank.example")
    # then
    assert result.summary["image_uri"].startswith("registry.bank.example/ccapproval-deploy@sha256:")
    assert "DescribeRepositories" not in world.proxy.operations


@pytest.mark.parametrize(
    ("options", "status"),
    [
        pytest.param(["--help"], 0, id="help"),
        pytest.param(["--faster"], 2, id="unknown"),
        pytest.param(["--push", "--rollback"], 2, id="two at once"),
    ],
)
def test_help_and_misuse_tell_the_usage_and_call_nothing(world: World, options: list[str], status: int) -> None:
    # when
    result = world.deploy(*options)
    # then
    assert result.status == status
    assert world.proxy.operations == []


def test_python_files_where_it_is_started_are_not_run(world: World) -> None:
    # given a directory whose modules Python would find first
    for name in ("json.py", "operations.py", "lambda_app.py"):
        (world.directory / name).write_text("raise SystemExit(1)\n", encoding="utf-8")
    (world.directory / "scratch").mkdir()
    # when it keeps its own files there too
    result = world.deploy("--dry-run", TMPDIR="scratch")
    # then
    assert result.status == 0, result.told
    assert result.summary["status"] == "planned"


@pytest.mark.parametrize("command", ["lambda update-function-code", "lambda wait function-updated-v2", "lambda invoke"])
def test_the_commands_that_release_stand_in_the_script_itself(command: str) -> None:
    assert f" aws {command} --function-name" in DEPLOY.read_text(encoding="utf-8")


def test_version_2_of_the_aws_cli_releases_as_version_1_does(world: World) -> None:
    # given a PATH on which `aws` is version 2
    installed = [path for path in (Path("/usr/local/bin/aws"), Path("/usr/bin/aws")) if is_version_2(path)]
    if not installed:
        pytest.skip("AWS CLI 2 is missing; on Debian: apt-get install awscli")
    version_2 = world.directory / "version-2"
    version_2.mkdir()
    (version_2 / "aws").symlink_to(installed[0])
    # when
    result = world.deploy(PATH=f"{version_2}:{world.environment['PATH']}")
    # then
    assert result.status == 0, result.told
    assert result.summary["live_version"] == world.live()[0] == "2"
    # and back again
    assert world.deploy("--rollback", PATH=f"{version_2}:{world.environment['PATH']}").summary["live_version"] == "1"


def is_version_2(program: Path) -> bool:
    """Whether this is the AWS CLI, version 2."""
    if not program.exists():
        return False
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return told.startswith("aws-cli/2.")
