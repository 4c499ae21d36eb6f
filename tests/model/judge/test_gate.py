"""The policy: each rule denies its own case, and a missing figure is denied."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from model.applicant import Applicant
from model.errors import GateError
from model.judge.gate import POLICY, Verdict, champion_figures, gate_question, judge
from model.judge.limits import limits_of
from tests.serving import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = ROOT / "tests" / "policy"
RULES = {"limits", "accuracy", "sensitive", "equal_opportunity", "group_size", "parity", "monotonicity", "champion"}
# Values that are not numbers, which a figure could be replaced with.
NOT_NUMBERS: tuple[Any, ...] = (None, "0", "", True, [], {}, [0.95])


def question(name: str) -> dict[str, Any]:
    """An input for the policy, as in gate.json."""
    policy_input: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return policy_input


def denied(policy_input: dict[str, Any]) -> set[str]:
    """The rules that deny."""
    return {rule for rule, _ in judge(policy_input).denials}


def paths(node: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of the numbers that the policy may read."""
    found = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += paths(value, (*before, key))
        elif not isinstance(value, str):
            found.append((*before, key))
    return found


# Figures that no rule reads.
UNUSED = {"rows", "edge_rows", "low", "high"}
USED = [path for path in paths(question("passes")) if path[-1] not in UNUSED or path == ("parity", "rows")]


