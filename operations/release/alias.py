"""An alias that shares its traffic: who has it, and moving it to either version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from operations.errors import UnreadableInput
from operations.release.ways import Ways

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class Sharing:
    """An alias whose traffic two versions share.

    Attributes
    ----------
    function, alias : str
    stable, canary : str
        Versions.
    weight : float
        The canary's share of the traffic.
    since : datetime
        When the canary was published: it has had no traffic before.
    revision : str
        The alias's, as it was read.
    description : str
    """

    function: str
    alias: str
    stable: str
    canary: str
    weight: float
    since: datetime
    revision: str
    description: str

    @property
    def who(self) -> str:
        """The canary, for people."""
        return (
            f"{self.function} version {self.canary} ({self.weight:.0%} of {self.alias}, beside version {self.stable})"
        )


def find(client: LambdaClient, function: str, alias: str) -> Sharing | None:
    """The sharing of an alias; None if one version has all its traffic.

    Raises
    ------
    UnreadableInput
        More than two versions share it, which Lambda does not do.
    botocore.exceptions.ClientError
    """
    found = client.get_alias(FunctionName=function, Name=alias)
    weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    if not weights:
        return None
    if len(weights) > 1:
        raise UnreadableInput(f"{function}:{alias}", f"shares its traffic with versions {', '.join(weights)}")
    ((canary, weight),) = weights.items()
    published = client.get_function_configuration(FunctionName=function, Qualifier=canary)["LastModified"]
    return Sharing(
        function,
        alias,
        found["FunctionVersion"],
        canary,
        weight,
        datetime.fromisoformat(published),
        found["RevisionId"],
        found.get("Description", ""),
    )


def promote(client: LambdaClient, sharing: Sharing) -> None:
    """Give the canary all traffic, and remember the way back."""
    description = str(Ways.of(sharing.description).after_release(sharing.stable, sharing.canary))
    _move(client, sharing, sharing.canary, description)


def end(client: LambdaClient, sharing: Sharing) -> None:
    """Take all traffic from the canary."""
    _move(client, sharing, sharing.stable, sharing.description)


def _move(client: LambdaClient, sharing: Sharing, version: str, description: str) -> None:
    # By the revision that was read: whoever moved the alias meanwhile is not overruled.
    client.update_alias(
        FunctionName=sharing.function,
        Name=sharing.alias,
        FunctionVersion=version,
        Description=description,
        RoutingConfig={"AdditionalVersionWeights": {}},
        RevisionId=sharing.revision,
    )


def platform_errors(client: CloudWatchClient, sharing: Sharing, version: str, until: datetime) -> int:
    """The invocations of a version through the alias that Lambda itself counts as errors: crashes and timeouts.

    Those write no metrics of their own, since the handler never came to it.
    """
    answer = client.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[
            {"Name": "FunctionName", "Value": sharing.function},
            {"Name": "Resource", "Value": f"{sharing.function}:{sharing.alias}"},
            {"Name": "ExecutedVersion", "Value": version},
        ],
        StartTime=sharing.since,
        EndTime=until,
        Period=86_400,
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer["Datapoints"]))
