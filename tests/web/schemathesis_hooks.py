"""What the OpenAPI document cannot say, so that schemathesis does not ask for it.

- For JSON Schema 8.0 is an integer; the service's types are strict, and it is none.
- A list is accepted whatever its elements are: each wrong one gets its own error in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis

if TYPE_CHECKING:
    from schemathesis import Case, HookContext


@schemathesis.hook
def filter_case(_context: HookContext, case: Case[Any]) -> bool:
    """Whether to send a case."""
    if _holds_a_whole_float(case.body):
        return False
    meta = case.meta
    wrong = meta is not None and meta.generation.mode.is_negative
    return not (wrong and isinstance(case.body, list))


def _holds_a_whole_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_a_whole_float, value.values()))
    if isinstance(value, list):
        return any(map(_holds_a_whole_float, value))
    return isinstance(value, float) and value.is_integer()
