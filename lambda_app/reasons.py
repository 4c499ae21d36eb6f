"""The principal reasons of a denial.

The method is the first that comment 5 to 12 CFR 1002.9(b)(2) (Regulation B) names: the fields in which the applicant
falls furthest short of the mean of applicants at or slightly above the cut-off.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Comment 2 to 12 CFR 1002.9(b)(2): more than four reasons are not likely to help the applicant.
MOST = 4


def principal(fields: list[dict[str, Any]], shortfalls: list[float]) -> list[dict[str, str]]:
    """The reasons for a denial, the weightiest first.

    Parameters
    ----------
    fields : list of dict
        The contract's fields, with `name`, `code` and `text`.
    shortfalls : list of float
        How far each field falls short of the reference, in the same order.

    Returns
    -------
    list of dict
        At most four `{"code", "field", "text"}`; ties keep the contract's order.
    """
    ranked = sorted(zip(shortfalls, fields, strict=True), key=_shortfall, reverse=True)
    return [
        {"code": field["code"], "field": field["name"], "text": field["text"]}
        for shortfall, field in ranked[:MOST]
        if shortfall > 0
    ]


def _shortfall(pair: tuple[float, dict[str, Any]]) -> float:
    return pair[0]
