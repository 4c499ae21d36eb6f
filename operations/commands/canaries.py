"""The command that watches a canary."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from operations.errors import RolledBack, TooFew
from operations.release import canary, watch

if TYPE_CHECKING:
    from operations.commands.output import Add
    from operations.release.canary import Verdict

RULES, HISTORY = Path("policies/canary.json"), Path("build/canary.jsonl")
WORDS = {"promote": "promoted", "roll back": "rolled back", "wait": "not decided yet"}


def _canary(arguments: argparse.Namespace) -> None:
    if arguments.abort:
        _abort(arguments)
        return
    rules = canary.Rules.read(arguments.rules)
    until = time.monotonic() + (arguments.wait or 0)
    while True:
        verdict = _look(arguments, rules)
        if verdict is None or verdict.action == "promote":
            return
        if verdict.action == "roll back":
            ended = "would be" if arguments.dry_run else "was"
            raise RolledBack(f"the canary {ended} rolled back ({verdict.why})")
        if time.monotonic() + arguments.every > until:
            raise TooFew(
                f"{verdict.why}; look again: the same command, with --wait SECONDS to do so every {arguments.every:g} s"
            )
        time.sleep(arguments.every)


def _look(arguments: argparse.Namespace, rules: canary.Rules) -> Verdict | None:
    sharing = watch.find(arguments.function, arguments.alias)
    if sharing is None:
        print(f"{arguments.function}:{arguments.alias} has no canary; start one: scripts/deploy.sh --canary 10")
        return None
    verdict = watch.look(sharing, arguments.log, arguments.log_group, rules)
    print(canary.as_text(verdict, sharing.who), end="", flush=True)
    if arguments.dry_run:
        print("nothing was moved (--dry-run)")
    else:
        watch.act(sharing, verdict)
        watch.remember(arguments.history, watch.history(sharing, verdict))
        print(f"{WORDS[verdict.action]}; {arguments.history} has the history", flush=True)
    return verdict


def _abort(arguments: argparse.Namespace) -> None:
    sharing = watch.find(arguments.function, arguments.alias)
    if sharing is None:
        print(f"{arguments.function}:{arguments.alias} has no canary")
        return
    verdict = canary.Verdict("roll back", "aborted by a person", ())
    watch.act(sharing, verdict)
    watch.remember(arguments.history, watch.history(sharing, verdict))
    print(f"{sharing.who} has no traffic any more", file=sys.stderr)


def add_to(add: Add) -> None:
    """Add the command to the parser."""
    judging = add(
        "canary",
        _canary,
        "Judge a canary by its log and promote it, roll it back (exit with 11), or wait (exit with 10).",
    )
    judging.add_argument("--function", required=True, metavar="NAME")
    judging.add_argument("--alias", default="live", help="(default: %(default)s)")
    judging.add_argument(
        "--log", type=Path, nargs="+", metavar="FILE", help="the log of both versions (default: CloudWatch counts it)"
    )
    judging.add_argument("--log-group", metavar="NAME", help="(default: /aws/lambda/FUNCTION)")
    judging.add_argument("--rules", type=Path, default=RULES, metavar="FILE", help="(default: %(default)s)")
    judging.add_argument(
        "--wait", type=float, metavar="SECONDS", help="look again until it is decided, at most this long"
    )
    judging.add_argument("--every", type=float, default=60.0, metavar="SECONDS", help="(default: %(default)g)")
    judging.add_argument("--history", type=Path, default=HISTORY, metavar="FILE", help="(default: %(default)s)")
    what = judging.add_mutually_exclusive_group()
    what.add_argument("--dry-run", action="store_true", help="judge, and move nothing")
    what.add_argument("--abort", action="store_true", help="take all traffic from the canary, whatever it did")
