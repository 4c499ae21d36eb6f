"""The default contract without a sensitive column."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from model import applicant

if TYPE_CHECKING:
    from model.contract import Sensitive


class Applicant(applicant.Applicant):
    """An application for a credit card."""

    sensitive: ClassVar[tuple[Sensitive, ...]] = ()
