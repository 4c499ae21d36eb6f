"""Opens a model artifact: checks it before it trusts a byte of it.

The manifest's version is 1. To change what it holds so that older code would misread it: raise MANIFEST_VERSION,
write the new one in `model/export.py`, and say in CHANGELOG.md that images must be rebuilt from a new export.
Adding a key that older code ignores needs none of this.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle

from lambda_app.errors import ArtifactCorrupt, ArtifactMissing, ArtifactUnsafe, ArtifactUnsupported
from lambda_app.formats.scorecard import Scorecard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, Protocol

    class Scorer(Protocol):
        """What every format offers. `values` maps each field to its validated value, None where missing."""

        # As `lambda_app.binning` describes them, in the contract's order.
        fields: list[dict[str, Any]]

        def bins(self, values: dict[str, Any]) -> list[int]:
            """The bin number of each field, in the contract's order."""

        def probability(self, values: dict[str, Any], bins: list[int]) -> float:
            """The probability that the applicant is creditworthy."""

        def shortfalls(self, values: dict[str, Any], bins: list[int]) -> list[float]:
            """How far each field falls short of the reference, in the contract's order."""


MANIFEST_VERSION = 1
# What decides an application, besides the model's own bytes.
DECIDING = ("format", "format_version", "digest", "contract", "threshold", "reference")


class Artifact:
    """A checked artifact.

    Attributes
    ----------
    manifest : dict
        The manifest as it was read.
    scorer : Scorer
        What turns validated values into a probability and shortfalls.
    """

    __slots__ = ("manifest", "scorer")

    def __init__(self, manifest: dict[str, Any], scorer: Scorer) -> None:
        self.manifest = manifest
        self.scorer = scorer


def load(directory: str) -> Artifact:
    """Open the artifact in a directory.

    Raises
    ------
    ArtifactError
        One of its kinds; see `lambda_app.errors`.
    """
    manifest_path = os.path.join(directory, "manifest.json")
    try:
        manifest = json.loads(_read(manifest_path))
        if manifest["manifest_version"] != MANIFEST_VERSION:
            raise ArtifactUnsupported(manifest_path, f"this code reads manifest version {MANIFEST_VERSION} only")
        open_model = _FORMATS.get((manifest["format"], manifest["format_version"]))
        expected_digest, expected_size = manifest["digest"], manifest["size"]
        version = model_version(manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise ArtifactCorrupt(manifest_path, "is not a manifest that this code can read") from err
    if open_model is None:
        raise ArtifactUnsupported(manifest_path, "names a format or format version that this code does not know")
    if version != manifest.get("model_version"):
        raise ArtifactCorrupt(manifest_path, "what it says of the decision does not fit its model version")

    model_path = os.path.join(directory, "model.joblib")
    content = _read(model_path)
    if len(content) != expected_size or digest(content) != expected_digest:
        raise ArtifactCorrupt(model_path, "is not the file that the manifest describes; export the model again")
    try:
        return Artifact(manifest, open_model(model_path, content, manifest))
    except (ArtifactUnsafe, ArtifactUnsupported):
        raise
    except Exception as err:
        raise ArtifactCorrupt(model_path, f"cannot be opened as format '{manifest['format']}'") from err


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes, as the manifest writes it."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def model_version(manifest: dict[str, Any]) -> str:
    """Twelve hexadecimal digits that name everything by which an application is decided."""
    deciding = {key: manifest[key] for key in DECIDING}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


class _PlainUnpickler(pickle.Unpickler):
    """Opens plain data and refuses whatever would import, call or build anything."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"{module}.{name}")


def _open_scorecard(path: str, content: bytes, manifest: dict[str, Any]) -> Scorer:
    try:
        model = _PlainUnpickler(io.BytesIO(content)).load()
    except Exception as err:
        raise ArtifactUnsafe(path, "asks for a class, or is no pickle of plain data; nothing of it was run") from err
    return Scorecard(model, manifest["reference"])


def _open_sklearn(_path: str, content: bytes, manifest: dict[str, Any]) -> Scorer:
    from lambda_app.formats.sklearn import Estimator

    return Estimator.load(content, manifest)


_FORMATS: dict[tuple[str, int], Callable[[str, bytes, dict[str, Any]], Scorer]] = {
    ("scorecard", 1): _open_scorecard,
    ("sklearn", 1): _open_sklearn,
}


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as err:
        raise ArtifactMissing(path, f"cannot be read ({err.strerror}); train a model or set MODEL_DIR") from err
