"""The command line: `python -m model COMMAND --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import joblib

from lambda_app import artifact
from lambda_app.errors import ArtifactCorrupt, ArtifactError
from model.arguments import GREATEST_SEED, day, share, whole
from model.contract import Contract
from model.contract.carried import carried_fields, refuse_another_contract
from model.contract.declarations import ContractError
from model.contract.loading import load_contract
from model.data.applications import Applications, check_frame, read, read_unlabelled
from model.data.generator import generate
from model.data.rejects import MAX_REJECT_SHARE, DataError
from model.fit.settings import TrainingError, TrainingSettings
from model.fit.train import Candidate, split
from model.formats.batch import BatchScorer, decide
from model.formats.export import FORMATS, ExportError
from model.judge.figures import evaluate
from model.judge.gate import GateError, Verdict, gate_input, judge
from model.judge.limits import limits_of
from model.judge.parity import decide_all
from model.run import TrainingRun, publish, run
from model.track import Recorder

if TYPE_CHECKING:
    from lambda_app.manifest import Data, Manifest

DEFAULT_CONTRACT = "model.applicant:Applicant"
ARTIFACTS = Path("model/artifacts")
GATE_FAILED = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0; 1 if the work could not be done, with the reason on standard error; 3 if the gate has not passed the model.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (ArtifactError, ContractError, DataError, ExportError, GateError, TrainingError, OSError) as err:
        print(f"{type(err).__name__}: {err}", file=sys.stderr)
        return 1
    return code


def _train(options: argparse.Namespace) -> int:
    contract = load_contract(options.contract)
    settings = TrainingSettings(seed=options.seed)
    applications = _applications(options, contract, options.dated)
    age = "" if applications.dated else ", of unknown date (--dated)"
    _say("data", f"{len(applications.approved):,} applications from {applications.source}{age}")
    champion = _champion(options.champion)
    with Recorder(contract.__name__, os.environ) if options.track else nullcontext() as recorder:
        outcome = run(contract, applications, options.out, settings, options.format, champion)
        code = _report(outcome)
        if recorder:
            _say("recorded", recorder.record(outcome.directory))
    return code


def _export(options: argparse.Namespace) -> int:
    manifest = artifact.load(str(options.artifact)).manifest
    settings, data = _trained_with(options.artifact, manifest)
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    applications = _applications(options, contract)
    if applications.digest != data["digest"]:
        raise DataError("this is not the data that the model was trained on; name it with --data (and --seed)")
    # The same data is no younger for being read again.
    applications = replace(applications, dated=data.get("dated"))
    training, holdout = split(applications, settings)
    pipeline = joblib.load(options.artifact / "pipeline.joblib")
    trained = Candidate(pipeline, {}, manifest["threshold"], training, holdout)
    return _report(publish(contract, applications, trained, options.out, settings, options.format, None))


def _track(options: argparse.Namespace) -> int:
    path = options.artifact / "manifest.json"
    try:
        experiment = _manifest(path)["contract"]["name"]
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(path), "names no contract; train the model again") from err
    with Recorder(experiment, os.environ) as recorder:
        _say("recorded", recorder.record(options.artifact))
        return 0 if recorder.recorded else 1


def _evaluate(options: argparse.Namespace) -> int:
    manifest = artifact.load(str(options.artifact)).manifest
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    # Standard output is for the figures, which are JSON.
    applications = _applications(options, contract, to=sys.stderr)
    settings, data = _trained_with(options.artifact, manifest)
    if applications.digest == data["digest"]:
        _, judged = split(applications, settings)
        rows = f"the hold-out of the training data, {len(judged.approved):,} of {len(applications.approved):,} rows"
    else:
        judged = applications
        rows = f"all {len(judged.approved):,} rows, which as a whole are not the training data"
    _say("judged", rows, sys.stderr)
    probabilities, approved = decide_all(options.artifact, judged)
    print(json.dumps(evaluate(probabilities, approved, judged, options.seed), indent=1))
    return 0


def _gate(options: argparse.Namespace) -> int:
    limits = limits_of(load_contract(options.contract))
    verdict = judge(gate_input(_manifest(options.artifact / "manifest.json"), limits, _champion(options.champion)))
    return _verdict(verdict)


def _score(options: argparse.Namespace) -> int:
    suffix = options.output.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise DataError(f"{options.output}: name a .csv or a .parquet file to write")
    scorer = BatchScorer(options.artifact)
    fields = carried_fields(scorer.manifest["contract"])
    asked = read_unlabelled(options.input, fields, max_reject_share=options.max_rejects)
    scored = decide(scorer, asked)
    if suffix == ".parquet":
        scored.to_parquet(options.output, index=False)
    else:
        scored.to_csv(options.output, index=False)
    _say("scored", f"{len(scored):,} applications to {options.output}; {scored['prediction'].sum():,} approved")
    _say_rejects(asked)
    return 0


def _applications(
    options: argparse.Namespace, contract: type[Contract], dated: str | None = None, to: TextIO | None = None
) -> Applications:
    if options.data is not None:
        applications = read(options.data, contract, dated=dated, max_reject_share=options.max_rejects)
        _say_rejects(applications, to)
        return applications
    if options.contract != DEFAULT_CONTRACT:
        raise DataError(f"{options.contract} needs its own data: name a CSV or Parquet file with --data")
    if dated is not None:
        raise DataError("--dated is the date of a file that --data names; generated applications are dated today")
    today = datetime.now(UTC).date().isoformat()
    generated = generate(options.rows, options.seed)
    return check_frame(generated, contract, source=f"the generator, seed {options.seed}", dated=today)


def _trained_with(directory: Path, manifest: Manifest) -> tuple[TrainingSettings, Data]:
    """How and on what a model was trained."""
    try:
        stated: dict[str, Any] = dict(manifest["settings"])
        settings, data = TrainingSettings(**stated), manifest["data"]
        data["digest"]
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(directory / "manifest.json"), "does not say how the model was trained") from err
    return settings, data


def _champion(path: Path | None) -> dict[str, Any] | None:
    return None if path is None else _manifest(path)


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise GateError(f"{path} is not a manifest; name an artifact's manifest.json")
    return manifest


def _report(outcome: TrainingRun) -> int:
    manifest = outcome.manifest
    metrics, parity = manifest["metrics"], manifest["parity"]
    _say("model", f"{manifest['format']} {manifest['model_version']}, approves from {manifest['threshold']:.4f}")
    _say("hold-out", f"accuracy {metrics['accuracy']:.4f}, ROC AUC {metrics['roc_auc']:.4f}, {metrics['rows']:,} rows")
    for column, figures in metrics["groups"].items():
        gap = figures["equal_opportunity_difference"]
        told = gap["value"] is not None
        size = f"{gap['value']:.4f} [{gap['low']:.4f}, {gap['high']:.4f}]" if told else "cannot be told from this data"
        _say(column, f"equal opportunity difference {size}")
    _say(
        "parity",
        f"{parity['rows'] + parity['edge_rows']:,} rows: {parity['different_decisions']} decided differently, "
        f"probabilities differ by {parity['largest_difference']:.1e} at most",
    )
    code = _verdict(outcome.verdict)
    _say("written", str(outcome.directory))
    return code


def _verdict(verdict: Verdict) -> int:
    if verdict.passed:
        _say("gate", "passed")
        return 0
    for rule, message in verdict.denials:
        _say("gate", f"DENIED by rule {rule}: {message}")
    return GATE_FAILED


def _say_rejects(applications: Applications, to: TextIO | None = None) -> None:
    if applications.rejects:
        _say("rejected", str(applications.rejects), to)


def _say(what: str, text: str, to: TextIO | None = None) -> None:
    print(f"  {what:<10} {text}".replace("\n", "\n" + " " * 11), file=to, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Any, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(command=function)
        return added

    def contracted(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--contract", default=DEFAULT_CONTRACT, metavar="MODULE_OR_FILE:CLASS", help="default: %(default)s"
        )

    def checked(added: argparse.ArgumentParser) -> None:
        added.add_argument(
            "--max-rejects",
            type=share,
            default=MAX_REJECT_SHARE,
            metavar="SHARE",
            help="stop when more of the rows break the contract; default: %(default)s",
        )

    def labelled(added: argparse.ArgumentParser) -> None:
        contracted(added)
        added.add_argument("--data", type=Path, metavar="FILE", help="CSV or Parquet; default: generated applications")
        added.add_argument(
            "--rows", type=whole(1, 10**9), default=500_000, help="how many to generate; default: %(default)s"
        )
        added.add_argument(
            "--seed", type=whole(0, GREATEST_SEED), default=0, help="seeds everything; default: %(default)s"
        )
        checked(added)

    def written(added: argparse.ArgumentParser) -> None:
        added.add_argument("--out", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")
        added.add_argument("--format", choices=sorted(FORMATS), default="scorecard", help="default: %(default)s")

    def opened(added: argparse.ArgumentParser) -> None:
        added.add_argument("--artifact", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")

    def compared(added: argparse.ArgumentParser) -> None:
        added.add_argument("--champion", type=Path, metavar="MANIFEST", help="manifest.json of the model in service")

    training = command("train", _train, "train, export, judge the export, ask the gate, publish")
    labelled(training)
    training.add_argument("--dated", type=day, metavar="YYYY-MM-DD", help="when --data is from; default: unknown")
    written(training)
    compared(training)
    training.add_argument(
        "--track",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="record the run with MLflow, on the server MLFLOW_TRACKING_URI or in mlflow.db; default: yes",
    )
    exporting = command("export", _export, "export a trained pipeline again, in another format; judged and gated anew")
    opened(exporting)
    labelled(exporting)
    written(exporting)
    evaluating = command(
        "evaluate",
        _evaluate,
        "decide labelled applications with an artifact, and print every figure; of the training data only the hold-out",
    )
    opened(evaluating)
    labelled(evaluating)
    gating = command(
        "gate", _gate, "ask the policy again, of the figures in an artifact's manifest; exits with 3 if not"
    )
    opened(gating)
    contracted(gating)
    compared(gating)
    tracking = command("track", _track, "record a trained artifact with MLflow, if its training could not")
    opened(tracking)
    scoring = command("score", _score, "decide a file of applications offline, by the artifact's own contract")
    opened(scoring)
    checked(scoring)
    scoring.add_argument("--in", dest="input", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    scoring.add_argument("--out", dest="output", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    return parser


if __name__ == "__main__":
    sys.exit(main())
