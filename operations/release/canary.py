"""Judges a canary, the version that has a share of an alias's traffic, against the version beside it.

Four things are compared: how many invocations fail, how many are slow, how many applicants are approved, and for which
first reasons the others are denied. Each has an e-value that may be looked at as often as one likes and that depends on
the counts alone (`operations.sequential`), so that nothing but the alias's weights is kept between two looks. A canary
that is as good as the version beside it is rolled back, ever, with a probability of at most the policy's `error_rate`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Any

from operations.errors import UnreadableInput
from operations.monitor.page import percent, points
from operations.sequential import Arm, Interval, interval, log_evidence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from operations.monitor.tally import Tally

# An invocation is slow beyond any of these, in powers of two milliseconds: 1 ms to 8 s.
SLOW = range(14)


@dataclass(frozen=True)
class Rules:
    """The policy, policies/canary.json. Differences of shares, 0 to 1.

    Attributes
    ----------
    error_rate : float
        The share of good canaries that may be rolled back.
    failures, slow, approvals, reasons : float
        The canary is rolled back once its share is shown to differ by more; for the first two, to be greater by more.
    failures_within, approvals_within : float
        It is promoted once its share is shown to differ by less.
    longest_days : float
        A canary that is not decided after that long needs a person.
    """

    error_rate: float
    failures: float
    slow: float
    approvals: float
    reasons: float
    failures_within: float
    approvals_within: float
    longest_days: float

    @classmethod
    def read(cls, path: Path) -> Rules:
        """Read the policy.

        Raises
        ------
        UnreadableInput
            It cannot be read, or lacks a number, or has one that makes no sense.
        """
        try:
            given: Any = json.loads(path.read_text(encoding="utf-8"))
            rules = cls(
                error_rate=given["error_rate"],
                failures=given["failures"]["rolled_back_beyond"],
                slow=given["slow"]["rolled_back_beyond"],
                approvals=given["approvals"]["rolled_back_beyond"],
                reasons=given["reasons"]["rolled_back_beyond"],
                failures_within=given["failures"]["promoted_within"],
                approvals_within=given["approvals"]["promoted_within"],
                longest_days=given["longest_days"],
            )
            shares = [value for name, value in vars(rules).items() if name != "longest_days"]
            if not all(isinstance(share, float) and 0 < share < 1 for share in shares) or not rules.longest_days > 0:
                raise ValueError("numbers between 0 and 1 are needed")
            if rules.failures >= rules.failures_within or rules.approvals >= rules.approvals_within:
                raise ValueError("rolled_back_beyond must be below promoted_within")
        except OSError as err:
            raise UnreadableInput(str(path), str(err.strerror)) from err
        except (ValueError, KeyError, TypeError) as err:
            raise UnreadableInput(str(path), f"is no policy for canaries ({err}); policies/canary.json is one") from err
        return rules


@dataclass(frozen=True)
class Judged:
    """One comparison.

    Attributes
    ----------
    name : str
    evidence : float
        The e-value against "no worse", as a share of what a rollback needs: from 1 on it is rolled back.
    stable, canary : Arm
        Where it differs most.
    what : str
        What the arms count.
    error_rate : float
    """

    name: str
    evidence: float
    stable: Arm
    canary: Arm
    what: str
    error_rate: float

    @property
    def interval(self) -> Interval:
        """The canary's share minus the other's, with confidence 1 - error_rate at all looks together."""
        return interval(self.stable, self.canary, self.error_rate)

    def within(self, low: float, high: float) -> bool:
        """Whether that interval lies between these: both edges, and all beyond them, are refuted."""
        needed = -log(self.error_rate)
        return (low <= -1 or log_evidence(self.stable, self.canary, -1.0, low) >= needed) and (
            log_evidence(self.stable, self.canary, high, 1.0) >= needed
        )

    def as_text(self) -> str:
        """The comparison for people."""
        low, high = self.interval
        shares = (f"{percent(arm.rate)} of {arm.trials:,}" for arm in (self.stable, self.canary))
        return (
            f"{' → '.join(shares)} ({self.what}); difference {points(low)} to {points(high)}; "
            f"evidence {self.evidence:.2g} of a rollback's"
        )


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a canary: "promote", "roll back" or "wait"; and why."""

    action: str
    why: str
    judged: tuple[Judged, ...]


def judge(stable: Tally, canary: Tally, rules: Rules) -> Verdict:
    """Judge a canary by what both versions did since it started."""
    failures = (Arm(stable.failed, stable.invocations), Arm(canary.failed, canary.invocations))
    approvals = (Arm(stable.approvals, stable.decisions), Arm(canary.approvals, canary.decisions))
    slow = [(_slower(stable, power), _slower(canary, power), f"slower than {2**power} ms") for power in SLOW]
    reasons = [
        (
            Arm(stable.reasons[code], stable.denials),
            Arm(canary.reasons[code], canary.denials),
            f"denied first for {code}",
        )
        for code in sorted(stable.reasons.keys() | canary.reasons.keys())
    ]
    judged = (
        _judged("failures", [(*failures, "invocations that failed")], -1.0, rules.failures, rules),
        _judged("slow", slow, -1.0, rules.slow, rules),
        _judged("approvals", [(*approvals, "approved")], -rules.approvals, rules.approvals, rules),
        _judged("reasons", reasons, -rules.reasons, rules.reasons, rules),
    )
    worst = max(judged, key=lambda one: one.evidence)
    if worst.evidence >= 1:
        return Verdict("roll back", f"{worst.name}: {worst.as_text()}", judged)
    failing, approving = judged[0], judged[2]
    if failing.within(-1.0, rules.failures_within) and approving.within(
        -rules.approvals_within, rules.approvals_within
    ):
        within = f"{percent(rules.failures_within)} and {percent(rules.approvals_within)}"
        why = f"failures and approvals differ by less than {within}"
        return Verdict("promote", why, judged)
    return Verdict("wait", "too early to tell", judged)


def _slower(tally: Tally, power: int) -> Arm:
    hits = sum(number for bucket, number in tally.latency.items() if bucket >= power)
    return Arm(hits, tally.invocations)


def _judged(name: str, arms: Sequence[tuple[Arm, Arm, str]], low: float, high: float, rules: Rules) -> Judged:
    """The mean of the e-values of some pairs of arms: it is one too."""
    found = [(log_evidence(stable, canary, low, high), stable, canary, what) for stable, canary, what in arms]
    if not found:
        return Judged(name, 0.0, Arm(0, 0), Arm(0, 0), "nothing yet", rules.error_rate)
    greatest, stable, canary, what = max(found, key=lambda one: one[0])
    mean = greatest + log(sum(exp(one[0] - greatest) for one in found) / len(found))
    needed = log(len(FAMILIES) / rules.error_rate)
    return Judged(name, exp(min(mean - needed, 700.0)), stable, canary, what, rules.error_rate)


FAMILIES = ("failures", "slow", "approvals", "reasons")


def as_text(verdict: Verdict, who: str) -> str:
    """The verdict and its figures, for people."""
    lines = [f"Canary {who}: {verdict.action} ({verdict.why})"]
    return "\n".join([*lines, *(f"  {one.name:9} {one.as_text()}" for one in verdict.judged)]) + "\n"


def as_data(verdict: Verdict) -> dict[str, Any]:
    """The verdict and its figures, for the history."""
    return {
        "action": verdict.action,
        "why": verdict.why,
        "judged": {
            one.name: {
                "evidence": one.evidence,
                "what": one.what,
                "stable": list(one.stable),
                "canary": list(one.canary),
                "difference": list(one.interval),
            }
            for one in verdict.judged
        },
    }
