"""What `scripts/deploy.sh` judges documents by: may this image be deployed, and did it answer as it must?

It needs only the standard library of Python 3.10 or newer, so a machine that deploys needs no environment of this
project: `python3 -m operations.release.checks COMMAND …`, run from the repository's root. A refusal exits with 1 and
writes two lines to standard error: what is wrong, and what to do next.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_app.golden import same
from operations.images.index import INDEX_ADVICE, is_index
from operations.release.ways import Ways, prunable

if TYPE_CHECKING:
    from collections.abc import Sequence
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
        return str(_body(health).get("model_version") or "-")
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
    return isinstance(case, dict) and isinstance(case.get("response"), dict) and "request" in case


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
    answers = _body(batch).get("predictions")
    if not isinstance(answers, list) or len(answers) != len(cases):
        raise _wrong("The version does not answer the golden cases with one decision each.")
    for number, (case, answer) in enumerate(zip(cases, answers, strict=True)):
        if not same(case["response"], answer):
            raise _wrong(f"Golden case {number} is not decided as recorded.")
    if not same(cases[0]["response"], _body(single)):
        raise _wrong("Golden case 0, sent alone, is not decided as recorded.")


def _body(envelope: object) -> dict[str, Any]:
    status = envelope.get("statusCode") if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict) or status != 200:
        raise _wrong(f"The version answers the golden cases with status {status}.")
    try:
        body = json.loads(envelope["body"])
    except (KeyError, TypeError, ValueError):
        body = None
    if not isinstance(body, dict):
        raise _wrong("The version's answer to the golden cases holds no JSON object.")
    return body


def _wrong(reason: str) -> ReleaseRefused:
    return ReleaseRefused(
        reason,
        "The version gets no traffic. See its log, correct the image, build and deploy it: make images, deploy.sh",
    )


def _read(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _read_manifest(path: str) -> dict[str, Any]:
    try:
        manifest = _read(path)
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise ReleaseRefused("The manifest in the image is not a JSON object.", REBUILD_ADVICE)
    return manifest


def _read_answer(path: str) -> object:
    try:
        return _read(path)
    except ValueError:
        raise _wrong("The version's answer to the golden cases is not JSON.") from None


def _image(arguments: argparse.Namespace) -> str:
    return "\t".join(image_facts(_read(arguments.inspected)[0], arguments.architecture or None))


def _gate(arguments: argparse.Namespace) -> str:
    model_version, cases = gated_cases(_read_manifest(arguments.manifest))
    requests = [case["request"] for case in cases]
    Path(arguments.batch).write_text(json.dumps(requests), encoding="utf-8")
    Path(arguments.single).write_text(json.dumps(requests[0]), encoding="utf-8")
    return f"{model_version}\t{len(cases)}"


def _golden(arguments: argparse.Namespace) -> str:
    _, cases = gated_cases(_read_manifest(arguments.manifest))
    check_answers(cases, _read_answer(arguments.batch), _read_answer(arguments.single))
    return f"{len(cases)}"


def _registry(arguments: argparse.Namespace) -> str:
    if is_index(arguments.media_type):
        raise ReleaseRefused(
            "The registry holds an image index under this tag; Lambda takes one manifest.", INDEX_ADVICE
        )
    return ""


def _approved(arguments: argparse.Namespace) -> str:
    approved, manifest, model = Path(arguments.approved), Path(arguments.manifest), Path(arguments.model)
    pairs = (
        ("manifest.json", approved / "model/manifest.json", manifest),
        ("model.joblib", approved / "model/model.joblib", model),
    )
    check_approved(_read(arguments.inspected)[0], _read(str(approved / "images/inference.json")), pairs)
    return ""


def _health(arguments: argparse.Namespace) -> str:
    return served_model(_read_answer(arguments.answer))


def _ways_after_release(arguments: argparse.Namespace) -> str:
    return str(Ways.of(arguments.description).after_release(arguments.live, arguments.version))


def _way_back(arguments: argparse.Namespace) -> str:
    ways = Ways.of(arguments.description)
    version = ways.target(arguments.version)
    if version:
        return f"{version}\t{ways.after_rollback(arguments.live, version)}"
    if not arguments.version:
        raise ReleaseRefused(
            "There is no earlier version to go back to.", "Deploy an older image: IMAGE=name:tag scripts/deploy.sh"
        )
    known = " ".join((*ways.previous, *ways.withdrawn)) or "none"
    raise ReleaseRefused(
        f"Version {arguments.version} was never live, so nobody has verified it. Those that were: {known}.",
        "Name one of them, or deploy its image: scripts/deploy.sh",
    )


def _prunable(arguments: argparse.Namespace) -> str:
    versions, aliases = (
        Path(path).read_text(encoding="utf-8").splitlines() for path in (arguments.versions, arguments.aliases)
    )
    return "\n".join(prunable([version.strip() for version in versions], aliases, int(arguments.kept)))


def _summary(arguments: argparse.Namespace) -> str:
    facts = dict(fact.split("=", 1) for fact in arguments.facts)
    return json.dumps({name: value for name, value in facts.items() if value}, indent=2)


def main(words: Sequence[str] | None = None) -> int:
    """Run one of the checks; 0 if it holds, 1 if not."""
    parser = argparse.ArgumentParser(
        prog="python3 -m operations.release.checks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    for name, command, names in (
        ("image", _image, ("inspected", "architecture")),
        ("registry", _registry, ("media_type",)),
        ("gate", _gate, ("manifest", "batch", "single")),
        ("golden", _golden, ("manifest", "batch", "single")),
        ("approved", _approved, ("inspected", "approved", "manifest", "model")),
        ("health", _health, ("answer",)),
        ("ways-after-release", _ways_after_release, ("description", "live", "version")),
        ("way-back", _way_back, ("description", "live", "version")),
        ("prunable", _prunable, ("versions", "aliases", "kept")),
    ):
        subparser = commands.add_parser(name)
        for argument in names:
            subparser.add_argument(argument)
        subparser.set_defaults(command=command)
    subparser = commands.add_parser("summary")
    subparser.add_argument("facts", nargs="*", metavar="NAME=VALUE")
    subparser.set_defaults(command=_summary)
    arguments = parser.parse_args(words)
    try:
        sys.stdout.write(arguments.command(arguments) + "\n")
    except ReleaseRefused as refused:
        sys.stderr.write(f"{refused.reason}\n{refused.advice}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
