"""The CloudFormation templates: they are valid, and grant nobody more than the work needs."""

from __future__ import annotations

import json
import re
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


# What IAM lets nobody limit to a resource.
UNLIMITED = {"ecr:GetAuthorizationToken", "logs:GetQueryResults", "cloudwatch:GetMetricStatistics"}


def test_every_template_is_tested() -> None:
    assert [path.name for path in TEMPLATES] == ["evidence.yaml", "monitor.yaml", "registry.yaml", "service.yaml"]


def test_cfn_lint_finds_nothing() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *TEMPLATES],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 0, found.stdout


def test_no_statement_names_every_resource_where_one_can_be_named(template: dict[str, Any]) -> None:
    for statement in statements(resolve(template, {})):
        if "*" in as_list(statement.get("Resource", [])) and "Principal" not in statement:  # a key's policy has one
            assert set(as_list(statement["Action"])) <= UNLIMITED


def test_every_alarm_reaches_the_topic_and_has_a_runbook() -> None:
    alarms = resources(read(ROOT / "infra" / "monitor.yaml"), "AWS::CloudWatch::Alarm")
    assert len(alarms) == 13
    headings = re.findall(r"^### (.+)$", (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8"), re.MULTILINE)
    for alarm in (alarm["Properties"] for alarm in alarms):
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}]
        name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${FunctionName}-")
        assert alarm["AlarmDescription"].endswith(f"Runbook: docs/monitoring.md#{name}")
        assert name in headings


def test_the_monitor_counts_asks_and_moves_the_alias_and_no_more() -> None:
    role = read(ROOT / "infra" / "monitor.yaml")["Resources"]["MonitorRole"]
    (policy,) = role["Properties"]["Policies"]
    granted = {
        action: json.dumps(statement["Resource"])
        for statement in statements(policy)
        for action in as_list(statement["Action"])
    }
    assert granted.keys() == {
        *("logs:CreateLogStream", "logs:PutLogEvents", "logs:StartQuery", "logs:GetQueryResults"),
        *("cloudwatch:GetMetricStatistics", "lambda:GetAlias", "lambda:UpdateAlias"),
        *("lambda:GetFunctionConfiguration", "lambda:InvokeFunction"),
    }
    assert granted["lambda:InvokeFunction"].endswith('function:${FunctionName}:${AliasName}"}')
    assert all(
        "${FunctionName}" in where or "MonitorLogGroup" in where
        for action, where in granted.items()
        if action not in UNLIMITED
    )


