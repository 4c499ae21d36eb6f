"""What SageMaker and Vertex AI ask of a training job becomes arguments of `python -m model train`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from model.platforms import FAILURE_CHARACTERS, Job, PlatformError, plan, run_job

HEADER = "Income,Target"


@pytest.fixture
def sagemaker(tmp_path: Path) -> Path:
    """What SageMaker mounts as /opt/ml for a job without channels and hyperparameters."""
    root = tmp_path / "ml"
    (root / "input/config").mkdir(parents=True)
    return root


def _channel(sagemaker: Path, files: dict[str, str]) -> Path:
    channel = sagemaker / "input/data/training"
    channel.mkdir(parents=True)
    for name, content in files.items():
        (channel / name).write_text(content)
    return channel


def _hyperparameters(sagemaker: Path, values: Any) -> None:
    (sagemaker / "input/config/hyperparameters.json").write_text(json.dumps(values))


def _data(job: Job) -> Path:
    (found,) = (word for word in job.arguments if word.startswith("--data="))
    return Path(found.removeprefix("--data="))


def test_without_a_platform_the_arguments_are_passed_on(tmp_path: Path) -> None:
    job = plan({}, ["--rows", "1000"], sagemaker=tmp_path / "none")

    assert (job.arguments, job.failure) == (("--rows", "1000"), None)


def test_a_sagemaker_job_without_a_channel_trains_on_generated_applications(sagemaker: Path) -> None:
    job = plan({}, [], sagemaker)

    assert job.arguments == (f"--out={sagemaker / 'model'}",)
    assert job.failure == sagemaker / "output/failure"


def test_sagemaker_s_channel_hyperparameters_and_champion_become_arguments(sagemaker: Path) -> None:
    channel = _channel(sagemaker, {"applications.csv": HEADER, ".manifest": ""})
    _hyperparameters(
        sagemaker,
        {
            "seed": "7",
            "max_rejects": "0.02",
            "contract": '"examples/x.py:X"',
            "dated": '"2026-01-31"',
            "sagemaker_job": "1",
        },
    )
    champion = sagemaker / "input/data/champion/manifest.json"
    champion.parent.mkdir()
    champion.write_text("{}")

    assert plan({}, [], sagemaker).arguments == (
        "--seed=7",
        "--max-rejects=0.02",
        "--contract=examples/x.py:X",
        "--dated=2026-01-31",
        f"--data={channel / 'applications.csv'}",
        f"--champion={champion}",
        f"--out={sagemaker / 'model'}",
    )


def test_a_hyperparameter_cannot_move_the_model_elsewhere(sagemaker: Path) -> None:
    _hyperparameters(sagemaker, {"out": "/elsewhere"})

    assert plan({}, [], sagemaker).arguments[-1] == f"--out={sagemaker / 'model'}"


@pytest.mark.parametrize("values", [[], "text"])
def test_hyperparameters_that_are_not_an_object_are_refused(sagemaker: Path, values: Any) -> None:
    _hyperparameters(sagemaker, values)

    with pytest.raises(PlatformError, match=r"hyperparameters\.json: is not a JSON object"):
        plan({}, [], sagemaker)


def test_a_vertex_job_reads_and_writes_mounted_buckets(tmp_path: Path) -> None:
    data = tmp_path / "bank/set/training-00000-of-00001.csv"
    data.parent.mkdir(parents=True)
    data.write_text(HEADER)
    environ = {"AIP_MODEL_DIR": "gs://bank/run/model/", "AIP_TRAINING_DATA_URI": "gs://bank/set/training-*"}

    job = plan(environ, ["--seed=7"], gcs=tmp_path)

    assert job.arguments == ("--seed=7", f"--data={data}", f"--out={tmp_path}/bank/run/model")


def test_a_vertex_job_takes_local_paths_too(tmp_path: Path) -> None:
    job = plan({"AIP_MODEL_DIR": str(tmp_path)}, [])

    assert job.arguments == (f"--out={tmp_path}",)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"AIP_MODEL_DIR": "/m", "AIP_TRAINING_DATA_URI": "bq://project.set.table"}, id="BigQuery data"),
        pytest.param({"AIP_MODEL_DIR": "s3://bucket/model"}, id="another cloud's bucket"),
        pytest.param({"AIP_MODEL_DIR": "/m", "AIP_TRAINING_DATA_URI": "gs://bank/none-*"}, id="no data"),
    ],
)
def test_what_cannot_be_reached_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(PlatformError):
        plan(environ, [], gcs=tmp_path)


@pytest.fixture
def joined_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Joined files go below the test's own directory, and are removed with it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.usefixtures("joined_below")
def test_a_csv_in_parts_is_trained_on_as_one(sagemaker: Path) -> None:
    _channel(sagemaker, {"part-1.csv": f"{HEADER}\r\n1,0", "part-0.csv": f"{HEADER}\n2,1\n3,0\n", "readme.txt": "x"})

    joined = _data(plan({}, [], sagemaker))

    assert joined.read_text() == f"{HEADER}\n2,1\n3,0\n1,0\n"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        pytest.param("gs://bank/set/training-*", "training-*.csv", id="as Vertex AI exports"),
        pytest.param("gs://bank/set/*.csv", "*.csv", id="all files"),
    ],
)
@pytest.mark.usefixtures("joined_below")
def test_a_joined_csv_is_named_after_the_place_of_its_parts(uri: str, name: str, tmp_path: Path) -> None:
    for part in range(2):
        path = tmp_path / f"bank/set/training-{part}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADER}\n{part},0\n")

    joined = [_data(plan({"AIP_MODEL_DIR": "/m", "AIP_TRAINING_DATA_URI": uri}, [], gcs=tmp_path)) for _ in range(2)]

    # The same name each time, though not the same file: the name goes into the manifest.
    assert [path.name for path in joined] == [name, name]
    assert joined[0] != joined[1]


@pytest.mark.usefixtures("joined_below")
def test_a_sagemaker_channel_names_its_joined_csv(sagemaker: Path) -> None:
    _channel(sagemaker, {"a.csv": f"{HEADER}\n1,0\n", "b.csv": f"{HEADER}\n2,1\n"})

    assert _data(plan({}, [], sagemaker)).name == "training.csv"


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"data.json": "{}"}, id="another format"),
        pytest.param({"a.csv": HEADER, "b.csv": "Income"}, id="two tables"),
        pytest.param({"a.csv": HEADER, "b.parquet": ""}, id="two formats"),
    ],
)
def test_a_channel_that_is_not_one_table_is_refused(sagemaker: Path, files: dict[str, str]) -> None:
    _channel(sagemaker, files)

    with pytest.raises(PlatformError):
        plan({}, [], sagemaker)


def test_a_failure_s_reason_is_written_where_the_platform_looks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    failure = tmp_path / "output/failure"

    code = run_job(Job("a test", ("--no-such-option",), failure))

    assert code == 2
    assert failure.read_text().startswith("training ended with exit code 2\n")
    assert "--no-such-option" in failure.read_text()
    assert len(failure.read_text()) <= FAILURE_CHARACTERS
    assert "--no-such-option" in capfd.readouterr().out
