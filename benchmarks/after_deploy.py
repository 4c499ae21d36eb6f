"""What the tests after the deploy find, miss and raise in vain: simulated, with the very code that judges.

    .venv/bin/python -m benchmarks.after_deploy [--artifact DIR] [--repeats 1000]

It prints tables of Markdown; docs/monitoring.md shows them. Each repetition has a seed of its own, so that the numbers
are the same wherever they are made.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from benchmarks.search_path import ROOT
from operations.monitor.drift import ALPHA, Detector, watched_by
from operations.monitor.tally import Tally
from operations.release.canary import Rules, judge
from operations.sequential import Arm, log_evidence, log_paired_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Shares = list[tuple[int, list[float]]]

RULES = Rules.read(ROOT / "policies" / "canary.json")
APPROVED, SHIFT = 0.386, 0.03
USUAL: dict[str, Any] = {"fail": 0.001, "milliseconds": 3.0, "approved": APPROVED, "reasons": (0.6, 0.25, 0.1, 0.05)}
CANARIES: dict[str, dict[str, Any]] = {
    "as good as the version beside it": {},
    "fails once in twenty": {"fail": 0.05},
    "fails always": {"fail": 1.0},
    "takes 12 ms instead of 3": {"milliseconds": 12.0},
    "approves 5 points more": {"approved": APPROVED + 0.05},
    "approves 5 points fewer": {"approved": APPROVED - 0.05},
    "gives other first reasons": {"reasons": (0.25, 0.6, 0.1, 0.05)},
}
CODES = ("A", "B", "C", "D")


def alarm_in_a_year(daily: int, watched: Shares, seed: int) -> bool:
    """Whether any detector raises an alarm in a year whose decisions are like the reference."""
    rng = np.random.default_rng(seed)
    needed = log(len(watched) / ALPHA)
    for rows, shares in watched:
        detector = Detector(rng.multinomial(rows, shares).tolist())
        if any(detector.look(counts) >= needed for counts in rng.multinomial(daily, shares, size=365).tolist()):
            return True
    return False


def days_to_find(daily: int, rows: int, detectors: int, after: int, seed: int) -> int:
    """The days until a shift of approvals is found that begins after some quiet days; 365 if it is not."""
    rng = np.random.default_rng(seed)
    detector = Detector(_split(rng.binomial(rows, APPROVED), rows))
    for day in range(after + 365):
        approved = rng.binomial(daily, APPROVED + (SHIFT if day >= after else 0))
        if detector.look(_split(approved, daily)) >= log(detectors / ALPHA) and day >= after:
            return day - after + 1
    return 365


def _split(hits: int, trials: int) -> list[int]:
    return [int(hits), int(trials - hits)]


def canary(changed: dict[str, Any], seed: int) -> tuple[str, str, int]:
    """How a canary of a tenth ends that differs in this, looked at after every 1,000 decisions of both.

    Returns
    -------
    tuple of (str, str, int)
        The action, what it was for, and after how many decisions of its own.
    """
    rng = np.random.default_rng(seed)
    stable, own = Tally(), Tally()
    for _ in range(400):
        decisions = int(rng.binomial(1_000, 0.1))
        _serve(rng, stable, 1_000 - decisions, USUAL)
        _serve(rng, own, decisions, USUAL | changed)
        verdict = judge(stable, own, RULES)
        if verdict.action != "wait":
            return verdict.action, verdict.why.partition(":")[0], own.decisions
    return "wait", "", own.decisions


def _serve(rng: np.random.Generator, tally: Tally, decisions: int, how: dict[str, Any]) -> None:
    approved = int(rng.binomial(decisions, how["approved"]))
    tally.decisions += decisions
    tally.approvals += approved
    tally.invocations += decisions
    tally.failed += int(rng.binomial(decisions, how["fail"]))
    tally.reasons.update(dict(zip(CODES, rng.multinomial(decisions - approved, how["reasons"]).tolist(), strict=True)))
    latencies = rng.lognormal(np.log(how["milliseconds"]), 0.5, decisions)
    tally.latency.update(Counter(np.floor(np.log2(latencies)).astype(int).tolist()))


def paired(gained: float, lost: float, seed: int) -> int:
    """After how many decisions a challenger's shift of approvals is seen, looking after every 100."""
    rng = np.random.default_rng(seed)
    counts = np.zeros(3, dtype=int)
    while True:
        counts += rng.multinomial(100, [gained, lost, 1 - gained - lost])
        if log_paired_evidence(int(counts[0]), int(counts[1]), int(counts.sum()), 0.0, 0.0) >= -log(ALPHA):
            return int(counts.sum())


