"""Every command explains itself at once, without loading AWS's client."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from operations.commands import main
from tests.serving import ROOT

COMMANDS = (
    *("freshness", "drift", "report", "challenger", "outcomes", "canary"),
    *("champion", "image", "wait-scan", "evidence", "attach", "approve", "verify", "sign"),
)
HELP = """
import json, sys
from operations.commands import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=" ".join)
def test_help_is_there_at_once(words: list[str]) -> None:
    # given
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # when
    done = subprocess.run(
        [sys.executable, "-c", HELP, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # then: it costs half a second of processor time at most, and loads nothing that only AWS needs
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert "exit codes: 0 success" in done.stdout
    assert not {"boto3", "botocore"} & set(modules)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime <= 0.5


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    listed = capsys.readouterr().out.partition("COMMAND\n")[2]
    assert [line.split()[0] for line in listed.splitlines() if line.startswith("    ") and line[4] != " "] == [
        *COMMANDS
    ]
