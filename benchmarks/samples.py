"""The two applications used in the measurements: the public tutorial's, and one that is denied."""

from __future__ import annotations

SAMPLES = {
    "approve": {"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1},
    "deny": {"Num_Children": 3, "Income": 52000, "Own_Car": 0, "Own_Housing": 0},
}
