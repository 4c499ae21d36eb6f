"""Format `onnx`: a model of any framework, run by onnxruntime.

`model.joblib` holds plain data, `OnnxContent` below, with the ONNX file inside. ONNX describes a computation and can
run no other code; an operator that onnxruntime does not bring is refused as it is opened.

The model takes either one matrix with a column for each field (see `lambda_app.formats.estimator`), or an input for
each field by the field's name: numbers, or strings for words, where a missing word is empty.

Rows are run one at a time, also offline: with several at once a network may sum in another order, and decide a row at
the cut-off otherwise than the service.
"""

from __future__ import annotations

from lambda_app.errors import UnsafeContent
from lambda_app.formats.estimator import Estimator
from lambda_app.formats.scorer import unpickled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypedDict

    from lambda_app.manifest import Manifest

    class OnnxContent(TypedDict):
        """The whole model: the ONNX file, the output that holds the estimates, and its column for 'approve'."""

        onnx: bytes
        output: str
        column: int


VERSION = 1
# Sums in single precision may leave 0 to 1 by this much.
_ROUNDING = 1e-6


def open(content: bytes, manifest: Manifest) -> Estimator:  # noqa: A001  # the name that every format has
    """Open the model.

    Raises
    ------
    UnsafeContent
        The content is no plain data, or onnxruntime refuses it.
    """
    fields = [(field["name"], tuple(field["words"])) for field in manifest["contract"]["fields"]]
    return Estimator(Session(unpickled(content), fields).probabilities, manifest)


class Session:
    """An ONNX model that takes rows of the contract's fields.

    Parameters
    ----------
    content : OnnxContent
    fields : sequence of (str, tuple of str)
        Each field's name and its words.

    Raises
    ------
    UnsafeContent
        onnxruntime refuses the model.
    """

    __slots__ = ("_column", "_fields", "_inputs", "_numpy", "_output", "_run")

    def __init__(self, content: OnnxContent, fields: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # A request is a single row, so threads would only add overhead.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(content["onnx"], options, providers=["CPUExecutionProvider"])
        except Exception as err:
            raise UnsafeContent("is no ONNX model that onnxruntime can run by itself") from err
        self._numpy = numpy
        self._run = session.run
        self._output, self._column = [content["output"]], content["column"]
        self._fields = fields
        names = [name for name, _ in fields]
        # For each input: its name, the field's place (None for the whole row), its words if it takes text, its type and
        # its rank.
        self._inputs: list[tuple[str, int | None, tuple[str, ...], Any, int]] = []
        for given in session.get_inputs():
            place = names.index(given.name) if given.name in names else None
            text = given.type == "tensor(string)"
            words = fields[place][1] if text and place is not None else ()
            kind = object if text else _TYPES.get(given.type, "float32")
            self._inputs.append((given.name, place, words, kind, len(given.shape)))

    def probabilities(self, rows: Any) -> Any:
        """The probability of being creditworthy for each row of numbers, as an ndarray of shape (n,)."""
        numpy = self._numpy
        matrix = numpy.asarray(rows, dtype=numpy.float64).reshape(-1, len(self._fields))
        found = numpy.empty(len(matrix))
        for number, row in enumerate(matrix):
            fed = {
                name: numpy.array(
                    row if place is None else [self._text(row[place], words) if kind is object else row[place]],
                    dtype=kind,
                ).reshape((1, -1) if rank == 2 else (-1,))
                for name, place, words, kind, rank in self._inputs
            }
            estimate = self._run(self._output, fed)[0]
            found[number] = estimate.reshape(-1)[self._column]
        if not ((found > -_ROUNDING) & (found < 1 + _ROUNDING)).all():
            raise ValueError("the model gave something that is no probability")
        return found.clip(0.0, 1.0)

    @staticmethod
    def _text(place: float, words: tuple[str, ...]) -> str:
        return "" if place != place else words[int(place)]


_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(int32)": "int32"}
