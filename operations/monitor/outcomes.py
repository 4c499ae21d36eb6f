"""Outcomes, which come months after the decisions: joined with them, and the figures that follow.

An outcomes file is CSV with a header: `application_id` or `decision_id`; `outcome`, 1 if the applicant was creditworthy
and 0 if not; maybe `known_at`, an ISO date; every other column is a group to compare fairness by.

The log has bins and no probabilities. A scorecard's probability follows from the bins exactly, so that the figures are
those of `python -m model evaluate` on the same applications.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import TYPE_CHECKING, Any

from operations.errors import UnreadableInput
from operations.moments import read_date
from operations.monitor.logfile import complete, records
from operations.monitor.page import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lambda_app.artifact import Artifact

KEYS = ("application_id", "decision_id")
# Outcomes are observed for as long as this after a decision; what becomes known later would bias the figures.
WITHIN_DAYS = 730.0
# With fewer outcomes no figure is worth reading.
LEAST = 30
Z = 1.959963984540054


@dataclass(frozen=True)
class Logged:
    """One decision of the log.

    Attributes
    ----------
    at : datetime
        In UTC.
    model_version : str
    prediction : int
    bins : tuple of int
    """

    at: datetime
    model_version: str
    prediction: int
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """A decision whose outcome is known; `groups` has the outcomes file's other columns."""

    logged: Logged
    creditworthy: bool
    groups: Mapping[str, str]


