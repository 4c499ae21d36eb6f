"""Which package may import which, checked in fresh interpreters and in the source."""

from __future__ import annotations

import ast
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FIRST_PARTY = {"lambda_app", "model", "operations", "scripts", "tests", "benchmarks", "examples"}
# What each package may import: which other packages of ours, and which third-party ones (None: any).
MAY_IMPORT: dict[str, tuple[set[str], set[str] | None]] = {
    # The first two only inside format `sklearn`; the others belong to some versions of the standard library.
    "lambda_app": (set(), {"gunicorn", "joblib", "numpy", "onnxruntime", "threadpoolctl", "_sha2", "_sha256"}),
    "model": ({"lambda_app"}, None),
    # numpy only where outcomes meet the code that judges a model.
    "operations": ({"lambda_app", "model"}, {"boto3", "botocore", "jinja2", "numpy"}),
}
NEVER_SERVED = (
    *("model", "numpy", "sklearn", "pandas", "boto3", "pydantic", "joblib", "scipy"),
    *("typing", "dataclasses", "hashlib", "pickle"),
)
DECIDE = """
import json, sys
{handler}
print(json.dumps(sorted(sys.modules)))
"""
SERVE = """
from lambda_app.handler import handler
answer = handler({"Num_Children": 3, "Income": 52000, "Own_Car": 0, "Own_Housing": 0}, None)
assert json.loads(answer["body"])["decision"] == "deny", answer
"""
EMPTY = "def handler(event, context): return {'statusCode': 200, 'body': json.dumps(event)}\nhandler({}, None)"


def fresh_modules(code: str, directory: Path) -> list[str]:
    """The modules that a fresh interpreter, without start-up hooks, has loaded after running this code."""
    environ = {"MODEL_DIR": str(directory), "PYTHONPATH": site_packages()}
    printed = subprocess.run(
        [sys.executable, "-S", "-c", DECIDE.format(handler=code)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    modules: list[str] = json.loads(printed.splitlines()[-1])
    return modules


def processor_seconds() -> float:
    """The processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def site_packages() -> str:
    """Where this interpreter's third-party packages are."""
    return next(path for path in sys.path if path.endswith("site-packages"))


def imported(package: str) -> set[tuple[str, str]]:
    """(file, top-level name) of every import in a package, including those for types or inside functions."""
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {(path.name, alias.name.partition(".")[0]) for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: imports must be absolute"
                found.add((path.name, str(node.module).partition(".")[0]))
    return found


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_what_the_design_allows(package: str) -> None:
    ours, others = MAY_IMPORT[package]
    names = imported(package)
    assert names
    for file, name in names:
        if name in FIRST_PARTY:
            assert name in ours | {package}, f"{package}/{file} imports {name}"
        elif others is not None and name not in sys.stdlib_module_names and not name.startswith("mypy_boto3"):
            assert name in others, f"{package}/{file} imports {name}"


def test_handler_loads_nothing_heavy_to_decide(by_hand: Path) -> None:
    loaded = fresh_modules(SERVE, by_hand)
    assert "lambda_app.handler" in loaded
    assert not [name for name in loaded if name.partition(".")[0] in NEVER_SERVED]
    assert [name for name in loaded if name.startswith("pydantic_core")] == ["pydantic_core._pydantic_core"]


def test_pydantic_can_still_be_imported_next_to_the_handler(by_hand: Path) -> None:
    loaded = fresh_modules(
        SERVE + "import pydantic\nassert pydantic.TypeAdapter(int).validate_python('5') == 5", by_hand
    )
    assert "pydantic.main" in loaded


def test_operations_runs_without_model(by_hand: Path) -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "operations").rglob("[a-z]*.py")
    ]
    assert modules
    loaded = fresh_modules("import " + ", ".join(modules), by_hand)
    heavy = {"model", "numpy", "sklearn", "pandas", "scripts", "tests", "benchmarks"}
    assert not [name for name in loaded if name.partition(".")[0] in heavy]


def test_handler_loads_few_more_modules_than_an_empty_one(by_hand: Path) -> None:
    assert len(fresh_modules(SERVE, by_hand)) <= 2.2 * len(fresh_modules(EMPTY, by_hand))


def test_handler_start_takes_a_small_multiple_of_an_empty_one(by_hand: Path) -> None:
    # Processor time, and the best of several interleaved runs, so that a busy machine has little effect.
    best = {EMPTY: float("inf"), SERVE: float("inf")}
    for _ in range(7):
        for code in best:
            before = processor_seconds()
            fresh_modules(code, by_hand)
            best[code] = min(best[code], processor_seconds() - before)
    assert best[SERVE] <= 4 * best[EMPTY], best
