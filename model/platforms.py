"""What `train` does for whoever runs the training image: SageMaker, Vertex AI, or a person.

    docker run IMAGE train

Each platform has its own way to say where the data is and where the model goes. All become one call of
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
    """One training run, as a platform asks for it.

    Attributes
    ----------
    platform : str
    arguments : tuple of str
        For `python -m model train`. If two set the same option, the later one wins.
    failure : Path, optional
        Where the platform looks for the reason for a failure.
    """

    platform: str
    arguments: tuple[str, ...]
    failure: Path | None = None


def plan(environ: Mapping[str, str], arguments: Sequence[str], sagemaker: Path = SAGEMAKER, gcs: Path = GCS) -> Job:
    """Find out which platform runs this, and what it asks for.

    Parameters
    ----------
    environ : mapping
        The environment: `AIP_*` as Vertex AI sets them.
    arguments : sequence of str
        What follows `train` on the command line, for `python -m model train`.
    sagemaker, gcs : Path
        Where the platforms mount their files.

    Raises
    ------
    PlatformError
        There is no data where the platform says it is, or it cannot be read.
    """
    if "AIP_MODEL_DIR" in environ:
        return _vertex(environ, arguments, gcs)
    if (sagemaker / "input").is_dir():
        return _sagemaker(arguments, sagemaker)
    return Job("this machine", tuple(arguments))


def run(job: Job) -> int:
    """Train. Output, signals and the exit code are passed on, and the reason for a failure is left for the platform."""
    command = [sys.executable, "-m", "model", "train", *job.arguments]
    sys.stdout.write(f"train for {job.platform}: python -m model train {' '.join(job.arguments)}\n")
    sys.stdout.flush()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        # A platform stops a job with SIGTERM to the first process of the container, which is this one.
        before = signal.signal(signal.SIGTERM, lambda received, _frame: child.send_signal(received))
        last = b""
        while child.stdout is not None and (chunk := os.read(child.stdout.fileno(), 65536)):
            os.write(sys.stdout.fileno(), chunk)
            last = (last + chunk)[-65536:]
        code = child.wait()
        signal.signal(signal.SIGTERM, before)
    # As a shell does; Docker and the platforms know no negative codes.
    code = 128 - code if code < 0 else code
    if code:
        # A progress bar overwrites itself; its old states are not worth the platform's few characters.
        said = re.sub(r"[^\n\r]*\r", "", last.decode(errors="replace")).strip()
        heading = f"training ended with exit code {code}\n"
        _tell_failure(job.failure, heading + said[len(heading) - FAILURE_CHARACTERS :])
    return code


def main(words: Sequence[str]) -> int:
    """Train as the environment asks; the exit code is that of `python -m model train`."""
    arguments = words[1:] if words[:1] == ["train"] else words
    try:
        job = plan(os.environ, arguments)
    except PlatformError as error:
        sys.stderr.write(f"train: {error}\n")
        _tell_failure(SAGEMAKER / "output/failure" if (SAGEMAKER / "input").is_dir() else None, str(error))
        return 1
    return run(job)


def _sagemaker(arguments: Sequence[str], root: Path) -> Job:
    asked = [*_hyperparameters(root / "input/config/hyperparameters.json"), *arguments]
    channel = root / "input/data/training"
    # A job without the channel trains on generated applications, as `make run` does.
    if channel.is_dir():
        asked.append(f"--data={_one_file(sorted(channel.iterdir()), str(channel))}")
    champion = root / "input/data/champion/manifest.json"
    if champion.is_file():
        asked.append(f"--champion={champion}")
    return Job("SageMaker", (*asked, f"--out={root / 'model'}"), root / "output/failure")


def _hyperparameters(path: Path) -> list[str]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        items = found.items()
    except FileNotFoundError:
        return []
    except (ValueError, AttributeError) as err:
        raise PlatformError(str(path), "is not a JSON object") from err
    # SageMaker's own SDK adds keys of its own, for its own containers.
    return [f"--{key.replace('_', '-')}={_plain(value)}" for key, value in items if not key.startswith("sagemaker_")]


def _plain(value: object) -> str:
    """A hyperparameter as it was meant: always a string, in which the SDK may have put a JSON string."""
    try:
        decoded = json.loads(str(value))
    except ValueError:
        return str(value)
    return decoded if isinstance(decoded, str) else str(value)


def _vertex(environ: Mapping[str, str], arguments: Sequence[str], gcs: Path) -> Job:
    asked = list(arguments)
    uri = environ.get("AIP_TRAINING_DATA_URI", "")
    if uri:
        pattern = _local(uri, "AIP_TRAINING_DATA_URI", gcs)
        found = sorted(glob.glob(pattern))  # noqa: PTH207  # Path.glob takes no absolute pattern
        asked.append(f"--data={_one_file([Path(path) for path in found], uri)}")
    return Job("Vertex AI", (*asked, f"--out={_local(environ['AIP_MODEL_DIR'], 'AIP_MODEL_DIR', gcs)}"))


def _local(uri: str, source: str, gcs: Path) -> str:
    if uri.startswith("gs://"):
        return str(gcs / uri.removeprefix("gs://"))
    if "://" in uri:
        raise PlatformError(source, f"{uri.partition('://')[0]}:// cannot be read; export the data to Cloud Storage")
    return uri


def _one_file(files: Sequence[Path], source: str) -> Path:
    """The file to train on. The parts of a CSV that a platform has split (training-00000-of-00004.csv) are joined.

    The joined file is named after the source: the manifest records its name as the origin of the data.
    """
    readable = [path for path in files if path.suffix in READABLE]
    if len(readable) == 1:
        return readable[0]
    if not readable or any(path.suffix != ".csv" for path in readable):
        found = ", ".join(path.name for path in readable) or "none"
        raise PlatformError(source, f"one .parquet file or .csv files of one table are needed; there: {found}")
    target = Path(tempfile.mkdtemp(prefix="joined-")) / f"{Path(source).name.removesuffix('.csv')}.csv"
    with target.open("wb") as joined:
        header = b""
        for path in readable:
            with path.open("rb") as part:
                first = part.readline().rstrip(b"\r\n")
                if header and first != header:
                    raise PlatformError(source, f"{path.name} has another header than {readable[0].name}")
                if not header:
                    header = first
                    joined.write(header + b"\n")
                for line in part:
                    joined.write(line.rstrip(b"\r\n") + b"\n")
    return target


def _tell_failure(path: Path | None, reason: str) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(reason[:FAILURE_CHARACTERS], encoding="utf-8")


if __name__ == "__main__":
    print_anything()
    sys.exit(main(sys.argv[1:]))
