"""The policy: each rule denies its own case, and nothing that is missing or malformed passes."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.applicant import Applicant
from model.contract.carried import contract_as_data
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from model.errors import GateError
from model.judge.gate import POLICY, Verdict, gate_question, judge, judge_limits
from model.judge.limits import limits_of
from tests.serving import ROOT
from tests.trainings import MIXED

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = ROOT / "tests" / "policy"
RULES = set(re.findall(r'"rule": "(\w+)"', POLICY.read_text(encoding="utf-8")))
# Values that are not numbers, which a figure could be replaced with.
NOT_NUMBERS: tuple[Any, ...] = (None, "0", True)
GAP = ("metrics", "groups", "Group", "equal_opportunity_difference")
YOUNG = ("metrics", "groups", "Age", "by_group", "under 25")


def question(name: str) -> dict[str, Any]:
    """An input for the policy, as in gate.json."""
    policy_input: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return policy_input


PASSES = question("passes")


def denied(policy_input: dict[str, Any]) -> set[str]:
    """The rules that deny."""
    return {rule for rule, _ in judge(policy_input).denials}


def messages(policy_input: dict[str, Any]) -> str:
    """What the rules say, a line each."""
    return "\n".join(message for _, message in judge(policy_input).denials)


def paths(node: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of everything in a document, the parts before the whole."""
    found = []
    for key, value in node.items():
        if isinstance(value, dict):
            found += paths(value, (*before, key))
        found.append((*before, key))
    return found


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


def at(policy_input: dict[str, Any], path: tuple[str, ...]) -> Any:
    """The value at a path."""
    node = policy_input
    for key in path:
        node = node[key]
    return node


# What only the messages read: a model is never judged by it.
TOLD = {
    ("identity",),
    ("metrics", "intervals", "roc_auc", "high"),
    ("metrics", "confusion", "false_approve"),
    ("metrics", "confusion", "true_deny"),
    ("metrics", "calibration_fit", "intercept"),
    *(("metrics", "calibration_fit", "slope", end) for end in ("low", "high")),
    *(("metrics", "brier_skill", end) for end in ("value", "high")),
    *(("metrics", "skill", key) for key in ("measure", "constant", "value", "constant_value")),
    *(("metrics", "skill", "difference", end) for end in ("value", "high")),
    ("metrics", "equal_opportunity_gap"),
    ("leakage", "twin_share"),
    ("parity", "edge_rows"),
    ("champion", "model_version"),
}
TOLD_OF_A_GROUP = {"approval_rate", "true_positive_rate", "accuracy"}
TOLD_OF_A_GAP = {"value", "low", "lowest", "highest"}


def is_judged_by(path: tuple[str, ...]) -> bool:
    """Whether a rule reads the number at a path."""
    if not isinstance(at(PASSES, path), int | float) or isinstance(at(PASSES, path), bool) or path in TOLD:
        return False
    if path[:2] == ("metrics", "groups"):
        return path[-1] not in TOLD_OF_A_GROUP | TOLD_OF_A_GAP
    # The ends of the champion's intervals count for groups only, and there the upper end.
    if path[0] == "champion":
        return path[-1] == ("high" if "groups" in path else "value") or path[-1] == "gap"
    return True


JUDGED = [path for path in paths(PASSES) if is_judged_by(path)]


def test_every_rule_of_the_policy_has_its_fixture() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == RULES | {"passes"}


def test_sound_model_passes() -> None:
    assert judge(PASSES) == Verdict(())


def test_sound_model_passes_where_none_is_in_service() -> None:
    alone = put(PASSES, ("contract", "champion"), None)
    assert judge({**alone, "champion": None}).passed


@pytest.mark.parametrize("rule", sorted(RULES))
def test_only_the_rule_itself_denies_its_fixture(rule: str) -> None:
    verdict = judge(question(rule))
    assert {name for name, _ in verdict.denials} == {rule}
    assert all(message and "\n" not in message and "missing" not in message for _, message in verdict.denials)


@pytest.mark.parametrize("path", JUDGED, ids=".".join)
def test_figure_that_is_missing_or_not_a_number_denies(path: tuple[str, ...]) -> None:
    # Data may be of unknown age.
    for value in (..., *(value for value in NOT_NUMBERS if path != ("data_age_days",) or value is not None)):
        assert denied(put(PASSES, path, value)), f"{path} = {value!r} passed"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=repr)
def test_figure_that_is_not_finite_never_passes(value: float) -> None:
    for path in JUDGED:
        with pytest.raises(GateError):
            judge(put(PASSES, path, value))


