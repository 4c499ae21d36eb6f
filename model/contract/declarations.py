"""What a contract declares besides types and ranges: scoring, the outcome, and the columns used only for judging."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from model.contract.errors import ContractError
from model.contract.file import File

if TYPE_CHECKING:
    from collections.abc import Mapping

Direction = Literal["up", "down", "free"]
Change = Literal["up", "down", "any"]


@dataclass(frozen=True)
class Reason:
    """An adverse-action reason.

    Parameters
    ----------
    code : str
        What machines read.
    text : str
        The sentence that the applicant reads.
    """

    code: str
    text: str


@dataclass(frozen=True)
class Scored:
    """What the scorecard and the adverse-action notice need to know about a field.

    Parameters
    ----------
    direction : {"up", "down", "free"}
        How the points may change as the value grows. Words with a direction are ordered as written, the first one is
        the smallest; without an order, they are "free".
    unit : str
        The unit of the value, as people write it.
    code, text : str
        The adverse-action reason: its code, and the sentence that the applicant reads.
    missing : Reason, optional
        The reason instead if the value is missing; only for an optional field.
    words : mapping of str to Reason, optional
        The reasons instead of single words, such as `{"rent": Reason("RENT", "Housing rented")}`.
    change : {"up", "down", "any"}, optional
        How a person can change the value, such as "up" for savings; by default they cannot. Only such fields are
        offered as a way from a denial to an approval.
    """

    direction: Direction
    unit: str
    code: str
    text: str
    missing: Reason | None = None
    words: Mapping[str, Reason] = field(default_factory=dict, hash=False)
    change: Change | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason that the field can give."""
        own = Reason(self.code, self.text)
        return (own, *([] if self.missing is None else [self.missing]), *self.words.values())


@dataclass(frozen=True)
class Outcome:
    """The column with the outcome, and its two labels.

    Parameters
    ----------
    column : str
    approve, deny : int or str
    leave_out : tuple of int or str
        Labels of applications that are not decided yet, or were withdrawn. They are counted, and left out.

    Raises
    ------
    ContractError
        Two labels are the same.
    """

    column: str
    approve: int | str
    deny: int | str
    leave_out: tuple[int | str, ...] = ()

    def __post_init__(self) -> None:
        # In a CSV, 1 and "1" are the same text.
        if str(self.approve) == str(self.deny):
            raise ContractError(f"the outcome {self.column} has the same label for approve and deny")
        if {str(self.approve), str(self.deny)} & {str(label) for label in self.leave_out}:
            raise ContractError(f"the outcome {self.column} leaves out a label that it decides by")


@dataclass(frozen=True)
class Sensitive:
    """A column that the model is judged by but never sees.

    Parameters
    ----------
    column : str
    groups : mapping of str to tuple, optional
        Group names, each with the column's values that belong to it; by default each value is its own group.
    bands : tuple of float, optional
        For a numeric column: the lower bound of each group except the lowest.

    Raises
    ------
    ContractError
        A value is in two groups, the bands do not increase, or both groups and bands are given.
    """

    column: str
    groups: dict[str, tuple[int | str, ...]] | None = None
    bands: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.groups is not None and self.bands is not None:
            raise ContractError(
                f"the sensitive column {self.column} has both groups and bands; declare only one of them"
            )
        if self.bands is not None and not _ascending(self.bands):
            raise ContractError(
                f"the bands of the sensitive column {self.column} must be one or more finite numbers, each greater "
                "than the one before"
            )
        owners: dict[str, str] = {}
        for name, values in (self.groups or {}).items():
            for value in values:
                if owners.setdefault(str(value), name) != name:
                    raise ContractError(
                        f"the value {value!r} of the sensitive column {self.column} is in two groups, "
                        f"'{owners[str(value)]}' and '{name}'"
                    )


@dataclass(frozen=True)
class Split:
    """How the applications are divided into those that train a model, and the hold-out that judges it.

    By default at random, by the seed; otherwise in exactly one of four ways.

    Parameters
    ----------
    column : str, optional
        The column that says which application is which.
    training, holdout : tuple of int or str
        The column's words for either; any other word is rejected.
    date : str, optional
        The column with each application's date: the newest are the hold-out. Applications of one date stay together.
    group : str, optional
        A column whose equal values stay on one side, such as the customer's number.
    equal_rows : bool
        Applications that have all fields in common stay on one side.

    Raises
    ------
    ContractError
        Several ways are declared; a word stands for both sides, or one has no word.
    """

    column: str | None = None
    training: tuple[int | str, ...] = ("training",)
    holdout: tuple[int | str, ...] = ("holdout",)
    date: str | None = None
    group: str | None = None
    equal_rows: bool = False

    def __post_init__(self) -> None:
        if sum((self.column is not None, self.date is not None, self.group is not None, self.equal_rows)) > 1:
            raise ContractError("the split has several ways; declare one of column, date, group and equal_rows")
        if not (isinstance(self.training, tuple) and isinstance(self.holdout, tuple)):
            raise ContractError('the split\'s words must be tuples, such as training=("train",)')
        training, holdout = ({str(word) for word in words} for words in (self.training, self.holdout))
        if not training or not holdout or training & holdout:
            raise ContractError("the split needs words for training and others for holdout")

    @property
    def source(self) -> str | None:
        """The column that the split needs, besides the fields."""
        return self.column or self.date or self.group


def _ascending(bounds: tuple[float, ...]) -> bool:
    return bool(bounds) and all(map(isfinite, bounds)) and all(low < high for low, high in pairwise(bounds))


class Contract(BaseModel):
    """The base of every contract: strict types, no unknown fields, no NaN, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    outcome: ClassVar[Outcome]
    # What the file of applications looks like, where it is not plain.
    file: ClassVar[File] = File()
    sensitive: ClassVar[tuple[Sensitive, ...]] = ()
    # Which applications train a model and which judge it; by default at random.
    split: ClassVar[Split] = Split()
    # The column that says how much an application counts while a model is fitted; by default all count the same.
    weight: ClassVar[str | None] = None
    # Why there is no sensitive column, in words for the report. Without it, the gate denies a contract that has none.
    no_sensitive_reason: ClassVar[str | None] = None
    # The fields whose values come from a consumer report; a notice of adverse action then says so.
    consumer_report: ClassVar[tuple[str, ...]] = ()
    # Applications for documents, smoke tests and golden cases. They are invented, never a real applicant's.
    samples: ClassVar[tuple[dict[str, object], ...]] = ()
