"""The Lambda function: event → request → answer → event's shape.

The artifact is loaded on import, so that the cold start pays for it and no request does. An artifact that cannot be
trusted ends the start with an `ArtifactError`.
"""

from __future__ import annotations

import os

from lambda_app import artifact, telemetry
from lambda_app.errors import Invalid, Refusal
from lambda_app.settings import Settings
from lambda_app.web.events import answer, refusal, request_from, source_of
from lambda_app.web.routes import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_settings = Settings.read(os.environ)
_routes = Routes(artifact.load(_settings.model_dir), _settings)


def handler(event: object, context: object) -> dict[str, Any]:
    """Answer one event.

    Parameters
    ----------
    event : object
        A direct invoke's payload, or the event of a function URL, an HTTP or REST API, or an ALB.
    context : object
        Lambda's; its `aws_request_id` names the request in the answer and in the log.

    Returns
    -------
    dict
        `{"statusCode", "headers", "body"}`, with what the event's source wants beside them. Never raises.
    """
    request_id = getattr(context, "aws_request_id", None) or "unknown"
    source = source_of(event)
    try:
        request = request_from(event, _settings.max_body_length)
        return answer(source, event, 200, _routes.respond(request, request_id), {})
    except Refusal as refused:
        telemetry.refused(refused.slug, request_id, source, refused.errors if isinstance(refused, Invalid) else [])
        return refusal(source, event, refused, request_id)
    except Exception as error:  # noqa: BLE001  # the last line of defence: nothing of the error reaches the caller
        telemetry.failed(error, request_id)
        problem = {"type": "about:blank", "title": "Internal Server Error", "status": 500, "request_id": request_id}
        return answer(source, event, 500, problem, {})
