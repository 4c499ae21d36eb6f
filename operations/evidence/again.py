"""Whether an archive's verdict and pages follow from its own figures: the policy is asked and the pages are made again.

It needs the training environment, unlike everything else here, so whoever approves runs it: what they read is then what
the figures say, and what they sign says that it was.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from operations.errors import EvidenceMismatch
from operations.evidence.coherence import (
    ALTERNATIVES,
    COMPARISON,
    COMPARISON_PAGE,
    GATE,
    MANIFEST,
    METRICS,
    MODEL,
    POLICY,
    REPORT,
)
from operations.evidence.members import equal_json, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_again(members: Mapping[str, bytes]) -> None:
    """Ask the archive's policy its question again, and make its pages again.

    Parameters
    ----------
    members : mapping of str to bytes
        An archive's, found consistent.

    Raises
    ------
    EvidenceMismatch
        Names the member that does not follow from the others.
    """
    from jinja2 import TemplateError

    from lambda_app.errors import ArtifactError
    from model.compare import page as comparison_page
    from model.errors import ModelError
    from model.judge.assessment import reopened
    from model.judge.gate import judge
    from model.report import page

    form = read_object(members, MANIFEST)["format"]
    if form != "scorecard":
        raise EvidenceMismatch(
            MANIFEST, f"format {form} runs the model's own code, so nothing can be made again safely"
        )
    gate = read_object(members, GATE)
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        for member in (MANIFEST, MODEL, METRICS, GATE, POLICY):
            (directory / Path(member).name).write_bytes(members[member])
        try:
            verdict = judge(gate["input"], directory / Path(POLICY).name)
            if not equal_json(verdict.as_dict(), gate["decision"]):
                rules = ", ".join(sorted({rule for rule, _ in verdict.denials})) or "no rule"
                raise EvidenceMismatch(GATE, f"the policy decides otherwise: it denies by {rules}")
            assessment = reopened(directory)
            rendered = page.render(assessment, json.loads(members[ALTERNATIVES]))
        except (ArtifactError, ModelError) as err:
            raise EvidenceMismatch(MANIFEST, str(err).replace(str(directory), "model")) from err
        except (TemplateError, KeyError, TypeError, ValueError, ArithmeticError) as err:
            raise EvidenceMismatch(REPORT, "cannot be made again: a figure that it shows is missing") from err
    if rendered.encode() != members[REPORT]:
        raise EvidenceMismatch(REPORT, "is not what this code makes of the archive's figures")
    if COMPARISON in members:
        contract = assessment.artifact.manifest["contract"]
        about = contract["json_schema"].get("description", contract["name"]).rstrip(".")
        made = comparison_page.render(json.loads(members[COMPARISON]), contract["name"], about)
        if made.encode() != members[COMPARISON_PAGE]:
            raise EvidenceMismatch(COMPARISON_PAGE, f"is not what this code makes of {COMPARISON}")