def unpaired(share: float, seed: int) -> int:
    """The same between two versions of which the new one has a share of the traffic: decisions of both."""
    rng = np.random.default_rng(seed)
    old, new = Arm(0, 0), Arm(0, 0)
    while True:
        trials = int(rng.binomial(500, share))
        new = Arm(new.hits + int(rng.binomial(trials, APPROVED + SHIFT)), new.trials + trials)
        old = Arm(old.hits + int(rng.binomial(500 - trials, APPROVED)), old.trials + 500 - trials)
        if log_evidence(old, new, 0.0, 0.0) >= -log(ALPHA):
            return old.trials + new.trials


def main() -> None:
    """Simulate everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.after_deploy", description=__doc__)
    parser.add_argument("--artifact", type=Path, default=ROOT / "model" / "artifacts")
    parser.add_argument("--repeats", type=int, default=1000)
    options = parser.parse_args()
    manifest = json.loads((options.artifact / "manifest.json").read_text(encoding="utf-8"))
    seeds = range(options.repeats)
    with ProcessPoolExecutor() as pool:

        def each(what: Callable[[int], Any], name: str) -> list[Any]:
            done = pool.map(what, seeds, chunksize=10)
            return list(tqdm(done, name, len(seeds), leave=False, disable=None))

        print(f"{len(seeds):,} repetitions each.\n")
        _print_drift(_shares(manifest), each)
        _print_canaries(each)
        _print_decisions(each)


def _shares(manifest: dict[str, Any]) -> Shares:
    """The rows of the reference and the shares of all that is watched; of refusals, one in a hundred."""
    found: Shares = []
    for one in watched_by(manifest):
        total = sum(one.reference)
        shares = [count / total for count in one.reference] if total else [0.01, 0.99]
        found.append((round(total), shares))
    return found


def _print_drift(shares: Shares, each: Callable[..., list[Any]]) -> None:
    found_after = "days to find 3 points, from the release on | later"
    print(f"| decisions a day | reference | years with a false alarm | {found_after} |")
    print("| --- | --- | --- | --- | --- |")
    for daily, rows in ((100, None), (1_000, None), (10_000, None), (1_000, 5_000)):
        # Refusals have no reference in the manifest: the first week stands in.
        watched = [((rows or total) if total else 7 * daily, those) for total, those in shares]
        alarms = sum(each(partial(alarm_in_a_year, daily, watched), f"{daily} a day"))
        judged = rows or 100_000
        found = [
            each(partial(days_to_find, daily, judged, len(shares), after), f"found after {after}") for after in (0, 90)
        ]
        told = f"{judged:,} rows" if rows else "as in the manifest"
        cells = [f"{daily:,}", told, f"{100 * alarms / len(found[0]):.1f} %", *(_days(days) for days in found)]
        print(f"| {' | '.join(cells)} |", flush=True)
    print()


def _days(days: Sequence[int]) -> str:
    missed = sum(day >= 365 for day in days) / len(days)
    usual = f"{np.median(days):.0f}, at most {np.percentile(days, 95):.0f} in 95 %"
    return "not within a year" if missed > 0.5 else usual


def _print_canaries(each: Callable[..., list[Any]]) -> None:
    print("| a canary of 10 % that | promoted | rolled back | decisions of its own until then: median, 95 % |")
    print("| --- | --- | --- | --- |")
    for name, changed in CANARIES.items():
        ended = each(partial(canary, changed), name)
        actions = Counter(action for action, _, _ in ended)
        own = [decisions for _, _, decisions in ended]
        cells = [
            name,
            *(f"{100 * actions[action] / len(ended):.1f} %" for action in ("promote", "roll back")),
            f"{np.median(own):,.0f}, {np.percentile(own, 95):,.0f}",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)
    print()


def _print_decisions(each: Callable[..., list[Any]]) -> None:
    print("| to see a shift of 3 points in approvals | decisions: median, 95 % |")
    print("| --- | --- |")
    for name, what in (
        ("paired; 3 % approved instead, none denied instead", partial(paired, 0.03, 0.0)),
        ("paired; 5 % approved instead, 2 % denied instead", partial(paired, 0.05, 0.02)),
        ("paired; 10 % approved instead, 7 % denied instead", partial(paired, 0.10, 0.07)),
        ("unpaired, half of the traffic each", partial(unpaired, 0.5)),
        ("unpaired, a canary of 10 %", partial(unpaired, 0.1)),
    ):
        needed = each(what, name)
        print(f"| {name} | {np.median(needed):,.0f}, {np.percentile(needed, 95):,.0f} |", flush=True)


if __name__ == "__main__":
    main()
