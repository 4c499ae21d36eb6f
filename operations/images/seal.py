"""The inference image's last build step: `seal.py FORMAT EPOCH ROOT` seals ROOT/var/task.

It refuses an artifact, or a challenger beside it, in a format whose dependencies were not installed, one
that has not passed its gate, and one that decides a golden case otherwise than at its export. Then it compiles every
module to byte-code that Python never checks against its source, makes every file readable to any user, and gives every
file the same time, so that the same inputs give the same layer.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

# What no cold start imports: compiled, it would add half as much again to what Lambda pulls.
NEVER_ON_LAMBDA = re.compile("/gunicorn/")


def main() -> int:
    """Seal ROOT/var/task; 0 if it may become an image, otherwise 1."""
    image_format, epoch, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    task = root / "var/task"
    sys.path.insert(0, str(task))
    sys.dont_write_bytecode = True
    from lambda_app import selfcheck
    from lambda_app.errors import ServiceError

    served = task / "model/artifacts"
    for directory in filter(Path.is_dir, (served, served / "challenger")):
        artifact_format = json.loads((directory / "manifest.json").read_text())["format"]
        # A scorecard needs nothing that another format's image lacks.
        if artifact_format not in (image_format, "scorecard"):
            print(
                f"The format of {directory.name} is '{artifact_format}': build with MODEL_FORMAT={artifact_format}.",
                file=sys.stderr,
            )
            return 1
        try:
            print(selfcheck.check(str(directory)))
        except ServiceError as err:
            print(f"{type(err).__name__}: {err}", file=sys.stderr)
            return 1

    compiled = compileall.compile_dir(
        task,
        quiet=1,
        stripdir=root,
        prependdir="/",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        rx=NEVER_ON_LAMBDA,
    )
    if not compiled:
        return 1
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.suffix in (".so", ".sh") else 0o644)
        os.utime(path, (epoch, epoch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
