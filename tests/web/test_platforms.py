"""The manifests of examples/platforms, each against its platform's own schema, and against the service."""

from __future__ import annotations

import json
import os
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lambda_app.serve import Options
from lambda_app.settings import Settings
from tests.serving import ROOT
from tests.web.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

PLATFORMS = ROOT / "examples" / "platforms"
FILES = sorted(PLATFORMS.glob("*.yaml"))


class Loader(yaml.SafeLoader):
    """Takes CloudFormation's short functions as their arguments."""


Loader.add_multi_constructor("!", lambda loader, _suffix, node: loader.construct_scalar(node))


def documents(name: str) -> list[Any]:
    return list(yaml.load_all((PLATFORMS / name).read_text(encoding="utf-8"), Loader))  # a SafeLoader


def inner(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a document."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inner(each)


@pytest.mark.parametrize("version", ["1.32", "1.35"])
def test_kubernetes(version: str) -> None:
    import kubernetes_validate

    found = documents("kubernetes.yaml")
    assert [each["kind"] for each in found] == [
        "Deployment",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
    ]
    for document in found:
        kubernetes_validate.validate(document, version, strict=True)
    found[0]["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(found[0], version, strict=True)


def test_cloud_run() -> None:
    import googleapiclient

    described = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents" / "run.v1.json"
    schemas = json.loads(described.read_text(encoding="utf-8"))["schemas"]
    [service] = documents("cloud_run.yaml")
    assert unknown_to_google(service, {"$ref": "Service"}, schemas) == []
    service["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    service["spec"]["template"]["spec"]["timeoutSeconds"] = "soon"
    assert unknown_to_google(service, {"$ref": "Service"}, schemas) == ["timeoutSeconds", "readinesProbe"]


def unknown_to_google(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> list[str]:
    """The keys that a discovery document does not have, or has with another type."""
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    if schema["type"] == "array":
        return [key for each in value for key in unknown_to_google(each, schema["items"], schemas)]
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    if not isinstance(value, dict):
        return []
    wrong = []
    for key, inside in value.items():
        rule = known.get(key, others)
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
        if rule is None or not isinstance(inside, kinds["object" if "$ref" in rule else rule["type"]]):
            wrong.append(key)
        else:
            wrong += unknown_to_google(inside, rule, schemas)
    return wrong


def test_azure() -> None:
    from azure.mgmt.appcontainers import models

    [app] = documents("azure_container_app.yaml")
    assert unknown_to_azure(app, models.ContainerApp, models) == []
    app["properties"]["template"]["containers"][0]["readinesProbe"] = {}
    assert unknown_to_azure(app, models.ContainerApp, models) == ["readinesProbe"]


def unknown_to_azure(value: Any, model: Any, models: Any) -> list[str]:
    """The keys that a model of Azure's SDK does not have, inside it, too."""
    options = [each for each in typing.get_args(model) if each is not type(None)] or [model]
    if typing.get_origin(model) in (list, dict):
        inside = value if isinstance(value, list) else value.values()
        return [key for each in inside for key in unknown_to_azure(each, options[-1], models)]
    if typing.get_origin(model) is typing.Union:
        return unknown_to_azure(value, options[0], models)
    if not isinstance(value, dict) or not hasattr(model, "_deserialize"):
        return []
    named = {**vars(sys.modules[model.__module__]), "_models": models}
    hints = typing.get_type_hints(model, globalns=named, localns={"_models": models})
    fields = {name: field for kind in model.__mro__ for name, field in vars(kind).items() if name in hints}
    names = {getattr(field, "_rest_name_input", None) or name: hints[name] for name, field in fields.items()}
    return [
        wrong
        for key, inside in value.items()
        for wrong in (unknown_to_azure(inside, names[key], models) if key in names else [key])
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_starts_the_service_with_settings_that_there_are(path: Path) -> None:
    mappings = [each for document in documents(path.name) for each in inner(document)]
    if path.stem != "sagemaker":  # which says `serve` by itself
        assert ["serve"] in [each.get("args") or each.get("Command") for each in mappings]
    given = {
        str(variable.get("name") or variable.get("Name")): str(variable.get("value") or variable.get("Value"))
        for each in mappings
        for variable in (each.get("env") or each.get("Environment") or [])
        if isinstance(variable, dict)
    } or {"WORKERS": "2"}
    assert Options.read(given) != Options.read({}) or os.cpu_count() == 2
    assert Settings.read(given) == Settings.read({})


def test_every_path_that_a_platform_asks_for_answers(by_hand: Path) -> None:
    import urllib.request

    asked = {
        each["httpGet"]["path"]
        for path in FILES
        for document in documents(path.name)
        for each in inner(document)
        if "httpGet" in each
    }
    assert asked == {"/live", "/health"}
    with serving(by_hand) as address:
        for path in (*asked, "/ping"):
            with urllib.request.urlopen(f"{address}{path}", timeout=30) as answer:  # loopback
                assert answer.status in (200, 204)
