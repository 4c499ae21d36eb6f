"""Records training runs with MLflow, without ever holding up a training run.

MLflow takes seconds to import, and its server may be slow, full or unreachable. So a separate process does the
recording. It starts together with the training, and learns at the end where the artifact is. Its failures are reported,
never raised. The training process does not import MLflow at all.

`MLFLOW_TRACKING_URI` names a server; by default a run is recorded in `mlflow.db` and `mlruns/` of the working
directory. `PIPELINE_ID` becomes a tag. MLflow's own variables are honoured.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from lambda_app.manifest import Figures, Manifest

LOCAL = "sqlite:///mlflow.db"
# How long the recording may take after the training.
SECONDS = 60.0
# By default, MLflow waits over 15 minutes for an unreachable server, and sends usage statistics to its makers.
DEFAULTS = {
    "MLFLOW_TRACKING_URI": LOCAL,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
}
# The view of an experiment that lists these columns beside its runs; `make experiments` prints its address.
VIEW = "figures"
COLUMNS = (
    "metrics.`accuracy`",
    "metrics.`roc_auc`",
    "metrics.`equal_opportunity_gap`",
    "metrics.`approval_rate`",
    "tags.`gate`",
)
Named = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "gini",
    "ks",
    "log_loss",
    "brier",
    "approval_rate",
    "equal_opportunity_gap",
]
FIGURES: tuple[Named, ...] = get_args(Named)
Compared = Literal["equal_opportunity_difference", "demographic_parity_difference", "adverse_impact_ratio"]
DIFFERENCES: tuple[Compared, ...] = get_args(Compared)


class Recorder:
    """Records one training run.

    Use it in a `with` statement: if the block ends without calling `record`, the run is recorded as failed.

    Parameters
    ----------
    experiment : str
        The name under which runs are compared with each other; see `experiment_of`.
    environ : mapping
        `MLFLOW_*` and `PIPELINE_ID`. An empty `MLFLOW_TRACKING_URI` counts as not set.
    seconds : float
        How long to wait for the recording after the training.
    """

    def __init__(self, experiment: str, environ: Mapping[str, str], seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._uri = environ.get("MLFLOW_TRACKING_URI", "")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "model.track", experiment],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(environ),
        )

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.returncode is None:
            self._finish("")

    @property
    def recorded(self) -> bool:
        """Whether the run has been recorded."""
        return self._child.returncode == 0

    def record(self, directory: Path) -> str:
        """Record the artifact, or the reports of a rejected one, and return a line that says how it went.

        Parameters
        ----------
        directory : Path
            Holds `manifest.json`, `metrics.json`, `gate.json` and the report.
        """
        result = self._finish(json.dumps(str(directory)))
        if self.recorded:
            return result
        return (
            f"NOT RECORDED: {result}. The training run is complete without it; "
            f"to record it later: python -m model track --artifact {directory}"
        )

    def _finish(self, line: str) -> str:
        """Send the process its last line, wait for it to end, and return the last line of its answer."""
        try:
            answer, complaint = self._child.communicate(line, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
            return f"MLflow did not answer within {self._seconds:g} seconds"
        said = (answer or quotable(self._uri, complaint)).strip()
        return said.splitlines()[-1] if said else f"exit code {self._child.returncode}"


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    given = {name: value for name, value in environ.items() if value}
    # The working directory may not be the one that holds this package.
    path = os.pathsep.join([str(Path(__file__).resolve().parent.parent), given.get("PYTHONPATH", "")]).strip(os.pathsep)
    return {**DEFAULTS, **given, "PYTHONPATH": path}


def _record(experiment: str) -> int:
    """The recording process: start a run, wait for the artifact's directory on standard input, and log it."""
    uri = os.environ["MLFLOW_TRACKING_URI"]
    try:
        if uri == LOCAL:
            # If the directory is not writable, MLflow would keep trying for minutes; this fails at once.
            Path("mlflow.db").touch()
        # Imported while the training is busy.
        import mlflow.sklearn
        import skops.io  # noqa: F401  # loaded early too

        mlflow.set_tracking_uri(uri)
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", experiment)
        mlflow.set_experiment(experiment)
        # Makes MLflow's pages show runs and figures first, not prompts and traces.
        mlflow.set_experiment_tag("mlflow.experimentKind", "custom_model_development")
        mlflow.set_experiment_tag(f"mlflow.sharedViewState.{VIEW}", json.dumps({"selectedColumns": COLUMNS}))
        pipeline = os.environ.get("PIPELINE_ID")
        with mlflow.start_run(tags={"pipeline_id": pipeline} if pipeline else {}) as run:
            line = sys.stdin.readline()
            if not line:
                mlflow.end_run("FAILED")
                return 1
            name = _log(mlflow, Path(json.loads(line)))
        sys.stdout.write(f"run {name} ({run.info.run_id}) of experiment {experiment}, {without_secrets(uri)}\n")
    except Exception as err:  # noqa: BLE001  # no error here may cost a training run
        sys.stdout.write(f"{without_secrets(uri)}: {failure(uri, err)}\n")
        return 1
    return 0


