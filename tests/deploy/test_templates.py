"""The CloudFormation templates: they are valid, and grant nobody more than the work needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "infra").glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """Reads !Ref and similar tags as {"Ref": …}."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)


def read(path: Path) -> dict[str, Any]:
    """A template as plain dicts and lists."""
    with path.open(encoding="utf-8") as file:
        template: dict[str, Any] = yaml.load(file, Loader=_Loader)  # noqa: S506  # a SafeLoader with CloudFormation's tags
    return template


def resolve(node: Any, conditions: dict[str, bool]) -> Any:
    """The template's text under these conditions: each Fn::If is replaced by its branch."""
    if isinstance(node, dict):
        if "Fn::If" in node:
            condition, then, otherwise = node["Fn::If"]
            return resolve(then if conditions.get(condition, False) else otherwise, conditions)
        return {key: resolve(value, conditions) for key, value in node.items()}
    return [resolve(value, conditions) for value in node] if isinstance(node, list) else node


def statements(node: Any) -> Iterator[dict[str, Any]]:
    """Every IAM statement anywhere in a template."""
    if isinstance(node, dict):
        if "Effect" in node and ("Action" in node or "NotAction" in node):
            yield node
        for value in node.values():
            yield from statements(value)
    elif isinstance(node, list):
        for value in node:
            yield from statements(value)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module", params=TEMPLATES, ids=lambda path: path.name)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(request.param)


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource for resource in template["Resources"].values() if resource["Type"] == kind]


def test_there_are_two_templates() -> None:
    assert [path.name for path in TEMPLATES] == ["registry.yaml", "service.yaml"]


def test_cfn_lint_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *TEMPLATES],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 0, found.stdout


def test_no_statement_names_every_resource_but_the_login(template: dict[str, Any]) -> None:
    for statement in statements(resolve(template, {})):
        if "*" in as_list(statement.get("Resource", [])):
            assert as_list(statement["Action"]) == ["ecr:GetAuthorizationToken"]


