"""The OpenAPI document: valid, true of every answer, kept for the default contract, enough for a generated client."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.web.openapi import document
from model.applicant import Applicant
from model.contract.carried import contract_as_data
from model.contract.fields import fields_of
from tests.serving import ROOT, Service
from tests.web.serving import serving

if TYPE_CHECKING:
    from pathlib import Path

    from model.run import TrainingRun

DENIED = {"Num_Children": 3, "Income": 52_000, "Own_Car": 0, "Own_Housing": 0}


def get(service: Service, path: str) -> Any:
    return service({"rawPath": path, "requestContext": {"http": {"method": "GET"}}}).body


def test_the_document_in_docs_is_that_of_the_default_contract() -> None:
    manifest: Any = {
        "contract": contract_as_data(Applicant, fields_of(Applicant)),
        "golden": [{"request": sample} for sample in Applicant.samples],
    }
    kept = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == document(manifest), "print it anew: python -m model openapi > docs/openapi.json"


@pytest.mark.parametrize("trained", ["small", "mixed"])
def test_it_is_valid(trained: str, request: pytest.FixtureRequest) -> None:
    from openapi_spec_validator import validate

    run: TrainingRun = request.getfixturevalue(trained)
    found = get(Service(run.directory, BASE_PATH="/credit"), "/openapi.json")
    validate(found)
    assert found["servers"] == [{"url": "/credit"}]


def test_every_example_fits_its_schema(mixed: TrainingRun) -> None:
    from jsonschema import Draft202012Validator

    found = get(Service(mixed.directory), "/openapi.json")
    seen = 0
    operations = [each for methods in found["paths"].values() for each in methods.values()]
    answers = [answer for each in operations for answer in each["responses"].values() if "content" in answer]
    for described in (*operations, *answers, *found["components"]["responses"].values()):
        for body in (described.get("requestBody") or described).get("content", {}).values():
            validator = Draft202012Validator({**body["schema"], "components": found["components"]})
            examples = [each["value"] for each in body.get("examples", {}).values()]
            for example in (*examples, *([body["example"]] if "example" in body else [])):
                validator.validate(example)
                seen += 1
    assert seen > 15


def test_a_generated_client_decides_an_application(by_hand: Path, tmp_path: Path) -> None:
    # Given a client that a generator made of the document alone
    described = tmp_path / "openapi.json"
    described.write_text(json.dumps(get(Service(by_hand), "/openapi.json")))
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--path", str(described)),
            *("--output-path", str(tmp_path / "client"), "--meta", "none"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    # When it sends an application to the service
    with serving(by_hand) as address:
        script = f"""
from client import Client
from client.api.default import decide, changes
from client.models import Applicant, Decision
client = Client(base_url={address!r})
application = Applicant.from_dict({DENIED!r})
decision = decide.sync(client=client, body=application)
assert isinstance(decision, Decision), decision
print(decision.decision, decision.reasons[0].code)
print([(change.field, change.to) for change in changes.sync(client=client, body=application).one])
"""
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    # Then it gets the decision
    assert done.stdout.splitlines()[0] == "deny INCOME", done.stderr
