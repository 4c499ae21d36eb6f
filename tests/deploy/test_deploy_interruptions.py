"""deploy.sh throttled at every call, left without an answer, and killed after every step; a rerun converges.

That `live` never points at an unverified version is checked after every run, by `World.deploy` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.fault_proxy import Fault, throttled

if TYPE_CHECKING:
    from tests.deploy.conftest import World

CALLS = [
    "GetCallerIdentity", "GetFunction", "GetAlias", "DescribeRepositories", "DescribeImages", "GetAuthorizationToken",
    "UpdateFunctionCode", "PublishVersion", "GetFunctionConfiguration", "Invoke", "UpdateAlias", "CreateAlias",
]  # fmt: skip


def test_throttling_once_at_every_call_is_waited_out(world: World) -> None:
    # given
    world.proxy.clear()
    for operation in CALLS:
        world.proxy.inject(Fault(operation, times=1, answer=throttled))
    world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
    # when
    result = world.deploy(AWS_MAX_ATTEMPTS="3")
    # then
    assert result.status == 0, result.told
    assert set(CALLS) <= set(world.proxy.operations)
    assert world.live()[1] == result.summary["digest"]


def test_throttling_at_every_call_without_end(world: World) -> None:
    """Each run gets one call further, then stops; the last one has nothing in its way."""
    # given
    stopped_at = []
    for operation in [*CALLS, None]:
        world.proxy.clear()
        if operation:
            world.proxy.inject(Fault(operation, answer=throttled))
        world.proxy.inject(Fault("Invoke", answer=world.answer_golden))
        # when
        result = world.deploy()
        # then
        if result.status:
            assert "minute" in result.summary["next"], result.told
            assert operation
            stopped_at.append(operation)
            assert world.live() == ("1", world.first_digest)
    # DescribeImages and what comes after is only asked for what is not done yet, so each was met.
    assert set(stopped_at) >= {
        "GetCallerIdentity",
        "GetFunction",
        "GetAlias",
        "UpdateFunctionCode",
        "PublishVersion",
        "Invoke",
    }
    assert world.live()[1] != world.first_digest


@pytest.mark.parametrize("operation", ["UpdateFunctionCode", "UpdateAlias"])
def test_an_answer_lost_on_its_way(world: World, operation: str) -> None:
    """AWS has acted, and nobody learns of it."""
    # given
    world.proxy.inject(Fault(operation, times=1, lose=True))
    # when
    result = world.deploy()
    # then
    assert result.status in (0, 1)
    assert result.summary["live_version"] == world.live()[0]
    world.converges()


STEPS = [
    "[2] identity", "[3] function", "[4] image", "[5] push", "[6] digest", "[7] update", "[8] state", "[9] publish",
    "[10] verify", "[11] traffic", "live: version 1 ->",
]  # fmt: skip


def test_killed_after_every_step(world: World) -> None:
    """Each run is killed as the next step begins; the runs before it have left what they had done."""
    for line in STEPS:
        # when
        result = world.deploy(kill_at=line)
        # then
        assert result.status == -9, f"{line}: {result.told}"
    world.converges()
