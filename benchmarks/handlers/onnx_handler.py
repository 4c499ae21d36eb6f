"""The tutorial's tree as ONNX, run by onnxruntime; just as lean."""

from __future__ import annotations

import json
import os

import numpy as np
import onnxruntime

FIELDS = ("Num_Children", "Income", "Own_Car", "Own_Housing")

session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], providers=["CPUExecutionProvider"])


def handler(event: dict[str, float], _context: object) -> dict[str, object]:
    """Decide one application."""
    row = np.array([[event[field] for field in FIELDS]], dtype=np.float32)
    prediction = session.run(["label"], {"X": row})[0][0]
    body = json.dumps({"prediction": int(prediction)})
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}
