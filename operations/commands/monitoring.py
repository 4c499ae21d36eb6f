"""The commands that watch a model in service."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operations import aws
from operations.commands.output import tell
from operations.errors import Drifted, TooFew, UnreadableInput
from operations.live import ask_function, ask_manifest, read_manifest
from operations.moments import read_moment
from operations.monitor import freshness, logfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operations.commands.output import Add
    from operations.monitor.tally import Tallies


def _freshness(arguments: argparse.Namespace) -> None:
    if arguments.function:
        source = f"{arguments.function}:{arguments.qualifier}"
        with aws.client("lambda") as client:
            manifest = ask_function(client, arguments.function, arguments.qualifier)
    else:
        source = str(arguments.manifest)
        manifest = read_manifest(arguments.manifest)
    model_days = freshness.warning_days(manifest) if arguments.limit_days is None else arguments.limit_days
    data_days = model_days if arguments.data_limit_days is None else arguments.data_limit_days
    limits = freshness.AgeLimits(model_days, data_days)
    fresh = freshness.assess(manifest, source, datetime.now(UTC), limits)
    tell(fresh.variables(), arguments.output)
    fresh.require_fresh()


def _drift(arguments: argparse.Namespace) -> None:
    from operations.monitor import drift, drift_report

    manifest = _manifest(arguments)
    found = drift.watch(manifest, _tallies(arguments, manifest), arguments.alpha)
    if arguments.page:
        _save(arguments.page, drift_report.as_page(found))
    if arguments.format == "json":
        print(json.dumps(drift_report.as_data(found), indent=1))
    else:
        print(drift_report.as_text(found), end="")
    if found.too_few:
        raise TooFew(drift_report.headline(found))
    if found.drifted:
        names = tuple(one.watched.name for one in found.drifted)
        raise Drifted(names, f"{', '.join(names)} drifted; docs/monitoring.md says what to do")


def _challenger(arguments: argparse.Namespace) -> None:
    from operations.monitor import challenger

    tallies = _replayed(arguments) if arguments.replay else _tallies(arguments, {})
    compared = challenger.compare(tallies, arguments.margin, arguments.alpha)
    if not compared:
        raise TooFew("no challenger has decided anything: put its artifact into MODEL_DIR/challenger/ of the image")
    for one in compared:
        print(challenger.as_text(one), end="")
    verdicts = [one.verdict for one in compared]
    if others := tuple(verdict for verdict in verdicts if verdict in ("more", "fewer", "failing")):
        raise Drifted(others, f"the challenger {challenger.VERDICTS[others[0]]}")
    if "wait" in verdicts:
        raise TooFew(challenger.VERDICTS["wait"])


def _replayed(arguments: argparse.Namespace) -> Tallies:
    from lambda_app import artifact
    from lambda_app.errors import ArtifactError
    from operations.monitor.replay import replay

    if not arguments.log:
        raise UnreadableInput("--replay", "needs each decision's bins: name files of the log, --log FILE")
    try:
        model = artifact.load(str(arguments.replay))
    except ArtifactError as err:
        raise UnreadableInput(err.path, str(err)) from err
    return replay(arguments.log, read_manifest(arguments.artifact / "manifest.json"), model)


def _outcomes(arguments: argparse.Namespace) -> None:
    from lambda_app import artifact
    from lambda_app.errors import ArtifactError
    from operations.monitor import drift, outcomes

    try:
        opened = [artifact.load(str(directory)) for directory in arguments.artifact]
    except ArtifactError as err:
        raise UnreadableInput(err.path, str(err)) from err
    artifacts = {one.manifest["model_version"]: one for one in opened}
    if arguments.outcomes is None:
        tallies = logfile.read(arguments.log)
        _, decisions, _ = outcomes.logged(arguments.log)
        for one in opened:
            watched = drift.watch(one.manifest, tallies)
            print(outcomes.as_sentence(one, list(decisions.values()), watched.verdict))
        return
    joined = outcomes.join(arguments.outcomes, arguments.log, arguments.within_days)
    rule = read_manifest(arguments.limits).get("cutoff") if arguments.limits else None
    told = {"counts": joined.counts(), "models": outcomes.figures(joined.outcomes, artifacts, rule)}
    print(json.dumps(told, indent=1))
    print(outcomes.as_counts(joined, artifacts), file=sys.stderr)
    if not joined.outcomes:
        raise TooFew("no outcome found its decision")


def _report(arguments: argparse.Namespace) -> None:
    from operations.monitor import report

    length = (arguments.last - arguments.first).days + 1
    earlier = (arguments.first - timedelta(days=length), arguments.first - timedelta(days=1))
    period, before = (
        report.Period(first.isoformat(), last.isoformat())
        for first, last in ((arguments.first, arguments.last), earlier)
    )
    if length < 1:
        raise UnreadableInput("--to", "lies before --from")
    manifest = _manifest(arguments)
    history = report.read_history(arguments.canaries) if arguments.canaries else []
    told = read_manifest(arguments.outcomes) if arguments.outcomes else None
    # Drift is followed from the model's training on, and the period before may be older.
    reaching = datetime.combine(earlier[0], time(), UTC)
    found = report.facts(manifest, _tallies(arguments, manifest, reaching), period, before, history, told)
    _save(arguments.page, report.as_page(found, f"Credit decisions of {arguments.function or 'the log'}"))


def _manifest(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.artifact or not arguments.function:
        return read_manifest((arguments.artifact or Path("model/artifacts")) / "manifest.json")
    with aws.client("lambda") as client:
        return ask_manifest(client, arguments.function, arguments.qualifier)


def _tallies(arguments: argparse.Namespace, manifest: Mapping[str, Any], reaching: datetime | None = None) -> Tallies:
    """The log's counts, from files, or from CloudWatch since the training or since an earlier moment."""
    if arguments.log:
        return logfile.read(arguments.log)
    from operations.monitor import insights

    until = datetime.now(UTC)
    since = until - timedelta(days=arguments.days)
    begin = max(since, read_moment(manifest.get("trained_at")) or since)
    group = arguments.log_group or f"/aws/lambda/{arguments.function}"
    with aws.client("logs") as client:
        fields = len(manifest["bins"]["fields"]) if "bins" in manifest else 0
        return insights.read(client, group, min(begin, reaching or begin), until, fields)


