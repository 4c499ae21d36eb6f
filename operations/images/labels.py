"""The labels of an inference image: written at the build by `python -m operations.images.labels MANIFEST BASE`.

The command prints one `KEY=VALUE` a line. `org.opencontainers.image.*` are the OCI's own keys; `ccapproval.*` say which
model is inside and how it was judged, so a registry can answer that without opening the image. docs/images.md lists
them all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.manifest import Figures, Manifest

MODEL_VERSION, IDENTITY = "ccapproval.model_version", "ccapproval.identity"
REVISION = "org.opencontainers.image.revision"
BASE_NAME, BASE_DIGEST = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"


def main(manifest_file: Path, base: str) -> int:
    """Print the labels; 0 if all of them are known, otherwise 1."""
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        found = labels(manifest, revision(Path.cwd()), base, base_digest(base, _digests(base)))
    except (OSError, ValueError, KeyError, TypeError, subprocess.CalledProcessError) as err:
        print(f"labels: {type(err).__name__}: {err}", file=sys.stderr)
        return 1
    for key, value in found.items():
        print(f"{key}={value}")
    return 0


def labels(manifest: Manifest, revision: str, base_name: str, base_digest: str | None) -> dict[str, str]:
    """Build the labels of the image that serves a manifest's model.

    Parameters
    ----------
    manifest : Manifest
    revision : str
        The commit the image is built from.
    base_name : str
    base_digest : str or None
        The base image, and its digest in a registry; None where no registry has it.
    """
    found = {
        "org.opencontainers.image.title": "Credit card approval",
        "org.opencontainers.image.description": "Decides card applications on AWS Lambda, and gives the reasons.",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": manifest["model_version"],
        REVISION: revision,
        BASE_NAME: base_name,
        MODEL_VERSION: manifest["model_version"],
        IDENTITY: manifest["identity"],
        "ccapproval.model_format": manifest["format"],
        "ccapproval.trained_at": manifest["trained_at"],
        "ccapproval.data_digest": manifest["data"]["digest"],
        "ccapproval.metrics": json.dumps(_single(manifest["metrics"]), sort_keys=True, separators=(",", ":")),
        "ccapproval.gate": "passed" if manifest["gate"]["passed"] is True else "not passed",
    }
    if base_digest is not None:
        found[BASE_DIGEST] = base_digest
    return found


def identity(labels: Mapping[str, str]) -> str | None:
    """The identity of the model in an image with these labels; None if it has no model."""
    return labels.get(IDENTITY)


def revision(repository: Path) -> str:
    """The commit that is checked out, followed by `-dirty` if any file differs from it; `unknown` outside Git."""
    try:
        commit = _output("git", "-C", str(repository), "rev-parse", "HEAD")
        changed = _output("git", "-C", str(repository), "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def base_digest(base: str, digests: list[str]) -> str | None:
    """The digest that a registry knows the base by; None if no registry has it.

    Parameters
    ----------
    base : str
        The base's name, with a tag, a digest or neither.
    digests : list of str
        `REPOSITORY@DIGEST` for each registry that the engine pulled it from or pushed it to. The repository in the
        base's name takes precedence.
    """
    directory, slash, name = base.partition("@")[0].rpartition("/")
    repository = f"{directory}{slash}{name.partition(':')[0]}"
    known = sorted(digests, key=lambda digest: not digest.startswith(f"{repository}@"))
    return known[0].partition("@")[2] if known else None


def _digests(image: str) -> list[str]:
    words = ("docker", "image", "inspect", "--format", "{{json .RepoDigests}}", image)
    found: list[str] | None = json.loads(_output(*words))
    return found or []


def _single(figures: Figures) -> dict[str, float]:
    """The figures that are one number; tables and intervals stay in the manifest."""
    return {name: value for name, value in figures.items() if isinstance(value, int | float)}


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
