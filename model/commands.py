"""The command line: `python -m model COMMAND --help`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

# Each command imports what it needs, so that `--help` is fast.
from lambda_app.errors import ArtifactCorrupt, ServiceError
from model.arguments import DEFAULT_CONTRACT, parser, settings_of
from model.data.rejects import DataError
from model.errors import GateError, ModelError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from lambda_app.manifest import Data, Manifest
    from model.contract import Contract
    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings
    from model.fit.task import Limits
    from model.judge.assessment import Assessment
    from model.judge.gate import GateQuestion, Verdict
    from model.run import TrainingRun

GATE_FAILED = 3


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 on success; 1 on an error, with the reason on standard error; 3 if the gate denies the model or its limits.
    """
    options = parser(__doc__).parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (ModelError, ServiceError, OSError) as err:
        print(f"{type(err).__name__}: {err}", file=sys.stderr)
        return 1


def _train(options: Namespace) -> int:
    from model.contract.loading import load_contract
    from model.contract.wording import doubtful
    from model.fit.task import TrainingTask
    from model.judge.champion import read_champion
    from model.run import run
    from model.track import Recorder

    contract = load_contract(options.contract)
    limits = _limits(contract)
    if limits is None:
        return GATE_FAILED
    if options.champion is not None:
        read_champion(options.champion)  # a wrong path is told now, not after the training
    applications = _applications(options, contract, options.dated)
    age = "" if applications.dated else ", of unknown date (--dated)"
    _say("data", f"{len(applications.approved):,} applications from {applications.source}{age}")
    for doubt in doubtful(applications.fields):
        _say("warning", doubt)
    task = TrainingTask(contract, applications, limits, settings_of(options), options.format, options.champion)
    with Recorder(contract.__name__, os.environ) if options.track else nullcontext() as recorder:
        done = run(task, options.out)
        code = _report(done)
        if options.alternatives:
            _look_further(done.assessment, applications, limits, done.directory)
        if recorder:
            _say("recorded", recorder.record(done.directory))
    return code


def _export(options: Namespace) -> int:
    import joblib

    from lambda_app import artifact
    from model.contract.carried import refuse_another_contract
    from model.contract.loading import load_contract
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate, split
    from model.run import publish

    manifest = artifact.load(str(options.artifact)).manifest
    settings, _ = _trained_with(options.artifact, manifest)
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    limits = _limits(contract)
    if limits is None:
        return GATE_FAILED
    applications = _training_data(options, contract, manifest)
    training, holdout = split(applications, settings)
    candidate = Candidate(
        joblib.load(options.artifact / "pipeline.joblib"),
        manifest["threshold"],
        training,
        holdout,
        unsupported=tuple(manifest.get("unsupported", ())),
    )
    return _report(
        publish(TrainingTask(contract, applications, limits, settings, options.format), candidate, options.out)
    )


def _alternatives(options: Namespace) -> int:
    from model.contract.carried import refuse_another_contract
    from model.contract.loading import load_contract
    from model.judge.assessment import reopened

    assessment = reopened(options.artifact)
    manifest = assessment.artifact.manifest
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    limits = _limits(contract)
    if limits is None:
        return GATE_FAILED
    _look_further(assessment, _training_data(options, contract, manifest), limits, options.artifact)
    return 0


def _track(options: Namespace) -> int:
    from model.track import Recorder

    path = options.artifact / "manifest.json"
    try:
        experiment = _manifest(path)["contract"]["name"]
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(path), "names no contract; train the model again") from err
    with Recorder(experiment, os.environ) as recorder:
        _say("recorded", recorder.record(options.artifact))
        return 0 if recorder.recorded else 1


