"""How strong each field is, and how far the hold-out's rows differ from the training rows.

With bins b, and the shares of two sets of rows in them, p_b and q_b, both figures are the symmetric Kullback-Leibler
divergence, the sum over b of (p_b - q_b) ln(p_b / q_b). It is 0 if the shares are the same, and has no upper end.

- information value: p and q are the training rows labelled approve and those labelled deny. Rules of thumb call a field
  below 0.02 useless and one above 0.5 suspiciously strong.
- stability index (PSI): p and q are the training rows and the hold-out. Rules of thumb call 0.1 to 0.25 a moderate
  change and more a large one. The hold-out is drawn at random, so here it shows whether the split is a fair one; the
  same index compares production with training.

N. Siddiqi: Intelligent Credit Scoring, 2nd ed. (2017), defines both and gives these rules of thumb.

An empty cell would make a term infinite. So half a row is added to each cell, as Haldane proposed for odds ratios, and
a bin without any row in either set is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from model.formats.bins import bins_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lambda_app.manifest import FieldBins, Manifest, Strength
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]
    Counts = NDArray[np.intp]

# What is added to each cell, in rows.
SMOOTHING = 0.5


def strength(manifest: Manifest, candidate: Candidate, probabilities: Floats) -> Strength:
    """The information value and the stability index of each field, and the stability index of the score.

    Parameters
    ----------
    manifest : Manifest
        Its bins are used, with their shares of the training rows.
    candidate : Candidate
    probabilities : ndarray of float64, shape (n,)
        The estimates for the n rows of the hold-out.
    """
    training, holdout = candidate.training, candidate.holdout
    fields, score = manifest["bins"]["fields"], manifest["bins"]["score"]
    counted = [
        (
            field["name"],
            _counts(seen[training.approved], field),
            _counts(seen[~training.approved], field),
            _counts(unseen, field),
        )
        for field, seen, unseen in zip(fields, training.matrix.T, holdout.matrix.T, strict=True)
    ]
    trained = np.append(np.round(np.array(score["shares"]) * len(training.matrix)), 0).astype(np.intp)
    return {
        "fields": {
            name: {
                "information_value": divergence(approve, deny),
                "stability_index": divergence(approve + deny, judged),
            }
            for name, approve, deny, judged in counted
        },
        "score_stability_index": divergence(
            trained, _counts(probabilities, {"name": "score", "edges": score["edges"]})
        ),
    }


def divergence(one: Counts, other: Counts) -> float:
    """The symmetric Kullback-Leibler divergence of two sets of rows over the same bins, smoothed as described above.

    Parameters
    ----------
    one, other : ndarray of intp, shape (bins,)
        The rows of each set in each bin.

    Examples
    --------
    >>> round(divergence(np.array([30, 70]), np.array([60, 40])), 3)
    0.368
    """
    used = one + other > 0
    first, second = (rows[used] + SMOOTHING for rows in (one, other))
    p, q = first / first.sum(), second / second.sum()
    return float(np.sum((p - q) * np.log(p / q)))


def _counts(column: Floats, field: FieldBins) -> Counts:
    """The rows in each bin; missing values come last."""
    bins = len(field["words"]) if "words" in field else len(field["edges"]) + 1
    counts: Counts = np.bincount(bins_of(column, field), minlength=bins + 1)
    return counts
