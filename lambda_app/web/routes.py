"""The service's paths, and what each answers."""

from __future__ import annotations

from lambda_app import telemetry
from lambda_app.decision import Decider
from lambda_app.errors import Invalid, Malformed, MethodNotAllowed, NotFound, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_app.artifact import Artifact
    from lambda_app.settings import Settings
    from lambda_app.web.events import Request

# What `GET /model` shows of the manifest, and of what it says of the training data.
PUBLIC = ("model_version", "format", "format_version", "trained_at", "git_commit", "threshold", "metrics", "gate")
PUBLIC_OF_DATA = ("dated", "digest", "rows")


class Routes:
    """Answers requests with one artifact.

    Attributes
    ----------
    model_version : str
        The version that answers.
    """

    def __init__(self, artifact: Artifact, settings: Settings) -> None:
        self._decider = Decider(artifact)
        self._manifest = artifact.manifest
        self._max_batch: int = settings.max_batch
        predict: dict[str, Callable[[Request, str], dict[str, Any]]] = {"POST": self._predict}
        self._routes: dict[str, dict[str, Callable[[Request, str], dict[str, Any]]]] = {
            "/": predict,
            "/predict": predict,
            "/health": {"GET": self._health},
            "/model": {"GET": self._model},
        }
        self.model_version = self._decider.model_version

    def respond(self, request: Request, request_id: str) -> dict[str, Any]:
        """The body of the answer.

        Raises
        ------
        Refusal
            The request cannot be served.
        """
        methods = self._routes.get(request.path)
        if methods is None:
            raise NotFound(f"There are {', '.join(self._routes)}")
        route = methods.get(request.method)
        if route is None:
            raise MethodNotAllowed(tuple(methods))
        return route(request, request_id)

    def _health(self, _request: Request, _request_id: str) -> dict[str, Any]:
        return {"status": "ok", "model_version": self.model_version}

    def _model(self, _request: Request, _request_id: str) -> dict[str, Any]:
        contract, data = self._manifest["contract"], self._manifest["data"]
        return {
            **{key: self._manifest.get(key) for key in PUBLIC},
            "data": {key: data[key] for key in PUBLIC_OF_DATA},
            "contract": {"name": contract["name"], "json_schema": contract["json_schema"]},
        }

    def _predict(self, request: Request, request_id: str) -> dict[str, Any]:
        payload = request.read()
        if isinstance(payload, dict):
            # Step Functions' Distributed Map sends its batch so, at times with an input for all of it.
            if "Items" not in payload or not payload.keys() <= {"Items", "BatchInput"}:
                decision, bins = self._decider.decide(payload, request_id)
                telemetry.decided(decision, bins, request.source)
                return decision
            payload = payload["Items"]
            if not isinstance(payload, list):
                raise Malformed("Items must be a list of applications")
        if not isinstance(payload, list):
            raise Malformed("Send an application as a JSON object, or a list of them")
        if len(payload) > self._max_batch:
            raise TooLarge(f"A request may carry {self._max_batch} applications")
        return {
            "predictions": [
                self._decide_one_of_many(application, f"{request_id}/{place}", request.source)
                for place, application in enumerate(payload)
            ]
        }

    def _decide_one_of_many(self, application: object, request_id: str, source: str) -> dict[str, Any]:
        try:
            decision, bins = self._decider.decide(application, request_id)
        except Invalid as invalid:
            telemetry.refused(invalid.slug, request_id, source, invalid.errors)
            return {"error": invalid.problem(request_id)}
        telemetry.decided(decision, bins, source)
        return decision
