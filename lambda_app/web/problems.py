"""What went wrong, as RFC 9457 problem documents."""

from __future__ import annotations

from lambda_app.web import records
from lambda_app.web.messages import PROBLEM, Response, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.errors import Refusal


def refused(refusal: Refusal, request_id: str, source: str) -> Response:
    """A refusal, which tells the caller why."""
    body = to_json(refusal.problem(request_id))
    record = records.of_refusal(refusal, request_id, source)
    return Response(refusal.status, body, PROBLEM, headers=refusal.headers(), records=(record,))


def failed(error: BaseException, request_id: str) -> Response:
    """A failure of the service itself: nothing of the error reaches the caller."""
    problem = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "request_id": request_id}
    return Response(500, to_json(problem), PROBLEM, records=(records.of_failure(error, request_id),))
