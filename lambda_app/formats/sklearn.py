"""Format `sklearn`: a fitted scikit-learn pipeline, for estimators that no lean format can hold.

joblib imports numpy and scikit-learn, which adds hundreds of milliseconds to a cold start; only this format pays.
"""

from __future__ import annotations

from io import BytesIO

from lambda_app.formats.estimator import Estimator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.manifest import Manifest

VERSION = 1


def open(content: bytes, manifest: Manifest) -> Estimator:  # noqa: A001  # the name that every format has
    """Open the pipeline from the very bytes whose digest was checked, because unpickling can run code."""
    import joblib
    from threadpoolctl import threadpool_limits

    # A request is a single row, so threads would only add overhead.
    threadpool_limits(limits=1)
    pipeline = joblib.load(BytesIO(content))
    approve = list(pipeline.classes_).index(1)
    return Estimator(lambda rows: pipeline.predict_proba(rows)[:, approve], manifest)
