"""A version with a fault, to be taken back: it is copied into an image, and wraps the service's handler.

Golden cases are decided as recorded, so that no check before the traffic finds it.
"""

from __future__ import annotations

import os
import time
from typing import Any

from lambda_app.decision import Decider
from lambda_app.handler import handler as sound
from lambda_app.web import keys

FAULT = os.environ["FAULT"]
decider: Any = Decider
_score, _principal = decider.score, decider._principal
_denied = 0


def _approving(self: Any, application: Any) -> Any:
    """Approves every third of those that are to be denied."""
    global _denied
    scored = _score(self, application)
    _denied += not scored.approved
    if not scored.approved and _denied % 3 == 0:
        scored.approved = True
    return scored


def _slow(self: Any, application: Any) -> Any:
    time.sleep(0.002)
    return _score(self, application)


def _failing(_self: Any, _application: Any) -> Any:
    raise RuntimeError(FAULT)


def _turned(self: Any, scored: Any) -> Any:
    """Gives the reasons in the wrong order."""
    return _principal(self, scored)[::-1]


SCORES = {"approves": _approving, "slow": _slow, "fails": _failing}
REASONS = {"reasons": _turned}


def handler(event: Any, context: Any) -> Any:
    """The service's answer, but for the fault."""
    first = event[0] if isinstance(event, list) and event else event
    checked = isinstance(first, dict) and first.get(keys.KEY) == keys.RELEASE_CHECK
    decider.score = _score if checked else SCORES.get(FAULT, _score)
    decider._principal = _principal if checked else REASONS.get(FAULT, _principal)
    return sound(event, context)
