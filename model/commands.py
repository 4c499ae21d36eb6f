"""The command line: `python -m model COMMAND --help`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

# Each command imports what it needs, so that `--help` is fast.
from lambda_app.errors import ArtifactCorrupt, ServiceError
from model.arguments import parser, settings_of
from model.data.rejects import DataError
from model.errors import ModelError
from model.inputs import (
    against_champion,
    applications_of,
    judged_rows,
    permitted_limits,
    trained_with,
    training_data,
    unchecked_manifest,
)
from model.messages import GATE_FAILED, report, say, say_verdict

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from model.data.applications import Applications
    from model.fit.task import Limits
    from model.judge.assessment import Assessment

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 on success; 1 on an error, with the reason on standard error; 3 if the gate denies the model or its limits;
        130 after Ctrl-C.
    """
    options = parser(__doc__).parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except (ModelError, ServiceError, OSError) as err:
        print(f"{type(err).__name__}: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED


def _train(options: Namespace) -> int:
    from model.contract.loading import load_contract
    from model.contract.wording import doubtful
    from model.fit.task import TrainingTask
    from model.judge.champion import read_champion
    from model.run import run
    from model.track import Recorder, experiment_of

    contract = load_contract(options.contract)
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    if options.champion is not None:
        read_champion(options.champion)  # a wrong path is told now, not after the training
    applications = applications_of(options, contract, options.dated)
    age = "" if applications.dated else ", of unknown date (--dated)"
    say("data", f"{len(applications.approved):,} applications from {applications.source}{age}")
    for doubt in doubtful(applications.fields):
        say("warning", doubt)
    task = TrainingTask(contract, applications, limits, settings_of(options), options.format, options.champion)
    with (
        Recorder(experiment_of(contract.__name__, contract.__doc__), os.environ)
        if options.track
        else nullcontext() as recorder
    ):
        done = run(task, options.out)
        code = report(done)
        if options.alternatives:
            _look_further(done.assessment, applications, limits, done.directory)
        if recorder:
            say("recorded", recorder.record(done.directory))
    return code


def _export(options: Namespace) -> int:
    import joblib

    from lambda_app import artifact
    from model.contract.carried import refuse_another_contract
    from model.contract.loading import load_contract
    from model.fit.splitting import split
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate
    from model.run import publish

    manifest = artifact.load(str(options.artifact)).manifest
    settings, _ = trained_with(options.artifact, manifest)
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    applications = training_data(options, contract, manifest)
    training, holdout = split(applications, settings)
    candidate = Candidate(
        joblib.load(options.artifact / "pipeline.joblib"),
        manifest["threshold"],
        training,
        holdout,
        unsupported=tuple(manifest.get("unsupported", ())),
    )
    return report(
        publish(TrainingTask(contract, applications, limits, settings, options.format), candidate, options.out)
    )


def _adopt(options: Namespace) -> int:
    from model.contract.loading import load_contract
    from model.errors import ExportError
    from model.fit.cutoff import candidate_cutoffs, choose_cutoff
    from model.fit.estimates import estimates
    from model.fit.settings import TrainingSettings
    from model.fit.splitting import split
    from model.fit.task import TrainingTask
    from model.fit.train import Candidate
    from model.formats.onnx import adopted
    from model.judge.champion import read_champion
    from model.run import publish

    contract = load_contract(options.contract)
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    if options.champion is not None:
        read_champion(options.champion)
    applications = applications_of(options, contract, options.dated)
    say("data", f"{len(applications.approved):,} applications from {applications.source}")
    settings = TrainingSettings(seed=options.seed)
    training, holdout = split(applications, settings)
    try:
        pipeline = adopted(options.onnx.read_bytes(), applications.fields, options.output, options.column)
    except ExportError as err:
        raise ExportError(f"{options.onnx}: {err}") from err
    say("warning", f"the {len(holdout.approved):,} rows of the hold-out judge it fairly only if they did not train it")
    cutoff, choice = options.threshold, None
    if cutoff is None:
        seen = estimates(pipeline, training.matrix)
        choice = choose_cutoff(
            candidate_cutoffs(seen), seen, training, limits, settings.gap_margin, len(holdout.approved)
        )
        cutoff = choice.cutoff
    candidate = Candidate(pipeline, cutoff, training, holdout, choice=choice)
    task = TrainingTask(contract, applications, limits, settings, "onnx", options.champion)
    return report(publish(task, candidate, options.out))


def _alternatives(options: Namespace) -> int:
    from model.contract.carried import refuse_another_contract
    from model.contract.loading import load_contract
    from model.judge.assessment import reopened

    assessment = reopened(options.artifact)
    manifest = assessment.artifact.manifest
    contract = load_contract(options.contract)
    refuse_another_contract(contract, manifest["contract"])
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    _look_further(assessment, training_data(options, contract, manifest), limits, options.artifact)
    return 0


def _track(options: Namespace) -> int:
    from model.track import Recorder, experiment_of

    path = options.artifact / "manifest.json"
    try:
        contract = unchecked_manifest(path)["contract"]
        experiment = experiment_of(contract["name"], contract["json_schema"].get("description"))
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(path), "names no contract; train the model again") from err
    with Recorder(experiment, os.environ) as recorder:
        say("recorded", recorder.record(options.artifact))
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
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    # Standard output is for the figures, which are JSON.
    judged = judged_rows(options, opened.manifest, contract, to=sys.stderr)
    decided = decide_all(opened, judged)
    print(json.dumps(evaluate(decided.probabilities, decided.approved, judged, limits["cutoff"]), indent=1))
    return 0


