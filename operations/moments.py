"""How operations reads dates: ISO 8601, answered in UTC.

A time of day needs a time zone: without one nobody can tell which moment it names. A date alone is the start of that
day in UTC, and is read only where a date is asked for.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

# How far another machine's clock may run ahead of ours.
CLOCK_SKEW = timedelta(minutes=5)


def read_moment(text: object) -> datetime | None:
    """Read a date with a time of day and a time zone.

    Parameters
    ----------
    text : object
        A value from a document, of whatever type.

    Returns
    -------
    datetime or None
        In UTC; None if `text` is anything else, such as a time without a zone.

    Examples
    --------
    >>> read_moment("2026-01-01T09:00:00+01:00")
    datetime.datetime(2026, 1, 1, 8, 0, tzinfo=datetime.timezone.utc)
    >>> read_moment("2026-01-01T09:00:00") is None
    True
    """
    if not isinstance(text, str):
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.astimezone(UTC) if when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def read_date(text: object) -> datetime | None:
    """Read a date, with or without a time of day.

    Parameters
    ----------
    text : object
        A value from a document, of whatever type.

    Returns
    -------
    datetime or None
        In UTC. A date alone is the start of that day; a time of day needs a time zone, as for `read_moment`.

    Examples
    --------
    >>> read_date("2026-01-01")
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if not isinstance(text, str):
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return read_moment(text)


def in_future(moment: datetime, now: datetime) -> bool:
    """Whether a moment lies ahead by more than clocks differ."""
    return moment > now + CLOCK_SKEW