def test_no_statement_has_a_wildcard_in_an_action_or_lists_exceptions(template: dict[str, Any]) -> None:
    found = list(statements(template))
    assert found
    for statement in found:
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        assert not [action for action in as_list(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("public", [pytest.param(False, id="by default"), pytest.param(True, id="PublicUrl")])
def test_the_public_may_call_only_if_the_parameter_says_so(template: dict[str, Any], public: bool) -> None:
    # given
    resolved = resolve(template, {"IsPublic": public})
    # when
    principals = [statement.get("Principal") for statement in statements(resolved)]
    permissions = resources(resolved, "AWS::Lambda::Permission")
    # then
    assert "*" not in principals
    assert {"AWS": "*"} not in principals
    assert {permission["Properties"]["Principal"] == "*" for permission in permissions} <= {public}
    for url in resources(resolved, "AWS::Lambda::Url"):
        assert url["Properties"]["AuthType"] == ("NONE" if public else "AWS_IAM")


def test_the_url_is_private_unless_the_parameter_says_otherwise() -> None:
    # given
    service = read(ROOT / "infra" / "service.yaml")
    # then
    assert service["Parameters"]["PublicUrl"]["Default"] == "false"
    assert service["Conditions"]["IsPublic"] == {"Fn::Equals": [{"Ref": "PublicUrl"}, "true"]}


def test_a_function_url_has_both_statements_on_the_alias() -> None:
    # when
    permissions = [
        resource["Properties"]
        for resource in resources(read(ROOT / "infra" / "service.yaml"), "AWS::Lambda::Permission")
    ]
    # then
    assert {permission["Action"] for permission in permissions} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert all(permission["FunctionName"] == {"Ref": "LiveAlias"} for permission in permissions)
    for permission in permissions:
        assert ("FunctionUrlAuthType" in permission) != permission.get("InvokedViaFunctionUrl", False)


def test_no_lifecycle_rule_can_expire_what_an_alias_names() -> None:
    """deploy.sh tags what it deploys, and a tag here can't be taken away by another push."""
    # given
    inference = read(ROOT / "infra" / "registry.yaml")["Resources"]["InferenceRepository"]["Properties"]
    # when
    rules = json.loads(inference["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    # then
    assert inference["ImageTagMutability"] == "IMMUTABLE"
    assert [rule["selection"]["tagStatus"] for rule in rules] == ["untagged"]


def test_no_edit_makes_cloudformation_move_the_alias() -> None:
    """CloudFormation would publish an edited first version and move the alias to it, or move an edited alias back."""
    # given
    found = read(ROOT / "infra" / "service.yaml")["Resources"]
    # then
    assert found["FirstVersion"]["Properties"] == {
        "FunctionName": {"Ref": "Function"},
        "Description": "What the alias pointed to when the stack was created.",
    }
    assert found["LiveAlias"]["Properties"] == {
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": {"Fn::GetAtt": "FirstVersion.Version"},
        "Name": "live",
    }


def role(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = read(ROOT / "infra" / "service.yaml")["Resources"][name]["Properties"]
    return properties


def granted(name: str, service: str) -> set[str]:
    """The actions of one service that a role's own policies allow."""
    allowed = (as_list(statement["Action"]) for statement in statements(role(name)["Policies"]))
    return {action for actions in allowed for action in actions if action.startswith(f"{service}:")}


def test_the_deployer_may_do_what_the_script_asks_for() -> None:
    """Every AWS call that deploy.sh makes is granted, and nothing else."""
    # given
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts").glob("deploy*.sh"))
    calls = {
        "lambda get-function ": "lambda:GetFunction",
        "lambda get-function-configuration": "lambda:GetFunctionConfiguration",
        "lambda get-alias": "lambda:GetAlias",
        "lambda update-function-code": "lambda:UpdateFunctionCode",
        "lambda publish-version": "lambda:PublishVersion",
        "lambda invoke": "lambda:InvokeFunction",
        "lambda update-alias": "lambda:UpdateAlias",
        "lambda create-alias": "lambda:CreateAlias",
        "ecr describe-repositories": "ecr:DescribeRepositories",
        "ecr describe-images": "ecr:DescribeImages",
        "ecr get-login-password": "ecr:GetAuthorizationToken",
    }
    # docker push, and docker pull of the image that was approved
    docker = {
        "BatchCheckLayerAvailability",
        "CompleteLayerUpload",
        "InitiateLayerUpload",
        "PutImage",
        "UploadLayerPart",
    }
    docker |= {"BatchGetImage", "GetDownloadUrlForLayer"}
    # when
    asked = {action for call, action in calls.items() if call in source} | {f"ecr:{action}" for action in docker}
    # then
    assert granted("DeployerRole", "lambda") | granted("DeployerRole", "ecr") == asked
    assert "TrainingRepository" not in json.dumps(role("DeployerRole"))


def test_the_builder_cannot_move_traffic() -> None:
    assert granted("BuilderRole", "lambda") == {"lambda:InvokeFunction"}
    assert [
        statement["Resource"]
        for statement in statements(role("BuilderRole")["Policies"])
        if statement["Action"] == "lambda:InvokeFunction"
    ] == [{"Ref": "LiveAlias"}]


@pytest.mark.parametrize(
    ("name", "subject"),
    [("BuilderRole", "ref:refs/heads/main"), ("DeployerRole", "environment:production")],
)
def test_github_gets_the_deployer_only_behind_its_approval(name: str, subject: str) -> None:
    # given
    (trust,) = [
        statement
        for statement in statements(resolve(role(name)["AssumeRolePolicyDocument"], {"FromGitHub": True}))
        if "Federated" in statement["Principal"]
    ]
    # then
    assert trust["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": {"Fn::Sub": f"repo:${{GitHubRepository}}:{subject}"},
    }
    assert "Federated" not in json.dumps(resolve(role(name), {}))
