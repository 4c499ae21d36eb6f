"""One application in, one decision out, whatever the envelope."""

from __future__ import annotations

from lambda_app.reasons import by_bin, principal
from lambda_app.validation import Validator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer


class Decision:
    """One decision.

    Attributes
    ----------
    answer : Answer
        What the caller gets; `reasons` is empty for an approval.
    bins : list of int
        The bin of each field: all that the log says about the applicant.
    """

    __slots__ = ("answer", "bins")

    def __init__(self, answer: Answer, bins: list[int]) -> None:
        self.answer = answer
        self.bins = bins


class Decider:
    """Decides applications with one artifact.

    Attributes
    ----------
    model_version : str
        Part of every decision.
    """

    __slots__ = ("_least_share", "_reasons", "_scorer", "_threshold", "_validator", "model_version")

    def __init__(self, artifact: Artifact) -> None:
        manifest = artifact.manifest
        self.model_version = manifest["model_version"]
        self._reasons = by_bin(manifest["contract"]["fields"], artifact.scorer.fields)
        # Artifacts from before this share existed give every field that falls short.
        self._least_share = manifest["reference"].get("least_share", 0.0)
        self._threshold = manifest["threshold"]
        self._scorer = artifact.scorer
        self._validator = Validator(manifest["contract"]["core_schema"])

    def decide(self, application: object, request_id: str) -> Decision:
        """Decide one application.

        Parameters
        ----------
        application : object
            As the caller sent it, unchecked.
        request_id : str
            Identifies the decision.

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
        answer: Answer = {
            "prediction": int(approved),
            "decision": "approve" if approved else "deny",
            "probability": probability,
            "reasons": []
            if approved
            else principal(self._reasons, bins, scorer.shortfalls(values, bins), self._least_share),
            "model_version": self.model_version,
            "request_id": request_id,
        }
        return Decision(answer, bins)
