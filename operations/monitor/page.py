"""Self-contained HTML: no script, no address, readable on a phone and on paper."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STYLE = """
:root{--ink:#1d2733;--soft:#5b6776;--line:#d9dfe6;--then:#9fb0c3;--now:#1f6fb2;--bad:#b3261e;--good:#1b7f4b;--wait:#8a5a00}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.2rem;color:var(--ink);background:#fff;
 font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0 .4rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.2rem}
h3{font-size:1rem;margin:1.4rem 0 .3rem}
p{margin:.4rem 0}.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem;margin:1rem 0}
.tile{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem}
.tile b{display:block;font-size:1.35rem;line-height:1.3}.tile span{font-size:.85rem;color:var(--soft)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.bad{color:var(--bad);font-weight:600}.good{color:var(--good)}.wait{color:var(--wait);font-weight:600}
.bars{display:grid;grid-template-columns:minmax(5rem,11rem) 1fr 8.5rem;gap:.15rem .6rem;align-items:center;
 font-size:.85rem}
.bars .label{overflow-wrap:anywhere}.bars .number{text-align:right;font-variant-numeric:tabular-nums}
.bar{height:.42rem;min-width:1px;border-radius:.1rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.then{background:var(--then)}.now{background:var(--now)}
.key{display:inline-block;width:.8rem;height:.5rem;margin:0 .3rem 0 .8rem;print-color-adjust:exact;
 -webkit-print-color-adjust:exact}
svg{width:100%;max-width:44rem;height:auto;display:block}svg text{font:12px system-ui,sans-serif;fill:#5b6776}
@media (max-width:34rem){body{padding:.9rem}table{font-size:.8rem}svg text{font-size:20px}
 .bars{grid-template-columns:5.2rem 1fr 7.4rem;font-size:.8rem}}
@media print{body{max-width:none;padding:0;font-size:11pt}h2{break-after:avoid}.tile,.bars,tr,svg{break-inside:avoid}}
"""

NUMBER = ' class="number"'


def document(title: str, body: Iterable[str]) -> str:
    """A whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def tiles(figures: Iterable[tuple[str, str, str]]) -> str:
    """Large figures: each with what it is, and a class (good, bad, wait or none)."""
    each = (
        f'<div class="tile"><b class="{kind}">{escape(value)}</b><span>{escape(what)}</span></div>'
        for what, value, kind in figures
    )
    return f'<div class="tiles">{"".join(each)}</div>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: frozenset[int] = frozenset()) -> str:
    """A table of plain text; the columns in `numbers` are aligned to the right."""

    def row(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{NUMBER if place in numbers else ''}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{row('td', cells)}</tr>" for cells in rows)
    return f'<div class="wide"><table><thead><tr>{row("th", heads)}</tr></thead><tbody>{body}</tbody></table></div>'


def compared(labels: Sequence[str], then: Sequence[float], now: Sequence[float], most: int = 24) -> str:
    """Two shares for each label as bars; of many labels, those that moved most."""
    places = range(len(labels))
    shown = sorted(sorted(places, key=lambda place: -abs(now[place] - then[place]))[:most])
    longest = max([*then, *now, 1e-9])
    rows = []
    for place in shown:
        bars = "".join(
            f'<div class="bar {kind}" style="width:{100 * share / longest:.1f}%"></div>'
            for kind, share in (("then", then[place]), ("now", now[place]))
        )
        rows.append(
            f'<div class="label">{escape(labels[place])}</div><div>{bars}</div>'
            f'<div class="number">{percent(then[place])} → {percent(now[place])}</div>'
        )
    left_out = f'<p class="soft">{len(labels) - most} more moved less.</p>' if len(labels) > most else ""
    return f'<div class="bars">{"".join(rows)}</div>{left_out}'


def line_chart(
    title: str, days: Sequence[str], values: Sequence[float | None], bands: Sequence[tuple[float, float]]
) -> str:
    """Daily values between 0 and 1 with an interval around each; None leaves a gap."""
    known = [edge for value, band in zip(values, bands, strict=True) if value is not None for edge in band]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low, high = max(0.0, low - 0.02), min(1.0, high + 0.02)
    width, height, left, bottom = 640.0, 180.0, 66.0, 26.0

    def across(place: int) -> float:
        return left + (width - left - 12) * (place + 0.5) / max(1, len(days))

    def up(value: float) -> float:
        return 8 + (height - bottom - 8) * (1 - (value - low) / (high - low or 1))

    parts = []
    for share in (low, (low + high) / 2, high):
        parts.append(f'<line x1="{left}" x2="{width}" y1="{up(share):.1f}" y2="{up(share):.1f}" stroke="#d9dfe6"/>')
        parts.append(f'<text x="{left - 6}" y="{up(share) + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>')
    for place, (value, band) in enumerate(zip(values, bands, strict=True)):
        if value is None:
            continue
        x = across(place)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{up(band[0]):.1f}" y2="{up(band[1]):.1f}" stroke="#9fb0c3" '
            'stroke-width="3"/>'
            f'<circle cx="{x:.1f}" cy="{up(value):.1f}" r="3.5" fill="#1f6fb2"/>'
        )
    for place in sorted({0, len(days) - 1} if days else ()):
        anchor = "start" if place == 0 and len(days) > 1 else "middle" if len(days) == 1 else "end"
        parts.append(
            f'<text x="{across(place):.1f}" y="{height - 4}" text-anchor="{anchor}">{escape(days[place])}</text>'
        )
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def percent(share: float) -> str:
    """A share for people.

    >>> percent(0.1234), percent(0.00012)
    ('12.3 %', '0.01 %')
    """
    return f"{100 * share:.2f} %" if 0.00005 <= share < 0.001 else f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """A difference of two shares for people, in percentage points.

    >>> points(-0.0312)
    '-3.1 points'
    """
    return f"{100 * difference:+.1f} points"
