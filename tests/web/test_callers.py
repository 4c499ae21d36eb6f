"""Every snippet of docs/callers.md that can be run here is run, against the service that it is meant for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.emulator import Service, free_port, on_this_machine
from tests.conftest import EMULATOR
from tests.serving import ROOT
from tests.web.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "callers.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}
REGION = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true"}


def snippets(section: str, language: str) -> list[str]:
    """The code of a section."""
    return re.findall(rf"^```{language}\n(.*?)^```", SECTIONS[section], re.DOTALL | re.MULTILINE)


def run(*words: str, where: Path, **environ: str) -> str:
    """What a command prints."""
    # Nothing that other tests have left: version 1 of the AWS CLI, once imported, names its data for version 2 as well.
    variables = {"PATH": os.environ["PATH"], "HOME": str(where), **KEYS, **REGION, **environ}
    done = subprocess.run(words, cwd=where, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def url(by_hand: Path) -> Iterator[str]:
    """The service over plain HTTP; it does not ask for signatures."""
    with serving(by_hand) as address:
        yield address


@pytest.fixture(scope="module")
def endpoint(by_hand: Path) -> Iterator[str]:
    """The emulator, whose only function is called `function`."""
    port = free_port()
    with Service(on_this_machine(EMULATOR, port), port, {"MODEL_DIR": str(by_hand)}):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("place", "decision"), [(0, "approve"), (1, "deny")])
def test_curl(place: int, decision: str, url: str, tmp_path: Path) -> None:
    answer = json.loads(run("bash", "-euc", snippets("curl", "bash")[place], where=tmp_path, URL=url))
    assert answer["decision"] == decision
    assert place or answer["application_id"] == "A-2026-0001"


@pytest.mark.rie
def test_boto3(endpoint: str, tmp_path: Path) -> None:
    [code] = snippets("Python: boto3", "python")
    code = code.replace('"ccapproval", Qualifier="live"', '"function"')
    printed = run(sys.executable, "-c", code, where=tmp_path, AWS_ENDPOINT_URL_LAMBDA=endpoint)
    assert printed == "deny ['INCOME', 'HOUSING', 'DEPENDENTS', 'CAR']\n"


def test_a_signed_url(url: str, tmp_path: Path) -> None:
    [code] = snippets("Python: a signed function URL", "python")
    told = "\nassert signed.headers['Authorization'].startswith('AWS4-HMAC-SHA256'), signed.headers"
    printed = run(sys.executable, "-c", code + told, where=tmp_path, URL=url)
    assert printed == "deny ['INCOME', 'HOUSING', 'DEPENDENTS', 'CAR']\n"


def test_javascript(url: str, tmp_path: Path) -> None:
    import playwright

    [code] = snippets("JavaScript", "javascript")
    (tmp_path / "call.mjs").write_text(code, encoding="utf-8")
    node = Path(playwright.__file__).parent / "driver" / "node"
    printed = run(str(node), "call.mjs", where=tmp_path, URL=url)
    assert printed == "deny [ 'INCOME', 'HOUSING', 'DEPENDENTS', 'CAR' ]\n"


@pytest.mark.rie
def test_aws_cli(endpoint: str, tmp_path: Path) -> None:
    [code] = snippets("AWS CLI, versions 1 and 2", "bash")
    versions = [
        path for path in ("/usr/bin", "/usr/local/bin", Path(sys.executable).parent) if (Path(path) / "aws").exists()
    ]
    assert versions
    for path in versions:
        found = f"{path}:{os.environ['PATH']}"
        code = code.replace("ccapproval", f"function --endpoint-url {endpoint}")
        printed = run("bash", "-euc", code, where=tmp_path, PATH=found)
        envelope = json.loads(printed[printed.index('{"statusCode"') :])
        assert json.loads(envelope["body"])["decision"] == "deny"


def test_sam_s_template_is_valid(tmp_path: Path) -> None:
    [code] = snippets("SAM", "yaml")
    (tmp_path / "template.yaml").write_text(code, encoding="utf-8")
    run(str(Path(sys.executable).with_name("cfn-lint")), "template.yaml", where=tmp_path)


def test_what_is_not_run_says_so() -> None:
    run_here = {"curl", "Python: boto3", "Python: a signed function URL", "JavaScript", "AWS CLI, versions 1 and 2"}
    for title, body in SECTIONS.items():
        assert (title in run_here) != ("not run" in " ".join(body.split())), title
