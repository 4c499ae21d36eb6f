"""Turns errors into RFC 9457 problem documents."""

from __future__ import annotations

from lambda_app.errors import ServiceFailed
from lambda_app.web import records
from lambda_app.web.messages import PROBLEM, Response, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.errors import Refusal


def refused(refusal: Refusal, request_id: str, source: str) -> Response:
    """The response to a refused request; it tells the caller why."""
    body = to_json(refusal.problem(request_id))
    record = records.of_refusal(refusal, request_id, source)
    return Response(refusal.status, body, PROBLEM, headers=refusal.headers(), records=(record,), error=refusal)


def failed(error: BaseException, request_id: str) -> Response:
    """The response when the service itself fails; it tells the caller nothing about the error."""
    problem = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "request_id": request_id}
    record = records.of_failure(error, request_id)
    return Response(500, to_json(problem), PROBLEM, records=(record,), error=ServiceFailed(request_id))
