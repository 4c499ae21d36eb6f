"""The command line: `python -m model COMMAND --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib

from lambda_app.errors import ArtifactError
from model.contract import Contract, ContractError, load_contract
from model.data import Applications, DataError, check, read
from model.evaluate import evaluate
from model.export import FORMATS, ExportError
from model.gate import GateError, Verdict, gate_input, judge
from model.generator import generate
from model.parity import decide_all
from model.run import Outcome, limits_of, publish, run
from model.score import BatchScorer, decide
from model.track import Recorder
from model.train import Settings, Trained, TrainingError, split

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
    settings = Settings(seed=options.seed)
    applications = _applications(options, contract)
    _say("data", f"{len(applications.approved):,} applications from {applications.source}")
    champion = _champion(options.champion)
    with Recorder(contract.__name__, os.environ) if options.track else nullcontext() as recorder:
        outcome = run(contract, applications, options.out, settings, options.format, champion)
        code = _report(outcome)
        if recorder:
            _say("recorded", recorder.record(outcome.directory))
    return code


def _export(options: argparse.Namespace) -> int:
    contract = load_contract(options.contract)
    manifest = _manifest(options.artifact / "manifest.json")
    applications = _applications(options, contract)
    if applications.digest != manifest["data"]["digest"]:
        raise DataError("this is not the data that the model was trained on; name it with --data (and --seed)")
    settings = Settings(**manifest["settings"])
    training, holdout = split(applications, settings)
    pipeline = joblib.load(options.artifact / "pipeline.joblib")
    trained = Trained(pipeline, {}, manifest["threshold"], training, holdout)
    return _report(publish(contract, applications, trained, options.out, settings, options.format, None))


def _track(options: argparse.Namespace) -> int:
    with Recorder(_manifest(options.artifact / "manifest.json")["contract"]["name"], os.environ) as recorder:
        _say("recorded", recorder.record(options.artifact))
        return 0 if recorder.recorded else 1


def _evaluate(options: argparse.Namespace) -> int:
    contract = load_contract(options.contract)
    judged = _applications(options, contract)
    probabilities, approved = decide_all(options.artifact, judged)
    print(json.dumps(evaluate(probabilities, approved, judged, options.seed), indent=1))
    return 0


def _gate(options: argparse.Namespace) -> int:
    limits = limits_of(load_contract(options.contract))
    verdict = judge(gate_input(_manifest(options.artifact / "manifest.json"), limits, _champion(options.champion)))
    return _verdict(verdict)


def _score(options: argparse.Namespace) -> int:
    contract = load_contract(options.contract)
    asked = read(options.input, contract, labelled=False, max_reject_share=options.max_rejects)
    scored = decide(BatchScorer(options.artifact), asked)
    if options.output.suffix == ".parquet":
        scored.to_parquet(options.output, index=False)
    else:
        scored.to_csv(options.output, index=False)
    _say("scored", f"{len(scored):,} applications to {options.output}; {scored['prediction'].sum():,} approved")
    if asked.rejects:
        _say("rejected", f"{asked.rejects}")
    return 0


def _applications(options: argparse.Namespace, contract: type[Contract]) -> Applications:
    if options.data is not None:
        return read(options.data, contract, max_reject_share=options.max_rejects)
    if options.contract != DEFAULT_CONTRACT:
        raise DataError(f"{options.contract} needs its own data: name a CSV or Parquet file with --data")
    today = datetime.now(UTC).date().isoformat()
    generated = generate(options.rows, options.seed)
    return check(generated, contract, source=f"the generator, seed {options.seed}", dated=today)


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


def _report(outcome: Outcome) -> int:
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


def _say(what: str, text: str) -> None:
    print(f"  {what:<10} {text}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Any, summary: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=summary, description=summary)
        added.set_defaults(command=function)
        added.add_argument(
            "--contract", default=DEFAULT_CONTRACT, metavar="MODULE_OR_FILE:CLASS", help="default: %(default)s"
        )
        added.add_argument("--seed", type=int, default=0, help="seeds everything; default: %(default)s")
        added.add_argument(
            "--max-rejects", type=float, default=0.01, metavar="SHARE", help="stop above it; default: %(default)s"
        )
        return added

    def labelled(added: argparse.ArgumentParser) -> None:
        added.add_argument("--data", type=Path, metavar="FILE", help="CSV or Parquet; default: generated applications")
        added.add_argument("--rows", type=int, default=500_000, help="how many to generate; default: %(default)s")

    def written(added: argparse.ArgumentParser) -> None:
        added.add_argument("--out", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")
        added.add_argument("--format", choices=sorted(FORMATS), default="scorecard", help="default: %(default)s")

    def opened(added: argparse.ArgumentParser) -> None:
        added.add_argument("--artifact", type=Path, default=ARTIFACTS, metavar="DIR", help="default: %(default)s")

    def compared(added: argparse.ArgumentParser) -> None:
        added.add_argument("--champion", type=Path, metavar="MANIFEST", help="manifest.json of the model in service")

    training = command("train", _train, "train, export, judge the export, ask the gate, publish")
    labelled(training)
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
    evaluating = command("evaluate", _evaluate, "decide labelled applications with an artifact, and print every figure")
    opened(evaluating)
    labelled(evaluating)
    gating = command(
        "gate", _gate, "ask the policy again, of the figures in an artifact's manifest; exits with 3 if not"
    )
    opened(gating)
    compared(gating)
    tracking = command("track", _track, "record a trained artifact with MLflow, if its training could not")
    opened(tracking)
    scoring = command("score", _score, "decide a file of applications offline")
    opened(scoring)
    scoring.add_argument("--in", dest="input", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    scoring.add_argument("--out", dest="output", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    return parser


if __name__ == "__main__":
    sys.exit(main())
