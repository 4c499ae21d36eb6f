"""Format `sklearn`: a fitted scikit-learn pipeline, for estimators that no lean format can hold.

joblib imports numpy and scikit-learn, which adds hundreds of milliseconds to a cold start; only this format pays.
"""

from __future__ import annotations

from io import BytesIO

from lambda_app.formats.estimator import Estimator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambda_app.manifest import Manifest

VERSION = 1


def open(content: bytes, manifest: Manifest) -> Pipeline:  # noqa: A001  # the name that every format has
    """Open the pipeline from the very bytes whose digest was checked, because unpickling can run code."""
    import joblib
    from threadpoolctl import threadpool_limits

    # A request is a single row, so threads would only add overhead.
    threadpool_limits(limits=1)
    return Pipeline(joblib.load(BytesIO(content)), manifest)


class Pipeline(Estimator):
    """Scores an application with a fitted pipeline.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted; one of its two classes is 1, 'approve'.
    manifest : Manifest
    """

    __slots__ = ("_approve", "_pipeline")

    def __init__(self, pipeline: Any, manifest: Manifest) -> None:
        super().__init__(manifest)
        self._pipeline = pipeline
        self._approve = list(pipeline.classes_).index(1)

    def probabilities(self, rows: Any) -> Any:
        """The probability of being creditworthy for each row of numbers, as an ndarray of shape (n,)."""
        return self._pipeline.predict_proba(rows)[:, self._approve]
