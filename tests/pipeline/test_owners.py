"""Every file has an owner, and what decides, or runs with the deployer's rights, has the right ones."""

from __future__ import annotations

import fnmatch
import subprocess

import pytest

from tests.pipeline.harness import ROOT

RISK, PLATFORM = "@your-organisation/model-risk", "@your-organisation/platform"


def rules() -> list[tuple[str, set[str]]]:
    """The patterns and their owners, in order."""
    lines = (ROOT / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    return [(pattern, set(owners)) for pattern, *owners in words]


def matches(pattern: str, file: str) -> bool:
    """GitHub's rules, as far as they are used here: anchored or not, a directory or a name."""
    if pattern.endswith("/"):
        return file.startswith(pattern.lstrip("/")) if pattern.startswith("/") else f"/{pattern}" in f"/{file}"
    if pattern.startswith("/"):
        return fnmatch.fnmatchcase(file, pattern.lstrip("/"))
    return fnmatch.fnmatchcase(file.rpartition("/")[2], pattern)


def owners(file: str) -> set[str]:
    """Who owns a file: the last line that matches."""
    found: set[str] = set()
    for pattern, named in rules():
        if matches(pattern, file):
            found = named
    return found


def files() -> list[str]:
    """Every file of the repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_every_file_has_the_platform_team_as_an_owner() -> None:
    found = files()
    assert len(found) > 300
    assert [file for file in found if PLATFORM not in owners(file)] == []


def test_what_decides_or_judges_has_the_risk_team_as_an_owner_too() -> None:
    decides = ("policies/", "model/", "lambda_app/", "operations/evidence/", "examples/")
    found = [file for file in files() if file.startswith(decides) or file.endswith(("limits.json", ".ipynb"))]
    assert len(found) > 100
    assert [file for file in found if RISK not in owners(file)] == []


@pytest.mark.parametrize(
    "file",
    ["operations/release/checks.py", "requirements/training.txt", "Makefile", "Dockerfile_Inference_Lambda", ".ci/run"],
)
def test_what_runs_with_the_deployers_rights_is_the_platform_teams(file: str) -> None:
    assert (ROOT / file).is_file()
    assert PLATFORM in owners(file)


def test_every_pattern_matches_a_file() -> None:
    found = files()
    assert [pattern for pattern, _ in rules() if not any(matches(pattern, file) for file in found)] == []
