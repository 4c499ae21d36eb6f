"""One page for a week or a month: what was decided, and what became of it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from html import escape
from math import sqrt
from typing import TYPE_CHECKING, Any

from operations.errors import UnreadableInput
from operations.monitor import challenger, drift, drift_report, page
from operations.monitor.page import percent, points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from operations.monitor.challenger import Comparison
    from operations.monitor.drift import Drift
    from operations.monitor.tally import Tallies, Tally

Z = 1.959963984540054


@dataclass(frozen=True)
class Period:
    """The days of a report, both included, as ISO dates."""

    first: str
    last: str

    def __contains__(self, day: str) -> bool:
        """Whether it holds a day."""
        return self.first <= day <= self.last

    def __str__(self) -> str:
        """For people."""
        return self.first if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Facts:
    """All that a report tells.

    Attributes
    ----------
    period : Period
    within : Tallies
        Of the period.
    before : Tally
        Of as many days before it.
    drift : Drift
        Since the model's release.
    compared : list of Comparison
    canaries : list of dict
        Lines of the history, of the period.
    outcomes : dict or None
        What `operations outcomes` printed.
    """

    period: Period
    within: Tallies
    before: Tally
    drift: Drift
    compared: list[Comparison]
    canaries: list[dict[str, Any]]
    outcomes: dict[str, Any] | None


def facts(
    manifest: Mapping[str, Any],
    tallies: Tallies,
    period: Period,
    before: Period,
    canaries: Sequence[dict[str, Any]],
    outcomes: dict[str, Any] | None,
) -> Facts:
    """Gather what a report tells from everything that was counted since the model's release."""
    kind = type(tallies)
    within = kind({key: tally for key, tally in tallies.items() if key.day in period})
    until = kind({key: tally for key, tally in tallies.items() if key.day <= period.last})
    return Facts(
        period,
        within,
        kind({key: tally for key, tally in tallies.items() if key.day in before}).of(),
        drift.watch(manifest, until),
        challenger.compare(within),
        [line for line in canaries if line["at"][:10] in period],
        outcomes,
    )