def _log(mlflow: Any, directory: Path) -> str:
    """Log what is in the directory, and return the run's name."""
    manifest: Manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    mlflow.log_params(parameters(manifest))
    mlflow.log_metrics(figures(manifest, {name: metrics[name] for name in metrics["cutoffs"]}))
    mlflow.set_tags(tags(manifest))
    comparison = directory / "comparison.json"
    if comparison.is_file():
        champion = json.loads(comparison.read_text(encoding="utf-8"))["champion"]["model_version"]
        note = f"Compared with {champion}, the model in service: see `comparison.html` among the artifacts."
        mlflow.set_tags({"champion": champion, "mlflow.note.content": note})
    for path in sorted(directory.iterdir()):
        if path.is_file() and path.name != "pipeline.joblib" and not path.name.startswith("."):
            mlflow.log_artifact(str(path))
    if (directory / "pipeline.joblib").is_file():
        _log_pipeline(directory, manifest)
    return manifest["model_version"]


def experiment_of(name: str, description: str | None) -> str:
    """The experiment of a contract: its class and its description, so that two classes of one name do not share one.

    >>> experiment_of("Applicant", "An application for a credit card.")
    'Applicant: An application for a credit card'
    """
    first = (description or "").strip().split("\n")[0].rstrip(".")
    # MLflow accepts 500 characters.
    return f"{name}: {first}"[:200] if first else name


def parameters(manifest: Manifest) -> dict[str, str | float]:
    """The run's parameters."""
    data = manifest["data"]
    return {
        **manifest["settings"],
        "format": manifest["format"],
        "data.rows": data["rows"],
        "data.rejected": data["rejects"]["rows_rejected"],
        "data.source": data["source"],
        "data.dated": data["dated"] or "unknown",
    }


def figures(manifest: Manifest, models: Mapping[str, Figures]) -> dict[str, float]:
    """The run's metrics: the figures of every model, and the differences between groups.

    Parameters
    ----------
    manifest : Manifest
    models : mapping of str to Figures
        The figures of each model by its name.
    """
    # An artifact from before a figure existed lacks it.
    found: dict[str, float | None] = {
        f"{_of(model)}{name}": judged.get(name) for model, judged in models.items() for name in FIGURES
    }
    for model, judged in models.items():
        fit, skill = judged.get("calibration_fit"), judged.get("brier_skill")
        found[f"{_of(model)}calibration_slope"] = fit and fit["slope"]["value"]
        found[f"{_of(model)}brier_skill"] = skill and skill["value"]
    if "leakage" in manifest:
        found["copied_share"] = manifest["leakage"]["copied_share"]
    for column, differences in manifest["metrics"]["groups"].items():
        # MLflow accepts only letters, digits and a few other characters.
        group = re.sub(r"[^\w\-. ]", "_", column)
        found |= {f"{group}/{name}": differences[name]["value"] for name in DIFFERENCES}
    return {
        **{name: figure for name, figure in found.items() if figure is not None},
        "threshold": manifest["threshold"],
        "parity/different_decisions": manifest["parity"]["different_decisions"],
        "parity/largest_difference": manifest["parity"]["largest_difference"],
    }


def _of(model: str) -> str:
    """What goes before a figure's name: nothing for the scorecard, so that MLflow's narrow columns show the name."""
    return "" if model == "scorecard" else f"{model}/"


