"""Print an inference image's labels: `image_labels.py MANIFEST REVISION BASE_NAME BASE_DIGEST`, one `KEY=VALUE` a line.

`org.opencontainers.image.*` are the OCI's own keys; `ccapproval.*` say which model is inside and how it was judged,
so that a registry can be asked without opening the image. docs/images.md lists them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def labels(manifest: dict[str, Any], revision: str, base_name: str, base_digest: str) -> dict[str, str]:
    """The labels of an image that serves the model which a manifest describes."""
    return {
        "org.opencontainers.image.title": "Credit card approval",
        "org.opencontainers.image.description": "Decides card applications on AWS Lambda, and gives the reasons.",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.version": manifest["model_version"],
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.base.name": base_name,
        "org.opencontainers.image.base.digest": base_digest,
        "ccapproval.model_version": manifest["model_version"],
        "ccapproval.model_format": manifest["format"],
        "ccapproval.trained_at": manifest["trained_at"],
        "ccapproval.data_digest": manifest["data"]["digest"],
        "ccapproval.metrics": json.dumps(_figures(manifest["metrics"]), sort_keys=True, separators=(",", ":")),
        "ccapproval.gate": "passed" if manifest["gate"]["passed"] is True else "not passed",
    }


def _figures(metrics: dict[str, Any]) -> dict[str, float]:
    """The single figures; tables and intervals stay in the manifest."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


if __name__ == "__main__":
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for key, value in labels(content, *sys.argv[2:]).items():
        print(f"{key}={value}")