def _save(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    print(path, file=sys.stderr)


def _add_log(parser: argparse.ArgumentParser) -> None:
    """Where the decision log is."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--log", type=Path, nargs="+", metavar="FILE", help="the log's lines")
    source.add_argument("--function", metavar="NAME", help="count the log of this function in CloudWatch")
    parser.add_argument("--log-group", metavar="NAME", help="(default: /aws/lambda/FUNCTION)")
    parser.add_argument("--days", type=_days, default=365.0, help="how far back (default: %(default)g)")


def add_to(add: Add) -> None:
    """Add the commands to the parser."""
    fresh = add("freshness", _freshness, "Tell how old a model and its data are; exit with 4 if over a limit.")
    fresh.add_argument("--manifest", type=Path, default=Path("model/artifacts/manifest.json"), metavar="FILE")
    fresh.add_argument(
        "--function", metavar="NAME", help="ask this deployed function instead of reading a manifest file"
    )
    fresh.add_argument("--qualifier", default="live", help="its alias or version (default: %(default)s)")
    fresh.add_argument(
        "--limit-days",
        type=_days,
        metavar="DAYS",
        help=f"the oldest that model and data may be (default: the manifest's warn_days, or {freshness.USUAL_DAYS:g})",
    )
    fresh.add_argument("--data-limit-days", type=_days, metavar="DAYS", help="a limit of its own for the data")
    fresh.add_argument("--output", type=Path, metavar="FILE", help="append NAME=VALUE lines here too")

    drifting = add(
        "drift",
        _drift,
        "Compare decisions with what the model was trained on; exit with 9 if something drifted, 10 if too few.",
    )
    drifting.add_argument(
        "--artifact", type=Path, metavar="DIR", help="(default: what the function says; for files, model/artifacts)"
    )
    drifting.add_argument("--qualifier", default="live", help="its alias or version (default: %(default)s)")
    _add_log(drifting)
    drifting.add_argument(
        "--alpha", type=_share, default=0.05, help="the share of years with a false alarm (default: %(default)g)"
    )
    drifting.add_argument("--format", choices=("text", "json"), default="text")
    drifting.add_argument("--page", type=Path, metavar="FILE", help="write a page with charts")

    paper = add(
        "report", _report, "Write one page for a week or a month: decisions, reasons, drift, outcomes, incidents."
    )
    paper.add_argument("--artifact", type=Path, metavar="DIR", help="(default: as for drift)")
    paper.add_argument("--qualifier", default="live", help="its alias or version (default: %(default)s)")
    _add_log(paper)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    week = yesterday - timedelta(days=6)
    paper.add_argument(
        "--from", dest="first", type=_date, default=week, metavar="DATE", help="(default: the last week)"
    )
    paper.add_argument("--to", dest="last", type=_date, default=yesterday, metavar="DATE", help="(default: yesterday)")
    paper.add_argument("--outcomes", type=Path, metavar="FILE", help="what `operations outcomes` has printed")
    paper.add_argument("--canaries", type=Path, metavar="FILE", help="the history that `operations canary` has written")
    paper.add_argument("--page", type=Path, default=Path("build/report.html"), metavar="FILE")

    beside = add(
        "challenger",
        _challenger,
        "Compare a challenger with the champion; exit with 9 if it decides otherwise, 10 if it is too early to tell.",
    )
    _add_log(beside)
    beside.add_argument(
        "--replay",
        type=Path,
        metavar="DIR",
        help="let this artifact decide the logged bins again, if it has the same bins",
    )
    beside.add_argument(
        "--artifact",
        type=Path,
        default=Path("model/artifacts"),
        metavar="DIR",
        help="with --replay: the model that decided (default: %(default)s)",
    )
    beside.add_argument(
        "--margin",
        type=_share,
        default=0.01,
        help="by how much the shares approved may differ (default: %(default)g)",
    )
    beside.add_argument("--alpha", type=_share, default=0.05, help="the chance of an error (default: %(default)g)")

    later = add("outcomes", _outcomes, "Join outcomes with decisions and judge the models by them.")
    later.add_argument(
        "--artifact",
        type=Path,
        nargs="+",
        default=[Path("model/artifacts")],
        metavar="DIR",
        help="the models that decided",
    )
    later.add_argument("--log", type=Path, nargs="+", required=True, metavar="FILE")
    later.add_argument(
        "--outcomes", type=Path, metavar="FILE", help="CSV; without it, an estimate of what is to be expected"
    )
    later.add_argument("--within-days", type=_days, default=730.0, metavar="DAYS", help="(default: %(default)g)")
    later.add_argument("--limits", type=Path, metavar="FILE", help="limits.json, for the rule of the cut-off")


def _share(text: str) -> float:
    share = float(text)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return share


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be an ISO date, such as 2026-01-31") from None


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days < float("inf"):
        raise argparse.ArgumentTypeError("must be a number of days above 0")
    return days
