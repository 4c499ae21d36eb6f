"""Models that are not plain data: pickles that run, build or import something when opened."""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Runs:
    """Unpickles by calling something."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self._call


class Keeps(pickle.Pickler):
    """Writes a persistent id for every string."""

    def persistent_id(self, obj: object) -> object:
        return obj if isinstance(obj, str) else None


def persistent(*_: object) -> bytes:
    content = io.BytesIO()
    Keeps(content, protocol=4).dump({"intercept": 0.0})
    return content.getvalue()


def touch(marker: Path) -> bytes:
    import os

    return pickle.dumps(Runs(os.system, f"touch {marker}"), protocol=4)


def evaluated(marker: Path) -> bytes:
    return pickle.dumps(Runs(eval, f"open({str(marker)!r}, 'w').close()"), protocol=2)


def instance(marker: Path) -> bytes:
    """Protocol 0 with INST, which names its class in the opcode itself."""
    return f"(S'touch {marker}'\nios\nsystem\n.".encode()


def stacked_global(marker: Path) -> bytes:
    """The class name is assembled on the stack, where a search for GLOBAL does not find it."""
    return (
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c"
        + bytes([len(f"touch {marker}")])
        + f"touch {marker}".encode()
        + b"\x85R."
    )


PLANTED: dict[str, Callable[[Path], bytes]] = {
    "os.system": touch,
    "builtins.eval": evaluated,
    "instance": instance,
    "stacked-global": stacked_global,
    "copyreg": lambda _: pickle.dumps(Runs(copyreg.add_extension, "os", "system", 240), protocol=4),
    "extension-1": lambda _: b"\x80\x02\x82\xf0.",
    "extension-2": lambda _: b"\x80\x02\x83\xf0\x00.",
    "extension-4": lambda _: b"\x80\x02\x84\xf0\x00\x00\x00.",
    "persistent-id": persistent,
    "persistent-id-text": lambda _: b"Psystem\n.",
    "class": lambda _: pickle.dumps(pytest.Config, protocol=4),
    "numpy-array": lambda _: pickle.dumps(np.zeros(3), protocol=4),
    "numpy-array-of-joblib": lambda _: joblib_bytes(np.zeros(3)),
    "numpy-number": lambda _: pickle.dumps({"intercept": np.float64(1)}, protocol=4),
    "set-state-on-none": lambda _: b"\x80\x04N}b.",
    "call-on-a-string": lambda _: b"\x80\x04\x8c\x02os)R.",
    "new-object-from-a-string": lambda _: b"\x80\x04\x8c\x02os)\x81.",
    "out-of-band-buffer": lambda _: b"\x80\x05\x97.",
    "compressed": lambda _: zlib.compress(pickle.dumps({})),
    "truncated": lambda _: pickle.dumps({"intercept": 0.0, "fields": []}, protocol=4)[:-1],
    "empty": lambda _: b"",
    "not-a-pickle": lambda _: b"import os; os.system('true')",
    "memo-missing": lambda _: b"\x80\x04h\x07.",
    "unknown-protocol": lambda _: b"\x80\xff.",
}


def joblib_bytes(value: object) -> bytes:
    content = io.BytesIO()
    joblib.dump(value, content)
    return content.getvalue()
