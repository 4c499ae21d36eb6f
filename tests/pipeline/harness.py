"""Reads .harness/pipeline.yaml for the tests: stages, steps, and the values of expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / ".harness"
EXPRESSION = re.compile(r"<\+([^<>]+)>")
KEYS = ("access_key_id", "secret_access_key", "session_token")
SECRETS = tuple(f"{role}_{key}" for role in ("aws", "aws_approve", "aws_deploy") for key in KEYS)
OUTPUT = re.compile(r"(?:pipeline\.stages\.(\w+)\.spec\.)?execution\.steps\.(\w+)\.output\.outputVariables\.(\w+)")


@dataclass(frozen=True)
class Step:
    """A step of the pipeline.

    Attributes
    ----------
    stage : str
        The identifier of its stage.
    """

    stage: str
    type: str
    identifier: str
    spec: dict[str, Any]
    when: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """Its environment variables, with their expressions."""
        variables: dict[str, str] = self.spec.get("envVariables", {})
        return variables

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of its output variables."""
        return tuple(variable["name"] for variable in self.spec.get("outputVariables", ()))


def pipeline(file: str = "pipeline.yaml") -> dict[str, Any]:
    """The whole pipeline in a file."""
    whole: dict[str, Any] = _read(HARNESS / file)["pipeline"]
    return whole


def triggers() -> dict[str, dict[str, Any]]:
    """Every trigger, by its file's name."""
    return {path.name: _read(path)["trigger"] for path in sorted(HARNESS.glob("trigger_*.yaml"))}


def steps(file: str = "pipeline.yaml") -> list[Step]:
    """Every step of a pipeline, in the order in which they run."""
    return [
        Step(stage["identifier"], step["type"], step["identifier"], step["spec"], step.get("when", {}))
        for stage in (entry["stage"] for entry in pipeline(file)["stages"])
        for step in (entry["step"] for entry in stage["spec"]["execution"]["steps"])
    ]


def step_named(identifier: str) -> Step:
    """The one step with this identifier."""
    (found,) = (step for step in steps() if step.identifier == identifier)
    return found


def filled_in(text: str, stage: str, values: Mapping[str, str]) -> str:
    """A text with its expressions replaced.

    Parameters
    ----------
    text : str
    stage : str
        Where it stands; `execution.steps.…` means this stage's.
    values : mapping
        By expression; an output's is `STAGE.STEP.NAME`. An expression that is not there is a KeyError.
    """

    def value(found: re.Match[str]) -> str:
        output = OUTPUT.fullmatch(found[1])
        return values[f"{output[1] or stage}.{output[2]}.{output[3]}" if output else found[1]]

    return EXPRESSION.sub(value, text)


def strings(node: Any) -> list[str]:
    """Every text in a piece of YAML, except the keys."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in strings(value)]
    if isinstance(node, list):
        return [text for value in node for text in strings(value)]
    return [node] if isinstance(node, str) else []


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
