"""Artifact formats: one file each, found by the name in the manifest.

A format is a module (or any object) with a `VERSION` and an `open`. To add one, write `lambda_app/formats/NAME.py` and
`model/formats/NAME.py`, and add its name to `BUILT_IN`. Code outside this repository calls `register` in both packages
instead. When a format's layout changes, raise its VERSION and export again. To serve both layouts for a while, let
`open` read the older one too, and relax the check in `lambda_app.artifact`.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from lambda_app.formats.scorer import Scorer
    from lambda_app.manifest import Manifest

    class Format(Protocol):
        """The serving side of a format."""

        @property
        def VERSION(self) -> int:  # noqa: N802  # a module's constant
            """The version of the layout that `open` reads."""

        def open(self, content: bytes, manifest: Manifest, /) -> Scorer:
            """Turn the bytes of `model.joblib`, whose digest has been checked, into a scorer.

            Raises
            ------
            UnsafeContent
                The bytes do something that this format forbids. Any other error means that they are corrupt.
            """


BUILT_IN = ("scorecard", "sklearn", "onnx")
_registered: dict[str, Format] = {}


def find(name: str) -> Format | None:
    """The format of this name, or None. A built-in format is imported when an artifact first needs it."""
    if name in BUILT_IN:
        return import_module(f"lambda_app.formats.{name}")
    return _registered.get(name)


def register(name: str, form: Format) -> None:
    """Add a format from outside this package.

    Raises
    ------
    ValueError
        A built-in format has this name.
    """
    if name in BUILT_IN:
        raise ValueError(f"the format '{name}' is built in; choose another name")
    _registered[name] = form
