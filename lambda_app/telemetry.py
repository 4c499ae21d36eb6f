"""One JSON line a decision, on standard output. It carries bins and codes, never a value of an applicant."""

from __future__ import annotations

import sys

from lambda_app.web.events import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def decided(decision: dict[str, Any], bins: list[int], source: str) -> None:
    """A decision was made."""
    _line(
        {
            "event": "decision",
            "decision_id": decision["request_id"],
            "model_version": decision["model_version"],
            "source": source,
            "prediction": decision["prediction"],
            "reasons": [reason["code"] for reason in decision["reasons"]],
            "bins": bins,
        }
    )


def refused(slug: str, request_id: str, source: str, rules: list[dict[str, str | None]]) -> None:
    """A request was refused; `rules` are those of an invalid application."""
    broken = [{"field": rule["field"], "rule": rule["rule"]} for rule in rules]
    _line({"event": "refusal", "request_id": request_id, "source": source, "problem": slug, "rules": broken})


def failed(error: BaseException, request_id: str) -> None:
    """The service itself failed; the message may hold values, so only the place is told."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"
    _line({"event": "error", "request_id": request_id, "error": type(error).__name__, "place": place})


def _line(record: dict[str, Any]) -> None:
    sys.stdout.write(to_json(record) + "\n")
