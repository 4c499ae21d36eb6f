"""Loads a contract from a module or a file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

from model.contract.declarations import Contract
from model.contract.errors import ContractError

# Before each guess of a drafted contract; a person takes it away.
MARK = "# CONFIRM:"


def load_contract(where: str) -> type[Contract]:
    """Load a contract class.

    Parameters
    ----------
    where : str
        `package.module:Class` or `path/to/file.py:Class`.

    Raises
    ------
    ContractError
        There is no such module or class, the module cannot be imported, the class is not a `Contract`, or it is a draft
        with guesses that nobody has confirmed.
    """
    module_name, _, class_name = where.rpartition(":")
    if not module_name:
        raise ContractError(f"'{where}' does not name a class: write MODULE_OR_FILE:Class")
    try:
        if module_name.endswith(".py"):
            path = Path(module_name).resolve()
            spec = importlib.util.spec_from_file_location(f"contract_{path.parent.name}_{path.stem}", path)
            if spec is None or spec.loader is None:
                raise ContractError(f"{module_name} cannot be imported")
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(module_name)
    except ContractError:
        raise
    except Exception as err:  # importing runs the author's code, which may raise anything
        raise ContractError(f"{module_name} cannot be imported: {type(err).__name__}: {err}") from err
    contract = getattr(module, class_name, None)
    if not (isinstance(contract, type) and issubclass(contract, Contract)):
        raise ContractError(f"{module_name} has no contract named {class_name}")
    _refuse_guesses(contract)
    return contract


def _refuse_guesses(contract: type[Contract]) -> None:
    path = getattr(sys.modules[contract.__module__], "__file__", None)
    if path is None or not path.endswith(".py"):
        return
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    guesses = [number for number, line in enumerate(lines, start=1) if MARK in line]
    if guesses:
        listed = ", ".join(map(str, guesses[:5])) + (", …" if len(guesses) > 5 else "")
        raise ContractError(
            f"{path} is a draft with {len(guesses)} guesses (lines {listed}). "
            f"Look at each, mend what is wrong, and delete its '{MARK}'"
        )
