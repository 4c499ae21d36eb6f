"""What was proved about the model, and what was only looked for in samples, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.report import words

if TYPE_CHECKING:
    from lambda_app.manifest import Explained, Monotonicity


def monotonicity_words(found: Monotonicity) -> str:
    """Whether a field can move a decision against its direction."""
    if not found["directed_fields"]:
        return "No field has a direction, so there was none to hold the model to."
    broken = f"{found['violations']:,} of {found['pairs']:,}"
    # Artifacts that do not name the method compared sampled pairs.
    if found.get("method", "sampled") == "sampled":
        return (
            f"Whether a field can move a decision against its direction was looked for in sampled pairs of applicants: "
            f"{broken} are ranked against it. That is evidence, not a proof."
        )
    if found["violations"]:
        return f"{broken} pairs of neighbouring bins are ranked against their field's direction."
    return (
        f"That no field can move a decision against its direction was proved from the tables of points: all "
        f"{found['pairs']:,} pairs of neighbouring bins are ranked as stated."
    )


def explained_words(found: Explained | None) -> str:
    """Whether every denial has a reason."""
    if found is None:
        return f"Whether every denial has a reason is {words.NONE}."
    if found["method"] == "tables":
        proved = "could not be" if found["without_reason"] else "was"
        return (
            f"That every denial has a reason {proved} proved from the tables of points, for all possible applications."
        )
    if found["without_reason"]:
        return f"{found['without_reason']:,} of {found['denials']:,} denials on the hold-out have no reason."
    return (
        f"Each of {found['denials']:,} denials on the hold-out has a reason. That is evidence for others, not a proof."
    )
