"""Print an inference image's labels: `image_labels.py MANIFEST BASE`, one `KEY=VALUE` a line.

`org.opencontainers.image.*` are the OCI's own keys; `ccapproval.*` say which model is inside and how it was judged,
so that a registry can be asked without opening the image. docs/images.md lists them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(manifest_file: Path, base: str) -> int:
    """Print the labels; 0 if every one of them is known."""
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        found = labels(manifest, revision(Path.cwd()), base, base_digest(base, _digests(base)))
    except (OSError, ValueError, KeyError, TypeError, subprocess.CalledProcessError) as err:
        print(f"image_labels: {type(err).__name__}: {err}", file=sys.stderr)
        return 1
    for key, value in found.items():
        print(f"{key}={value}")
    return 0


def labels(manifest: dict[str, Any], revision: str, base_name: str, base_digest: str | None) -> dict[str, str]:
    """The labels of an image that serves the model which a manifest describes."""
    found = {
        "org.opencontainers.image.title": "Credit card approval",
        "org.opencontainers.image.description": "Decides card applications on AWS Lambda, and gives the reasons.",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": manifest["model_version"],
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.base.name": base_name,
        "ccapproval.model_version": manifest["model_version"],
        "ccapproval.model_format": manifest["format"],
        "ccapproval.trained_at": manifest["trained_at"],
        "ccapproval.data_digest": manifest["data"]["digest"],
        "ccapproval.metrics": json.dumps(_figures(manifest["metrics"]), sort_keys=True, separators=(",", ":")),
        "ccapproval.gate": "passed" if manifest["gate"]["passed"] is True else "not passed",
    }
    if base_digest is not None:
        found["org.opencontainers.image.base.digest"] = base_digest
    return found


def revision(repository: Path) -> str:
    """The commit that is checked out, with `-dirty` behind it if any file is not as committed; or `unknown`."""
    try:
        commit = _output("git", "-C", str(repository), "rev-parse", "HEAD")
        changed = _output("git", "-C", str(repository), "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def base_digest(base: str, digests: list[str]) -> str | None:
    """The digest by which a registry knows the base; None if no registry does.

    Parameters
    ----------
    base : str
        The base's name, with a tag, a digest or neither.
    digests : list of str
        `REPOSITORY@DIGEST` for each registry that the engine pulled it from or pushed it to. That of the repository
        in the base's name comes first.
    """
    directory, slash, name = base.partition("@")[0].rpartition("/")
    repository = f"{directory}{slash}{name.partition(':')[0]}"
    known = sorted(digests, key=lambda digest: not digest.startswith(f"{repository}@"))
    return known[0].partition("@")[2] if known else None


def _digests(image: str) -> list[str]:
    words = ("docker", "image", "inspect", "--format", "{{json .RepoDigests}}", image)
    found: list[str] | None = json.loads(_output(*words))
    return found or []


def _figures(metrics: dict[str, Any]) -> dict[str, float]:
    """The single figures; tables and intervals stay in the manifest."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