def _gate(options: Namespace) -> int:
    from model.contract.loading import load_contract
    from model.judge.gate import gate_question, judge

    contract = load_contract(options.contract)
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    manifest: Any = unchecked_manifest(options.artifact / "manifest.json")
    question = gate_question(manifest, limits, contract)
    if options.champion is not None:
        question, _ = against_champion(options, question, manifest, contract)
    return say_verdict(judge(question))


def _compare(options: Namespace) -> int:
    from model.compare.summary import lines
    from model.contract.loading import load_contract
    from model.judge.assessment import reopened
    from model.judge.gate import gate_question, judge
    from model.run import compared_with

    contract = load_contract(options.contract)
    limits = permitted_limits(contract)
    if limits is None:
        return GATE_FAILED
    assessment = reopened(options.artifact)
    manifest = assessment.artifact.manifest
    question, judged = against_champion(options, gate_question(manifest, limits, contract), manifest, contract)
    against = replace(assessment, question=question, verdict=judge(question))
    out = options.out or options.artifact
    out.mkdir(parents=True, exist_ok=True)
    files = compared_with(options.champion, against, judged)
    for name, content in files.items():
        (out / name).write_bytes(content)
    for heading, line in lines(json.loads(files["comparison.json"])):
        say(heading, line)
    say("written", str(out / "comparison.html"))
    return 0


def _score(options: Namespace) -> int:
    from lambda_app import artifact
    from model.score.stream import score, writable

    out = writable(options.output, options.input)  # told before anything is read
    opened = artifact.load(str(options.artifact))
    scored = score(opened, options.input, out, max_reject_share=options.max_rejects, id_column=options.id_column)
    refused = scored.rejects.rows_rejected
    say(
        "scored",
        f"{scored.decided:,} applications to {options.output}; {scored.approved:,} approved, {refused:,} refused",
    )
    if scored.rejects:
        say("refused", str(scored.rejects))
    return 0


def _sql(options: Namespace) -> int:
    from lambda_app import artifact
    from model.sql.query import select

    opened = artifact.load(str(options.artifact))
    print(select(opened, options.table, options.dialect, options.id_column))
    return 0


def _notice(options: Namespace) -> int:
    from uuid import uuid4

    from lambda_app import artifact
    from lambda_app.settings import Settings
    from lambda_app.web.messages import Request
    from lambda_app.web.routes import Routes

    creditor = options.creditor.read_text(encoding="utf-8") if options.creditor else ""
    routes = Routes(artifact.load(str(options.artifact)), Settings.read({"CREDITOR": creditor}))
    try:
        payload = json.loads(options.input.read_text(encoding="utf-8"))
    except ValueError as err:
        raise DataError(f"{options.input} is not JSON") from err
    page = routes.respond(Request("file", "POST", "/notice", lambda: payload), str(uuid4()))
    options.output.write_text(str(page.body), encoding="utf-8")
    say("drafted", f"{options.output}, for counsel to review")
    return 0


def _openapi(options: Namespace) -> int:
    from lambda_app import artifact
    from lambda_app.web.openapi import document

    opened = artifact.load(str(options.artifact))
    print(json.dumps(document(opened.manifest, base_path=options.base_path), indent=1, ensure_ascii=False))
    return 0


def _contract(options: Namespace) -> int:
    from model.contract.loading import MARK
    from model.draft.guesses import guess
    from model.draft.looks import looks_of
    from model.draft.text import source_of
    from model.judge.limits import write_example

    if options.out.exists():
        raise DataError(f"{options.out} is there already; name another file with --out")
    file, frame = looks_of(options.source)
    source = source_of(guess(frame, file, options.outcome), file, options.source.name)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(source, encoding="utf-8")
    say("drafted", f"{options.out}, with {source.count(MARK)} guesses to confirm, each marked '{MARK}'")
    limits = options.out.with_name("limits.json")
    if write_example(limits):
        say("drafted", f"{limits}: the limits of model/limits.json; they are policy, which no file can say")
    say("next", f"look at each mark in {options.out}, mend what is wrong, delete the mark; then")
    say("", f"python -m model train --contract {options.out}:Applicant --data {options.source} --out DIR")
    return 0


COMMANDS: dict[str, Callable[[Namespace], int]] = {
    "train": _train,
    "alternatives": _alternatives,
    "export": _export,
    "adopt": _adopt,
    "evaluate": _evaluate,
    "gate": _gate,
    "compare": _compare,
    "track": _track,
    "score": _score,
    "sql": _sql,
    "notice": _notice,
    "openapi": _openapi,
    "contract": _contract,
}


def _look_further(assessment: Assessment, applications: Applications, limits: Limits, directory: Path) -> None:
    from model.alternatives.summary import lines
    from model.run import look_further

    try:
        found = look_further(assessment, applications, limits, directory)
    except KeyboardInterrupt:
        say("stopped", "`python -m model alternatives` goes on from here")
        raise
    for heading, line in lines(found):
        say(heading, line)
