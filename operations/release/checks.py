"""What `scripts/deploy.sh` asks: one decision a command, of documents in files.

It needs only the standard library of Python 3.11 or newer, so a machine that deploys needs no environment of this
project: `python3 -m operations.release.checks COMMAND …`, run from the repository's root. A refusal exits with 1 and
writes two lines to standard error: what is wrong, and what to do next.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_app.web.keys import KEY, RELEASE_CHECK
from operations.images.index import INDEX_ADVICE, is_index
from operations.release.judging import (
    REBUILD_ADVICE,
    ReleaseRefused,
    check_answers,
    check_approved,
    gated_cases,
    image_facts,
    served_model,
    wrong,
)
from operations.release.ways import Ways, prunable

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        raise wrong("The version's answer to the golden cases is not JSON.") from None


def _image(arguments: argparse.Namespace) -> str:
    return "\t".join(image_facts(_read(arguments.inspected)[0], arguments.architecture or None))


def _gate(arguments: argparse.Namespace) -> str:
    model_version, cases = gated_cases(_read_manifest(arguments.manifest))
    requests = [{**case["request"], KEY: RELEASE_CHECK} for case in cases]  # no customers: the log says so
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
