"""Rows of the matrix as the applications that callers send."""

from __future__ import annotations

from math import nan, nextafter

import numpy as np
import pytest

from model.contract.fields import fields_of
from model.data.encoding import values_of
from tests.contracts.loan import FIELDS, Loan


def test_a_row_becomes_the_application_that_a_caller_sends() -> None:
    # Given a row with every kind of field, one of them missing
    row = np.array([3.0, nan, 0.5, 12.0, 1.0, 1.0, 0.0])
    # When it is turned into an application
    values = values_of(row, fields_of(Loan))
    # Then whole numbers are ints, choices are words, and missing values are None
    expected = [3, None, 0.5, 12.0, 1, "part time", "rent"]
    assert list(values.values()) == expected
    assert list(values) == FIELDS
    assert [type(value) for value in values.values()] == [type(value) for value in expected]


@pytest.mark.parametrize("towards", [-np.inf, np.inf], ids=["below", "above"])
def test_the_neighbour_of_a_whole_number_is_not_rounded(towards: float) -> None:
    # Given the float next to a whole number, in a whole-number field
    neighbour = nextafter(3.0, towards)
    row = np.array([neighbour, nan, 0.5, nan, 1.0, 0.0, nan])
    # When the row is turned into an application, then the value is still that float
    assert values_of(row, fields_of(Loan))["years"] == neighbour
