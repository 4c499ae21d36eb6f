"""The public tutorial's way in its leanest form: a depth-3 scikit-learn tree, opened with joblib.

It has no pandas, no checks, no reasons and no log: each of these would make it slower.
"""

from __future__ import annotations

import json
import os

import joblib
import numpy as np

FIELDS = ("Num_Children", "Income", "Own_Car", "Own_Housing")

model = joblib.load(os.environ["MODEL_FILE"])


def handler(event: dict[str, float], _context: object) -> dict[str, object]:
    """Decide one application."""
    prediction = model.predict(np.array([[event[field] for field in FIELDS]]))[0]
    body = json.dumps({"prediction": int(prediction)})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
