"""Opens a model artifact, and checks it before trusting any of its bytes."""

from __future__ import annotations

import json
import os

from lambda_app import formats
from lambda_app.errors import ArtifactCorrupt, ArtifactMissing, ArtifactUnsafe, ArtifactUnsupported, UnsafeContent
from lambda_app.manifest import MANIFEST_VERSION, digest, identity, model_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.formats.scorer import Scorer
    from lambda_app.manifest import Manifest


class Artifact:
    """A checked artifact.

    Attributes
    ----------
    manifest : Manifest
        As read from the artifact.
    scorer : Scorer
        Turns checked values into a probability and shortfalls.
    """

    __slots__ = ("manifest", "scorer")

    def __init__(self, manifest: Manifest, scorer: Scorer) -> None:
        self.manifest = manifest
        self.scorer = scorer


def load(directory: str) -> Artifact:
    """Open the artifact in a directory.

    Raises
    ------
    ArtifactError
        One of its subclasses; see `lambda_app.errors`.
    """
    path = os.path.join(directory, "manifest.json")
    try:
        manifest = json.loads(_read(path))
    except (ValueError, RecursionError) as err:
        raise ArtifactCorrupt(path, "is not a manifest that this code can read") from err
    return _open(manifest, lambda: _read(os.path.join(directory, "model.joblib")), directory)


def opened(manifest: Manifest, content: bytes) -> Artifact:
    """Open an artifact held in memory, with the same checks as `load`.

    Parameters
    ----------
    manifest : Manifest
        Not checked yet.
    content : bytes
        The bytes of `model.joblib`.

    Raises
    ------
    ArtifactCorrupt, ArtifactUnsafe, ArtifactUnsupported
    """
    return _open(manifest, lambda: content, "")


def _open(manifest: Manifest, read: Callable[[], bytes], directory: str) -> Artifact:
    manifest_path, model_path = os.path.join(directory, "manifest.json"), os.path.join(directory, "model.joblib")
    try:
        if manifest["manifest_version"] != MANIFEST_VERSION:
            raise ArtifactUnsupported(manifest_path, f"this code reads manifest version {MANIFEST_VERSION} only")
        form = formats.find(manifest["format"])
        format_version = manifest["format_version"]
        expected = manifest["digest"], manifest["size"]
        stated, found = (manifest.get("identity"), manifest.get("model_version")), identity(manifest)
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise ArtifactCorrupt(manifest_path, "is not a manifest that this code can read") from err
    if form is None or format_version != form.VERSION:
        raise ArtifactUnsupported(manifest_path, "names a format or format version that this code does not know")
    if stated != (found, model_version(found)):
        raise ArtifactCorrupt(manifest_path, "its content does not match its identity; export the model again")
    # Read once, so the checked bytes are the bytes that are opened, even if the file is replaced meanwhile.
    content = read()
    if (digest(content), len(content)) != expected:
        raise ArtifactCorrupt(model_path, "is not the file that the manifest describes; export the model again")
    try:
        return Artifact(manifest, form.open(content, manifest))
    except UnsafeContent as err:
        raise ArtifactUnsafe(model_path, str(err)) from err
    except Exception as err:
        raise ArtifactCorrupt(model_path, f"cannot be opened as format '{manifest['format']}'") from err


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as err:
        raise ArtifactMissing(path, f"cannot be read ({err.strerror}); train a model or set MODEL_DIR") from err
