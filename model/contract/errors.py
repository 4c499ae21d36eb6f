"""The error of a contract that cannot be used."""

from __future__ import annotations

from model.errors import ModelError


class ContractError(ModelError):
    """The contract cannot be loaded, contradicts itself, or cannot become plain data.

    Attributes
    ----------
    field : str or None
        The field at fault, if there is one.
    """

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(f"field {field}: {message}" if field else message)
        self.field = field