def _evaluate(options: Namespace) -> int:
    from lambda_app import artifact
    from model.contract.carried import refuse_another_contract
    from model.contract.loading import load_contract
    from model.judge.figures import evaluate
    from model.judge.parity import decide_all

    opened = artifact.load(str(options.artifact))
    contract = load_contract(options.contract)
    refuse_another_contract(contract, opened.manifest["contract"])
    limits = _limits(contract)
    if limits is None:
        return GATE_FAILED
    # Standard output is for the figures, which are JSON.
    judged = _judged(options, opened.manifest, contract, to=sys.stderr)
    decided = decide_all(opened, judged)
    print(json.dumps(evaluate(decided.probabilities, decided.approved, judged, limits["cutoff"]), indent=1))
    return 0


def _gate(options: Namespace) -> int:
    from model.contract.loading import load_contract
    from model.judge.gate import gate_question, judge

    contract = load_contract(options.contract)
    limits = _limits(contract)
    if limits is None:
        return GATE_FAILED
    manifest: Any = _manifest(options.artifact / "manifest.json")
    question = gate_question(manifest, limits, contract)
    if options.champion is not None:
        question = _against_champion(options, question, manifest, contract)
    return _verdict(judge(question))


def _score(options: Namespace) -> int:
    suffix = options.output.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise DataError(f"{options.output}: the output file must be a .csv or .parquet file")
    from lambda_app import artifact
    from model.contract.carried import carried_fields
    from model.data.applications import read_unlabelled
    from model.formats.batch import decide

    opened = artifact.load(str(options.artifact))
    fields = carried_fields(opened.manifest["contract"])
    applications = read_unlabelled(options.input, fields, max_reject_share=options.max_rejects)
    scored = decide(opened, applications)
    if suffix == ".parquet":
        scored.to_parquet(options.output, index=False)
    else:
        scored.to_csv(options.output, index=False)
    _say("scored", f"{len(scored):,} applications to {options.output}; {scored['prediction'].sum():,} approved")
    _say_rejects(applications)
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "train": _train,
    "alternatives": _alternatives,
    "export": _export,
    "evaluate": _evaluate,
    "gate": _gate,
    "track": _track,
    "score": _score,
}


def _applications(
    options: Namespace, contract: type[Contract], dated: str | None = None, to: TextIO | None = None
) -> Applications:
    from model.data.applications import check_frame, read
    from model.data.generator import generate

    if options.data is not None:
        applications = read(options.data, contract, dated=dated, max_reject_share=options.max_rejects)
        _say_rejects(applications, to)
        return applications
    if options.contract != DEFAULT_CONTRACT:
        raise DataError(f"{options.contract} needs its own data: name a CSV or Parquet file with --data")
    if dated is not None:
        raise DataError("--dated is the date of a --data file; generated applications are dated today")
    today = datetime.now(UTC).date().isoformat()
    generated = generate(options.rows, options.seed)
    return check_frame(generated, contract, source=f"the generator, seed {options.seed}", dated=today)


def _judged(options: Namespace, manifest: Manifest, contract: type[Contract], to: TextIO | None = None) -> Applications:
    """The labelled applications to judge a model on: of its training data, only the hold-out."""
    from model.fit.train import split

    applications = _applications(options, contract, to=to)
    settings, data = _trained_with(options.artifact, manifest)
    if applications.digest == data["digest"]:
        _, judged = split(applications, settings)
        rows = f"the hold-out of the training data, {len(judged.approved):,} of {len(applications.approved):,} rows"
    else:
        judged = applications
        rows = f"all {len(judged.approved):,} rows, because they are not exactly the training data"
    _say("judged", rows, to)
    return judged


def _training_data(options: Namespace, contract: type[Contract], manifest: Manifest) -> Applications:
    """The very data that a model was trained on."""
    applications = _applications(options, contract)
    _, data = _trained_with(options.artifact, manifest)
    if applications.digest != data["digest"]:
        raise DataError(
            "this is not the data that the model was trained on; name it with --data, or with --rows and --seed"
        )
    # Reading the same data again does not make it newer.
    return replace(applications, dated=data.get("dated"))


def _look_further(assessment: Assessment, applications: Applications, limits: Limits, directory: Path) -> None:
    from model.alternatives.summary import lines
    from model.run import look_further

    for heading, line in lines(look_further(assessment, applications, limits, directory)):
        _say(heading, line)


