"""What a terminal's encoding lacks is spelt out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.serving import ROOT

TELL = """
import sys
from model.terminal import print_anything
print_anything()
print("→ Zoë's Straße … 日本")
print("→", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        pytest.param("utf-8", "→ Zoë's Straße … 日本", id="all of it"),
        pytest.param("latin-1", "-> Zoë's Straße ... \\u65e5\\u672c", id="no arrow"),
        pytest.param("ascii", "-> Zo\\xeb's Stra\\xdfe ... \\u65e5\\u672c", id="letters only"),
    ],
)
def test_what_the_encoding_lacks_is_spelt_out(encoding: str, told: str) -> None:
    # when
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        cwd=ROOT,
        env={"PYTHONIOENCODING": encoding},
        capture_output=True,
        encoding=encoding,
        check=True,
    )
    # then
    assert done.stdout.strip() == told
    assert done.stderr.strip() == told[: told.index(" ")]
