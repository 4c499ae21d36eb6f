"""Checks an application against the contract that the artifact carries.

Only the compiled module of pydantic_core is loaded. The package's Python half defines schema types for editors, and
importing it would take longer than all the rest of this service's start (docs/decisions/0002-cold-start.md).
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType

from lambda_app.errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.errors import BrokenRule
    from lambda_app.manifest import Application

# A batch repeats a detail for every application, and a field may have 255 words.
_LONGEST = 120
_COMPILED = "pydantic_core._pydantic_core"


class Validator:
    """Accepts exactly what the contract accepts.

    Parameters
    ----------
    core_schema : dict
        A pydantic-core schema made of plain data, from the manifest.
    """

    __slots__ = ("_error", "_names", "_validate")

    def __init__(self, core_schema: dict[str, Any]) -> None:
        compiled = compiled_module()
        self._validate = compiled.SchemaValidator(core_schema).validate_python
        self._error: type[Any] = compiled.ValidationError
        self._names = frozenset(core_schema["fields"])

    def values(self, application: object) -> Application:
        """The checked values by field name; a missing optional one is None.

        Raises
        ------
        Invalid
            Lists every broken rule.
        """
        unknown = 0
        if isinstance(application, dict) and not application.keys() <= self._names:
            # Pydantic would build an error for each unknown name, however many, and fails on one that is not Unicode.
            known = {name: application[name] for name in self._names if name in application}
            unknown = len(application) - len(known)
            application = known
        try:
            values: Application = self._validate(application)
        except self._error as err:
            found = err.errors(include_url=False, include_input=False, include_context=False)
        else:
            if not unknown:
                return values
            found = []
        # Outside the `except`, so that no traceback carries pydantic's error, which holds the values.
        raise Invalid(_rules(found, unknown))


def _rules(found: list[dict[str, Any]], unknown: int) -> list[BrokenRule]:
    """Name fields and rules; an unknown field's name is the caller's own text, so it is counted, not repeated."""
    rules: list[BrokenRule] = []
    for error in found:
        if error["loc"]:
            detail = error["msg"]
            if len(detail) > _LONGEST:
                detail = "Input should be one of the words that the contract lists; GET /model shows it"
            rules.append({"field": str(error["loc"][0]), "rule": error["type"], "detail": detail})
        else:
            rules.append({"field": None, "rule": error["type"], "detail": "An application is a JSON object"})
    if unknown:
        detail = f"{unknown} field{'s' if unknown > 1 else ''} that the model does not know"
        rules.append({"field": None, "rule": "extra_forbidden", "detail": detail})
    return rules


def compiled_module() -> Any:
    """The extension module of pydantic_core, loaded without the package around it.

    Raises
    ------
    ImportError
        pydantic_core is not installed.
    """
    module = sys.modules.get(_COMPILED)
    if module is not None:
        return module
    spec = PathFinder.find_spec("pydantic_core")
    if spec is None:
        raise ImportError("pydantic_core is not installed")
    # An empty package stands in while its compiled module is imported. A later `import pydantic_core` gets the real
    # package, which reuses the compiled module: that cannot be loaded twice.
    stand_in = ModuleType("pydantic_core")
    stand_in.__path__ = spec.submodule_search_locations or []
    sys.modules["pydantic_core"] = stand_in
    try:
        return import_module(_COMPILED)
    finally:
        del sys.modules["pydantic_core"]
