"""`python -m lambda_app.selfcheck`: reject an artifact that may not serve.

Loads the artifact in MODEL_DIR with the loader that serves, rejects it if it has not passed the gate, and decides its
golden cases. An image is built only if this exits with 0.
"""

from __future__ import annotations

import os
import sys

from lambda_app import artifact, golden
from lambda_app.decision import Decider
from lambda_app.errors import ServiceError
from lambda_app.settings import Settings


class SelfCheckFailed(ServiceError):
    """The artifact loads, but may not serve."""


def check(directory: str) -> str:
    """Check an artifact, and return a one-line summary of what was checked.

    Raises
    ------
    ServiceError
        It cannot be loaded, has not passed the gate, or does not decide a golden case as recorded.
    """
    loaded = artifact.load(directory)
    manifest = loaded.manifest
    gate, cases = manifest.get("gate"), manifest.get("golden")
    if not isinstance(gate, dict) or gate.get("passed") is not True:
        raise SelfCheckFailed(f"{directory}: the gate has not passed this model; see gate.json beside it")
    if not isinstance(cases, list) or not cases:
        raise SelfCheckFailed(f"{directory}: the manifest has no golden cases")
    decider = Decider(loaded)
    for number, case in enumerate(cases):
        if not golden.same(case["response"], decider.decide(case["request"], "golden").answer):
            raise SelfCheckFailed(f"{directory}: golden case {number} is not decided as recorded")
    return (
        f"model {decider.model_version} ({manifest['format']}): gate passed, "
        f"{len(cases)} golden cases decided as recorded"
    )


def main() -> int:
    """Check MODEL_DIR; 0 if it may serve, 1 if not."""
    try:
        sys.stdout.write(check(Settings.read(os.environ).model_dir) + "\n")
    except ServiceError as err:
        sys.stderr.write(f"{type(err).__name__}: {err}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
