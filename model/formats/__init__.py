"""Artifact formats, on the writing side: the counterpart of `lambda_app.formats`.

A format is a module (or any object) with the three functions of `Format`. To add one, write
`lambda_app/formats/NAME.py` and `model/formats/NAME.py`, and add its name to `lambda_app.formats.BUILT_IN`. Code
outside this repository calls `register` in both packages instead. Importing this package loads no format and nothing
heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from lambda_app.formats import BUILT_IN
from model.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.formats.scorecard import ScorecardTables
    from lambda_app.manifest import FieldBins, Reference
    from model.fit.train import Candidate

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Written:
    """A model as written in a format.

    Attributes
    ----------
    content : bytes
        The bytes of `model.joblib`.
    bins : list of FieldBins
        The bins of each field, without shares, in the contract's order.
    reference : Reference
        What a denial is compared with.
    """

    content: bytes
    bins: list[FieldBins]
    reference: Reference


class Columns(Protocol):
    """Scores many applications at once, with the same results as the service.

    `matrix` is an ndarray of float64, shape (n, fields), as `model.data.applications.Applications.matrix`. `by_bin`
    says whether rows with the same bins are decided alike.
    """

    by_bin: ClassVar[bool]

    def bins(self, matrix: Floats) -> list[Numbers]:
        """The bin number of each row: one array of shape (n,) for each field."""

    def probabilities(self, matrix: Floats) -> Floats:
        """The probability of being creditworthy, shape (n,)."""

    def shortfalls(self, matrix: Floats) -> Floats:
        """How far each field falls short of the reference, shape (n, fields)."""


class Format(Protocol):
    """The writing side of a format."""

    def write(self, candidate: Candidate, /) -> Written:
        """Write a fitted model.

        Raises
        ------
        ExportError
            The model does not fit the format.
        """

    def columns(self, opened: Artifact, /) -> Columns:
        """A scorer of whole columns; `model.formats.columns.RowByRow` works for any format."""

    def tables(self, opened: Artifact, /) -> ScorecardTables | None:
        """The tables of points; None if the format has none."""


_registered: dict[str, Format] = {}


def find(name: str) -> Format:
    """The format of this name. A built-in format is imported on first use.

    Raises
    ------
    ExportError
        There is no such format.
    """
    if name in BUILT_IN:
        return cast("Format", import_module(f"model.formats.{name}"))
    if name not in _registered:
        raise ExportError(f"there is no format '{name}'; known formats: {', '.join([*BUILT_IN, *_registered])}")
    return _registered[name]


def register(name: str, form: Format) -> None:
    """Add a format from outside this package.

    Raises
    ------
    ValueError
        A built-in format has this name.
    """
    if name in BUILT_IN:
        raise ValueError(f"the format '{name}' is built in; choose another name")
    _registered[name] = form
