"""How an inference image was built: an in-toto statement with a SLSA v1 provenance predicate.

https://slsa.dev/spec/v1.0/provenance. It names the image by digest, and what went into it: commit, base, model, and the
hash-locked requirements. Its author is whoever builds; what makes it more than a claim is that the archive that holds
it is checked against the manifest, the labels and the checkout, and signed by whoever approves.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from lambda_app.manifest import digest
from operations.images.labels import BASE_DIGEST, BASE_NAME, IDENTITY, REVISION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD_TYPE = "tag:ccapproval,2026:scripts/images.sh"
LOCKS = tuple(f"requirements/inference{of}.txt" for of in ("", "-onnx", "-sklearn"))

# What in-toto defines.
Statement = dict[str, Any]


def statement(image: str, image_digest: str, labels: Mapping[str, str], locks: Mapping[str, str]) -> Statement:
    """Write the provenance of an image.

    Parameters
    ----------
    image, image_digest : str
        Its name, and its digest ("sha256:…").
    labels : mapping of str to str
        Its labels, from the build.
    locks : mapping of str to str
        The digests of the requirements that it was built from; see `locks_of`.
    """
    dependencies = [
        {"name": "source", "digest": {"gitCommit": labels.get(REVISION, "")}},
        {"name": labels.get(BASE_NAME, ""), "digest": _sha256(labels.get(BASE_DIGEST, ""))},
        *({"name": name, "digest": _sha256(lock)} for name, lock in locks.items()),
    ]
    return {
        "_type": STATEMENT,
        "subject": [{"name": image, "digest": _sha256(image_digest)}],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"model": labels.get(IDENTITY, "")},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": os.environ.get("BUILDER_ID", "tag:ccapproval,2026:by-hand")},
                "metadata": {"invocationId": os.environ.get("BUILD_RUN", "")},
            },
        },
    }


def locks_of(checkout: Path) -> dict[str, str]:
    """The digests of a checkout's hash-locked requirements, by the file's name."""
    return {name: digest((checkout / name).read_bytes()) for name in LOCKS}


def _sha256(stated: object) -> dict[str, str]:
    return {"sha256": str(stated).removeprefix("sha256:")} if stated else {}
