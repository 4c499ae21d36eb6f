"""The default contract, with limits that a few thousand applications can meet."""

from __future__ import annotations

from model import applicant


class Applicant(applicant.Applicant):
    """An application for a credit card."""
