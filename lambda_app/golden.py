"""Whether two answers to one application are the same decision."""

from __future__ import annotations

from math import isclose

# Probabilities may differ by this much: processors and libraries differ in the last digits of a double.
TOLERANCE = 1e-9
# Keys that a recorded answer must have, so that an empty record matches nothing.
DECIDED = frozenset({"prediction", "decision", "probability", "reasons", "model_version"})
# Keys that differ between answers by design.
OF_THE_REQUEST = frozenset({"request_id", "decision_id"})


def same(expected: object, answer: object) -> bool:
    """Whether an answer is the recorded decision.

    Parameters
    ----------
    expected, answer : object
        JSON values. The answer itself may have keys that were not recorded, its reasons may not. Ids are not compared.
        Floats may differ by TOLERANCE; everything else must be equal and of the same type.

    Examples
    --------
    >>> recorded = {"prediction": 1, "decision": "approve", "probability": 0.9, "reasons": [], "model_version": "a1"}
    >>> same(recorded, {**recorded, "probability": 0.9 + 1e-12, "request_id": "17"})
    True
    >>> same(recorded, {**recorded, "model_version": "b2"})
    False
    """
    if not isinstance(expected, dict) or not isinstance(answer, dict) or not expected.keys() >= DECIDED:
        return False
    return all(
        key in answer and _alike(value, answer[key]) for key, value in expected.items() if key not in OF_THE_REQUEST
    )


def _alike(expected: object, answer: object) -> bool:
    if isinstance(expected, dict):
        return (
            isinstance(answer, dict)
            and answer.keys() == expected.keys()
            and all(_alike(value, answer[key]) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(_alike, expected, answer))
    if isinstance(expected, float) and isinstance(answer, int | float) and not isinstance(answer, bool):
        return isclose(expected, answer, rel_tol=0.0, abs_tol=TOLERANCE)
    return type(expected) is type(answer) and bool(expected == answer)
