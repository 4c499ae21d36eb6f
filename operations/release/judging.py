"""May an image be released, is it the one that was approved, and did it answer as it must?

Judges what Docker and Lambda say, which `operations/release/checks.py` reads from files. Standard library alone.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lambda_app.golden import same
from operations.images.index import INDEX_ADVICE, is_index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import NotRequired, TypedDict

    from lambda_app.manifest import GoldenCase

    class Descriptor(TypedDict):
        """What an image is stored as; engines that keep no manifests give none."""

        mediaType: str

    class Config(TypedDict):
        """How an image runs. `Env` holds NAME=VALUE entries."""

        Env: NotRequired[list[str] | None]
        Cmd: NotRequired[list[str] | None]
        Labels: NotRequired[dict[str, str] | None]

    class Inspected(TypedDict):
        """The part of `docker image inspect` that is read here."""

        Id: str
        Os: str
        Architecture: str
        Config: Config
        Descriptor: NotRequired[Descriptor]


# Docker's names for processors, and Lambda's.
LAMBDA_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
DEFAULT_MODEL_DIR = "/var/task/model/artifacts"
HANDLER = "lambda_app.handler.handler"
APPROVED_ADVICE = "Release the image that was approved, or have this one approved: docs/pipeline.md"
REBUILD_ADVICE = "Train a model that passes its gate, then build again: make run images"


class ReleaseRefused(Exception):
    """The image may not be released.

    Attributes
    ----------
    reason : str
        What is wrong.
    advice : str
        What to do next.
    """

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def image_facts(inspected: Inspected, architecture: str | None) -> tuple[str, str, str]:
    """Read what Docker knows about an image.

    Parameters
    ----------
    inspected : dict
        One element of what `docker image inspect` prints.
    architecture : str, optional
        Lambda's name for the processor that the function runs on; None if there is no function yet.

    Returns
    -------
    tuple of str
        The first 12 digits of the image's id, Lambda's name for its processor, and the manifest's path inside.

    Raises
    ------
    ReleaseRefused
        It is an image index, or built for another processor.
    """
    if is_index(inspected.get("Descriptor", {}).get("mediaType", "")):
        raise ReleaseRefused("The image is an index of several manifests; Lambda takes only one.", INDEX_ADVICE)
    built_for = f"{inspected['Os']}/{inspected['Architecture']}"
    found = LAMBDA_ARCHITECTURES.get(inspected["Architecture"]) if inspected["Os"] == "linux" else None
    if found is None or (architecture and found != architecture):
        raise ReleaseRefused(
            f"The image is built for {built_for}, the function runs on {architecture or 'linux x86_64 or arm64'}.",
            f"Build for the function: ARCHITECTURE={architecture or 'x86_64'} make images. Or create the function anew "
            "with the other architecture.",
        )
    environment = dict(entry.split("=", 1) for entry in inspected["Config"].get("Env") or [])
    directory = environment.get("MODEL_DIR", DEFAULT_MODEL_DIR)
    if not directory.startswith("/"):
        directory = f"/var/task/{directory}"
    return inspected["Id"].removeprefix("sha256:")[:12], found, f"{directory}/manifest.json"


def check_approved(inspected: Inspected, facts: dict[str, Any], pairs: Sequence[tuple[str, Path, Path]]) -> None:
    """Compare an image with what was approved.

    Parameters
    ----------
    inspected : dict
        One element of what `docker image inspect` prints.
    facts : dict
        The same image as the approved archive records it.
    pairs : sequence of (name, approved, found)
        A file of the archive, and the same one out of the image, which was never started.

    Raises
    ------
    ReleaseRefused
        Names what differs.
    """
    for name, approved, found in pairs:
        # A link would be followed on this machine, but inside the image when it runs.
        if found.is_symlink() or not found.is_file() or found.read_bytes() != approved.read_bytes():
            raise ReleaseRefused(f"The image's {name} is not the one that was approved.", APPROVED_ADVICE)
    config = inspected["Config"]
    if (config.get("Labels") or {}) != facts.get("labels"):
        raise ReleaseRefused("The image's labels are not those that were approved.", APPROVED_ADVICE)
    if (config.get("Cmd") or []) != [HANDLER]:
        raise ReleaseRefused(f"The image does not run {HANDLER}.", APPROVED_ADVICE)
    environment = dict(entry.split("=", 1) for entry in config.get("Env") or [])
    if environment.get("MODEL_DIR", DEFAULT_MODEL_DIR) != DEFAULT_MODEL_DIR:
        raise ReleaseRefused("The image serves a model from another directory than its own.", APPROVED_ADVICE)


def served_model(health: object) -> str:
    """The model version in a function's answer to `GET /health`.

    Raises
    ------
    ReleaseRefused
        The answer is not a 200.
    """
    try:
        return str(body_of(health).get("model_version") or "-")
    except ReleaseRefused:
        raise ReleaseRefused(
            "The version does not answer /health.",
            "Go back to another (--rollback --to VERSION), or deploy one that works: IMAGE=name:tag scripts/deploy.sh",
        ) from None


def gated_cases(manifest: dict[str, Any]) -> tuple[str, list[GoldenCase]]:
    """Get the model version and the golden cases of an artifact that has passed its gate.

    Parameters
    ----------
    manifest : dict
        Parsed JSON, not yet checked.

    Raises
    ------
    ReleaseRefused
        The gate has not passed, or there is nothing to verify the deployed version with.
    """
    gate, cases = manifest.get("gate"), manifest.get("golden")
    if not isinstance(gate, dict) or gate.get("passed") is not True:
        raise ReleaseRefused("The model in the image has not passed its gate.", REBUILD_ADVICE)
    if not isinstance(cases, list) or not cases or not all(map(_is_case, cases)):
        raise ReleaseRefused("The model in the image carries no golden cases to verify it with.", REBUILD_ADVICE)
    # The version becomes part of the image's tag.
    return re.sub(r"[^A-Za-z0-9_.-]", "-", str(manifest.get("model_version", "unknown")))[:60], cases


def _is_case(case: object) -> bool:
    return isinstance(case, dict) and isinstance(case.get("response"), dict) and isinstance(case.get("request"), dict)


def check_answers(cases: Sequence[GoldenCase], batch: object, single: object) -> None:
    """Compare the answers of a deployed version with the golden cases.

    Parameters
    ----------
    cases : sequence of dict
        Each with a `request` and the `response` it must get.
    batch, single : object
        What the function answered to all requests in one list, and to the first alone: parsed JSON, not yet checked.

    Raises
    ------
    ReleaseRefused
        An answer is not the recorded one. Neither is quoted: they may come from a real applicant.
    """
    answers = body_of(batch).get("predictions")
    if not isinstance(answers, list) or len(answers) != len(cases):
        raise wrong("The version does not answer the golden cases with one decision each.")
    for number, (case, answer) in enumerate(zip(cases, answers, strict=True)):
        if not same(case["response"], answer):
            raise wrong(f"Golden case {number} is not decided as recorded.")
    if not same(cases[0]["response"], body_of(single)):
        raise wrong("Golden case 0, sent alone, is not decided as recorded.")


def body_of(envelope: object) -> dict[str, Any]:
    """The JSON object in a function's answer.

    Raises
    ------
    ReleaseRefused
        It answered anything but a 200 with a JSON object.
    """
    status = envelope.get("statusCode") if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict) or status != 200:
        raise wrong(f"The version answers the golden cases with status {status}.")
    try:
        body = json.loads(envelope["body"])
    except (KeyError, TypeError, ValueError):
        body = None
    if not isinstance(body, dict):
        raise wrong("The version's answer to the golden cases holds no JSON object.")
    return body


def wrong(reason: str) -> ReleaseRefused:
    """The refusal of a version that answers otherwise than it must."""
    return ReleaseRefused(
        reason,
        "The version gets no traffic. See its log, correct the image, build and deploy it: make images, deploy.sh",
    )
