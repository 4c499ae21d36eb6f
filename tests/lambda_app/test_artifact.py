"""An artifact is checked before any of its bytes are trusted: each fault has its own error, and nothing runs."""

from __future__ import annotations

import copyreg
import io
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_app import artifact
from lambda_app.errors import ArtifactCorrupt, ArtifactError, ArtifactMissing, ArtifactUnsafe, ArtifactUnsupported
from lambda_app.manifest import DECIDING
from tests.artifacts import vouch, write_by_hand, write_manifest
from tests.planted import PLANTED, touch
from tests.serving import ROOT, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.manifest import Manifest
    from model.run import TrainingRun


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A separate artifact for each test to break."""
    place = tmp_path / "artifact"
    place.mkdir()
    write_by_hand(place)
    return place


def test_intact_artifact_loads(directory: Path) -> None:
    loaded = artifact.load(str(directory))
    assert loaded.manifest["model_version"] == json.loads((directory / "manifest.json").read_text())["model_version"]


def test_flipped_byte_anywhere_in_the_model_is_corrupt(directory: Path) -> None:
    path = directory / "model.joblib"
    content = path.read_bytes()
    assert len(content) > 200
    for place in range(len(content)):
        for flip in (0x01, 0x80, 0xFF):
            path.write_bytes(content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :])
            with pytest.raises(ArtifactCorrupt) as caught:
                artifact.load(str(directory))
            assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "change",
    [lambda content: content[:-1], lambda content: content[:1], lambda _: b"", lambda content: content + b"\x00"],
    ids=["one-byte-short", "first-byte-only", "empty", "one-byte-more"],
)
def test_model_of_a_different_length_is_corrupt(directory: Path, change: Callable[[bytes], bytes]) -> None:
    path = directory / "model.joblib"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(directory))


@pytest.mark.parametrize("name", ["model.joblib", "manifest.json"])
def test_missing_file_is_named(directory: Path, name: str) -> None:
    (directory / name).unlink()
    with pytest.raises(ArtifactMissing, match="train a model or set MODEL_DIR") as caught:
        artifact.load(str(directory))
    assert caught.value.path == str(directory / name)


def edits() -> dict[str, Callable[[Any], None]]:
    """Changes to manifest entries that affect decisions."""
    return {
        "threshold": lambda manifest: manifest.update(threshold=0.01),
        "range": lambda manifest: income(manifest).update(le=10),
        "reason-text": lambda manifest: manifest["contract"]["fields"][0].update(text="Because"),
        "reason-code": lambda manifest: manifest["contract"]["fields"][0].update(code="X"),
        "reference": lambda manifest: manifest["reference"]["points"].reverse(),
        "field-taken-out": lambda manifest: manifest["contract"]["fields"].pop(),
        "unknown-fields-allowed": lambda manifest: manifest["contract"]["core_schema"].update(extra_behavior="ignore"),
        "version": lambda manifest: manifest.update(model_version="000000000000"),
        "digest": lambda manifest: manifest.update(digest="sha256:" + "0" * 64),
        "digest-without-algorithm": lambda manifest: manifest.update(digest=manifest["digest"].removeprefix("sha256:")),
        "size": lambda manifest: manifest.update(size=manifest["size"] + 1),
    }


def income(manifest: Manifest) -> Any:
    return manifest["contract"]["core_schema"]["fields"]["Income"]["schema"]


@pytest.mark.parametrize("edit", edits().values(), ids=edits())
def test_edited_manifest_is_corrupt(directory: Path, edit: Callable[[Any], None]) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    edit(manifest)
    write_manifest(directory, manifest)
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(directory))


@pytest.mark.parametrize("key", ["manifest_version", "size", "identity", "model_version", *DECIDING])
def test_incomplete_manifest_is_corrupt(directory: Path, key: str) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    del manifest[key]
    write_manifest(directory, manifest)
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(directory))


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b'"text"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"manifest_version": 1, "format": []}'],
    ids=["empty", "null", "list", "string", "cut-off", "not-utf-8", "nested-100000-deep", "format-not-a-string"],
)
def test_file_that_is_not_a_manifest_is_corrupt(directory: Path, text: bytes) -> None:
    (directory / "manifest.json").write_bytes(text)
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(directory))


@given(text=st.binary(max_size=200))
def test_any_bytes_as_a_manifest_raise_an_artifact_error(text: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.getbasetemp() / "any-manifest"
    directory.mkdir(exist_ok=True)
    (directory / "manifest.json").write_bytes(text)
    with pytest.raises(ArtifactError):
        artifact.load(str(directory))


@pytest.mark.parametrize(
    "change",
    [{"manifest_version": 2}, {"format": "tables"}, {"format_version": 2}],
    ids=lambda change: next(iter(change)),
)
def test_older_or_newer_format_is_unsupported(directory: Path, change: dict[str, object]) -> None:
    vouch(directory, **change)
    with pytest.raises(ArtifactUnsupported):
        artifact.load(str(directory))


@pytest.mark.parametrize("name", PLANTED)
def test_planted_pickle_is_unsafe_and_runs_nothing(directory: Path, tmp_path: Path, name: str) -> None:
    # Given a model that does more than hold data, and a manifest that vouches for it
    marker = tmp_path / "ran"
    (directory / "model.joblib").write_bytes(PLANTED[name](marker))
    vouch(directory)
    # When it is loaded, then it raises its own error, and nothing is run
    with pytest.raises(ArtifactUnsafe):
        artifact.load(str(directory))
    assert not marker.exists()
    assert ("os", "system") not in copyreg._extension_registry  # type: ignore[attr-defined]  # not public


@pytest.mark.parametrize("name", ["os.system", "builtins.eval", "instance", "stacked-global"])
def test_planted_pickle_would_run_if_it_were_trusted(tmp_path: Path, name: str) -> None:
    # Without this, the test above could pass with harmless pickles.
    marker = tmp_path / "ran"
    pickle.loads(PLANTED[name](marker))  # noqa: S301  # our own, see tests/planted.py
    assert marker.exists()


@pytest.mark.parametrize("form", ["mixed", "mixed_sklearn"])
def test_model_replaced_after_its_check_is_never_opened(
    form: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    # Given somebody who replaces the model as soon as its bytes have been read for the check
    outcome: TrainingRun = request.getfixturevalue(form)
    for name in ("manifest.json", "model.joblib"):
        shutil.copy(outcome.directory / name, tmp_path)
    marker = tmp_path / "ran"
    replaced: list[object] = []

    class ReplacedOnceRead(io.BytesIO):
        def close(self) -> None:
            if not replaced:
                replaced.append(self)
                (tmp_path / "model.joblib").write_bytes(touch(marker))
            super().close()

    def open_and_replace(path: str, *mode: str) -> IO[bytes]:
        content = Path(path).read_bytes()
        return ReplacedOnceRead(content) if path.endswith("model.joblib") else io.BytesIO(content)

    # A global of the module hides the built-in of the same name.
    monkeypatch.setattr(artifact, "open", open_and_replace, raising=False)
    # When the artifact is opened
    artifact.load(str(tmp_path))
    # Then the checked bytes are the ones that were opened
    assert len(replaced) == 1
    assert not marker.exists()


@pytest.mark.parametrize("model", [None, [], {}, {"fields": []}, {"intercept": 1.0, "fields": [{}]}], ids=repr)
def test_plain_data_that_is_not_a_scorecard_is_corrupt(directory: Path, model: object) -> None:
    joblib.dump(model, directory / "model.joblib")
    vouch(directory)
    with pytest.raises(ArtifactCorrupt):
        artifact.load(str(directory))


@pytest.mark.parametrize("name", ["os.system", "class", "truncated"])
def test_function_does_not_start_with_a_planted_pickle(directory: Path, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "ran"
    (directory / "model.joblib").write_bytes(PLANTED[name](marker))
    vouch(directory)
    with pytest.raises(ArtifactUnsafe):
        Service(directory)
    environ = {"MODEL_DIR": str(directory), "PYTHONPATH": str(ROOT)}
    started = subprocess.run(
        [sys.executable, "-c", "import lambda_app.handler"], env=environ, capture_output=True, text=True, check=False
    )
    assert started.returncode != 0
    assert "lambda_app.errors.ArtifactUnsafe" in started.stderr
    assert not marker.exists()
