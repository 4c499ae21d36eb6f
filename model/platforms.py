"""The training image's `train` command, whoever runs it: SageMaker, Vertex AI, or a person.

    docker run IMAGE train

Each platform has its own way to say where the data is and where the model goes. Each becomes a call of
`python -m model train`, and a failure is reported where the platform shows it.

SageMaker: /opt/ml/input/data/training, /opt/ml/input/config/hyperparameters.json, /opt/ml/model, /opt/ml/output/failure
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html). Vertex AI: AIP_MODEL_DIR and
AIP_TRAINING_DATA_URI, with gs://BUCKET/… mounted as /gcs/BUCKET/…
(https://cloud.google.com/vertex-ai/docs/training/code-requirements).
"""

from __future__ import annotations

import glob
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import ModelError
from model.terminal import print_anything

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAGEMAKER = Path("/opt/ml")
GCS = Path("/gcs")
READABLE = (".csv", ".parquet")
# SageMaker shows the first 1024 characters of the failure file.
FAILURE_CHARACTERS = 1024


class PlatformError(ModelError):
    """The platform offers nothing to train on.

    Attributes
    ----------
    source : str
        The path or variable at fault.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source


@dataclass(frozen=True)
class Job:
    """One training run, as requested by a platform.

    Attributes
    ----------
    platform : str
    arguments : tuple of str
        For `python -m model train`. If an option is set twice, the later one wins.
    failure : Path, optional
        Where the platform looks for the reason for a failure.
    """

    platform: str
    arguments: tuple[str, ...]
    failure: Path | None = None


def plan(environ: Mapping[str, str], arguments: Sequence[str], sagemaker: Path = SAGEMAKER, gcs: Path = GCS) -> Job:
    """Detect the platform, and what it asks for.

    Parameters
    ----------
    environ : mapping
        The environment; Vertex AI sets `AIP_*`.
    arguments : sequence of str
        Whatever follows `train` on the command line; passed on to `python -m model train`.
    sagemaker, gcs : Path
        Where the platforms mount their files.

    Raises
    ------
    PlatformError
        The data is not where the platform says it is, or cannot be read.
    """
    if "AIP_MODEL_DIR" in environ:
        return _vertex(environ, arguments, gcs)
    if (sagemaker / "input").is_dir():
        return _sagemaker(arguments, sagemaker)
    return Job("this machine", tuple(arguments))


def run_job(job: Job) -> int:
    """Train. Pass on output, signals and the exit code, and leave the reason for a failure where the platform looks."""
    command = [sys.executable, "-m", "model", "train", *job.arguments]
    sys.stdout.write(f"train for {job.platform}: python -m model train {' '.join(job.arguments)}\n")
    sys.stdout.flush()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        # A platform stops a job by sending SIGTERM to the container's first process, which is this one.
        before = signal.signal(signal.SIGTERM, lambda received, _frame: child.send_signal(received))
        last = b""
        while child.stdout is not None and (chunk := os.read(child.stdout.fileno(), 65536)):
            os.write(sys.stdout.fileno(), chunk)
            last = (last + chunk)[-65536:]
        code = child.wait()
        signal.signal(signal.SIGTERM, before)
    # As a shell does: Docker and the platforms have no negative exit codes.
    code = 128 - code if code < 0 else code
    if code:
        # Drop the overwritten states of progress bars: the platform shows only a few characters.
        output = re.sub(r"[^\n\r]*\r", "", last.decode(errors="replace")).strip()
        heading = f"training ended with exit code {code}\n"
        # The end says why; but of a gate's denials, the first ones.
        denied = output.find("DENIED by rule")
        _report_failure(job.failure, heading + output[denied if denied >= 0 else len(heading) - FAILURE_CHARACTERS :])
    return code


def main(words: Sequence[str]) -> int:
    """Train as the platform requires; the exit code is that of `python -m model train`."""
    arguments = words[1:] if words[:1] == ["train"] else words
    try:
        job = plan(os.environ, arguments)
    except PlatformError as error:
        sys.stderr.write(f"train: {error}\n")
        _report_failure(SAGEMAKER / "output/failure" if (SAGEMAKER / "input").is_dir() else None, str(error))
        return 1
    return run_job(job)


def _sagemaker(arguments: Sequence[str], root: Path) -> Job:
    options = [*_hyperparameters(root / "input/config/hyperparameters.json"), *arguments]
    channel = root / "input/data/training"
    # A job without the channel trains on generated applications, as `make run` does.
    if channel.is_dir():
        options.append(f"--data={_one_file(sorted(channel.iterdir()), str(channel))}")
    champion = root / "input/data/champion/manifest.json"
    if champion.is_file():
        options.append(f"--champion={champion}")
    return Job("SageMaker", (*options, f"--out={root / 'model'}"), root / "output/failure")


def _hyperparameters(path: Path) -> list[str]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        items = found.items()
    except FileNotFoundError:
        return []
    except (ValueError, AttributeError) as err:
        raise PlatformError(str(path), "is not a JSON object") from err
    # SageMaker's SDK adds keys meant for its own containers.
    return [f"--{key.replace('_', '-')}={_plain(value)}" for key, value in items if not key.startswith("sagemaker_")]


def _plain(value: object) -> str:
    """A hyperparameter's actual value. It is always a string, and the SDK may have encoded it as JSON once more."""
    try:
        decoded = json.loads(str(value))
    except ValueError:
        return str(value)
    return decoded if isinstance(decoded, str) else str(value)


