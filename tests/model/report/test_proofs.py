"""A proof is called a proof, and a sample a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model.report.proofs import explained_words, monotonicity_words

if TYPE_CHECKING:
    from lambda_app.manifest import Explained, Monotonicity


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            {"method": "tables", "directed_fields": 2, "pairs": 1_040, "violations": 0},
            "was proved from the tables of points: all 1,040 pairs of neighbouring bins",
            id="proved",
        ),
        pytest.param(
            {"method": "tables", "directed_fields": 2, "pairs": 1_040, "violations": 3},
            "3 of 1,040 pairs of neighbouring bins are ranked against",
            id="broken",
        ),
        pytest.param(
            {"method": "sampled", "directed_fields": 2, "pairs": 1_040, "violations": 0},
            "sampled pairs of applicants: 0 of 1,040 are ranked against it. That is evidence, not a proof",
            id="sampled",
        ),
        pytest.param({"directed_fields": 2, "pairs": 1_040, "violations": 0}, "not a proof", id="older artifact"),
        pytest.param(
            {"method": "tables", "directed_fields": 0, "pairs": 0, "violations": 0}, "No field", id="no direction"
        ),
    ],
)
def test_says_how_directions_were_checked(found: Monotonicity, expected: str) -> None:
    words = monotonicity_words(found)
    assert expected in words
    assert ("was proved" in words) is expected.startswith("was proved")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({"method": "tables", "denials": 0, "without_reason": 0}, "was proved", id="proved"),
        pytest.param(
            {"method": "sampled", "denials": 10_000, "without_reason": 0},
            "Each of 10,000 denials on the hold-out has a reason. That is evidence for others, not a proof",
            id="sampled",
        ),
        pytest.param(
            {"method": "sampled", "denials": 900, "without_reason": 2},
            "2 of 900 denials on the hold-out have no reason",
            id="broken",
        ),
        pytest.param(
            {"method": "tables", "denials": 0, "without_reason": 1},
            "could not be proved from the tables",
            id="unproved",
        ),
        pytest.param(None, "Whether every denial has a reason is not known", id="older artifact"),
    ],
)
def test_says_how_reasons_were_checked(found: Explained | None, expected: str) -> None:
    words = explained_words(found)
    assert expected in words
    assert ("was proved" in words) is (expected == "was proved")
