"""Characters that a terminal's encoding lacks are spelt out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.serving import ROOT

PRINT = """
import sys
from model.terminal import print_anything
print_anything()
print("→ Zoë's Straße … 日本")
print("→", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        pytest.param("utf-8", "→ Zoë's Straße … 日本", id="everything"),
        pytest.param("latin-1", "-> Zoë's Straße ... \\u65e5\\u672c", id="no arrow"),
        pytest.param("ascii", "-> Zo\\xeb's Stra\\xdfe ... \\u65e5\\u672c", id="letters only"),
    ],
)
def test_characters_that_the_encoding_lacks_are_spelt_out(encoding: str, expected: str) -> None:
    # when
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=ROOT,
        env={"PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding=encoding,
        check=True,
    )
    # then
    assert done.stdout.strip() == expected
    assert done.stderr.strip() == expected[: expected.index(" ")]
