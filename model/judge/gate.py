"""Asks the policy whether a model may serve. Anything but a clear yes counts as a no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from regopy import Interpreter

from model.contract.carried import contract_identity
from model.contract.fields import fields_of, json_schema_of
from model.errors import GateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambda_app.manifest import Explained, Figures, Gate, Leakage, Manifest, Monotonicity, Parity
    from model.contract import Contract
    from model.fit.task import Limits
    from model.judge.champion import Comparison

POLICY = Path(__file__).resolve().parents[2] / "policies" / "model_gate.rego"


class Contracts(TypedDict):
    """Identities of contracts: the model's own, the one whose limits are used, and that of the model in service."""

    model: str
    limits: str
    champion: str | None


class GateQuestion(TypedDict):
    """The policy's input, kept in `gate.json` as `input`.

    `data_age_days` is null if nobody knows how old the data is, `champion` if no model is in service.
    """

    identity: str
    contract: Contracts
    limits: Limits
    data_age_days: int | None
    no_sensitive_reason: str | None
    metrics: Figures
    leakage: Leakage
    parity: Parity
    monotonicity: Monotonicity
    explained: Explained
    champion: Comparison | None


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


def gate_question(manifest: Manifest, limits: Limits, contract: type[Contract]) -> GateQuestion:
    """The policy's input for a model that replaces none.

    Parameters
    ----------
    manifest : Manifest
    limits : Limits
    contract : type of Contract
        The contract that the limits belong to.

    Raises
    ------
    GateError
        The manifest lacks figures that the policy needs.
    """
    try:
        return {
            "identity": manifest["identity"],
            "contract": {
                "model": contract_identity(manifest["contract"]["json_schema"]),
                "limits": contract_identity(json_schema_of(contract, fields_of(contract))),
                "champion": None,
            },
            "limits": limits,
            "data_age_days": _age(manifest["data"]["dated"], datetime.now(UTC).date()),
            "no_sensitive_reason": manifest["no_sensitive_reason"],
            "metrics": manifest["metrics"],
            "leakage": manifest["leakage"],
            "parity": manifest["parity"],
            "monotonicity": manifest["monotonicity"],
            "explained": manifest["explained"],
            "champion": None,
        }
    except (KeyError, TypeError, ValueError) as err:
        raise GateError("the manifest lacks figures that the policy needs; train the model again") from err


def against(question: GateQuestion, champion: Comparison, contract: str | None) -> GateQuestion:
    """The same question about a model that is to replace another, the champion.

    Parameters
    ----------
    question : GateQuestion
    champion : Comparison
    contract : str, optional
        The identity of the champion's contract; None if its manifest carries none.
    """
    return {**question, "contract": {**question["contract"], "champion": contract}, "champion": champion}


def judge_limits(limits: Limits) -> Verdict:
    """Ask the policy about limits alone, before any work is done under them."""
    denials = judge({"limits": limits}).denials
    return Verdict(tuple((rule, message) for rule, message in denials if rule == "limits"))


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
        asked = "denied := data.model_gate.deny; allowed := data.model_gate.allow"
        answer = interpreter.query(asked).results[0].bindings
        denials = tuple(sorted((denial["rule"], denial["message"]) for denial in answer["denied"]))
        allowed = answer["allowed"]
    except Exception as err:
        raise GateError(f"{policy} could not be evaluated, so the model has not passed") from err
    if (allowed is True) is bool(denials):
        raise GateError(f"{policy} neither allows nor denies, so the model has not passed")
    return Verdict(denials)


def _age(dated: str | None, today: date) -> int | None:
    """How many days old data of a date is, or of a date and time."""
    return None if dated is None else (today - datetime.fromisoformat(dated).date()).days