@given(st.sampled_from(sorted(RULES)), st.sampled_from(paths(PASSES)))
@settings(max_examples=80)
def test_nothing_that_is_removed_turns_a_denial_into_a_pass(rule: str, path: tuple[str, ...]) -> None:
    # Given a question that a rule denies, and anything in it; a rule may have replaced it
    policy_input = question(rule)
    try:
        at(policy_input, path)
    except (KeyError, TypeError):
        return
    # Only a limit of unknown name, a whole field, or a column of groups is better left out.
    assert denied(put(policy_input, path, ...)) or path[:-1] in {("leakage", "fields"), ("metrics", "groups")}


@given(st.sampled_from(JUDGED), st.sampled_from(JUDGED), st.sampled_from((..., *NOT_NUMBERS)))
@settings(max_examples=40)
def test_two_faults_are_no_better_than_one(one: tuple[str, ...], other: tuple[str, ...], value: object) -> None:
    assert denied(put(put(PASSES, one, value if one != ("data_age_days",) else ...), other, "0"))


@pytest.mark.parametrize("section", [key for key in PASSES if key not in ("identity", "no_sensitive_reason")])
@pytest.mark.parametrize("value", [..., {}, [], "text", True], ids=repr)
def test_missing_or_malformed_section_denies(section: str, value: object) -> None:
    assert denied(put(PASSES, (section,), value))


@pytest.mark.parametrize("name", [name for name in PASSES["limits"] if name != "cutoff"])
@pytest.mark.parametrize("value", [-1, 5_000_001, "0.9", None, True, ...], ids=repr)
def test_limit_outside_its_range_is_named(name: str, value: object) -> None:
    found = judge_limits(put(PASSES, ("limits", name), value)["limits"])
    assert [rule for rule, _ in found.denials] == ["limits"]
    assert found.denials[0][1].startswith(f"{name} is ")


@pytest.mark.parametrize("value", [-1, 9, 0, 5, 1e9])
def test_limits_that_are_all_the_same_are_denied(value: float) -> None:
    limits: Any = {**dict.fromkeys(PASSES["limits"], value), "cutoff": {"by": "accuracy"}}
    assert not judge_limits(limits).passed


def test_limit_of_unknown_name_is_denied() -> None:
    found = judge_limits(put(PASSES, ("limits", "minimum_acuracy"), 0.9)["limits"])
    assert [message.split(" is ")[0] for _, message in found.denials] == ["minimum_acuracy"]


def test_limits_that_contradict_each_other_are_denied() -> None:
    limits = PASSES["limits"] | {"minimum_roc_auc": 0.95, "maximum_roc_auc": 0.9}
    assert "no model can pass" in judge_limits(limits).denials[0][1]
    limits = PASSES["limits"] | {"warn_age_days": 40}
    assert "nobody would be warned" in judge_limits(limits).denials[0][1]


def test_ends_of_the_ranges_are_allowed() -> None:
    policy = POLICY.read_text(encoding="utf-8")
    ranges = re.findall(r'"(\w+)": \[([\d.]+), ([\d.]+)\]', policy)
    assert {name for name, _, _ in ranges} | {"cutoff"} == set(PASSES["limits"])
    for end in (1, 2):
        limits: Any = {found[0]: float(found[end]) for found in ranges} | {"cutoff": {"by": "accuracy"}}
        assert judge_limits(limits).passed


@pytest.mark.parametrize(
    ("cutoff", "passes"),
    [
        ({"by": "accuracy"}, True),
        ({"by": "cost", "false_approve": 5, "false_deny": 1}, True),
        ({"by": "bad_share", "at_most": 0.05}, True),
        ({"by": "approved_share", "share": 0.4}, True),
        ({"by": "value", "cutoff": 0.5}, True),
        ({"by": "accuracy", "at_most": 0.05}, False),
        ({"by": "cost", "false_approve": 5}, False),
        ({"by": "cost", "false_approve": 0, "false_deny": 1}, False),
        ({"by": "cost", "false_approve": 5, "false_deny": "1"}, False),
        ({"by": "cost", "false_approve": 5, "false_deny": 1, "share": 0.4}, False),
        ({"by": "bad_share", "at_most": 0}, False),
        ({"by": "bad_share", "share": 0.05}, False),
        ({"by": "approved_share", "share": 1}, False),
        ({"by": "approved_share", "share": True}, False),
        ({"by": "value", "cutoff": 1.5}, False),
        ({"by": "luck"}, False),
        ({"by": ["accuracy"]}, False),
        ({}, False),
        ("accuracy", False),
        (None, False),
        (..., False),
    ],
    ids=repr,
)
def test_cutoff_rule_must_be_known_and_complete(cutoff: object, passes: bool) -> None:
    found = judge_limits(put(PASSES, ("limits", "cutoff"), cutoff)["limits"])
    assert found.passed == passes
    assert all("cutoff is " in message for _, message in found.denials)


