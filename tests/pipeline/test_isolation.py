"""What a training dependency could do, if somebody had tampered with it: nothing but train a bad model."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.harness import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

PLANTED = "AKIAPLANTED"
# Each tries something, as Python code inside the training image, and must fail with an exception.
FORBIDDEN = {
    "change a script that later runs with credentials": "open('/harness/scripts/deploy.sh', 'a').write('#')",
    "plant a module that later runs with credentials": "open('/harness/operations/planted.py', 'w').write('')",
    "change the policy": "open('/harness/policies/model_gate.rego', 'w').write('')",
    "change the limits": "open('/harness/model/limits.json', 'w').write('{}')",
    "change the data": "open('/harness/build/data.csv', 'w').write('')",
    "replace the whole checkout": "import os; os.rename('/harness/operations', '/harness/build/training/operations')",
    "change itself for the next run": "open('/opt/venv/bin/planted', 'w').write('')",
    "become root": "import os; os.setuid(0)",
    "read a credential from the environment": "import os; os.environ['AWS_ACCESS_KEY_ID']",
    "read any secret of the shell's": f"import os; assert {PLANTED!r} in ''.join(os.environ.values())",
    "read a credential of the home directory": "import os; open(os.path.expanduser('~/.aws/credentials'))",
    "read the registry's password": "open('/root/.docker/config.json')",
    "reach Docker": "import socket; socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "reach the instance's credentials": "import socket; socket.create_connection(('169.254.169.254', 80), 3)",
    "reach the internet": "import socket; socket.create_connection(('1.1.1.1', 53), 3)",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with what the script and the attempts need, which anybody may read."""
    tmp_path.chmod(0o755)
    for name in ("scripts", "operations", "policies", "model"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("artifacts", "__pycache__"))
    (tmp_path / "build").mkdir()
    (tmp_path / "build/data.csv").write_text("a,b\n")
    return tmp_path


def isolated(checkout: Path, image: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code in the training image as a pipeline runs training, with credentials in the shell that starts it."""
    home = checkout / "home"
    (home / ".aws").mkdir(parents=True, exist_ok=True)
    (home / ".aws/credentials").write_text(PLANTED)
    planted = {"AWS_ACCESS_KEY_ID": PLANTED, "AWS_SECRET_ACCESS_KEY": PLANTED, "GH_TOKEN": PLANTED, "HOME": str(home)}
    words = [str(checkout / "scripts/train_isolated.sh"), image, "python", "-c", code]
    return subprocess.run(
        words, env={**os.environ, **planted}, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_it_cannot(attempt: str, checkout: Path, training_image: str) -> None:
    files = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}

    done = isolated(checkout, training_image, FORBIDDEN[attempt])

    assert done.returncode == 1, f"it could {attempt}: {done.stdout}{done.stderr}"
    assert "Error" in done.stderr.splitlines()[-1]
    after = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    assert {path: after.get(path) for path in files} == files


def test_it_can_leave_a_model_and_reports(checkout: Path, training_image: str) -> None:
    code = "open('model/artifacts/model.joblib', 'w').write('a'); open('build/training/report.xml', 'w').write('b')"

    done = isolated(checkout, training_image, code)

    assert done.returncode == 0, done.stderr
    assert (checkout / "model/artifacts/model.joblib").read_text() == "a"
    assert (checkout / "build/training/report.xml").read_text() == "b"


def test_it_can_read_what_it_trains_on(checkout: Path, training_image: str) -> None:
    """The attempts above fail for their own reasons, not because the checkout is out of sight."""
    done = isolated(checkout, training_image, "print(open('build/data.csv').read(), open('scripts/deploy.sh').read())")

    assert done.returncode == 0, done.stderr
