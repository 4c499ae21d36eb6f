"""The records of the log. They hold bins, codes, rules and code locations, never an applicant's values."""

from __future__ import annotations

from lambda_app.errors import Invalid
from lambda_app.web.keys import RELEASE_CHECK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    from lambda_app.challenger import Outcome
    from lambda_app.decision import Decision
    from lambda_app.errors import Refusal

    class LoggedRule(TypedDict):
        """A rule of the contract, and the field that broke it; None for the application as a whole."""

        field: str | None
        rule: str

    class DecisionRecord(TypedDict):
        """A decision was made; `check` is there, and true, if a release asked for it and no customer."""

        event: Literal["decision"]
        decision_id: str
        application_id: NotRequired[str]
        source: str
        prediction: int
        reasons: list[str]
        bins: list[int]
        score_bin: int
        check: NotRequired[Literal[True]]
        challenger: NotRequired[Outcome]

    class RefusalRecord(TypedDict):
        """A request, or one application in a batch, was refused."""

        event: Literal["refusal"]
        request_id: str
        application_id: NotRequired[str]
        source: str
        problem: str
        rules: list[LoggedRule]

    class FailureRecord(TypedDict):
        """The service itself failed."""

        event: Literal["error"]
        request_id: str
        error: str
        place: str

    Record = DecisionRecord | RefusalRecord | FailureRecord


def of_decision(decision: Decision, source: str, challenger: Outcome | None = None) -> DecisionRecord:
    """The record of a decision, and of what the challenger says of the same application."""
    answer = decision.answer
    record: DecisionRecord = {
        "event": "decision",
        "decision_id": answer["request_id"],
        "source": source,
        "prediction": answer["prediction"],
        "reasons": [reason["code"] for reason in answer["reasons"]],
        "bins": decision.scored.bins,
        "score_bin": decision.scored.score_bin,
    }
    if "application_id" in answer:
        record["application_id"] = answer["application_id"]
        if source == "direct" and answer["application_id"] == RELEASE_CHECK:
            record["check"] = True
    if challenger is not None:
        record["challenger"] = challenger
    return record


def of_refusal(refusal: Refusal, request_id: str, source: str) -> RefusalRecord:
    """The record of a refusal, with the rules that the application broke."""
    rules: list[LoggedRule] = [{"field": broken["field"], "rule": broken["rule"]} for broken in refusal.errors]
    record: RefusalRecord = {
        "event": "refusal",
        "request_id": request_id,
        "source": source,
        "problem": refusal.slug,
        "rules": rules,
    }
    if isinstance(refusal, Invalid) and refusal.application_id is not None:
        record["application_id"] = refusal.application_id
    return record


def of_failure(error: BaseException, request_id: str) -> FailureRecord:
    """The record of a failure: only its type and location, because its message may hold values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "unknown"
    return {"event": "error", "request_id": request_id, "error": type(error).__name__, "place": place}