def _trained_with(directory: Path, manifest: Manifest) -> tuple[TrainingSettings, Data]:
    """The settings and the data that a model was trained with."""
    from model.fit.settings import TrainingSettings

    try:
        stated: dict[str, Any] = dict(manifest["settings"])
        settings, data = TrainingSettings(**stated), manifest["data"]
        data["digest"]
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(directory / "manifest.json"), "does not say how the model was trained") from err
    return settings, data


def _limits(contract: type[Contract]) -> Limits | None:
    """The contract's limits, or None if the policy denies them."""
    from model.judge.gate import judge_limits
    from model.judge.limits import limits_of

    limits = limits_of(contract)
    verdict = judge_limits(limits)
    _say_denials(verdict)
    return limits if verdict.passed else None


def _against_champion(
    options: Namespace, question: GateQuestion, manifest: Manifest, contract: type[Contract]
) -> GateQuestion:
    """The question with the comparison with the model in service; on the same rows if both models can decide them."""
    from lambda_app import artifact
    from model.judge.champion import artifact_of, compare_figures, compare_with_champion, identity_of, read_champion
    from model.judge.gate import against
    from model.judge.parity import decide_all

    where, champion = options.champion, read_champion(options.champion)
    # Under another contract there may be no rows to read, and the policy denies the model anyway.
    own = question["contract"]["model"] == question["contract"]["limits"]
    if not own or artifact_of(where, manifest) is None:
        return against(question, compare_figures(manifest, champion), identity_of(champion))
    opened = artifact.load(str(options.artifact))
    judged = _judged(options, opened.manifest, contract)
    compared = compare_with_champion(where, opened, decide_all(opened, judged), judged)
    return against(question, compared, identity_of(champion))


def _manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written, unchecked."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise GateError(f"{path} is not a manifest; it must be an artifact's manifest.json")
    return manifest


def _report(done: TrainingRun) -> int:
    manifest = done.manifest
    metrics, parity = manifest["metrics"], manifest["parity"]
    _say("model", f"{manifest['format']} {manifest['model_version']}, approves from {manifest['threshold']:.4f}")
    _say("iterations", f"{manifest['settings']['max_iter']:,}")
    for value in manifest.get("unsupported", ()):
        _say(
            "support",
            f"{value['field']} {value['value']}: {value['rows']:,} training rows, so it gets the points of "
            f"{value['scored_as']}",
        )
    _say("hold-out", f"accuracy {metrics['accuracy']:.4f}, ROC AUC {metrics['roc_auc']:.4f}, {metrics['rows']:,} rows")
    for column, figures in metrics["groups"].items():
        gap = figures["equal_opportunity_difference"]
        known = gap["value"] is not None
        size = (
            f"{gap['value']:.4f} [{gap['low']:.4f}, {gap['high']:.4f}]" if known else "unknown: the data cannot show it"
        )
        _say(column, f"equal opportunity difference {size}")
    _say(
        "parity",
        f"{parity['rows'] + parity['edge_rows']:,} rows: {parity['different_decisions']} decided differently, "
        f"probabilities differ by {parity['largest_difference']:.1e} at most",
    )
    code = _verdict(done.verdict)
    _say("written", str(done.directory))
    return code


def _verdict(verdict: Verdict) -> int:
    if verdict.passed:
        _say("gate", "passed")
        return 0
    _say_denials(verdict)
    return GATE_FAILED


def _say_denials(verdict: Verdict) -> None:
    for rule, message in verdict.denials:
        _say("gate", f"DENIED by rule {rule}: {message}")


def _say_rejects(applications: Applications, to: TextIO | None = None) -> None:
    if applications.rejects:
        _say("rejected", str(applications.rejects), to)


def _say(what: str, text: str, to: TextIO | None = None) -> None:
    print(f"  {what:<10} {text}".replace("\n", "\n" + " " * 11), file=to, flush=True)
