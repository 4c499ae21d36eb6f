"""One application in, one decision out, whatever the envelope."""

from __future__ import annotations

from lambda_app.reasons import principal
from lambda_app.validation import Validator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.artifact import Artifact


class Decider:
    """Decides applications with one artifact.

    Attributes
    ----------
    model_version : str
        Named in every decision.
    """

    __slots__ = ("_fields", "_scorer", "_threshold", "_validator", "model_version")

    def __init__(self, artifact: Artifact) -> None:
        manifest = artifact.manifest
        self.model_version: str = manifest["model_version"]
        self._fields: list[dict[str, Any]] = manifest["contract"]["fields"]
        self._threshold: float = manifest["threshold"]
        self._scorer = artifact.scorer
        self._validator = Validator(manifest["contract"]["core_schema"])

    def decide(self, application: object, request_id: str) -> tuple[dict[str, Any], list[int]]:
        """Decide one application.

        Parameters
        ----------
        application : object
            As the caller sent it.
        request_id : str
            Names the decision.

        Returns
        -------
        decision : dict
            `prediction` (1 approve, 0 deny), `decision`, `probability` of being creditworthy, `reasons` (empty for an
            approval), `model_version`, `request_id`.
        bins : list of int
            The bin of each field, for the log.

        Raises
        ------
        Invalid
            The application breaks rules of the contract.
        """
        values = self._validator.values(application)
        scorer = self._scorer
        bins = scorer.bins(values)
        probability = scorer.probability(values, bins)
        approved = probability >= self._threshold
        decision = {
            "prediction": int(approved),
            "decision": "approve" if approved else "deny",
            "probability": probability,
            "reasons": [] if approved else principal(self._fields, scorer.shortfalls(values, bins)),
            "model_version": self.model_version,
            "request_id": request_id,
        }
        return decision, bins
