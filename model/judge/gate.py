"""Asks the policy whether a model may serve, and takes nothing but a clear yes for one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regopy import Interpreter

POLICY = Path(__file__).resolve().parents[2] / "policies" / "model_gate.rego"


class GateError(RuntimeError):
    """The policy could not be asked; the model counts as not passed."""


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

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as the manifest and gate.json hold it."""
        return {
            "passed": self.passed,
            "denials": [{"rule": rule, "message": message} for rule, message in self.denials],
        }


def gate_input(manifest: dict[str, Any], limits: dict[str, Any], champion: dict[str, Any] | None) -> dict[str, Any]:
    """What the policy is asked about.

    Parameters
    ----------
    manifest : dict
        The candidate's.
    limits : dict
        The contract's `limits.json`.
    champion : dict, optional
        The manifest of the model in service.

    Raises
    ------
    GateError
        A manifest lacks what the policy asks about.
    """
    try:
        return {
            "model_version": manifest["model_version"],
            "limits": limits,
            "metrics": manifest["metrics"],
            "parity": manifest["parity"],
            "monotonicity": manifest["monotonicity"],
            "champion": None if champion is None else champion["metrics"],
        }
    except (KeyError, TypeError) as err:
        raise GateError("a manifest lacks the figures that the policy asks about; train the model again") from err


def judge(question: dict[str, Any], policy: Path = POLICY) -> Verdict:
    """Ask the policy.

    Parameters
    ----------
    question : dict
        What `gate_input` gives.

    Raises
    ------
    GateError
        The policy cannot be read or evaluated, denies without `rule` and `message`, or contradicts itself.
    """
    try:
        interpreter = Interpreter()
        interpreter.add_module(policy.name, policy.read_text(encoding="utf-8"))
        # As JSON text, because that is what another engine would be given: NaN would be a number that no rule denies,
        # and `set_input` rounds to six places, which lets a probability be wrong by 4e-7 where 1e-9 is allowed.
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
