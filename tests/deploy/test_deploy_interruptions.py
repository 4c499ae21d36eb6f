"""deploy.sh throttled at every call, left without an answer, and killed after every step; a rerun succeeds.

That `live` never points at an unverified version is checked after every run, by `World.deploy` itself.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.deploy.conftest import ROOT
from tests.deploy.fault_proxy import OUTDATED, Fault, throttled

if TYPE_CHECKING:
    from tests.deploy.conftest import World

CALLS = [
    "GetCallerIdentity", "GetFunction", "GetAlias", "DescribeRepositories", "DescribeImages", "GetAuthorizationToken",
    "UpdateFunctionCode", "PublishVersion", "GetFunctionConfiguration", "Invoke", "UpdateAlias", "CreateAlias",
]  # fmt: skip


@pytest.mark.parametrize(
    ("alias", "not_called"),
    [pytest.param("live", "CreateAlias", id="moved alias"), pytest.param("new", "UpdateAlias", id="new alias")],
)
def test_throttling_once_at_every_call_is_waited_out(world: World, alias: str, not_called: str) -> None:
    # given
    world.proxy.clear()
    for operation in CALLS:
        world.proxy.inject(Fault(operation, times=1, answer=throttled))
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    # when
    result = world.deploy(AWS_MAX_ATTEMPTS="3", ALIAS=alias)
    # then
    assert result.status == 0, result.told
    assert set(CALLS) - set(world.proxy.operations) == {not_called}
    assert world.client.get_alias(FunctionName="ccapproval", Name=alias)["FunctionVersion"] == result.summary["version"]


@pytest.mark.parametrize("operation", [call for call in CALLS if call != "CreateAlias"])
def test_throttling_without_end(world: World, operation: str) -> None:
    # given
    world.proxy.clear()
    world.proxy.inject(Fault(operation, answer=throttled))
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    # when
    result = world.deploy()
    # then
    assert result.status == 1
    assert "in a minute" in result.summary["next"], result.told
    assert operation in world.proxy.operations
    assert world.live() == ("1", world.first_digest)
    world.converges()


def test_throttling_without_end_of_a_new_alias(world: World) -> None:
    # given
    world.proxy.inject(Fault("CreateAlias", answer=throttled))
    # when
    result = world.deploy(ALIAS="canary-free")
    # then
    assert result.status == 1
    assert "in a minute" in result.summary["next"], result.told
    assert "CreateAlias" in world.proxy.operations


@pytest.mark.parametrize("operation", ["GetAlias", "GetFunctionConfiguration", "Invoke", "UpdateAlias"])
def test_a_throttled_rollback_leaves_live_and_the_way_back(world: World, operation: str) -> None:
    # given
    released = world.deploy().summary["live_version"]
    world.proxy.clear()
    world.proxy.inject(Fault(operation, answer=throttled))
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    # when
    result = world.deploy("--rollback")
    # then
    assert result.status == 1
    assert "in a minute" in result.summary["next"], result.told
    assert world.live()[0] == released
    # when
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    # then
    assert world.deploy("--rollback").summary["live_version"] == "1"


def test_a_release_that_stops_at_the_alias_leaves_the_way_back(world: World) -> None:
    # given a release, and one after it that may not move the alias
    released = world.deploy().summary["live_version"]
    world.build_another()
    world.proxy.inject(Fault("UpdateAlias", answer=throttled))
    assert world.deploy().status == 1
    assert world.live()[0] == released
    # when
    world.proxy.clear()
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    back = world.deploy("--rollback")
    # then
    assert back.summary["live_version"] == world.live()[0] == "1"


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"])
def test_an_answer_lost_on_its_way(world: World, operation: str) -> None:
    """AWS has acted, but the answer is lost."""
    # given
    world.proxy.inject(Fault(operation, times=1, lose=True))
    # when
    result = world.deploy()
    # then
    assert result.status == 1
    assert result.summary["live_version"] == world.live()[0]
    moved = world.live()[0] != "1"
    assert ("moved there" in result.told, "as before this run" in result.told) == (moved, not moved)
    world.converges()


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateAlias"])
def test_a_call_that_the_cli_repeats_after_its_answer_was_lost(world: World, operation: str) -> None:
    # given: the repeated call carries the revision from before the first one acted, which AWS refuses
    world.proxy.inject(Fault(operation, times=1, lose=True))
    world.proxy.inject(Fault(operation, times=1, answer=lambda _: OUTDATED))
    # when
    result = world.deploy(AWS_MAX_ATTEMPTS="3")
    # then
    assert result.status == 0, result.told
    assert world.proxy.operations.count(operation) == 2
    assert world.live()[1] == result.summary["digest"]


@pytest.mark.parametrize("line", ["[3] function", "[7] update", "[9] publish"])
def test_asked_to_end_it_says_so_and_ends_everything_that_it_started(world: World, line: str) -> None:
    # given a version that never becomes active, so that the run would wait for it
    world.proxy.inject(Fault("GetFunctionConfiguration", alter=lambda answer: answer.update(State="Pending")))
    # when
    result = world.deploy(end_at=line, UPDATE_TIMEOUT="60")
    # then: no process holds its output open, and none asks AWS any more
    assert result.status == 143
    assert "Run the same command again" in result.told
    assert result.summary["status"] == "stopped"
    asked = len(world.proxy.operations)
    time.sleep(3)
    assert len(world.proxy.operations) == asked
    world.converges()


def test_commands_are_substituted_only_before_the_traps_and_on_the_way_to_stop() -> None:
    """A signal that arrives in a substitution may make Bash 5.2 report a syntax error, and forget its traps."""
    allowed = re.compile(
        r'^(root|work|evidence|public_key|rules|limits|said|reason|refusal)=|\bstop "|\[ "\$step_name" != traffic \]'
    )
    for script in (ROOT / "scripts").glob("deploy*.sh"):
        commands = re.sub(r"\\\n|(?m:^\s*#.*$)|\$\(\(", "", script.read_text(encoding="utf-8"))
        found = [line.strip() for line in commands.splitlines() if "$(" in line]
        assert [line for line in found if not allowed.search(line)] == []


STEPS = [
    "[2] identity", "[3] function", "[4] image", "[5] push", "[6] digest", "[7] update", "[8] state", "[9] publish",
    "[10] verify", "[11] traffic", "live: version 1 ->",
]  # fmt: skip


def test_killed_after_every_step(world: World) -> None:
    """Each run is killed one step later than the one before, whose work is still there."""
    for line in STEPS:
        # when
        result = world.deploy(kill_at=line)
        # then
        assert result.status == -9, f"{line}: {result.told}"
    world.converges()
