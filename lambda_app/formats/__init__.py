"""The formats that an artifact can have: one file a format, found by the name that the manifest gives.

A format is a module (or any object) with a `VERSION` and an `open`. To add one, write `lambda_app/formats/NAME.py` and
`model/formats/NAME.py`, and name it in `BUILT_IN`; code outside this repository calls `register` of both packages.
When the layout of a format changes, raise its VERSION and export again; to serve both for a while, let `open` read the
older one too and widen the check in `lambda_app.artifact`.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from lambda_app.formats.scorer import Scorer
    from lambda_app.manifest import Manifest

    class Format(Protocol):
        """What every format offers on the serving side."""

        @property
        def VERSION(self) -> int:  # noqa: N802  # a module's constant
            """The version of the layout that `open` reads."""

        def open(self, content: bytes, manifest: Manifest, /) -> Scorer:
            """Turn the bytes of `model.joblib`, whose digest has been checked, into a scorer.

            Raises
            ------
            UnsafeContent
                The bytes ask for more than this format may do. Any other error means that they are corrupt.
            """


BUILT_IN = ("scorecard", "sklearn")
_registered: dict[str, Format] = {}


def find(name: str) -> Format | None:
    """The format of this name, or None. A built-in one is imported when an artifact first asks for it."""
    if name in BUILT_IN:
        return import_module(f"lambda_app.formats.{name}")
    return _registered.get(name)


def register(name: str, form: Format) -> None:
    """Add a format from outside this package."""
    _registered[name] = form
