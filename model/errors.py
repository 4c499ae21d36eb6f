"""The errors of this package, as a tree.

ModelError
├── ContractError     the contract cannot be loaded, contradicts itself, or cannot become plain data
├── DataError         the applications cannot be used; `model.data.rejects` shows its subclasses
├── TrainingError     the data cannot train a model
├── ExportError       the model cannot be written in the requested format
├── GateError         the policy could not be evaluated; the model counts as not passed
└── PlatformError     a training platform offers nothing to train on

Errors with attributes are defined where they are raised: ContractError in `model.contract`, DataError in `model.data`,
PlatformError in `model.platforms`. Importing this module loads nothing else.
"""

from __future__ import annotations


class ModelError(Exception):
    """The root of every error that this package raises."""


class TrainingError(ModelError):
    """The data cannot train a model."""


class ExportError(ModelError):
    """The model cannot be written in the requested format."""


class GateError(ModelError):
    """The policy could not be evaluated; the model counts as not passed."""
