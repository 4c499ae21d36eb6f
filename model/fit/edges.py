"""Short edges between bins, for people to read."""

from __future__ import annotations

from decimal import Decimal


def short_edge(low: float, high: float) -> float:
    """The shortest decimal from `low` up to, not including, `high`; of several, the one nearest to the middle.

    Examples
    --------
    >>> short_edge(41_987, 42_013), short_edge(0, 1), short_edge(1.2491, 1.2503), short_edge(-3, 9)
    (42000.0, 0.0, 1.25, 0.0)
    """
    # Halved before they are added, because the sum of two large floats may be infinite.
    middle = Decimal(low / 2 + high / 2)
    largest = max(Decimal(low), Decimal(high), key=abs).adjusted() + 1
    for exponent in range(largest, largest - 18, -1):
        step = Decimal(1).scaleb(exponent)
        nearest = (middle / step).to_integral_value() * step
        # Halfway between two multiples of the step, only the lower one may be inside.
        for edge in (float(nearest), float(nearest - step)):
            if low <= edge < high:
                return edge
    return float(low)
