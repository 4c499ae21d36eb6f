"""Asks the policy whether a model may serve. Anything but a clear yes is a no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from regopy import Interpreter

from model.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.manifest import Figures, Gate, Manifest, Monotonicity, Parity
    from model.fit.task import Limits

POLICY = Path(__file__).resolve().parents[2] / "policies" / "model_gate.rego"


class GateQuestion(TypedDict):
    """What the policy is asked; `gate.json` keeps it as `input`. Without a model in service, `champion` is null."""

    model_version: str
    limits: Limits
    metrics: Figures
    parity: Parity
    monotonicity: Monotonicity
    champion: Figures | None


@dataclass(frozen=True)
class Verdict:
    """The gate's answer.

    Attributes
    ----------
    denials : tuple of (rule, message)
        Empty if and only if the model passed.
    """

    denials: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Whether the model may serve."""
        return not self.denials

    def as_dict(self) -> Gate:
        """Plain data, as the manifest and gate.json hold it.

        >>> Verdict((("parity", "decides otherwise"),)).as_dict()
        {'passed': False, 'denials': [{'rule': 'parity', 'message': 'decides otherwise'}]}
        """
        return {
            "passed": self.passed,
            "denials": [{"rule": rule, "message": message} for rule, message in self.denials],
        }


def gate_question(manifest: Manifest, limits: Limits, champion: Figures | None) -> GateQuestion:
    """What the policy is asked about a model.

    Parameters
    ----------
    manifest : Manifest
    limits : Limits
    champion : Figures, optional
        The figures of the model in service.

    Raises
    ------
    GateError
        The manifest lacks figures that the policy asks about.
    """
    try:
        return {
            "model_version": manifest["model_version"],
            "limits": limits,
            "metrics": manifest["metrics"],
            "parity": manifest["parity"],
            "monotonicity": manifest["monotonicity"],
            "champion": champion,
        }
    except (KeyError, TypeError) as err:
        raise _lacking() from err


def champion_figures(manifest: Mapping[str, Any]) -> Figures:
    """The figures of the model in service.

    Parameters
    ----------
    manifest : mapping
        Parsed, nothing of it checked.

    Raises
    ------
    GateError
        It has none.
    """
    try:
        figures: Figures = manifest["metrics"]
    except (KeyError, TypeError) as err:
        raise _lacking() from err
    return figures


def judge(question: Mapping[str, object], policy: Path = POLICY) -> Verdict:
    """Ask the policy.

    Parameters
    ----------
    question : mapping
        A GateQuestion. Whatever it lacks, or has in another form, the policy denies.
    policy : Path

    Raises
    ------
    GateError
        The policy cannot be read or evaluated, denies without `rule` and `message`, or contradicts itself.
    """
    try:
        interpreter = Interpreter()
        interpreter.add_module(policy.name, policy.read_text(encoding="utf-8"))
        # As JSON text, which is what any other engine would get: NaN would be a number that no rule denies, and
        # `set_input` rounds to six places, so a probability could be wrong by 4e-7 where 1e-9 is allowed.
        interpreter.set_input_term(json.dumps(question, allow_nan=False))
        denied = interpreter.query("data.model_gate.deny").results[0].expressions[0]
        answers = interpreter.query("data.model_gate.allow").results
        denials = tuple(sorted((denial["rule"], denial["message"]) for denial in denied))
    except Exception as err:
        raise GateError(f"{policy} could not be evaluated, so the model has not passed") from err
    allowed = bool(answers) and answers[0].expressions == [True]
    if allowed is bool(denials):
        raise GateError(f"{policy} neither allows nor denies, so the model has not passed")
    return Verdict(denials)


def _lacking() -> GateError:
    return GateError("a manifest lacks the figures that the policy asks about; train the model again")