def _vertex(environ: Mapping[str, str], arguments: Sequence[str], gcs: Path) -> Job:
    options = list(arguments)
    uri = environ.get("AIP_TRAINING_DATA_URI", "")
    if uri:
        pattern = _local(uri, "AIP_TRAINING_DATA_URI", gcs)
        found = sorted(glob.glob(pattern))  # noqa: PTH207  # Path.glob rejects absolute patterns
        options.append(f"--data={_one_file([Path(path) for path in found], uri)}")
    return Job("Vertex AI", (*options, f"--out={_local(environ['AIP_MODEL_DIR'], 'AIP_MODEL_DIR', gcs)}"))


def _local(uri: str, source: str, gcs: Path) -> str:
    if uri.startswith("gs://"):
        return str(gcs / uri.removeprefix("gs://"))
    if "://" in uri:
        raise PlatformError(source, f"{uri.partition('://')[0]}:// cannot be read; export the data to Cloud Storage")
    return uri


def _one_file(files: Sequence[Path], source: str) -> Path:
    """The file to train on. If a platform has split a CSV into parts (training-00000-of-00004.csv), they are joined.

    The joined file is named after the source, because the manifest records its name as the origin of the data.
    """
    readable = [path for path in files if path.suffix in READABLE]
    if len(readable) == 1:
        return readable[0]
    if not readable or any(path.suffix != ".csv" for path in readable):
        found = ", ".join(path.name for path in readable) or "none"
        raise PlatformError(source, f"expected one .parquet file, or .csv files that form one table; found: {found}")
    target = Path(tempfile.mkdtemp(prefix="joined-")) / f"{Path(source).name.removesuffix('.csv')}.csv"
    with target.open("wb") as joined:
        header = b""
        for path in readable:
            with path.open("rb") as part:
                first = part.readline().rstrip(b"\r\n")
                if header and first != header:
                    raise PlatformError(source, f"{path.name} and {readable[0].name} have different headers")
                if not header:
                    header = first
                    joined.write(header + b"\n")
                for line in part:
                    joined.write(line.rstrip(b"\r\n") + b"\n")
    return target


def _report_failure(path: Path | None, reason: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")


if __name__ == "__main__":
    print_anything()
    sys.exit(main(sys.argv[1:]))
