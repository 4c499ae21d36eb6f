"""The principal reasons for a denial.

The method is the first one named in comment 5 to 12 CFR 1002.9(b)(2) (Regulation B): the fields in which the applicant
falls furthest short of the mean of applicants at or slightly above the cut-off.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.manifest import Field, Reason

# Comment 1 to 12 CFR 1002.9(b)(2): more than four reasons are unlikely to help the applicant.
MOST = 4


def ranked(shortfalls: Sequence[float]) -> list[int]:
    """The indices of all fields, largest shortfall first; ties keep the contract's order.

    >>> ranked([0.5, 2.0, -1.0, 2.0])
    [1, 3, 0, 2]
    """
    return sorted(range(len(shortfalls)), key=shortfalls.__getitem__, reverse=True)


def principal(fields: Sequence[Field], shortfalls: Sequence[float]) -> list[Reason]:
    """The reasons for a denial, largest shortfall first.

    Parameters
    ----------
    fields : sequence of Field
        The contract's fields.
    shortfalls : sequence of float
        How far each field falls short of the reference, in the same order.

    Returns
    -------
    list of Reason
        At most four; only for fields that fall short.

    Raises
    ------
    ValueError
        There is not one shortfall for each field, so a reason would name the wrong one.
    """
    if len(fields) != len(shortfalls):
        raise ValueError(f"{len(shortfalls)} shortfalls for {len(fields)} fields")
    reasons: list[Reason] = []
    for place in ranked(shortfalls)[:MOST]:
        if shortfalls[place] <= 0:
            break
        field = fields[place]
        reasons.append({"code": field["code"], "field": field["name"], "text": field["text"]})
    return reasons
