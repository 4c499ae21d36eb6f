"""What a command's options name: the applications, the limits, the champion."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

# As in `commands.py`, each function imports what it needs.
from lambda_app.errors import ArtifactCorrupt
from model.arguments import DEFAULT_CONTRACT
from model.data.rejects import DataError
from model.errors import GateError
from model.messages import say, say_denials, say_rejects

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from lambda_app.manifest import Data, Manifest
    from model.contract import Contract
    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings
    from model.fit.task import Limits
    from model.judge.gate import GateQuestion


def applications_of(
    options: Namespace, contract: type[Contract], dated: str | None = None, to: TextIO | None = None
) -> Applications:
    from model.data.applications import check_frame, read
    from model.data.generator import generate

    if options.data is not None:
        applications = read(options.data, contract, dated=dated, max_reject_share=options.max_rejects)
        say_rejects(applications, to)
        return applications
    if options.contract != DEFAULT_CONTRACT:
        raise DataError(f"{options.contract} needs its own data: name a file with --data")
    if dated is not None:
        raise DataError("--dated is the date of a --data file; generated applications are dated today")
    today = datetime.now(UTC).date().isoformat()
    generated = generate(options.rows, options.seed)
    return check_frame(generated, contract, source=f"the generator, seed {options.seed}", dated=today)


def judged_rows(
    options: Namespace, manifest: Manifest, contract: type[Contract], to: TextIO | None = None
) -> Applications:
    """The labelled applications to judge a model on: of its training data, only the hold-out."""
    from model.fit.splitting import split

    applications = applications_of(options, contract, to=to)
    settings, data = trained_with(options.artifact, manifest)
    if applications.digest == data["digest"]:
        _, judged = split(applications, settings)
        rows = f"the hold-out of the training data, {len(judged.approved):,} of {len(applications.approved):,} rows"
    else:
        judged = applications
        rows = f"all {len(judged.approved):,} rows, because they are not exactly the training data"
    say("judged", rows, to)
    return judged


def training_data(options: Namespace, contract: type[Contract], manifest: Manifest) -> Applications:
    """The very data that a model was trained on."""
    applications = applications_of(options, contract)
    _, data = trained_with(options.artifact, manifest)
    if applications.digest != data["digest"]:
        raise DataError(
            "this is not the data that the model was trained on; name it with --data, or with --rows and --seed"
        )
    # Reading the same data again does not make it newer.
    return replace(applications, dated=data.get("dated"))


def trained_with(directory: Path, manifest: Manifest) -> tuple[TrainingSettings, Data]:
    """The settings and the data that a model was trained with."""
    from model.fit.settings import TrainingSettings

    try:
        stated: dict[str, Any] = dict(manifest["settings"])
        settings, data = TrainingSettings(**stated), manifest["data"]
        data["digest"]
    except (KeyError, TypeError) as err:
        raise ArtifactCorrupt(str(directory / "manifest.json"), "does not say how the model was trained") from err
    return settings, data


def permitted_limits(contract: type[Contract]) -> Limits | None:
    """The contract's limits, or None if the policy denies them."""
    from model.judge.gate import judge_limits
    from model.judge.limits import limits_of

    limits = limits_of(contract)
    verdict = judge_limits(limits)
    say_denials(verdict)
    return limits if verdict.passed else None


def against_champion(
    options: Namespace, question: GateQuestion, manifest: Manifest | dict[str, Any], contract: type[Contract]
) -> tuple[GateQuestion, Applications | None]:
    """The question with the comparison with the model in service, and the rows that both decided, if both can."""
    from lambda_app import artifact
    from model.judge.champion import artifact_of, compare_figures, compare_with_champion, identity_of, read_champion
    from model.judge.gate import against
    from model.judge.parity import decide_all

    where, champion = options.champion, read_champion(options.champion)
    # Under another contract there may be no rows to read, and the policy denies the model anyway.
    own = question["contract"]["model"] == question["contract"]["limits"]
    if not own or artifact_of(where, manifest) is None:
        return against(question, compare_figures(manifest, champion), identity_of(champion)), None
    opened = artifact.load(str(options.artifact))
    judged = judged_rows(options, opened.manifest, contract)
    compared = compare_with_champion(where, opened, decide_all(opened, judged), judged)
    return against(question, compared, identity_of(champion)), judged


def unchecked_manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written, unchecked."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise GateError(f"there is no trained model in {path.parent} ({err.strerror}: {path.name})") from err
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise GateError(f"{path} is not a manifest; it must be an artifact's manifest.json")
    return manifest
