"""Drift for people: as text, as JSON, and as a page with charts."""

from __future__ import annotations

from html import escape
from math import log
from typing import TYPE_CHECKING, Any

from operations.monitor import page
from operations.monitor.drift import LEAST
from operations.monitor.page import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operations.monitor.drift import Drift, Found


def as_text(drift: Drift) -> str:
    """One line for each thing that is watched, worst first."""
    lines = [f"Model {drift.model_version}: {headline(drift)}"]
    if not drift.too_few:
        width = max(len(found.watched.name) for found in drift.found)
        lines += [
            f"  {'DRIFTED' if found.drifted else 'quiet':8}{found.watched.name:{width}}  "
            f"index {found.stability_index:.3f}  evidence {evidence(found):>8} of an alarm's  {moved(found)}"
            for found in drift.found
        ]
    lines += [f"  not compared: {count:,} decisions of model {model}" for model, count in drift.others.items()]
    return "\n".join(lines) + "\n"


def as_data(drift: Drift) -> dict[str, Any]:
    """Everything that was found, for programs."""
    return {
        "model_version": drift.model_version,
        "verdict": drift.verdict,
        "decisions": drift.decisions,
        "days": drift.days,
        "alpha": drift.alpha,
        "watched": [
            {
                "name": found.watched.name,
                "kind": found.watched.kind,
                "drifted": found.drifted and not drift.too_few,
                "since": found.since,
                "decisions": round(sum(found.counts)),
                "stability_index": found.stability_index,
                "log_evidence": found.evidence[-1] if found.evidence else None,
                "bins": [
                    {"label": label, "expected": then, "seen": now, "count": round(count)}
                    for label, then, now, count in zip(
                        found.watched.labels, found.expected, found.seen, found.counts, strict=True
                    )
                ],
            }
            for found in drift.found
        ],
        "others": drift.others,
    }


def as_page(drift: Drift) -> str:
    """A self-contained page."""
    return page.document(f"Drift of model {drift.model_version}", _sections(drift))


def headline(drift: Drift) -> str:
    """The verdict and what it rests on."""
    days = (
        "no day"
        if not drift.days
        else drift.days[0]
        if len(drift.days) == 1
        else f"{drift.days[0]} to {drift.days[-1]}"
    )
    base = f"{drift.decisions:,} decisions, {days}"
    if drift.too_few:
        return f"too few to tell ({base}; at least {LEAST} are needed)"
    names = ", ".join(found.watched.name for found in drift.drifted)
    return f"drifted: {names} ({base})" if names else f"quiet ({base})"


def evidence(found: Found) -> str:
    """How strong the evidence is, as a share of what an alarm needs."""
    if not found.evidence:
        return "too few days"
    powers = found.evidence[-1] / log(10)
    return f"10^{powers:.1f}" if powers < -1 or powers >= 3 else f"{10**powers:,.1f}"


def moved(found: Found) -> str:
    """What moved most, and since when it has drifted."""
    label, then, now = found.moved
    since = f"; since {found.since}" if found.since else ""
    return f"{label}: {percent(then)} expected, {percent(now)} seen{since}"


def _sections(drift: Drift) -> Iterator[str]:
    yield f"<h1>Drift of model {escape(drift.model_version)}</h1>"
    kind, said = {"too few": "wait", "drifted": "bad", "quiet": "good"}[drift.verdict], headline(drift)
    yield f'<p class="{kind}">{escape(said[0].upper() + said[1:])}.</p>'
    yield (
        '<p class="soft">Every field, the score, approvals, first reasons and refusals, against the shares that the '
        "model was trained and judged on. All of them together, looked at every day, give a false alarm in at most "
        f"{percent(drift.alpha)} of the years. The stability index is a shift's size; the evidence decides.</p>"
    )
    if drift.too_few:
        return
    rows = [
        (
            f"{found.watched.name}{' drifted' * found.drifted}",
            f"{found.stability_index:.3f}",
            evidence(found),
            moved(found),
        )
        for found in drift.found
    ]
    yield page.table(
        ("", "index", "evidence, in terms of what an alarm needs", "moved most"), rows, numbers=frozenset({1})
    )
    yield "<h2>Shares</h2>"
    yield '<p class="soft"><i class="key then"></i>expected<i class="key now"></i>seen</p>'
    for found in drift.found:
        mark = ' <span class="bad">drifted</span>' if found.drifted else ""
        yield f"<h3>{escape(found.watched.name)}{mark}</h3>"
        yield page.compared(found.watched.labels, found.expected, found.seen)
    if drift.others:
        yield "<h2>Not compared</h2>"
        yield page.table(("model", "decisions"), [(model, f"{count:,}") for model, count in drift.others.items()])
