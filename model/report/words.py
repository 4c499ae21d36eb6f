"""Formats figures for the report. A figure that the data cannot show, or that was not given, is None."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_app.manifest import Difference, Estimate, Interval

NONE = "not known"
# Ratios that have a word, and how close to one of them a ratio must be to get it.
FRACTIONS = {0.25: "a quarter", 1 / 3: "a third", 0.5: "half", 2 / 3: "two thirds", 0.75: "three quarters"}
NEAR = 0.03
# From here on, a ratio is no longer a fraction.
ALMOST = 0.95


def percent(share: float | None, digits: int = 1) -> str:
    """A share, 0 to 1, as a percentage.

    >>> percent(0.9342)
    '93.4\xa0%'
    """
    return NONE if share is None else f"{share * 100:.{digits}f}\u00a0%"


def share(value: float) -> str:
    """A share as a short label.

    >>> share(0.25), share(0.925)
    ('25\xa0%', '92.5\xa0%')
    """
    return f"{value * 100:.4g}\u00a0%"


def short(value: float) -> str:
    """A number as a short label.

    >>> short(50_000), short(2_500_000), short(0.5)
    ('50k', '2.5M', '0.5')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def in_order(names: Iterable[str]) -> list[str]:
    """Groups in the order in which people expect them: bands by their lower end, others as they come.

    >>> in_order(["30 to under 45", "45 and over", "under 30"])
    ['under 30', '30 to under 45', '45 and over']
    """
    return sorted(names, key=_lower_end)


def _lower_end(name: str) -> float:
    if name.startswith("under "):
        return -inf
    band = re.fullmatch(r"([-+.\de]+) (?:to under [-+.\de]+|and over)", name)
    return float(band[1]) if band else inf


def percentage_points(difference: float | None) -> str:
    """A difference of two shares in percentage points.

    >>> percentage_points(0.208)
    '20.8 percentage points'
    """
    return NONE if difference is None else f"{difference * 100:.1f} percentage points"


def points(difference: float | None) -> str:
    """The same where space is short.

    >>> points(0.208)
    '20.8\xa0points'
    """
    return NONE if difference is None else f"{difference * 100:.1f}\u00a0points"


def more_points(difference: float | None) -> str:
    """By how much one share is larger or smaller than another.

    >>> more_points(-0.0123), more_points(0.5)
    ('1.2 percentage points less', '50.0 percentage points more')
    """
    if difference is None:
        return NONE
    return f"{percentage_points(abs(difference))} {'less' if difference < 0 else 'more'}"


def places(figure: float | None, digits: int = 4) -> str:
    """A figure with as many decimal places."""
    return NONE if figure is None else f"{figure:.{digits}f}"


def number(value: float | None) -> str:
    """A number of any size with two significant digits."""
    return NONE if value is None else f"{value:,.2g}".replace("-", "\N{NON-BREAKING HYPHEN}")


def hundredths(value: float | None) -> str:
    """A number with two decimal places and a minus sign that does not break.

    >>> hundredths(-0.004), hundredths(1.237)
    ('0.00', '1.24')
    """
    return NONE if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")


def signed(difference: float | None, digits: int = 2) -> str:
    """A difference of two shares in percentage points, with its sign.

    >>> signed(0.0123), signed(-0.00001)
    ('+1.23', '+0.00')
    """
    return (
        NONE
        if difference is None
        else f"{round(difference * 100, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
    )


def whole(count: float | None) -> str:
    """A count."""
    return NONE if count is None else f"{count:,}"


def fraction(ratio: float | None) -> str:
    """A ratio of two rates, 0 to 1, in words that go before "as often".

    >>> fraction(0.51), fraction(0.41), fraction(0.98), fraction(1.0)
    ('about half', '0.41 times', 'almost', 'exactly')
    """
    if ratio is None:
        return NONE
    if ratio >= ALMOST:
        return "exactly" if ratio == 1 else "almost"
    near = min(FRACTIONS, key=lambda share: abs(share - ratio))
    return f"about {FRACTIONS[near]}" if abs(near - ratio) <= NEAR else f"{ratio:.2f} times"


def interval(ends: Interval | Difference | Estimate | None, digits: int = 1, scale: float = 100) -> str:
    """An interval; by default of shares, in per cent.

    >>> interval({"low": 0.931, "high": 0.9364}, digits=2)
    '93.10 to 93.64'
    """
    if ends is None or ends["low"] is None or ends["high"] is None:
        return NONE
    low, high = (f"{end * scale:.{digits}f}".replace("-", "\N{MINUS SIGN}") for end in (ends["low"], ends["high"]))
    return f"{low} to {high}"