@dataclass
class Joined:
    """The outcomes that found their decision, and a count of every other case.

    Attributes
    ----------
    outcomes : list of Outcome
    rows : int
        Of the outcomes file.
    unknown : int
        The log has no such decision.
    duplicate : int
        Repeats the outcome of a row before it.
    contradictory : int
        One of several rows that say different things of one decision; none of them is used.
    late : int
        Known too long after the decision.
    undecided : int
        Without an outcome yet.
    decided_again : int
        Keys under which the log has several decisions; the last one is used.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    rows: int = 0
    unknown: int = 0
    duplicate: int = 0
    contradictory: int = 0
    late: int = 0
    undecided: int = 0
    decided_again: int = 0

    def counts(self) -> dict[str, int]:
        """Every count, and how many were joined; all but the last add up to the rows."""
        own = {name: value for name, value in vars(self).items() if name != "outcomes"}
        return {"joined": len(self.outcomes), **own}


def logged(paths: Sequence[Path]) -> tuple[dict[str, Logged], dict[str, Logged], int]:
    """The decisions in some log files.

    Returns
    -------
    tuple of (dict, dict, int)
        By application id and by decision id; and under how many application ids there are several decisions.

    Raises
    ------
    UnreadableInput
    """
    by_application: dict[str, Logged] = {}
    by_decision: dict[str, Logged] = {}
    again: set[str] = set()
    for source, record in records(paths):
        if record["event"] != "decision" or record.get("check"):
            continue
        with complete(source, record):
            at = datetime.fromtimestamp(record["time"] / 1000, UTC)
            bins = tuple(int(number) for number in record["bins"])
            one = Logged(at, str(record["model_version"]), int(record["prediction"]), bins)
            by_decision[str(record["decision_id"])] = one
        key = record.get("application_id")
        if key is None:
            continue
        before = by_application.get(key)
        if before is not None:
            again.add(key)
        if before is None or at >= before.at:
            by_application[key] = one
    return by_application, by_decision, len(again)


def join(outcomes: Path, logs: Sequence[Path], within_days: float = WITHIN_DAYS) -> Joined:
    """Join an outcomes file with the log.

    Raises
    ------
    UnreadableInput
        A file cannot be read, has no key or no outcome, or holds a value that is neither.
    """
    by_application, by_decision, again = logged(logs)
    joined = Joined(decided_again=again)
    found: dict[int, list[Outcome]] = {}
    for place, (row, key) in enumerate(_rows(outcomes), 1):
        joined.rows += 1
        label = row["outcome"].strip()
        if label not in ("0", "1", ""):
            raise UnreadableInput(str(outcomes), f"row {place}: outcome must be 1, 0 or empty")
        one = (by_application if key == "application_id" else by_decision).get(row[key].strip())
        if one is None:
            joined.unknown += 1
        elif not label:
            joined.undecided += 1
        elif _known_after(row, str(outcomes), place, one.at) > timedelta(days=within_days):
            joined.late += 1
        else:
            groups = {name: value.strip() for name, value in row.items() if name not in (*KEYS, "outcome", "known_at")}
            found.setdefault(id(one), []).append(Outcome(one, label == "1", groups))
    for same in found.values():
        if len({outcome.creditworthy for outcome in same}) > 1:
            joined.contradictory += len(same)
        else:
            joined.outcomes.append(same[0])
            joined.duplicate += len(same) - 1
    return joined


def _rows(path: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Each row, and its key's column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            heads = reader.fieldnames or []
            keys = [key for key in KEYS if key in heads]
            if len(keys) != 1 or "outcome" not in heads:
                raise UnreadableInput(str(path), "needs the columns outcome, and application_id or decision_id")
            for row in reader:
                if None in row or None in row.values():
                    raise UnreadableInput(str(path), f"line {reader.line_num} has not as many cells as the header")
                yield row, keys[0]
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise UnreadableInput(str(path), f"cannot be read as CSV in UTF-8 ({type(err).__name__})") from err


def _known_after(row: dict[str, str], source: str, place: int, decided: datetime) -> timedelta:
    text = row.get("known_at", "").strip()
    if not text:
        return timedelta()
    known = read_date(text)
    if known is None:
        raise UnreadableInput(source, f"row {place}: known_at is no ISO 8601 date")
    return known - decided


def figures(joined: Sequence[Outcome], artifacts: Mapping[str, Artifact], rule: Any = None) -> dict[str, Any]:
    """Every figure of each model, over all its outcomes and for each month of decisions.

    Parameters
    ----------
    joined : sequence of Outcome
    artifacts : mapping of str to Artifact
        By model version.
    rule : CutoffRule, optional
        How the cut-off was chosen.

    Returns
    -------
    dict
        For each model version: `all`, and `months`; each is what `model.judge.figures.evaluate` says, or, with fewer
        outcomes than LEAST, their count alone.

    Raises
    ------
    UnreadableInput
        A model's probability does not follow from the bins that are logged.
    """
    told: dict[str, Any] = {}
    for version, artifact in artifacts.items():
        own = [outcome for outcome in joined if outcome.logged.model_version == version]
        months: dict[str, list[Outcome]] = {}
        for outcome in own:
            months.setdefault(f"{outcome.logged.at:%Y-%m}", []).append(outcome)
        told[version] = {
            "all": _evaluated(own, artifact, rule),
            "months": {month: _evaluated(months[month], artifact, rule) for month in sorted(months)},
        }
    return told


def _evaluated(outcomes: Sequence[Outcome], artifact: Artifact, rule: Any) -> dict[str, Any]:
    if len(outcomes) < LEAST:
        return {"rows": len(outcomes), "too_few": True}
    # The training environment's, and only here: the same code judges a model before its release.
    import numpy as np

    from model.judge.figures import ACCURACY, evaluate

    names = outcomes[0].groups.keys()
    labelled = _Labelled(
        np.array([outcome.creditworthy for outcome in outcomes]),
        {name: np.array([outcome.groups[name] for outcome in outcomes], dtype=object) for name in names},
    )
    approved = np.array([outcome.logged.prediction == 1 for outcome in outcomes])
    estimates = np.array([probability(artifact, outcome.logged.bins) for outcome in outcomes])
    return dict(evaluate(estimates, approved, labelled, rule or ACCURACY))


@dataclass(frozen=True)
class _Labelled:
    approved: Any
    groups: dict[str, Any]


def probability(artifact: Artifact, bins: Sequence[int]) -> float:
    """The probability that a model has given to logged bins.

    Raises
    ------
    UnreadableInput
        It does not follow from the bins.
    """
    if not hasattr(artifact.scorer, "score"):
        raise UnreadableInput(
            artifact.manifest["model_version"],
            f"the format {artifact.manifest['format']} scores values, which no log holds; "
            "join the outcomes with your own applications and run: python -m model evaluate",
        )
    try:
        return artifact.scorer.probability({}, list(bins))
    except (IndexError, ValueError) as err:
        raise UnreadableInput("the log", "has bins that the artifact does not have; name its own artifact") from err


@dataclass(frozen=True)
class Estimate:
    """What outcomes to expect, as long as they depend on the applications as they did in training.

    Attributes
    ----------
    decisions, approved : int
    good : float
        The mean probability of the approved.
    low, high : float
        A 95 % interval: of the outcomes by chance, and of the calibration by the hold-out's size.
    """

    decisions: int
    approved: int
    good: float
    low: float
    high: float


def estimate(artifact: Artifact, decisions: Sequence[Logged]) -> Estimate | None:
    """The share of the approved that will turn out creditworthy; None if nobody was approved."""
    own = [one for one in decisions if one.model_version == artifact.manifest["model_version"]]
    approved = [probability(artifact, one.bins) for one in own if one.prediction]
    if not approved:
        return None
    good = sum(approved) / len(approved)
    by_chance = sum(one * (1 - one) for one in approved) / len(approved) ** 2
    metrics = artifact.manifest["metrics"]
    judged = max(1.0, metrics["approval_rate"] * metrics["rows"])
    wide = Z * sqrt(by_chance + good * (1 - good) / judged)
    return Estimate(len(own), len(approved), good, max(0.0, good - wide), min(1.0, good + wide))


def as_sentence(artifact: Artifact, decisions: Sequence[Logged], drift: str) -> str:
    """The estimate for people, or why there is none."""
    version = artifact.manifest["model_version"]
    if drift != "quiet":
        return f"Model {version}: no estimate, since drift is {drift}: it would rest on what training showed"
    expected = estimate(artifact, decisions)
    if expected is None:
        return f"Model {version}: no estimate, since nobody was approved"
    return (
        f"Model {version}: of {expected.approved:,} approved in {expected.decisions:,} decisions, an estimated "
        f"{percent(expected.good)} will turn out creditworthy ({percent(expected.low)} to {percent(expected.high)}), "
        "if outcomes depend on the applications as they did in training. No outcome is known yet."
    )


def as_counts(joined: Joined, artifacts: Mapping[str, Artifact]) -> str:
    """What became of each row of the outcomes file, for people."""
    counts = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in joined.counts().items())
    others = sum(outcome.logged.model_version not in artifacts for outcome in joined.outcomes)
    denied = sum(outcome.logged.prediction == 0 for outcome in joined.outcomes)
    lines = [f"outcomes: {counts}"]
    if others:
        lines.append(f"{others:,} belong to models that were not named with --artifact")
    if not denied:
        lines.append("no outcome of a denied applicant is known: every figure is about the approved alone")
    return "\n".join(lines)