def put(policy_input: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy with one value replaced, or removed if it is `...`."""
    changed = copy.deepcopy(policy_input)
    node = changed
    for key in path[:-1]:
        node = node[key]
    if value is ...:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return changed


def test_every_rule_of_the_policy_has_its_fixture() -> None:
    written = set(re.findall(r'"rule": "(\w+)"', POLICY.read_text(encoding="utf-8")))
    assert written == RULES
    assert {path.stem for path in FIXTURES.glob("*.json")} == RULES | {"passes"}


def test_sound_model_passes() -> None:
    assert judge(question("passes")) == Verdict(())
    assert judge({**question("passes"), "champion": None}).passed


@pytest.mark.parametrize("rule", sorted(RULES))
def test_only_the_rule_itself_denies_its_fixture(rule: str) -> None:
    verdict = judge(question(rule))
    assert not verdict.passed
    assert [name for name, _ in verdict.denials] == [rule]
    assert all(message for _, message in verdict.denials)


@pytest.mark.parametrize("path", USED, ids=".".join)
def test_figure_that_is_missing_or_not_a_number_denies(path: tuple[str, ...]) -> None:
    policy_input = question("passes")
    for value in (..., *NOT_NUMBERS):
        assert denied(put(policy_input, path, value)), f"{path} = {value!r} passed"


@pytest.mark.parametrize("path", USED, ids=".".join)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=repr)
def test_figure_that_is_not_finite_never_passes(path: tuple[str, ...], value: float) -> None:
    with pytest.raises(GateError):
        judge(put(question("passes"), path, value))


@pytest.mark.parametrize("section", ["limits", "metrics", "parity", "monotonicity", "champion"])
@pytest.mark.parametrize("value", [..., {}, [], "text", 1], ids=repr)
def test_missing_or_malformed_section_denies(section: str, value: object) -> None:
    assert denied(put(question("passes"), (section,), value))


@pytest.mark.parametrize("groups", [{"Group": {}}, {"Group": None}, {"Group": []}], ids=repr)
def test_model_that_was_not_judged_by_its_groups_is_denied(groups: object) -> None:
    assert denied(put(question("passes"), ("metrics", "groups"), groups)) == {"equal_opportunity", "group_size"}


@pytest.mark.parametrize("groups", [..., {}, [], None, "Group", 1, [{"smallest_group": 10**6}]], ids=repr)
def test_model_without_a_sensitive_column_is_denied_for_that_alone(groups: object) -> None:
    # given: no groups to compare, and a model in service
    policy_input = put(question("passes"), ("metrics", "equal_opportunity_gap"), None)

    # when
    found = denied(put(policy_input, ("metrics", "groups"), groups))

    # then: no rule denies for groups that do not exist
    assert found == {"sensitive"}


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        pytest.param({"directed_fields": 0, "pairs": 0, "violations": 0}, True, id="no-field-has-a-direction"),
        pytest.param({"directed_fields": 2, "pairs": 0, "violations": 0}, False, id="nothing-could-be-compared"),
        pytest.param({"pairs": 0, "violations": 0}, False, id="reason-missing"),
        pytest.param({"directed_fields": 0, "pairs": 9, "violations": 0}, False, id="contradiction"),
        pytest.param({"directed_fields": -1, "pairs": 9, "violations": 0}, False, id="not-a-count"),
    ],
)
def test_no_pairs_pass_only_where_no_field_has_a_direction(found: dict[str, int], passes: bool) -> None:
    assert denied(put(question("passes"), ("monotonicity",), found)) == (set() if passes else {"monotonicity"})


@pytest.mark.parametrize(
    ("path", "at", "beyond"),
    [
        (("metrics", "accuracy"), 0.9, 0.8999999),
        (("metrics", "groups", "Group", "equal_opportunity_difference", "value"), 0.21, 0.2100001),
        (("metrics", "groups", "Age", "smallest_group"), 1000, 999),
        (("parity", "largest_difference"), 1e-9, 1.1e-9),
        (("parity", "rows"), 1, 0),
        (("monotonicity", "pairs"), 1, 0),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_limit_itself_still_passes(path: tuple[str, ...], at: float, beyond: float) -> None:
    policy_input = {**question("passes"), "champion": None}
    assert judge(put(policy_input, path, at)).passed
    assert not judge(put(policy_input, path, beyond)).passed


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        pytest.param({"accuracy": 0.931}, True, id="a-little-less-accurate"),
        pytest.param({"accuracy": 0.9321}, False, id="less-accurate"),
        pytest.param({"equal_opportunity_gap": 0.196}, True, id="a-little-wider-gap"),
        pytest.param({"equal_opportunity_gap": 0.194}, False, id="wider-gap"),
    ],
)
def test_model_must_not_be_worse_than_the_champion(change: dict[str, float], passes: bool) -> None:
    policy_input = question("passes")
    policy_input["champion"] |= change
    assert denied(policy_input) == (set() if passes else {"champion"})


@pytest.mark.parametrize(
    "text",
    ["", "package other", "package model_gate\nsyntax error", "package model_gate\nallow := true"],
    ids=["empty", "another-package", "broken", "no-denials"],
)
def test_policy_that_cannot_be_evaluated_never_passes(text: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.rego"
    policy.write_text(text)
    with pytest.raises(GateError):
        judge(question("passes"), policy)


def test_policy_that_contradicts_itself_never_passes(tmp_path: Path) -> None:
    for text in (
        "default allow := true\ndeny contains {'rule': 'a', 'message': 'b'}",
        "default allow := false\ndeny := set()",
    ):
        policy = tmp_path / "policy.rego"
        policy.write_text("package model_gate\nimport rego.v1\n" + text.replace("'", '"'))
        with pytest.raises(GateError):
            judge(question("passes"), policy)


@pytest.mark.parametrize(
    "denials",
    ['{"text"}', '{{"message": "no rule"}}', '{{"rule": "no message"}}', "7"],
    ids=["bare-text", "no-rule", "no-message", "not-a-set"],
)
def test_policy_with_malformed_denials_never_passes(denials: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.rego"
    policy.write_text(f"package model_gate\nimport rego.v1\ndefault allow := false\ndeny := {denials}\n")
    with pytest.raises(GateError):
        judge(question("passes"), policy)


def test_missing_policy_never_passes(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        judge(question("passes"), tmp_path / "nowhere.rego")


@pytest.mark.parametrize("broken", [{}, [], {"metrics": {}}], ids=repr)
def test_manifest_without_figures_cannot_be_judged(broken: Any) -> None:
    with pytest.raises(GateError):
        gate_question(broken, limits_of(Applicant), None)


@pytest.mark.parametrize("champion", [{}, [], "text"], ids=repr)
def test_champion_without_figures_cannot_be_compared_with(champion: Any) -> None:
    with pytest.raises(GateError):
        champion_figures(champion)


def test_default_limits_are_those_of_the_policy_fixtures() -> None:
    assert question("passes")["limits"].items() <= limits_of(Applicant).items()
