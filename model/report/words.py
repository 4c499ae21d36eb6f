"""Figures as people read them, in the report. A figure that the data cannot tell, or that nobody gave, is None."""

from __future__ import annotations

from typing import Any

NONE = "not known"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 0 to 1 as a percentage."""
    return NONE if share is None else f"{share * 100:.{digits}f}\u00a0%"


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points."""
    return NONE if difference is None else f"{difference * 100:.1f} percentage points"


def places(figure: float | None) -> str:
    """A figure with four decimal places."""
    return NONE if figure is None else f"{figure:.4f}"


def number(value: float | None) -> str:
    """A number of any size with two significant digits."""
    return NONE if value is None else f"{value:,.2g}".replace("-", "\N{NON-BREAKING HYPHEN}")


def whole(count: int | None) -> str:
    """A count."""
    return NONE if count is None else f"{count:,}"


def interval(ends: dict[str, Any], digits: int = 1, scale: float = 100) -> str:
    """An interval `{"low", "high"}`, by default of shares in per cent."""
    if ends["low"] is None:
        return NONE
    return f"{ends['low'] * scale:.{digits}f} to {ends['high'] * scale:.{digits}f}"
