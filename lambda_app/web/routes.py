"""The service's paths and their answers."""

from __future__ import annotations

import time

from lambda_app.decision import Decider
from lambda_app.errors import Expired, Invalid, Malformed, MethodNotAllowed, NotDenied, NotFound, TooLarge
from lambda_app.freshness import Age
from lambda_app.web import records
from lambda_app.web.keys import HEADER, parted
from lambda_app.web.messages import ITEMS_KEYS, Response, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from lambda_app.artifact import Artifact
    from lambda_app.challenger import Challenger
    from lambda_app.changes import Changes
    from lambda_app.manifest import Answer
    from lambda_app.settings import Settings
    from lambda_app.web.messages import Request
    from lambda_app.web.records import DecisionRecord, Record

    Found = TypeVar("Found")
    Route = Callable[[Request, str], Response]

# The keys of the manifest, and of its `data`, that `GET /model` shows.
PUBLIC = (
    "model_version",
    "identity",
    "format",
    "format_version",
    "trained_at",
    "freshness",
    "git_commit",
    "threshold",
    "metrics",
    "gate",
)
PUBLIC_OF_DATA = ("dated", "digest", "rows")


class Routes:
    """Answers requests with one artifact."""

    def __init__(self, artifact: Artifact, settings: Settings, challenger: Challenger | None = None) -> None:
        self._artifact = artifact
        self._decider = Decider(artifact)
        self._changes: Changes | None = None
        self._challenger = challenger
        self._manifest = artifact.manifest
        self._max_batch: int = settings.max_batch
        self._base_path: str = settings.base_path
        self._creditor: dict[str, Any] = settings.creditor
        self._answers_options: bool = bool(settings.cors_origins)
        self._age = Age(artifact.manifest)
        self._refuses_at: float = self._age.expires if settings.refuses_expired else float("inf")
        predict: dict[str, Route] = {"POST": self._predict}
        self._routes: dict[str, dict[str, Route]] = {
            "/": {**predict, "GET": self._form},
            "/predict": predict,
            "/changes": {"POST": self._find_changes},
            "/notice": {"POST": self._notice},
            "/openapi.json": {"GET": self._openapi},
            "/docs": {"GET": self._docs},
            "/health": {"GET": self._health},
            "/model": {"GET": self._model},
        }

    def respond(self, request: Request, request_id: str) -> Response:
        """Answer a request.

        Raises
        ------
        Refusal
            The request cannot be served.
        """
        if request.source == "direct" and request.path == "/manifest":
            return Response(200, to_json(self._manifest))
        methods = self._routes.get(self._below_base(request.path))
        if methods is None:
            raise NotFound(f"There are {', '.join(self._routes)}")
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            allowed = (*methods, "HEAD") if "GET" in methods else tuple(methods)
            if request.method == "OPTIONS" and self._answers_options:
                return Response(204, "", headers={"Allow": ", ".join(allowed)})
            raise MethodNotAllowed(allowed)
        response = route(request, request_id)
        if request.method == "HEAD":
            response.body = ""
        return response

    def _below_base(self, path: str) -> str:
        base = self._base_path
        if base and f"{path}/".startswith(f"{base}/"):
            path = path[len(base) :]
        return path.rstrip("/") or "/"

    def _form(self, _request: Request, _request_id: str) -> Response:
        from lambda_app.web import form  # no decision needs it, so no cold start pays for it

        return form.page(self._manifest)

    def _openapi(self, _request: Request, _request_id: str) -> Response:
        return Response(200, to_json(self._document()))

    def _docs(self, _request: Request, _request_id: str) -> Response:
        from lambda_app.web import docs  # the same

        return docs.page(self._document())

    def _document(self) -> dict[str, Any]:
        from lambda_app.web import openapi  # the same

        return openapi.document(self._manifest, base_path=self._base_path, max_batch=self._max_batch)

    def _find_changes(self, request: Request, request_id: str) -> Response:
        """What would have changed a denial. It decides nothing, so it leaves nothing in the log."""
        self._refuse_expired()
        payload = request.read()
        if not isinstance(payload, dict):
            raise Malformed("Send one application as a JSON object")
        if self._changes is None:
            from lambda_app.changes import Changes  # the same

            self._changes = Changes(self._artifact)
        key, _, scored = self._keyed(payload, request.header(HEADER), self._decider.score)
        answer = {
            "decision": "approve" if scored.approved else "deny",
            **self._changes.ways(scored),
            "model_version": self._decider.model_version,
            "request_id": request_id,
        }
        if key is not None:
            answer["application_id"] = key
        return Response(200, to_json(answer))

    def _notice(self, request: Request, request_id: str) -> Response:
        """The notice of a denial. Like the changes, it leaves nothing in the log."""
        from lambda_app.web import notice  # the same

        self._refuse_expired()
        application, about = notice.parted(request.read())
        _, _, decision = self._keyed(application, None, self._decider.decide, request_id)
        if decision.scored.approved:
            raise NotDenied("The application is approved")
        return notice.page(self._artifact, decision.answer, about, self._creditor)

    def _health(self, _request: Request, _request_id: str) -> Response:
        now = time.time()
        status = 503 if now >= self._refuses_at else 200
        return Response(status, to_json({"status": self._age.stage(now), "model_version": self._decider.model_version}))

    def _model(self, _request: Request, _request_id: str) -> Response:
        contract, data = self._manifest["contract"], self._manifest["data"]
        shown = {
            **{key: self._manifest.get(key) for key in PUBLIC},
            "data": {key: data.get(key) for key in PUBLIC_OF_DATA},
            "contract": {"name": contract["name"], "json_schema": contract["json_schema"]},
        }
        return Response(200, to_json(shown))

    def _predict(self, request: Request, request_id: str) -> Response:
        self._refuse_expired()
        payload = request.read()
        if isinstance(payload, dict):
            if "Items" not in payload or not payload.keys() <= ITEMS_KEYS:
                answer, record = self._decide(payload, request_id, request.source, request.header(HEADER))
                return Response(200, to_json(answer), records=(record,))
            payload = payload["Items"]
            if not isinstance(payload, list):
                raise Malformed("Items must be a list of applications")
        if not isinstance(payload, list):
            raise Malformed("Send an application as a JSON object, or a list of them")
        if len(payload) > self._max_batch:
            raise TooLarge(f"A request may carry {self._max_batch} applications")
        if request.header(HEADER) is not None:
            raise Malformed(f"{HEADER} names one application; in a list, give each its own application_id")
        return self._decide_each(payload, request_id, request.source)

    def _decide_each(self, applications: list[object], request_id: str, source: str) -> Response:
        answers: list[object] = []
        recorded: list[Record] = []
        for place, application in enumerate(applications):
            own_id = f"{request_id}/{place}"
            try:
                answer, record = self._decide(application, own_id, source)
            except Invalid as invalid:
                answers.append({"error": invalid.problem(own_id)})
                recorded.append(records.of_refusal(invalid, own_id, source))
            else:
                answers.append(answer)
                recorded.append(record)
        return Response(200, to_json({"predictions": answers}), records=recorded)

    def _decide(
        self, application: object, request_id: str, source: str, header: object = None
    ) -> tuple[Answer, DecisionRecord]:
        key, application, decision = self._keyed(application, header, self._decider.decide, request_id)
        if key is not None:
            decision.answer["application_id"] = key
        challenger = self._challenger.outcome(application) if self._challenger else None
        return decision.answer, records.of_decision(decision, source, challenger)

    def _keyed(
        self, application: object, header: object, use: Callable[..., Found], *more: object
    ) -> tuple[str | None, object, Found]:
        """The caller's key, the application without it, and what is made of that; every broken rule at once."""
        key, application, broken = parted(application, header)
        try:
            found = use(application, *more)
        except Invalid as invalid:
            raise Invalid([*broken, *invalid.errors], key) from None
        if broken:
            raise Invalid(broken)
        return key, application, found

    def _refuse_expired(self) -> None:
        if time.time() >= self._refuses_at:
            raise Expired("Release a model that is trained on newer data; GET /model says how old this one may be")