def tags(manifest: Manifest) -> dict[str, str]:
    """The tags by which the run can be found."""
    gate = manifest["gate"]
    found = {
        "mlflow.runName": f"{manifest['model_version']}, accuracy {manifest['metrics']['accuracy']:.1%}",
        "data_digest": manifest["data"]["digest"],
        "model_version": manifest["model_version"],
        "identity": manifest["identity"],
        "model_digest": manifest["digest"],
        "trained_at": manifest["trained_at"],
        "contract": manifest["contract"]["name"],
        "gate": "passed" if gate["passed"] else "denied: " + ", ".join(denial["rule"] for denial in gate["denials"]),
    }
    if manifest["git_commit"]:
        found["mlflow.source.git.commit"] = manifest["git_commit"]
    return found


def _log_pipeline(directory: Path, manifest: Manifest) -> None:
    import joblib
    import mlflow.sklearn
    import skops.io
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    pipeline = joblib.load(directory / "pipeline.joblib")
    # The pipeline takes numbers: a word as its index among the field's words, NaN for a missing value.
    inputs: list[Any] = [ColSpec("double", field["name"]) for field in manifest["contract"]["fields"]]
    mlflow.sklearn.log_model(
        pipeline,
        name="pipeline",
        signature=ModelSignature(Schema(inputs), Schema([ColSpec("double", "deny"), ColSpec("double", "approve")])),
        # MLflow opens only types that are listed as trusted. These are: this run created them.
        skops_trusted_types=skops.io.get_untrusted_types(data=skops.io.dumps(pipeline)),
        pyfunc_predict_fn="predict_proba",
        pip_requirements=[f"{name}=={version}" for name, version in manifest["libraries"].items()],
    )


# A host, a port and a path, with no character that could belong to a password.
PLAIN = re.compile(r"([\w.-]*|\[[0-9a-fA-F:.]+\])(:\d+)?(/[^:%=&]*)?|[\w./ -]+|arn:aws[\w:./-]+")


def without_secrets(uri: str) -> str:
    """What may be printed of a tracking URI: scheme, host, port and path; no user name, password or query.

    A password may hold `/`, `@` or `?`, although it should not. What can be read in two ways is left out.

    >>> without_secrets("https://me:se/cr@et@tracking.example:8443/mlflow")
    'https://tracking.example:8443/mlflow'
    >>> without_secrets("https://tracking.example/mlflow?token=abc")
    'https://tracking.example/mlflow?…'
    >>> without_secrets("https://me:se?cret@tracking.example")
    'https://tracking.example'
    >>> without_secrets("https://tracking.example?password=se@cret")
    'https://…'
    """
    scheme = match[0] if (match := re.match(r"[A-Za-z][\w+.-]*://", uri)) else ""
    before, mark, after = _parted(uri.removeprefix(scheme))
    place = before.rpartition("@")[2]
    if after.count("@") == 1 and re.fullmatch(r"[^/@:]*:(?!\d*$)[^/@]*", before):
        # No host and port, so a password that holds the mark.
        return without_secrets(scheme + after.rpartition("@")[2])
    if "@" in after or not place.isprintable() or not PLAIN.fullmatch(place):
        return f"{scheme}…"
    return f"{scheme}{place}{mark}{'…' if mark else ''}"


def failure(uri: str, err: Exception) -> str:
    """One line about an error of MLflow's: its kind, and its first line unless that may hold a part of a password.

    >>> failure("http://tracking.example", TimeoutError("no answer"))
    'TimeoutError no answer'
    >>> failure("https://me:se/cret@tracking.example", ValueError("not a port: 'se'"))
    'ValueError (its text is not shown, since it may hold a part of MLFLOW_TRACKING_URI)'
    """
    first = (str(err).splitlines() or [""])[0]
    return f"{type(err).__name__} {quotable(uri, first)[:200]}".rstrip()


def quotable(uri: str, text: str) -> str:
    """The text, unless the URI holds what may not be printed: MLflow quotes any part of it."""
    if without_secrets(uri) == uri:
        return text
    return "(its text is not shown, since it may hold a part of MLFLOW_TRACKING_URI)"


def _parted(text: str) -> tuple[str, str, str]:
    """What comes before a query or fragment, the character that begins it, and the rest."""
    end = next((place for place, character in enumerate(text) if character in "?#;"), len(text))
    return text[:end], text[end : end + 1], text[end + 1 :]


if __name__ == "__main__":
    sys.exit(_record(sys.argv[1]))
