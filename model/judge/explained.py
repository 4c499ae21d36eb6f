"""Checks that every denial has a reason: proved from the tables, or looked for among the hold-out's denials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lambda_app.formats.scorecard import Scorecard
from model.formats import find

if TYPE_CHECKING:
    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import Explained, Reference
    from model.judge.parity import Decided

# Rounded sums and quotients keep the order of the numbers that they are made of, so a higher score is never less
# probable, except by exp: it may be a unit in the last place off, which moves a probability by less than this.
MARGIN = 1e-15


def explained(opened: Artifact, decided: Decided) -> Explained:
    """Count the denials that would come without a reason.

    Parameters
    ----------
    opened : Artifact
    decided : Decided
        The service's decisions on the hold-out.

    Returns
    -------
    Explained
        By "tables", `denials` is 0, because none is needed for a proof, and `without_reason` is 1 if the proof fails.
        Else they are "sampled": all denials of the hold-out.
    """
    tables, reference = find(opened.manifest["format"]).tables(opened), opened.manifest["reference"]
    if tables is None or "points" not in reference:
        denials = int(np.count_nonzero(~decided.approved))
        return {"method": "sampled", "denials": denials, "without_reason": decided.without_reason}
    proved = _all_explained(tables, reference, opened.manifest["threshold"])
    return {"method": "tables", "denials": 0, "without_reason": 0 if proved else 1}


def _all_explained(tables: ScorecardTables, reference: Reference, threshold: float) -> bool:
    """Whether the model approves everyone who falls short of the reference in no field.

    Among them, nobody scores below the one who has, in each field, the fewest points that reach the reference. If the
    service approves that one, it approves all of them, so that whoever is denied falls short in a field.

    That one scores at least the reference's score, so it suffices that the reference reaches the cut-off; but this asks
    only what is needed, because rounding may leave a reference just below its cut-off.
    """
    bins = []
    for table, least in zip(tables["fields"], reference["points"], strict=True):
        enough = [(points, number) for number, points in enumerate(table["points"]) if points >= least]
        if not enough:
            return True  # everyone falls short in this field
        bins.append(min(enough)[1])
    return Scorecard(tables, reference).probability({}, bins) >= threshold + MARGIN
