"""Golden cases: invented applications with the decisions that every copy of an artifact must make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lambda_app.decision import Decider
from model.contract.carried import carried_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Application, FieldBins, GoldenCase
    from model.contract.fields import FieldSpec

CASES = 24
MISSING_SHARE = 0.2


def golden_cases(opened: Artifact, samples: Sequence[Application]) -> list[GoldenCase]:
    """Decide 24 invented applications.

    The contract's samples come first. The others combine values at and next to bin edges, so that all parts of the
    tables are used.
    """
    decider = Decider(opened)
    generator = np.random.default_rng(0)
    fields = list(zip(carried_fields(opened.manifest["contract"]), opened.manifest["bins"]["fields"], strict=True))
    requests = [*samples, *(_beside_edges(fields, generator) for _ in range(CASES - len(samples)))]
    return [{"request": request, "response": decider.decide(request, "golden").answer} for request in requests]


def _beside_edges(fields: list[tuple[FieldSpec, FieldBins]], generator: np.random.Generator) -> Application:
    request: Application = {}
    for spec, bins in fields:
        if spec.optional and generator.random() < MISSING_SHARE:
            continue
        if spec.kind == "choice":
            request[spec.name] = str(generator.choice(spec.words))
            continue
        low, high = spec.minimum or 0.0, spec.maximum or 0.0  # only a choice has None
        edges = [edge for edge in bins["edges"] if low <= edge <= high] or [low]
        value = min(max(float(generator.choice(edges)) + float(generator.integers(0, 2)), low), high)
        request[spec.name] = value if spec.kind == "float" else int(value)
    return request
