"""What each room may import: only rooms before it, and never in a cycle."""

from __future__ import annotations

import ast
import shutil
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.serving import ROOT

# From the ground up: a module imports only rooms listed before it, or its own folder. CONTRIBUTING.md shows this.
ROOMS = {
    "lambda_app": (
        *("errors", "settings", "manifest", "freshness", "reasons", "golden"),
        *("formats", "artifact", "validation", "decision", "changes", "challenger", "selfcheck"),
        *("web", "telemetry", "handler", "serve"),
    ),
    "model": (
        *("errors", "terminal", "intervals", "contract", "applicant", "data", "draft", "fit", "arguments"),
        *("formats", "judge", "alternatives", "report", "compare", "sql", "score"),
        *("track", "platforms", "run", "messages", "inputs", "commands", "__main__"),
    ),
    "operations": (
        *("errors", "moments", "sequential", "aws", "live", "images", "evidence", "monitor", "release"),
        *("handler", "commands", "__main__"),
    ),
}


def modules_of(directory: Path) -> dict[str, Path]:
    """Every module of a package by its full name, such as `lambda_app.web.events`."""
    found = {}
    for path in directory.rglob("*.py"):
        parts = path.relative_to(directory.parent).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports_of(path: Path, modules: dict[str, Path]) -> set[str]:
    """The package's modules that one file imports, including those inside functions or only for types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = str(node.module)
            found |= {name if (name := f"{module}.{alias.name}") in modules else module for alias in node.names}
    return found & modules.keys()


def graph_of(directory: Path) -> dict[str, set[str]]:
    """The modules of the same package that each module imports."""
    modules = modules_of(directory)
    return {name: imports_of(path, modules) - {name} for name, path in modules.items()}


def room_of(name: str) -> str:
    """The room of a module: the second part of its name."""
    return name.split(".")[1] if "." in name else ""


def wrong_imports(directory: Path) -> list[str]:
    """The imports of later rooms in a package, one line each."""
    order = {room: place for place, room in enumerate(ROOMS[directory.name])}
    return [
        f"{importer} imports {imported}"
        for importer, found in graph_of(directory).items()
        for imported in found
        if room_of(importer) and order[room_of(imported)] > order[room_of(importer)]
    ]


@pytest.mark.parametrize("package", ROOMS)
def test_every_module_has_a_room(package: str) -> None:
    assert {room_of(name) for name in modules_of(ROOT / package)} - {""} == set(ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_a_room_imports_only_rooms_before_it(package: str) -> None:
    assert wrong_imports(ROOT / package) == []


@pytest.mark.parametrize("package", ROOMS)
def test_there_is_no_import_cycle(package: str) -> None:
    TopologicalSorter(graph_of(ROOT / package)).prepare()


@pytest.mark.parametrize(
    ("file", "line", "wrong"),
    [
        pytest.param(
            "lambda_app/formats/scorer.py",
            "from lambda_app.web import routes",
            "lambda_app.formats.scorer imports lambda_app.web.routes",
            id="up",
        ),
        pytest.param(
            "lambda_app/errors.py",
            "def late():\n    import lambda_app.handler",
            "lambda_app.errors imports lambda_app.handler",
            id="inside-a-function",
        ),
        pytest.param(
            "model/fit/cutoff.py",
            "from model.judge.figures import evaluate",
            "model.fit.cutoff imports model.judge.figures",
            id="model",
        ),
        pytest.param(
            "operations/errors.py",
            "from operations.evidence.review import verify",
            "operations.errors imports operations.evidence.review",
            id="operations",
        ),
    ],
)
def test_a_planted_wrong_import_is_found(file: str, line: str, wrong: str, tmp_path: Path) -> None:
    # given
    package = Path(file).parts[0]
    shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("artifacts", "__pycache__"))

    # when
    with (tmp_path / file).open("a", encoding="utf-8") as planted:
        planted.write(f"\n\n{line}\n")

    # then
    assert wrong_imports(tmp_path / package) == [wrong]


def test_a_planted_cycle_is_found(tmp_path: Path) -> None:
    # given: two modules of one room that import each other
    shutil.copytree(ROOT / "lambda_app", tmp_path / "lambda_app", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "lambda_app/web/body.py").open("a", encoding="utf-8") as planted:
        planted.write("\n\nfrom lambda_app.web.events import SOURCES\n")

    # then
    with pytest.raises(CycleError):
        TopologicalSorter(graph_of(tmp_path / "lambda_app")).prepare()
