"""Clients for AWS, whose refusals end a command with one line instead of a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, overload

from operations.errors import CloudRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient


@overload
def client(service: Literal["cloudwatch"]) -> AbstractContextManager[CloudWatchClient]: ...
@overload
def client(service: Literal["ecr"]) -> AbstractContextManager[ECRClient]: ...
@overload
def client(service: Literal["kms"]) -> AbstractContextManager[KMSClient]: ...
@overload
def client(service: Literal["lambda"]) -> AbstractContextManager[LambdaClient]: ...
@overload
def client(service: Literal["logs"]) -> AbstractContextManager[CloudWatchLogsClient]: ...
@contextmanager
def client(service: Literal["cloudwatch", "ecr", "kms", "lambda", "logs"]) -> Iterator[Any]:
    """Open a client for as long as the `with` block lasts.

    Credentials, region and endpoint come from the environment (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, …).

    Raises
    ------
    CloudRefused
        AWS refused a call made inside the block, or could not be reached.
    """
    # Imported here, so that commands that only read files need the standard library alone, and start at once.
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield boto3.client(service)
    except ClientError as err:
        raise CloudRefused(service, err.response["Error"]["Code"], str(err)) from err
    except BotoCoreError as err:
        raise CloudRefused(service, type(err).__name__, str(err)) from err