def read_history(path: Path) -> list[dict[str, Any]]:
    """The lines that `operations canary` has written.

    Raises
    ------
    UnreadableInput
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if not all(isinstance(line["at"], str) and isinstance(line["action"], str) for line in lines):
            raise ValueError("at and action must be text")
    except OSError as err:
        raise UnreadableInput(str(path), str(err.strerror)) from err
    except (ValueError, KeyError, TypeError) as err:
        raise UnreadableInput(str(path), "is no history of canaries (operations canary --history)") from err
    return lines


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; the whole range without trials.

    >>> low, high = wilson(40, 100)
    >>> round(low, 3), round(high, 3)
    (0.309, 0.498)
    """
    if not trials:
        return 0.0, 1.0
    share, square = hits / trials, Z * Z / trials
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * sqrt(share * (1 - share) / trials + square / trials / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def as_page(found: Facts, name: str) -> str:
    """The report as a self-contained page."""
    return page.document(f"{name}, {found.period}", _sections(found, name))


def _sections(found: Facts, name: str) -> Iterator[str]:
    total = found.within.of()
    yield f"<h1>{escape(name)}</h1>"
    yield f'<p class="soft">{escape(str(found.period))}, days in UTC. Releases\' own checks are not counted.</p>'
    yield _tiles(found, total)
    yield "<h2>Decisions</h2>"
    yield from _decisions(found, total)
    yield "<h2>Reasons for denials</h2>"
    yield from _reasons(found, total)
    yield "<h2>Drift</h2>"
    yield from _drift(found.drift)
    yield "<h2>Challenger</h2>"
    yield from _challenger(found.compared)
    yield "<h2>Outcomes</h2>"
    yield from _outcomes(found.outcomes)
    yield "<h2>Releases and incidents</h2>"
    yield from _releases(found)


def _tiles(found: Facts, total: Tally) -> str:
    low, high = wilson(total.approvals, total.decisions)
    refused = total.refusals / max(1, total.refusals + total.decisions)
    verdict = {"quiet": "good", "drifted": "bad", "too few": "wait"}[found.drift.verdict]
    approved = percent(total.approvals / total.decisions) if total.decisions else "none"
    return page.tiles(
        (
            (f"decisions ({_change(total.decisions, found.before.decisions)})", f"{total.decisions:,}", ""),
            (f"approved ({percent(low)} to {percent(high)})", approved, ""),
            ("of all applications refused as invalid", percent(refused), ""),
            ("failures of the service", f"{total.failures:,}", "bad" if total.failures else "good"),
            ("drift", found.drift.verdict, verdict),
        )
    )


def _change(now: int, before: int) -> str:
    return (
        f"{100 * (now - before) / before:+.0f} % on the period before" if before else "nothing before to compare with"
    )


def _decisions(found: Facts, total: Tally) -> Iterator[str]:
    if not total.decisions:
        yield "<p>Nothing was decided.</p>"
        return
    days = sorted({key.day for key in found.within})
    tallies = [found.within.of(days=[day]) for day in days]
    rates = [tally.approvals / tally.decisions if tally.decisions else None for tally in tallies]
    bands = [wilson(tally.approvals, tally.decisions) for tally in tallies]
    yield '<p class="soft">Share approved each day, with its 95 % interval.</p>'
    yield page.line_chart("Share approved each day", days, rates, bands)
    if found.before.decisions:
        shift = total.approvals / total.decisions - found.before.approvals / found.before.decisions
        yield f"<p>In the period before, {points(-shift)} from this: {found.before.decisions:,} decisions.</p>"


def _reasons(found: Facts, total: Tally) -> Iterator[str]:
    if not total.denials:
        yield "<p>Nobody was denied.</p>"
        return
    codes = [code for code, _ in total.reasons.most_common()]
    then = [found.before.reasons[code] / max(1, found.before.denials) for code in codes]
    now = [total.reasons[code] / total.denials for code in codes]
    yield (
        '<p class="soft">The first reason of each denial: <i class="key then"></i>the period before'
        '<i class="key now"></i>this one</p>'
    )
    yield page.compared(codes, then, now)


def _drift(found: Drift) -> Iterator[str]:
    kind = {"quiet": "good", "drifted": "bad", "too few": "wait"}[found.verdict]
    yield f'<p class="{kind}">Model {escape(found.model_version)}: {escape(drift_report.headline(found))}</p>'
    if not found.too_few:
        rows = [
            (f"{one.watched.name}{' drifted' * one.drifted}", f"{one.stability_index:.3f}", drift_report.moved(one))
            for one in found.found
        ]
        yield page.table(("", "index", "moved most"), rows, numbers=frozenset({1}))


def _challenger(compared: Sequence[Comparison]) -> Iterator[str]:
    if not compared:
        yield "<p>No challenger decided anything.</p>"
    for one in compared:
        low, high = one.interval
        versions, verdict = f"{one.challenger} beside {one.champion}", challenger.VERDICTS[one.verdict]
        yield (
            f"<p>{escape(versions)}: {escape(verdict)}. Of {one.pairs:,} applications it would have approved "
            f"{one.gained:,} that were denied, and denied {one.lost:,} that were approved: {points(one.shift)} "
            f"({points(low)} to {points(high)}).</p>"
        )


def _outcomes(told: dict[str, Any] | None) -> Iterator[str]:
    if told is None:
        yield "<p>No outcomes were given (--outcomes, what <code>operations outcomes</code> has printed).</p>"
        return
    counts = told["counts"]
    yield f"<p>{counts['joined']:,} of {counts['rows']:,} outcomes found their decision.</p>"
    rows = [
        (
            version,
            f"{figures['rows']:,}",
            *(("too few", "", "") if figures.get("too_few") else _figures(figures)),
        )
        for version, model in told["models"].items()
        for figures in (model["all"],)
    ]
    yield page.table(
        ("model", "outcomes", "accuracy", "AUC", "gap between groups"), rows, numbers=frozenset({1, 2, 3, 4})
    )


def _figures(figures: Mapping[str, Any]) -> tuple[str, str, str]:
    area, gap = figures["roc_auc"], figures["equal_opportunity_gap"]
    return (
        percent(figures["accuracy"]),
        "unknown" if area is None else f"{area:.3f}",
        "unknown" if gap is None else f"{100 * gap:.1f} points",
    )


def _releases(found: Facts) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    served: Counter[tuple[str, str]] = Counter()
    for key in sorted(found.within):
        first.setdefault((key.model_version, key.function_version), key.day)
        served[key.model_version, key.function_version] += found.within[key].decisions
    rows = [(day, version, model, f"{served[model, version]:,}") for (model, version), day in first.items() if version]
    yield page.table(("first day", "function version", "model", "decisions"), rows, numbers=frozenset({3}))
    incidents = [
        (day, f"{number:,} failures")
        for day in sorted({key.day for key in found.within})
        if (number := found.within.of(days=[day]).failures)
    ]
    incidents += [
        (line["at"][:10], f"canary version {line['canary']}: {line['action']} ({line['why']})")
        for line in found.canaries
        if line["action"] != "wait"
    ]
    yield page.table(("day", "what happened"), sorted(incidents)) if incidents else "<p>No failure, no canary.</p>"
