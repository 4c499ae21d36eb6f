"""One application in, one decision out, whatever the envelope."""

from __future__ import annotations

from bisect import bisect_left

from lambda_app.reasons import by_bin, principal
from lambda_app.validation import Validator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Answer, Application, Reason


class Scored:
    """What a model makes of one application, before any words.

    Attributes
    ----------
    values : dict
        The checked values by field name.
    bins : list of int
        The bin of each field: with the next two, all that the log says about the applicant.
    score_bin : int
        The bin of the probability.
    probability : float
        Of being creditworthy, 0 to 1.
    approved : bool
    """

    __slots__ = ("approved", "bins", "probability", "score_bin", "values")

    def __init__(
        self, values: Application, bins: list[int], probability: float, approved: bool, score_bin: int
    ) -> None:
        self.values = values
        self.bins = bins
        self.probability = probability
        self.approved = approved
        self.score_bin = score_bin


class Decision:
    """One decision.

    Attributes
    ----------
    answer : Answer
        What the caller gets; `reasons` is empty for an approval.
    scored : Scored
    """

    __slots__ = ("answer", "scored")

    def __init__(self, answer: Answer, scored: Scored) -> None:
        self.answer = answer
        self.scored = scored


class Decider:
    """Decides applications with one artifact.

    Attributes
    ----------
    model_version : str
        Part of every decision.
    """

    __slots__ = ("_least_share", "_reasons", "_score_edges", "_scorer", "_threshold", "_validator", "model_version")

    def __init__(self, artifact: Artifact) -> None:
        manifest = artifact.manifest
        self.model_version = manifest["model_version"]
        self._reasons = by_bin(manifest["contract"]["fields"], artifact.scorer.fields)
        # Artifacts from before this share existed give every field that falls short.
        self._least_share = manifest["reference"].get("least_share", 0.0)
        self._threshold = manifest["threshold"]
        self._score_edges = manifest["bins"]["score"]["edges"]
        self._scorer = artifact.scorer
        self._validator = Validator(manifest["contract"]["core_schema"])

    def score(self, application: object) -> Scored:
        """Score one application, as the caller sent it, unchecked.

        Raises
        ------
        Invalid
            The application breaks rules of the contract.
        """
        values = self._validator.values(application)
        bins = self._scorer.bins(values)
        probability = self._scorer.probability(values, bins)
        score_bin = bisect_left(self._score_edges, probability)
        return Scored(values, bins, probability, probability >= self._threshold, score_bin)

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
        scored = self.score(application)
        answer: Answer = {
            "prediction": int(scored.approved),
            "decision": "approve" if scored.approved else "deny",
            "probability": scored.probability,
            "reasons": [] if scored.approved else self._principal(scored),
            "model_version": self.model_version,
            "request_id": request_id,
        }
        return Decision(answer, scored)

    def _principal(self, scored: Scored) -> list[Reason]:
        shortfalls = self._scorer.shortfalls(scored.values, scored.bins)
        return principal(self._reasons, scored.bins, shortfalls, self._least_share)
