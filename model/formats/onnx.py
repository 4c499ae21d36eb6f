"""Format `onnx`, on the writing side: a model of any framework, taken over from its ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from lambda_app.errors import UnsafeContent
from lambda_app.formats.onnx import Session
from model.errors import ExportError
from model.formats import Written
from model.formats.bins import quantile_bins
from model.formats.pickled import pickled
from model.formats.reference import typical_at_cutoff
from model.formats.sklearn import EstimatorColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.formats.onnx import OnnxContent
    from model.contract.fields import FieldSpec
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]

# Rows between two steps of the progress bar.
PIECE = 1000


class OnnxClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An ONNX model as a fitted classifier, run by the code that will serve it.

    Parameters
    ----------
    content : OnnxContent
    fields : sequence of (str, tuple of str)
        Each field's name and its words.
    """

    def __init__(self, content: OnnxContent, fields: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        self.content = content
        self.fields = fields
        self.classes_ = np.array([0, 1])
        self._session: Session | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_session": None}

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:  # noqa: N803  # scikit-learn's own name
        return f"OnnxClassifier({len(self.content['onnx']):,} bytes)"

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, _matrix: Floats, _labels: object = None) -> OnnxClassifier:
        """Nothing: it was fitted elsewhere."""
        return self

    def predict_proba(self, matrix: Floats) -> Floats:
        """The probabilities of the two classes, shape (n, 2)."""
        session = self._session = self._session or Session(self.content, self.fields)
        pieces = np.array_split(matrix, len(matrix) // PIECE + 1)
        bar = tqdm(
            pieces, desc="run the model", unit="thousand", leave=False, disable=None if len(pieces) > 20 else True
        )
        found: Floats = np.concatenate([session.probabilities(piece) for piece in bar])
        return np.column_stack([1 - found, found])


def adopted(file: bytes, fields: tuple[FieldSpec, ...], output: str | None, column: int | None) -> Pipeline:
    """A fitted pipeline that runs an ONNX model.

    Parameters
    ----------
    file : bytes
        The ONNX file.
    fields : tuple of FieldSpec
        What the model takes, in this order or by name.
    output : str, optional
        The output that holds the estimates; by default the only one of floats.
    column : int, optional
        Its column for 'approve'; by default the last.

    Raises
    ------
    ExportError
        The file cannot be run, takes something else than the contract's fields, or gives something else than
        probabilities.
    """
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    except Exception as err:
        raise ExportError(
            "is no ONNX model that onnxruntime can run by itself: export it in one file, without custom operators"
        ) from err
    _check_inputs(session.get_inputs(), fields)
    chosen, width = _output(session.get_outputs(), output)
    if column is None:
        column = width - 1
    if not 0 <= column < width:
        raise ExportError(f"the output {chosen} has {width} columns, and none is number {column}")
    named = [(spec.name, spec.words) for spec in fields]
    content: OnnxContent = {"onnx": file, "output": chosen, "column": column}
    model = OnnxClassifier(content, named)
    smallest = np.array([[0.0 if spec.words else float(spec.minimum or 0.0) for spec in fields]])
    try:
        model.predict_proba(smallest)
    except (UnsafeContent, ValueError, RuntimeError) as err:
        raise ExportError(f"cannot decide an application of the contract: {err}") from err
    except Exception as err:  # onnxruntime's own, which derive from nothing else
        raise ExportError(f"cannot decide an application of the contract ({type(err).__name__})") from err
    return Pipeline([("onnx", model)])


def _check_inputs(inputs: Sequence[Any], fields: tuple[FieldSpec, ...]) -> None:
    names = [spec.name for spec in fields]
    by_name = {spec.name: spec for spec in fields}
    given = [each.name for each in inputs]
    if len(given) == 1 and given[0] not in by_name:
        width = inputs[0].shape[-1] if len(inputs[0].shape) == 2 else None
        if inputs[0].type not in ("tensor(float)", "tensor(double)"):
            raise ExportError(
                f"the input {given[0]} takes {inputs[0].type}; one matrix of all fields must be of floats"
            )
        if isinstance(width, int) and width != len(fields):
            raise ExportError(f"the input {given[0]} takes {width} columns, and the contract has {len(fields)} fields")
        if width is None:
            raise ExportError(f"the input {given[0]} is no matrix with a column for each field")
        return
    if unknown := [name for name in given if name not in by_name]:
        raise ExportError(f"takes the input {unknown[0]}, which is no field; the fields are {', '.join(names)}")
    for each in inputs:
        spec = by_name[each.name]
        whole = each.type.startswith("tensor(int")
        if each.type == "tensor(string)" and not spec.words:
            raise ExportError(f"the input {each.name} takes words, and the field is a number")
        if whole and (spec.optional or spec.kind == "float"):
            raise ExportError(f"the input {each.name} takes whole numbers only, and the field may be missing or broken")


def _output(outputs: Sequence[Any], wanted: str | None) -> tuple[str, int]:
    """The name of the output with the estimates, and how many columns it has."""
    floats = {each.name: each for each in outputs if each.type in ("tensor(float)", "tensor(double)")}
    chosen = wanted or (next(iter(floats)) if len(floats) == 1 else None)
    if chosen not in floats:
        advice = "name one with --output" if floats else "export it without ZipMap, so that estimates are a matrix"
        raise ExportError(f"has {len(floats)} outputs of floats ({', '.join(floats) or 'none'}): {advice}")
    shape = floats[chosen].shape
    if len(shape) < 2:
        return str(chosen), 1
    return str(chosen), shape[1] if isinstance(shape[1], int) else 2


def write(candidate: Candidate) -> Written:
    """Write the ONNX file and where its estimates are. Denials are compared with one typical applicant at the cut-off.

    Raises
    ------
    ExportError
        The model was not taken over from an ONNX file.
    """
    model = candidate.pipeline[-1]
    content = getattr(model, "content", None)
    if content is None:
        raise ExportError("only models of `python -m model adopt` can be written in format 'onnx'")
    reference = typical_at_cutoff(candidate)
    return Written(pickled(content), quantile_bins(candidate.training), {"values": reference})


def columns(opened: Artifact) -> EstimatorColumns:
    """A scorer of whole columns that runs the model row by row."""
    return EstimatorColumns(opened)


def tables(_opened: Artifact) -> None:
    """None: a network has no points."""