@pytest.mark.parametrize("word", ['say "x"', "back\\slash", "new\nline", "Zür ☃", "%s", "{", ""])
def test_any_text_can_be_told(word: str) -> None:
    # Names of groups come from the data: none may keep a denial from being told
    policy_input = put(PASSES, ("metrics", "groups", "Age", "by_group", word), {"rows": 9, "creditworthy": 9})
    assert f"the group '{word}' has 9 rows" in messages(policy_input)


@pytest.mark.parametrize("groups", [{"Group": {}}, {"Group": None}, {"Group": []}], ids=repr)
def test_model_that_was_not_judged_by_its_groups_is_denied(groups: object) -> None:
    found = denied(put(PASSES, ("metrics", "groups"), groups))
    assert found == {"known_groups", "group_size", "equal_opportunity"}


@pytest.mark.parametrize("groups", [..., {}, [], None, "Group", 1, [{"smallest_group": 10**6}]], ids=repr)
def test_model_without_a_sensitive_column_is_denied_for_that_alone(groups: object) -> None:
    # Given no groups to compare, and a model in service
    policy_input = put(PASSES, ("champion", "gap"), None)

    # When the policy is asked
    found = denied(put(policy_input, ("metrics", "groups"), groups))

    # Then no rule denies for groups that do not exist
    assert found == {"sensitive"}


@pytest.mark.parametrize(
    ("reason", "groups", "passes"),
    [
        pytest.param("Companies have no sex or age.", {}, True, id="reason"),
        pytest.param(" \t", {}, False, id="blank"),
        pytest.param(True, {}, False, id="not-words"),
        pytest.param("Companies have no sex or age.", ..., False, id="groups-unknown"),
        pytest.param("Companies have no sex or age.", None, False, id="groups-malformed"),
    ],
)
def test_contract_may_say_why_it_has_no_sensitive_column(reason: object, groups: object, passes: bool) -> None:
    policy_input = put(put(PASSES, ("no_sensitive_reason",), reason), ("champion", "gap"), None)
    assert denied(put(policy_input, ("metrics", "groups"), groups)) == (set() if passes else {"sensitive"})


def test_reason_excuses_no_groups_that_are_there() -> None:
    policy_input = put(PASSES, ("no_sensitive_reason",), "No need.")
    assert denied(put(policy_input, (*GAP, "high"), 0.3)) == {"equal_opportunity"}


def test_upper_end_of_the_interval_counts_and_the_message_names_everything() -> None:
    found = messages(put(PASSES, (*GAP, "high"), 0.2346))
    assert found == (
        "Group: the gap between '0' (77 %) and '1' (96 %) is 19 points, and may be as large as 23.5 (upper end of its "
        "95 % interval); the limit is 21. Choose another cut-off rule, look for alternatives (python -m model "
        "alternatives), or bring more rows of the smaller group"
    )


def test_missing_figure_is_said_to_be_missing() -> None:
    assert "how large the gap between groups is cannot be told" in messages(put(PASSES, GAP, {}))
    assert "the accuracy on the hold-out is missing" in messages(put(PASSES, ("metrics", "accuracy"), ...))


def test_each_group_that_is_too_small_is_named() -> None:
    found = messages(put(PASSES, YOUNG, {"rows": 9_000, "creditworthy": 5}))
    assert "the group 'under 25' has 9000 rows in the hold-out, 5 of them labelled approve" in found


def test_group_that_the_holdout_lacks_is_too_small() -> None:
    # Given a group of the training rows of which no row is in the hold-out
    policy_input = put(PASSES, ("leakage", "fields", "Income", "groups", "Age", "over 90"), 0.01)
    assert denied(policy_input) == {"group_size"}


def test_group_cannot_be_left_out() -> None:
    assert denied(put(PASSES, YOUNG, ...)) == {"group_size"}


