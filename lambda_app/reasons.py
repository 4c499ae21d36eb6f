"""The principal reasons for a denial.

The method is the first one named in comment 5 to 12 CFR 1002.9(b)(2) (Regulation B): the fields in which the applicant
falls furthest short of the mean of applicants at or slightly above the cut-off.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.manifest import Field, FieldBins, Reason, Sentence

# Comment 1 to 12 CFR 1002.9(b)(2): more than four reasons are unlikely to help the applicant.
MOST = 4


def by_bin(fields: Sequence[Field], bins: Sequence[FieldBins]) -> list[list[Reason]]:
    """The reason that each bin of each field can give.

    The bin says all that a reason depends on: whether the value is missing, and which word it is.

    Parameters
    ----------
    fields : sequence of Field
        The contract's fields.
    bins : sequence of FieldBins
        Their bins, in the same order.

    Returns
    -------
    list of list of Reason
        Field by field, in the order of its bins; the last one is that of a missing value.

    Examples
    --------
    >>> income = {"name": "Income", "code": "LOW", "text": "Low", "missing": {"code": "NONE", "text": "Not stated"}}
    >>> [[reason["code"] for reason in of_field] for of_field in by_bin([income], [{"edges": [30_000.0]}])]
    [['LOW', 'LOW', 'NONE']]
    """
    found = []
    for field, of_field in zip(fields, bins, strict=True):
        usual: Sentence = {"code": field["code"], "text": field["text"]}
        edges = of_field.get("edges")
        if edges is None:
            own = field.get("by_word", {})
            sentences = [own.get(word, usual) for word in of_field.get("words", ())]
        else:
            sentences = [usual] * (len(edges) + 1)
        sentences.append(field.get("missing", usual))
        found.append([_reason(field, sentence) for sentence in sentences])
    return found


def ranked(shortfalls: Sequence[float]) -> list[int]:
    """The indices of all fields, largest shortfall first; ties keep the contract's order.

    >>> ranked([0.5, 2.0, -1.0, 2.0])
    [1, 3, 0, 2]
    """
    return sorted(range(len(shortfalls)), key=shortfalls.__getitem__, reverse=True)


def principal(
    reasons: Sequence[Sequence[Reason]], bins: Sequence[int], shortfalls: Sequence[float], least_share: float = 0.0
) -> list[Reason]:
    """The reasons for a denial, largest shortfall first.

    Parameters
    ----------
    reasons : sequence of sequence of Reason
        What each bin of each field can give, from `by_bin`.
    bins : sequence of int
        The applicant's bin in each field.
    shortfalls : sequence of float
        How far each field falls short of the reference, in the same order.
    least_share : float
        The least share of the sum of all shortfalls that a reason after the first must explain, 0 to 1.

    Returns
    -------
    list of Reason
        At most four, only for fields that fall short. If several fields give the same code, it stands where the
        largest of their shortfalls puts it. The reasons themselves are those given; they are not copied.

    Raises
    ------
    ValueError
        There is not one shortfall for each field, so a reason would name the wrong one.
    """
    if len(reasons) != len(shortfalls):
        raise ValueError(f"{len(shortfalls)} shortfalls for {len(reasons)} fields")
    short: list[int] = []
    total = 0.0
    for place, shortfall in enumerate(shortfalls):
        if shortfall > 0:
            short.append(place)
            # One by one: `model.formats.batch` has to get the same last digit, and sum() would round otherwise.
            total += shortfall
    short.sort(key=shortfalls.__getitem__, reverse=True)
    least = least_share * total
    found: list[Reason] = []
    codes: list[str] = []
    for place in short:
        if shortfalls[place] < least and found:
            break
        reason = reasons[place][bins[place]]
        if reason["code"] not in codes:
            codes.append(reason["code"])
            found.append(reason)
            if len(found) == MOST:
                break
    return found


def _reason(field: Field, sentence: Sentence) -> Reason:
    return {"code": sentence["code"], "field": field["name"], "text": sentence["text"]}
