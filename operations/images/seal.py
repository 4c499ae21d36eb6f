"""The inference image's last build step: `seal.py FORMAT EPOCH ROOT`, run in ROOT/var/task.

No image comes out of it unless the artifact has the format whose dependencies were installed, has passed its gate and
decides its golden cases as it was exported. Then every module is compiled to byte-code that is never checked against
its source again, all is made readable to any user, and every file gets one time: the same inputs, the same layer.
"""

from __future__ import annotations

import compileall
import json
import os
import sys
from pathlib import Path
from py_compile import PycInvalidationMode


def main() -> int:
    """Seal the working directory; 0 if it may become an image."""
    image_format, epoch, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    task = root / "var/task"
    artifact_format = json.loads((task / "model/artifacts/manifest.json").read_text())["format"]
    if artifact_format != image_format:
        print(
            f"The artifact's format is '{artifact_format}': build with MODEL_FORMAT={artifact_format}.", file=sys.stderr
        )
        return 1

    sys.path.insert(0, str(task))
    sys.dont_write_bytecode = True
    from lambda_app import selfcheck

    if selfcheck.main() != 0:
        return 1

    compiled = compileall.compile_dir(
        task, quiet=1, stripdir=root, prependdir="/", invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    )
    if not compiled:
        return 1
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.suffix == ".so" else 0o644)
        os.utime(path, (epoch, epoch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