@pytest.mark.parametrize(("age", "passes"), [(None, True), (0, True), (-1, False), (1825, True), (1826, False)])
def test_data_must_be_recent_where_its_age_is_known(age: int | None, passes: bool) -> None:
    assert denied(put(PASSES, ("data_age_days",), age)) == (set() if passes else {"data_age"})


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        pytest.param({"directed_fields": 0, "pairs": 0, "violations": 0}, True, id="no-field-has-a-direction"),
        pytest.param({"directed_fields": 2, "pairs": 0, "violations": 0}, False, id="nothing-could-be-compared"),
        pytest.param(
            {"method": "tables", "directed_fields": 2, "pairs": 0, "violations": 0}, True, id="no-neighbouring-bins"
        ),
        pytest.param({"method": "tables", "directed_fields": 2, "pairs": 9, "violations": 1}, False, id="violation"),
        pytest.param({"pairs": 0, "violations": 0}, False, id="reason-missing"),
        pytest.param({"directed_fields": 0, "pairs": 9, "violations": 0}, False, id="contradiction"),
        pytest.param({"directed_fields": -1, "pairs": 9, "violations": 0}, False, id="not-a-count"),
    ],
)
def test_no_pairs_pass_only_where_there_is_nothing_to_compare(found: dict[str, Any], passes: bool) -> None:
    assert denied(put(PASSES, ("monotonicity",), found)) == (set() if passes else {"monotonicity"})


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        pytest.param({"method": "tables", "denials": 0, "without_reason": 0}, True, id="proved"),
        pytest.param({"method": "tables", "denials": 0, "without_reason": 1}, False, id="not-proved"),
        pytest.param({"method": "sampled", "denials": 9, "without_reason": 0}, True, id="all-have-one"),
        pytest.param({"method": "sampled", "denials": 0, "without_reason": 0}, False, id="nobody-was-denied"),
        pytest.param({"denials": 9, "without_reason": 0}, False, id="method-unknown"),
    ],
)
def test_every_denial_must_be_shown_to_have_a_reason(found: dict[str, Any], passes: bool) -> None:
    assert denied(put(PASSES, ("explained",), found)) == (set() if passes else {"reasons"})


