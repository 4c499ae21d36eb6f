"""The Lambda function: event → request → response → the source's own shape.

The artifact is loaded on import, so that the cold start pays for it and no request does. If the artifact cannot be
trusted, the import fails with an `ArtifactError`.
"""

from __future__ import annotations

import os
from time import perf_counter

from lambda_app import artifact, challenger
from lambda_app.errors import Refusal
from lambda_app.settings import Settings
from lambda_app.telemetry import Log
from lambda_app.web import problems
from lambda_app.web.events import source_of
from lambda_app.web.routes import Routes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.web.events import Envelope

_settings = Settings.read(os.environ)
_artifact = artifact.load(_settings.model_dir)
_routes = Routes(_artifact, _settings, challenger.beside(_settings.model_dir))
_log = Log(_artifact.manifest, os.environ)


def handler(event: object, context: object) -> Envelope:
    """Answer one event.

    Parameters
    ----------
    event : object
        A direct invoke's payload, or the event of a function URL, an HTTP or REST API, or an ALB.
    context : object
        Lambda's context; its `aws_request_id` identifies the request in the answer and in the log.

    Returns
    -------
    dict
        `{"statusCode", "headers", "body"}`, plus what the event's source expects. It raises nothing, except for Step
        Functions, which acts on exceptions.

    Raises
    ------
    Refusal, ServiceFailed
        For Step Functions alone.
    """
    started = perf_counter()
    request_id = getattr(context, "aws_request_id", None) or "unknown"
    source = source_of(event)
    request = None
    try:
        request = source.read(event, _settings.max_body_length)
        response = _routes.respond(request, request_id)
        source.check(response)
    except Refusal as refusal:
        response = problems.refused(refusal, request_id, source.name)
    except Exception as error:  # noqa: BLE001  # the last line of defence
        response = problems.failed(error, request_id)
    if _settings.cors_origins and request is not None:
        from lambda_app.web import cors  # closed by default, so most cold starts do without it

        cors.open_to(_settings.cors_origins, request, response)
    envelope = source.answer(event, response)
    # Last, so that the log never reports an answer that could not be built.
    _log.write(response.records, context, started)
    if response.error is not None and source.raises:
        raise response.error
    return envelope
