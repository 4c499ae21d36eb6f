"""What a model says about itself: in its manifest, or through the deployed function that serves it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambda_app.web.messages import SHOW_MANIFEST
from operations.errors import UnreadableInput

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_lambda import LambdaClient

# `GET /model`, as a function URL's event.
MODEL_REQUEST = {
    "version": "2.0",
    "rawPath": "/model",
    "rawQueryString": "",
    "headers": {},
    "isBase64Encoded": False,
    "requestContext": {"http": {"method": "GET", "path": "/model"}},
}


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a manifest file.

    Returns
    -------
    dict
        Parsed JSON; nothing in it is checked yet.

    Raises
    ------
    UnreadableInput
        The file is missing, or is not a JSON object.
    """
    try:
        content = path.read_bytes()
    except OSError as err:
        raise UnreadableInput(str(path), f"{err.strerror}; train a model first: make run") from err
    return _json_object(content, str(path))


def ask_function(client: LambdaClient, function: str, qualifier: str) -> dict[str, Any]:
    """Ask a deployed function which model it serves.

    Parameters
    ----------
    client : boto3 Lambda client
    function, qualifier : str
        The function's name, and the alias or version to ask.

    Returns
    -------
    dict
        The part of the manifest that `GET /model` shows. Parsed JSON; nothing in it is checked yet.

    Raises
    ------
    UnreadableInput
        The function's answer does not describe a model.
    botocore.exceptions.ClientError
        Lambda could not invoke it; for example, there is no such function.
    """
    source = f"{function}:{qualifier}"
    answer = client.invoke(FunctionName=function, Qualifier=qualifier, Payload=json.dumps(MODEL_REQUEST).encode())
    envelope = _json_object(answer["Payload"].read(), source)
    if answer.get("FunctionError") or envelope.get("statusCode") != 200:
        raise UnreadableInput(source, "GET /model did not answer 200; look at the function's log")
    return _json_object(str(envelope.get("body")).encode(), source)


def ask_manifest(client: LambdaClient, function: str, qualifier: str) -> dict[str, Any]:
    """Ask a deployed function for its whole manifest, which it gives to a direct invoke alone.

    Raises
    ------
    UnreadableInput
        The function's answer is no manifest; functions from before know none.
    botocore.exceptions.ClientError
    """
    source = f"{function}:{qualifier}"
    answer = client.invoke(FunctionName=function, Qualifier=qualifier, Payload=json.dumps(SHOW_MANIFEST).encode())
    envelope = _json_object(answer["Payload"].read(), source)
    if answer.get("FunctionError") or envelope.get("statusCode") != 200:
        raise UnreadableInput(
            source, "does not show its manifest; release it again, or name the artifact: --artifact DIR"
        )
    return _json_object(str(envelope.get("body")).encode(), source)


def _json_object(content: bytes, source: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError as err:
        raise UnreadableInput(source, "is not JSON") from err
    if not isinstance(parsed, dict):
        raise UnreadableInput(source, "is not a JSON object")
    return parsed