@pytest.mark.parametrize(
    ("path", "within", "beyond"),
    [
        (("metrics", "skill", "difference", "low"), 1e-6, 0),
        (("metrics", "intervals", "roc_auc", "low"), 0.6, 0.5999),
        (("metrics", "calibration_fit", "slope", "value"), 0.8, 0.7999),
        (("metrics", "calibration_fit", "slope", "value"), 1.25, 1.2501),
        (("metrics", "brier_skill", "low"), 0.01, 0.0099),
        (("metrics", "accuracy"), 0.9, 0.8999999),
        (("metrics", "approval_rate"), 0.692, 0.694),
        (("metrics", "approval_rate"), 0.194, 0.192),
        (("metrics", "groups", "Age", "rows_without_group"), 20_000, 20_001),
        ((*YOUNG, "rows"), 1000, 999),
        ((*YOUNG, "creditworthy"), 30, 29),
        ((*GAP, "high"), 0.21, 0.2100001),
        (("leakage", "copied_share"), 0.1, 0.1001),
        (("leakage", "fields", "Income", "outcome"), 0.9, 0.9001),
        (("metrics", "roc_auc"), 0.995, 0.9951),
        (("leakage", "fields", "Income", "groups", "Group", "0"), 0.5, 0.5001),
        (("data_age_days",), 1825, 1826),
        (("parity", "largest_difference"), 1e-9, 1.1e-9),
        (("parity", "rows"), 1, 0),
        (("monotonicity", "pairs"), 1, -1),
        (("explained", "without_reason"), 0, 1),
        (("champion", "roc_auc", "value"), -0.005, -0.0051),
        (("champion", "accuracy", "value"), -0.005, -0.0051),
        (("champion", "gap"), 0.005, 0.0051),
        (("champion", "groups", "Age", "under 25", "high"), -0.005, -0.0051),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_limit_itself_still_passes(path: tuple[str, ...], within: float, beyond: float) -> None:
    def passes(value: float) -> bool:
        changed = put(PASSES, path, value)
        if path[:-1] == YOUNG:
            smallest = {"rows": "smallest_group", "creditworthy": "smallest_creditworthy"}[path[-1]]
            changed = put(changed, ("metrics", "groups", "Age", smallest), value)
        return judge(changed).passed

    assert passes(within)
    assert not passes(beyond)


def test_groups_are_compared_where_both_models_decided_the_same_rows() -> None:
    lacking = put(PASSES, ("champion", "groups"), {})
    assert denied(lacking) == {"champion"}
    assert judge(put(lacking, ("champion", "same_rows"), False)).passed


@pytest.mark.parametrize(
    ("contract", "passes"),
    [
        ({"model": "a", "limits": "a", "champion": "a"}, True),
        ({"model": "a", "limits": "b", "champion": "a"}, False),
        ({"model": "a", "limits": "a", "champion": "b"}, False),
        ({"model": "a", "limits": "a", "champion": None}, False),
        ({"model": None, "limits": None, "champion": None}, False),
        ({}, False),
    ],
    ids=repr,
)
def test_limits_and_champion_must_be_of_the_models_own_contract(contract: dict[str, Any], passes: bool) -> None:
    assert denied(put(PASSES, ("contract",), contract)) == (set() if passes else {"contract"})


@pytest.mark.parametrize(
    "text",
    ["", "package other", "package model_gate\nsyntax error", "package model_gate\nallow := true"],
    ids=["empty", "another-package", "broken", "no-denials"],
)
def test_policy_that_cannot_be_evaluated_never_passes(text: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.rego"
    policy.write_text(text)
    with pytest.raises(GateError):
        judge(PASSES, policy)


def test_policy_that_contradicts_itself_never_passes(tmp_path: Path) -> None:
    for text in (
        "default allow := true\ndeny contains {'rule': 'a', 'message': 'b'}",
        "default allow := false\ndeny := set()",
    ):
        policy = tmp_path / "policy.rego"
        policy.write_text("package model_gate\nimport rego.v1\n" + text.replace("'", '"'))
        with pytest.raises(GateError):
            judge(PASSES, policy)


@pytest.mark.parametrize(
    "denials",
    ['{"text"}', '{{"message": "no rule"}}', '{{"rule": "no message"}}', "7"],
    ids=["bare-text", "no-rule", "no-message", "not-a-set"],
)
def test_policy_with_malformed_denials_never_passes(denials: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.rego"
    policy.write_text(f"package model_gate\nimport rego.v1\ndefault allow := false\ndeny := {denials}\n")
    with pytest.raises(GateError):
        judge(PASSES, policy)


def test_missing_policy_never_passes(tmp_path: Path) -> None:
    with pytest.raises(GateError):
        judge(PASSES, tmp_path / "nowhere.rego")


def manifest(**changes: Any) -> Any:
    """A manifest of the default contract, as far as the question goes."""
    figures = {key: PASSES[key] for key in ("metrics", "leakage", "parity", "monotonicity", "explained")}
    contract = contract_as_data(Applicant, fields_of(Applicant))
    whole = {
        "identity": "v",
        "contract": contract,
        "data": {"dated": None},
        "no_sensitive_reason": None,
        **figures,
    }
    return {**whole, **changes}


@pytest.mark.parametrize("key", list(manifest()))
def test_manifest_without_figures_cannot_be_judged(key: str) -> None:
    lacking = {name: value for name, value in manifest().items() if name != key}
    with pytest.raises(GateError, match="train the model again"):
        gate_question(lacking, limits_of(Applicant), Applicant)  # type: ignore[arg-type]  # lacks a key on purpose


def test_question_holds_what_the_manifest_records() -> None:
    asked: Any = gate_question(manifest(), limits_of(Applicant), Applicant)
    assert set(asked) == set(PASSES)
    assert {key: asked[key] for key in manifest() if key not in ("contract", "data")} == {
        key: value for key, value in manifest().items() if key not in ("contract", "data")
    }


def test_question_tells_contracts_apart() -> None:
    other = load_contract(MIXED)
    asked = gate_question(manifest(), limits_of(other), other)
    assert asked["contract"]["model"] != asked["contract"]["limits"]
    assert denied({**PASSES, "contract": asked["contract"] | {"champion": asked["contract"]["model"]}}) == {"contract"}


@pytest.mark.parametrize("form", ["{:%Y-%m-%d}", "{:%Y-%m-%dT00:00:00+00:00}"])
def test_age_of_the_data_is_counted_in_days(form: str) -> None:
    dated = form.format(datetime.now(UTC) - timedelta(days=400))
    # A test may run over midnight.
    assert gate_question(manifest(data={"dated": dated}), limits_of(Applicant), Applicant)["data_age_days"] in (
        400,
        401,
    )


def test_default_limits_are_those_of_the_policy_fixtures() -> None:
    assert PASSES["limits"] == limits_of(Applicant)
