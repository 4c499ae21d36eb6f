"""An image's labels name its model, its source and its base."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from operations.images.labels import base_digest, identity, labels, revision
from tests.artifacts import write_by_hand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AWS = "public.ecr.aws/lambda/python"
MIRROR = "registry.example:5000/lambda/python"
ONE, OTHER = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
AUTHOR = {f"GIT_{who}_{what}": "test@bank.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(repository: Path, *words: str) -> str:
    """Git without the developer's own settings."""
    environ = os.environ | AUTHOR | {"GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean clone with one commit."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "handler.py").write_text("answer = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "First")
    return tmp_path


def ignored(repository: Path) -> None:
    """A build leaves files that git ignores."""
    (repository / "build").mkdir()
    (repository / "build/image.log").touch()


def changed(repository: Path) -> None:
    """An edit that is not committed."""
    (repository / "handler.py").write_text("answer = 2\n")


def staged(repository: Path) -> None:
    """An edit that will be committed."""
    changed(repository)
    git(repository, "add", ".")


def added(repository: Path) -> None:
    """A module that git does not know."""
    (repository / "other.py").touch()


def removed(repository: Path) -> None:
    """A module that is missing."""
    (repository / "handler.py").unlink()


@pytest.mark.parametrize("leave", [lambda _: None, ignored], ids=["clean", "ignored-file"])
def test_revision_of_a_clean_tree_is_its_commit(repository: Path, leave: Callable[[Path], None]) -> None:
    leave(repository)
    assert revision(repository) == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("change", [changed, staged, added, removed])
def test_revision_of_a_dirty_tree_says_so(repository: Path, change: Callable[[Path], None]) -> None:
    change(repository)
    assert revision(repository) == git(repository, "rev-parse", "HEAD") + "-dirty"


def test_revision_outside_a_repository_is_unknown(tmp_path: Path) -> None:
    assert revision(tmp_path) == "unknown"


@pytest.mark.parametrize(
    ("base", "digests", "told"),
    [
        pytest.param("ccapproval-standin-base:x", [], None, id="stand-in"),
        pytest.param(f"{AWS}:3.13", [f"{AWS}@{ONE}"], ONE, id="pulled"),
        pytest.param(f"{AWS}@{ONE}", [f"{AWS}@{ONE}"], ONE, id="named-by-digest"),
        pytest.param(f"{MIRROR}:3.13", [f"{AWS}@{ONE}", f"{MIRROR}@{OTHER}"], OTHER, id="the-named-registry-first"),
        pytest.param(MIRROR, [f"{AWS}@{ONE}", f"{MIRROR}@{OTHER}"], OTHER, id="port-and-no-tag"),
        pytest.param("our-base:1", [f"{AWS}@{ONE}"], ONE, id="tagged-anew"),
    ],
)
def test_base_digest_is_one_that_a_registry_knows(base: str, digests: list[str], told: str | None) -> None:
    assert base_digest(base, digests) == told


def test_the_labels_name_the_model_and_are_read_back(tmp_path: Path) -> None:
    # given
    manifest = write_by_hand(tmp_path)
    # when
    found = labels(manifest, "abc-dirty", "base:1", ONE)
    # then
    assert identity(found) == found["ccapproval.identity"] == manifest["identity"]
    assert found["ccapproval.gate"] == "passed"
    assert json.loads(found["ccapproval.metrics"]) == {"accuracy": 0.9}
    assert found["org.opencontainers.image.revision"] == "abc-dirty"
    assert found["org.opencontainers.image.base.digest"] == ONE


def test_an_image_without_a_model_or_a_known_base_has_no_such_label(tmp_path: Path) -> None:
    assert identity({"org.opencontainers.image.title": "Training"}) is None
    assert "org.opencontainers.image.base.digest" not in labels(write_by_hand(tmp_path), "abc", "base:1", None)
