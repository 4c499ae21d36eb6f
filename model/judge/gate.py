"""Asks the policy whether a model may serve. Anything but a clear yes counts as a no."""

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
    """The policy's input, kept in `gate.json` as `input`. `champion` is null if no model is in service."""

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
        """Plain data, as in the manifest and gate.json.

        >>> Verdict((("parity", "decides differently"),)).as_dict()
        {'passed': False, 'denials': [{'rule': 'parity', 'message': 'decides differently'}]}
        """
        return {
            "passed": self.passed,
            "denials": [{"rule": rule, "message": message} for rule, message in self.denials],
        }


def gate_question(manifest: Manifest, limits: Limits, champion: Figures | None) -> GateQuestion:
    """The policy's input for a model.

    Parameters
    ----------
    manifest : Manifest
    limits : Limits
    champion : Figures, optional
        The figures of the model in service.

    Raises
    ------
    GateError
        The manifest lacks figures that the policy needs.
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
        raise _figures_missing() from err


def champion_figures(manifest: Mapping[str, Any]) -> Figures:
    """The figures of the model in service.

    Parameters
    ----------
    manifest : mapping
        Parsed but unchecked.

    Raises
    ------
    GateError
        The manifest has no figures.
    """
    try:
        figures: Figures = manifest["metrics"]
    except (KeyError, TypeError) as err:
        raise _figures_missing() from err
    return figures


def judge(question: Mapping[str, object], policy: Path = POLICY) -> Verdict:
    """Ask the policy.

    Parameters
    ----------
    question : mapping
        A GateQuestion. The policy denies whatever is missing or has the wrong form.
    policy : Path

    Raises
    ------
    GateError
        The policy cannot be read or evaluated, denies without `rule` and `message`, or contradicts itself.
    """
    try:
        interpreter = Interpreter()
        interpreter.add_module(policy.name, policy.read_text(encoding="utf-8"))
        # As strict JSON text, which any engine would get: a NaN would pass as a number, and `set_input` rounds to six
        # decimal places, so a probability could be off by 4e-7 where only 1e-9 is allowed.
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


def _figures_missing() -> GateError:
    return GateError("a manifest lacks figures that the policy needs; train the model again")
