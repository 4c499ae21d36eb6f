"""Formats figures for the report. A figure that the data cannot show, or that was not given, is None."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_app.manifest import Difference, Interval

NONE = "not known"


def percent(share: float | None, digits: int = 1) -> str:
    """A share, 0 to 1, as a percentage.

    >>> percent(0.9342)
    '93.4\xa0%'
    """
    return NONE if share is None else f"{share * 100:.{digits}f}\u00a0%"


def percentage_points(difference: float | None) -> str:
    """A difference of two shares in percentage points.

    >>> percentage_points(0.208)
    '20.8 percentage points'
    """
    return NONE if difference is None else f"{difference * 100:.1f} percentage points"


def places(figure: float | None) -> str:
    """A figure with four decimal places."""
    return NONE if figure is None else f"{figure:.4f}"


def number(value: float | None) -> str:
    """A number of any size with two significant digits."""
    return NONE if value is None else f"{value:,.2g}".replace("-", "\N{NON-BREAKING HYPHEN}")


def whole(count: float | None) -> str:
    """A count."""
    return NONE if count is None else f"{count:,}"


def interval(ends: Interval | Difference, digits: int = 1, scale: float = 100) -> str:
    """An interval; by default of shares, in per cent.

    >>> interval({"low": 0.931, "high": 0.9364}, digits=2)
    '93.10 to 93.64'
    """
    if ends["low"] is None or ends["high"] is None:
        return NONE
    return f"{ends['low'] * scale:.{digits}f} to {ends['high'] * scale:.{digits}f}"