def test_no_statement_has_a_wildcard_in_an_action_or_lists_exceptions(template: dict[str, Any]) -> None:
    found = list(statements(template))
    assert found
    for statement in found:
        if statement["Effect"] == "Deny":
            continue
        assert not {"NotAction", "NotResource", "NotPrincipal"} & set(statement)
        assert not [action for action in as_list(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("public", [pytest.param(False, id="by default"), pytest.param(True, id="PublicUrl")])
def test_the_public_may_call_only_if_the_parameter_says_so(template: dict[str, Any], public: bool) -> None:
    # given
    resolved = resolve(template, {"IsPublic": public})
    # when
    principals = [statement.get("Principal") for statement in statements(resolved) if statement["Effect"] == "Allow"]
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
        "lambda list-aliases": "lambda:ListAliases",
        "lambda list-versions-by-function": "lambda:ListVersionsByFunction",
        "lambda delete-function": "lambda:DeleteFunction",
        "ecr batch-delete-image": "ecr:BatchDeleteImage",
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


def test_the_deployer_deletes_versions_and_never_the_function() -> None:
    (deletion,) = [
        statement
        for statement in statements(role("DeployerRole")["Policies"])
        if "lambda:DeleteFunction" in as_list(statement["Action"])
    ]
    assert deletion["Action"] == "lambda:DeleteFunction"
    assert deletion["Resource"] == {"Fn::Sub": "${Function.Arn}:*"}


def test_builder_and_deployer_share_only_what_pushing_and_asking_needs() -> None:
    shared = {
        action
        for service in ("lambda", "ecr", "s3", "kms")
        for action in granted("BuilderRole", service) & granted("DeployerRole", service)
    }
    pushing = {
        "BatchCheckLayerAvailability",
        "CompleteLayerUpload",
        "InitiateLayerUpload",
        "PutImage",
        "UploadLayerPart",
    }
    pulling = {"BatchGetImage", "GetDownloadUrlForLayer", "DescribeImages", "DescribeRepositories"}
    assert shared == {
        "lambda:InvokeFunction",
        "ecr:GetAuthorizationToken",
        *(f"ecr:{action}" for action in pushing | pulling),
    }


def evaluate(node: Any, parameters: dict[str, str]) -> Any:
    """A condition's or a rule's value for these parameters, as CloudFormation computes it."""
    if isinstance(node, dict):
        ((function, arguments),) = node.items()
        if function == "Ref":
            return parameters[arguments]
        values = [evaluate(argument, parameters) for argument in arguments]
        match function:
            case "Fn::Equals":
                return str(values[0]) == str(values[1])
            case "Fn::Not":
                return not values[0]
            case "Fn::And":
                return all(values)
            case "Fn::Or":
                return any(values)
        raise AssertionError(f"unknown function {function}")
    return node


def conditions_of(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, bool]:
    return {name: evaluate(node, parameters) for name, node in template["Conditions"].items()}


def refused_by(template: dict[str, Any], parameters: dict[str, str]) -> set[str]:
    """The rules that refuse these parameters."""
    return {
        name
        for name, rule in template["Rules"].items()
        if evaluate(rule.get("RuleCondition", True), parameters)
        and not all(evaluate(assertion["Assert"], parameters) for assertion in rule["Assertions"])
    }


def named(**given: str) -> dict[str, str]:
    """The parameters that say who may assume which role, and how the public is limited."""
    nobody = dict.fromkeys(
        ("BuilderPrincipalArn", "DeployerPrincipalArn", "ApproverPrincipalArn", "GitHubRepository"), ""
    )
    numbers = {"GitHubOwnerId": "", "GitHubRepositoryId": ""}
    rest = {"PublicUrl": "false", "ReservedConcurrency": "-1", "LogGroupExists": "false", "LogKmsKeyArn": ""}
    roles = {"BuilderRoleArn": "arn:builder", "DeployerRoleArn": "arn:deployer"}
    return {**nobody, **numbers, **rest, **roles, **given}


SERVICE, EVIDENCE = (read(ROOT / "infra" / f"{name}.yaml") for name in ("service", "evidence"))
# The template, the role, the parameter that names its principal, and what its job's token says.
ROLES = [
    (SERVICE, "BuilderRole", "BuilderPrincipalArn", "ref:refs/heads/main"),
    (SERVICE, "DeployerRole", "DeployerPrincipalArn", "environment:production"),
    (EVIDENCE, "ApproverRole", "ApproverPrincipalArn", "environment:approval"),
]
GITHUB = [
    {},
    {"GitHubRepository": "bank/cards"},
    {"GitHubRepository": "bank/cards", "GitHubOwnerId": "12", "GitHubRepositoryId": "345"},
]


def trusted(template: dict[str, Any], name: str, parameters: dict[str, str]) -> tuple[list[Any], list[str]]:
    """The AWS principals that a role trusts, and the subjects of GitHub's tokens."""
    document = template["Resources"][name]["Properties"]["AssumeRolePolicyDocument"]
    resolved = resolve(document, conditions_of(template, parameters))
    principals, subjects = [], []
    for statement in statements(resolved):
        if "AWS" in statement["Principal"]:
            assert statement["Action"] == "sts:AssumeRole"
            principals.append(statement["Principal"]["AWS"])
            continue
        condition = statement["Condition"]["StringEquals"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert set(statement["Condition"]) == {"StringEquals"}
        assert condition["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
        given = condition["token.actions.githubusercontent.com:sub"]
        subjects += [text_of(subject["Fn::Sub"], parameters) for subject in given if "Fn::Sub" in subject]
    return principals, subjects


def text_of(substituted: Any, parameters: dict[str, str]) -> str:
    """What Fn::Sub makes of a text and of its own variables."""
    text, own = substituted if isinstance(substituted, list) else (substituted, {})
    values = dict(parameters)
    for name, node in own.items():
        place, split = node["Fn::Select"]
        separator, whole = split["Fn::Split"]
        values[name] = evaluate(whole, parameters).split(separator)[int(place)]
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return str(text)


@pytest.mark.parametrize("github", GITHUB, ids=["no GitHub", "GitHub", "GitHub with numbers"])
@pytest.mark.parametrize("principal", ["", "arn:aws:iam::1:role/pipeline"], ids=["nobody", "somebody"])
@pytest.mark.parametrize(("template", "name", "parameter", "subject"), ROLES, ids=[role[1] for role in ROLES])
def test_nobody_but_those_who_are_named_may_assume_a_role(
    template: dict[str, Any], name: str, parameter: str, subject: str, principal: str, github: dict[str, str]
) -> None:
    parameters = named(**github, **{parameter: principal})
    assert not refused_by(template, parameters)

    principals, subjects = trusted(template, name, parameters)

    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    if principal:
        assert principals == [{"Ref": parameter}]
    else:
        assert principals == ([] if github else [root])
    forms = {
        0: [],
        1: [f"repo:bank/cards:{subject}"],
        3: [f"repo:bank/cards:{subject}", f"repo:bank@12/cards@345:{subject}"],
    }
    assert subjects == forms[len(github)]


@pytest.mark.parametrize(
    ("template", "given", "rule"),
    [
        (SERVICE, {"BuilderPrincipalArn": "arn:a", "DeployerPrincipalArn": "arn:a"}, "TwoPrincipals"),
        (SERVICE, {"GitHubRepository": "a/b", "GitHubOwnerId": "1"}, "BothNumbersOrNeither"),
        (SERVICE, {"GitHubRepository": "a/b", "GitHubRepositoryId": "1"}, "BothNumbersOrNeither"),
        (SERVICE, {"GitHubOwnerId": "1", "GitHubRepositoryId": "1"}, "BothNumbersOrNeither"),
        (SERVICE, {"PublicUrl": "true"}, "PublicIsLimited"),
        (EVIDENCE, {"GitHubRepository": "a/b", "GitHubOwnerId": "1"}, "BothNumbersOrNeither"),
        (EVIDENCE, {"ApproverPrincipalArn": "arn:builder"}, "ApproverIsAThird"),
        (EVIDENCE, {"ApproverPrincipalArn": "arn:deployer"}, "ApproverIsAThird"),
        (EVIDENCE, {"BuilderRoleArn": "arn:deployer"}, "TwoRoles"),
    ],
)
def test_parameters_that_contradict_the_separation_are_refused(
    template: dict[str, Any], given: dict[str, str], rule: str
) -> None:
    assert refused_by(template, named(**given)) == {rule}


@pytest.mark.parametrize(
    "given",
    [
        {"BuilderPrincipalArn": "arn:a", "DeployerPrincipalArn": "arn:b"},
        {"BuilderPrincipalArn": "arn:a"},
        {"PublicUrl": "true", "ReservedConcurrency": "5"},
    ],
)
def test_other_parameters_are_taken(given: dict[str, str]) -> None:
    assert refused_by(SERVICE, named(**given)) == set()


def test_records_are_kept_for_25_months_by_default() -> None:
    """12 CFR 1002.12(b)."""
    for template, name in ((SERVICE, "LogRetentionDays"), (EVIDENCE, "RetentionDays")):
        assert template["Parameters"][name]["Default"] >= 762


def test_evidence_at_rest_can_be_neither_read_by_the_public_nor_changed_nor_deleted() -> None:
    bucket = EVIDENCE["Resources"]["EvidenceBucket"]
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["ObjectLockEnabled"] is True
    retention = properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": {"Ref": "RetentionMode"}, "Days": {"Ref": "RetentionDays"}}
    assert EVIDENCE["Parameters"]["RetentionMode"]["Default"] == "COMPLIANCE"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    found = {statement["Sid"]: statement for statement in statements(EVIDENCE["Resources"]["EvidencePolicy"])}
    assert found["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert found["TlsOnly"]["Effect"] == "Deny"
    denied = found["NobodyWhoBuildsReleasesOrApprovesDeletes"]
    assert denied["Effect"] == "Deny"
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"} <= set(denied["Action"])
    assert {"Ref": "BuilderRoleArn"} in denied["Principal"]["AWS"]


def test_only_the_approver_writes_what_was_approved_and_signs() -> None:
    writers = {
        json.dumps(statement["Principal"]["AWS"])
        for statement in statements(EVIDENCE["Resources"])
        if statement["Effect"] == "Allow"
        for resource in as_list(statement.get("Resource", []))
        if "s3:PutObject" in as_list(statement["Action"]) and "evidence.zip" in json.dumps(resource)
    }
    signers = {
        json.dumps(statement["Principal"]["AWS"])
        for statement in statements(EVIDENCE["Resources"])
        if "kms:Sign" in as_list(statement["Action"])
    }
    assert writers == signers == {json.dumps({"Fn::GetAtt": "ApproverRole.Arn"})}
    assert "kms" not in json.dumps(SERVICE["Resources"]["BuilderRole"])


@pytest.mark.parametrize(
    ("arn", "taken"),
    [
        ("arn:aws:iam::123456789012:role/pipeline", True),
        ("arn:aws:iam::123456789012:role/path/of/pipeline", True),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/a/b", True),
        ("", True),
        ("arn:aws:iam::123456789012:root", False),
        ("123456789012", False),
        ("*", False),
        ("arn:aws:iam::123456789012:role/*", False),
    ],
)
def test_a_principal_is_one_role_user_or_session(arn: str, taken: bool) -> None:
    for template, name in (
        (SERVICE, "BuilderPrincipalArn"),
        (SERVICE, "DeployerPrincipalArn"),
        (EVIDENCE, "ApproverPrincipalArn"),
    ):
        assert bool(re.match(template["Parameters"][name]["AllowedPattern"], arn)) is taken
