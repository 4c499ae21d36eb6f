# The rules that a model must pass before it may serve. docs/gate.md explains each, and the limits.
#
# The input is the "input" of gate.json (`GateQuestion` in model/judge/gate.py): the limits (limits.json beside the
# contract, completed with defaults), the figures on the hold-out, what the checks found, and the comparison with the
# model in service, or null.
#
# A rule denies unless its condition is shown to hold, so a missing value or a value of the wrong type denies too. Types
# are checked because Rego orders values across types: any string is greater than any number, and null is less.
# Messages fall back on "missing", because a denial whose message is undefined would be no denial.
package model_gate

import rego.v1

default allow := false

allow if count(deny) == 0

# --- limits -----------------------------------------------------------------------------------------------------------

# Every limit, and the least and the greatest value that makes sense. Beyond these, the rule would be switched off, or no
# model could pass it.
ranges := {
	"minimum_accuracy": [0.5, 1],
	"maximum_equal_opportunity_gap": [0, 0.5],
	"minimum_group_size": [10, 1000000],
	"maximum_champion_loss": [0, 0.1],
	"maximum_parity_difference": [0, 0.000001],
	"minimum_creditworthy": [10, 1000000],
	"maximum_unknown_group_share": [0, 0.5],
	"minimum_roc_auc": [0.5, 0.95],
	"maximum_roc_auc": [0.9, 1],
	"minimum_calibration_slope": [0.5, 1],
	"maximum_calibration_slope": [1, 2],
	"minimum_brier_skill": [0, 0.9],
	"maximum_approval_shift": [0, 0.5],
	"maximum_copied_share": [0, 0.5],
	"maximum_outcome_explained": [0.5, 1],
	"maximum_group_explained": [0.05, 1],
	"maximum_data_age_days": [1, 3650],
	"minimum_reason_share": [0, 0.25],
	"warn_age_days": [1, 3650],
	"expire_age_days": [1, 3650],
}

default limits := {}

limits := input.limits if is_object(input.limits)

deny contains {"rule": "limits", "message": message} if {
	some name, range in ranges
	not in_range(of(limits, [name]), range)
	message := sprintf("%s is %s; write a number from %v to %v in limits.json", [name, given(limits, name), range[0], range[1]])
}

deny contains {"rule": "limits", "message": message} if {
	some name in object.keys(limits) - (object.keys(ranges) | {"cutoff"})
	message := sprintf("%s is not a limit of this policy; take it out of limits.json, or correct its spelling", [name])
}

deny contains {"rule": "limits", "message": message} if {
	in_range(limits.minimum_roc_auc, ranges.minimum_roc_auc)
	in_range(limits.maximum_roc_auc, ranges.maximum_roc_auc)
	limits.minimum_roc_auc > limits.maximum_roc_auc
	message := sprintf(
		"minimum_roc_auc, %v, is above maximum_roc_auc, %v, so no model can pass; correct one of them",
		[limits.minimum_roc_auc, limits.maximum_roc_auc],
	)
}

deny contains {"rule": "limits", "message": message} if {
	in_range(limits.warn_age_days, ranges.warn_age_days)
	in_range(limits.expire_age_days, ranges.expire_age_days)
	limits.warn_age_days > limits.expire_age_days
	message := sprintf(
		"warn_age_days, %v, is above expire_age_days, %v, so nobody would be warned; correct one of them",
		[limits.warn_age_days, limits.expire_age_days],
	)
}

deny contains {"rule": "limits", "message": message} if {
	not cutoff_rule
	message := sprintf(
		"cutoff is %s; write by: accuracy alone, or by: cost with false_approve and false_deny above 0, or by: bad_share with at_most, approved_share with share, or value with cutoff, between 0 and 1",
		[given(limits, "cutoff")],
	)
}

cutoff_rule if limits.cutoff == {"by": "accuracy"}

cutoff_rule if {
	limits.cutoff.by == "cost"
	object.keys(limits.cutoff) == {"by", "false_approve", "false_deny"}
	is_number(limits.cutoff.false_approve)
	is_number(limits.cutoff.false_deny)
	limits.cutoff.false_approve > 0
	limits.cutoff.false_deny > 0
}

cutoff_rule if {
	some by, key in {"bad_share": "at_most", "approved_share": "share", "value": "cutoff"}
	limits.cutoff.by == by
	object.keys(limits.cutoff) == {"by", key}
	is_number(limits.cutoff[key])
	limits.cutoff[key] > 0
	limits.cutoff[key] < 1
}

# --- is this the right question? --------------------------------------------------------------------------------------

deny contains {"rule": "contract", "message": message} if {
	not own_limits
	message := sprintf(
		"the model was trained with contract %s, but the limits are those of contract %s; name the model's own contract (--contract)",
		[word(["contract", "model"]), word(["contract", "limits"])],
	)
}

own_limits if {
	is_string(input.contract.model)
	input.contract.model == input.contract.limits
}

deny contains {"rule": "contract", "message": message} if {
	not comparable_champion
	message := sprintf(
		"the model was trained with contract %s, the champion with contract %s; compare models of one contract, or leave --champion out",
		[word(["contract", "model"]), word(["contract", "champion"])],
	)
}

comparable_champion if {
	input.champion == null
	input.contract.champion == null
}

comparable_champion if {
	input.champion != null
	is_string(input.contract.champion)
	input.contract.champion == input.contract.model
}

# --- is the model any good? -------------------------------------------------------------------------------------------

deny contains {"rule": "skill", "message": message} if {
	not skilled
	message := sprintf(
		"the measure is %s: %s with the model, %s with the best constant decision (%s). The lower end of the difference's 95 %% interval is %s; it must be above 0. Bring more rows, or fields that say more about the outcome",
		[
			word(["metrics", "skill", "measure"]), number(["metrics", "skill", "value"]),
			number(["metrics", "skill", "constant_value"]), word(["metrics", "skill", "constant"]),
			number(["metrics", "skill", "difference", "low"]),
		],
	)
}

skilled if {
	is_number(input.metrics.skill.difference.low)
	input.metrics.skill.difference.low > 0
}

deny contains {"rule": "ranking", "message": message} if {
	not at_least(at(["metrics", "intervals", "roc_auc", "low"]), "minimum_roc_auc")
	message := sprintf(
		"the area under the ROC curve is %s, and may be as small as %s (lower end of its 95 %% interval); the limit is %s. Bring more rows, or fields that say more about the outcome",
		[number(["metrics", "roc_auc"]), number(["metrics", "intervals", "roc_auc", "low"]), limit("minimum_roc_auc")],
	)
}

deny contains {"rule": "calibration", "message": message} if {
	not right_slope
	message := sprintf(
		"the slope of the calibration is %s; it must be from %s to %s. Below 1 the probabilities are too extreme, above 1 too timid: train with other settings, or on more rows",
		[
			number(["metrics", "calibration_fit", "slope", "value"]),
			limit("minimum_calibration_slope"), limit("maximum_calibration_slope"),
		],
	)
}

right_slope if {
	at_least(at(["metrics", "calibration_fit", "slope", "value"]), "minimum_calibration_slope")
	at_most(at(["metrics", "calibration_fit", "slope", "value"]), "maximum_calibration_slope")
}

deny contains {"rule": "calibration", "message": message} if {
	not at_least(at(["metrics", "brier_skill", "low"]), "minimum_brier_skill")
	message := sprintf(
		"the Brier skill score is %s, and may be as small as %s (lower end of its 95 %% interval); the limit is %s. Bring more rows, or fields that say more about the outcome",
		[number(["metrics", "brier_skill", "value"]), number(["metrics", "brier_skill", "low"]), limit("minimum_brier_skill")],
	)
}

deny contains {"rule": "accuracy", "message": message} if {
	not at_least(at(["metrics", "accuracy"]), "minimum_accuracy")
	message := sprintf(
		"the accuracy on the hold-out is %s; the limit is %s. Bring more rows, or fields that say more about the outcome",
		[percent(at(["metrics", "accuracy"])), percent(at(["limits", "minimum_accuracy"]))],
	)
}

deny contains {"rule": "approvals", "message": message} if {
	not right_share_approved
	message := sprintf(
		"the share approved is %s, the share labelled approve %s; they may be at most %s points apart. Choose another cut-off rule (cutoff in limits.json)",
		[percent(at(["metrics", "approval_rate"])), percent(recorded_share), points(at(["limits", "maximum_approval_shift"]))],
	)
}

default recorded_share := null

recorded_share := (input.metrics.confusion.true_approve + input.metrics.confusion.false_deny) / input.metrics.rows if {
	is_number(input.metrics.confusion.true_approve)
	is_number(input.metrics.confusion.false_deny)
	is_number(input.metrics.rows)
	input.metrics.rows > 0
}

right_share_approved if {
	is_number(recorded_share)
	is_number(input.metrics.approval_rate)
	is_number(limits.maximum_approval_shift)
	abs(input.metrics.approval_rate - recorded_share) <= limits.maximum_approval_shift
}

# --- does it treat groups alike? --------------------------------------------------------------------------------------

default groups := {}

groups := input.metrics.groups if is_object(input.metrics.groups)

deny contains {"rule": "sensitive", "message": message} if {
	not judged_by_groups
	not rightly_without_groups
	message := "there is no sensitive column to judge by. Declare one in the contract (`sensitive`), or say there why there is none (`no_sensitive_reason`)"
}

judged_by_groups if count(groups) > 0

rightly_without_groups if {
	input.metrics.groups == {}
	is_string(input.no_sensitive_reason)
	trim_space(input.no_sensitive_reason) != ""
}

deny contains {"rule": "known_groups", "message": message} if {
	some column, figures in groups
	not mostly_known(figures)
	message := sprintf(
		"%s: rows of the hold-out without a group: %s (of %s); the limit is %s. Fill the column in, or let the contract's groups cover all of its values",
		[column, given(figures, "rows_without_group"), word(["metrics", "rows"]), percent(at(["limits", "maximum_unknown_group_share"]))],
	)
}

mostly_known(figures) if {
	is_number(figures.rows_without_group)
	is_number(input.metrics.rows)
	is_number(limits.maximum_unknown_group_share)
	input.metrics.rows > 0
	figures.rows_without_group <= limits.maximum_unknown_group_share * input.metrics.rows
}

deny contains {"rule": "group_size", "message": message} if {
	some column, figures in groups
	some name, group in figures.by_group
	not large_enough(group)
	message := sprintf(
		"%s: the group '%s' has %s rows in the hold-out, %s of them labelled approve; at least %s and %s are needed. Bring more rows of it, or merge it with another group in the contract",
		[column, name, given(group, "rows"), given(group, "creditworthy"), limit("minimum_group_size"), limit("minimum_creditworthy")],
	)
}

large_enough(group) if {
	at_least(group.rows, "minimum_group_size")
	at_least(group.creditworthy, "minimum_creditworthy")
}

deny contains {"rule": "group_size", "message": message} if {
	some column, figures in groups
	not all_groups_given(figures)
	message := sprintf("%s: the figures of its groups are missing, or are not all of them. Train the model again", [column])
}

all_groups_given(figures) if {
	is_object(figures.by_group)
	some fewest in figures.by_group
	fewest.rows == figures.smallest_group
	some poorest in figures.by_group
	poorest.creditworthy == figures.smallest_creditworthy
}

deny contains {"rule": "group_size", "message": message} if {
	some column, figures in groups
	some leak in leaks
	some name, _ in leak.groups[column]
	not figures.by_group[name]
	message := sprintf("%s: the group '%s' is not in the hold-out. Bring more rows of it, or merge it with another group in the contract", [column, name])
}

# The data must show that the gap is within the limit, so the upper end of the interval is what counts.
deny contains {"rule": "equal_opportunity", "message": message} if {
	some column, figures in groups
	not at_most(of(figures, ["equal_opportunity_difference", "high"]), "maximum_equal_opportunity_gap")
	is_number(of(figures, ["equal_opportunity_difference", "high"]))
	message := sprintf(
		"%s: the gap between %s and %s is %s points, and may be as large as %s (upper end of its 95 %% interval); the limit is %s. Choose another cut-off rule, look for alternatives (python -m model alternatives), or bring more rows of the smaller group",
		[
			column, approvals_of(figures, "lowest"), approvals_of(figures, "highest"),
			points(of(figures, ["equal_opportunity_difference", "value"])),
			points(of(figures, ["equal_opportunity_difference", "high"])),
			points(at(["limits", "maximum_equal_opportunity_gap"])),
		],
	)
}

deny contains {"rule": "equal_opportunity", "message": message} if {
	some column, figures in groups
	not is_number(of(figures, ["equal_opportunity_difference", "high"]))
	message := sprintf(
		"%s: how large the gap between groups is cannot be told; the limit is %s points. Bring rows labelled approve of every group, or merge groups in the contract",
		[column, points(at(["limits", "maximum_equal_opportunity_gap"]))],
	)
}

approvals_of(figures, end) := sprintf("'%s' (%s)", [name, percent(figures.by_group[name].true_positive_rate)]) if {
	name := figures.equal_opportunity_difference[end]
} else := "an unknown group"

# --- is the data fair game? -------------------------------------------------------------------------------------------

deny contains {"rule": "duplicates", "message": message} if {
	not at_most(at(["leakage", "copied_share"]), "maximum_copied_share")
	message := sprintf(
		"the share of the hold-out that copies training rows is %s; the limit is %s. Take repeated rows out of the data, or keep them together: split = Split(equal_rows=True)",
		[percent(at(["leakage", "copied_share"])), percent(at(["limits", "maximum_copied_share"]))],
	)
}

default leaks := {}

leaks := input.leakage.fields if is_object(input.leakage.fields)

deny contains {"rule": "giveaway", "message": message} if {
	some field, leak in leaks
	not at_most(of(leak, ["outcome"]), "maximum_outcome_explained")
	message := sprintf(
		"%s alone explains %s of the outcome; the limit is %s. If it is known only after the decision, leave it out of the contract",
		[field, percent(of(leak, ["outcome"])), percent(at(["limits", "maximum_outcome_explained"]))],
	)
}

deny contains {"rule": "giveaway", "message": message} if {
	count(leaks) == 0
	message := "the share of the outcome that each field explains alone is missing. Train the model again"
}

deny contains {"rule": "giveaway", "message": message} if {
	not at_most(at(["metrics", "roc_auc"]), "maximum_roc_auc")
	message := sprintf(
		"the area under the ROC curve is %s, which is too good to be true; the limit is %s. Look for a field that is known only after the decision, and leave it out of the contract",
		[number(["metrics", "roc_auc"]), limit("maximum_roc_auc")],
	)
}

deny contains {"rule": "proxy", "message": message} if {
	some field, leak in leaks
	some column, figures in groups
	some name, _ in figures.by_group
	not at_most(of(leak, ["groups", column, name]), "maximum_group_explained")
	message := sprintf(
		"%s alone explains %s of who is in group '%s' of %s; the limit is %s. It stands in for what the model must not see: leave it out of the contract, or replace it",
		[field, percent(of(leak, ["groups", column, name])), name, column, percent(at(["limits", "maximum_group_explained"]))],
	)
}

deny contains {"rule": "data_age", "message": message} if {
	not fresh
	message := sprintf(
		"the age of the data in days is %s; the limit is %s. Train on newer data (--data, --dated)",
		[given(input, "data_age_days"), limit("maximum_data_age_days")],
	)
}

# Data of unknown age is for the freshness monitor to report.
fresh if input.data_age_days == null

fresh if {
	at_most(at(["data_age_days"]), "maximum_data_age_days")
	input.data_age_days >= 0
}

# --- is the export sound? ---------------------------------------------------------------------------------------------

deny contains {"rule": "parity", "message": message} if {
	not parity
	message := sprintf(
		"decisions unlike those of the trained model: %s (of %s rows), largest difference of the probabilities: %s; the limits are 0 and %s. Export the model again",
		[
			word(["parity", "different_decisions"]), word(["parity", "rows"]),
			word(["parity", "largest_difference"]), limit("maximum_parity_difference"),
		],
	)
}

parity if {
	is_number(input.parity.rows)
	input.parity.rows > 0
	input.parity.different_decisions == 0
	at_most(at(["parity", "largest_difference"]), "maximum_parity_difference")
}

deny contains {"rule": "monotonicity", "message": message} if {
	not monotone
	message := sprintf(
		"pairs ranked against a field's direction: %s (of %s compared, for %s fields with a direction); there may be none, and some must be compared. Train again with the directions of the contract",
		[word(["monotonicity", "violations"]), word(["monotonicity", "pairs"]), word(["monotonicity", "directed_fields"])],
	)
}

monotone if {
	is_number(input.monotonicity.directed_fields)
	input.monotonicity.directed_fields > 0
	is_number(input.monotonicity.pairs)
	input.monotonicity.pairs > 0
	input.monotonicity.violations == 0
}

# If no field of the contract has a direction, there is nothing to violate: the check reports that it compared no pairs.
monotone if {
	input.monotonicity.directed_fields == 0
	input.monotonicity.pairs == 0
	input.monotonicity.violations == 0
}

# Tables compare all neighbouring bins. If there are none, every directed field gives everybody the same points.
monotone if {
	input.monotonicity.method == "tables"
	is_number(input.monotonicity.directed_fields)
	input.monotonicity.directed_fields > 0
	input.monotonicity.pairs == 0
	input.monotonicity.violations == 0
}

deny contains {"rule": "reasons", "message": message} if {
	not explained
	input.explained.method == "tables"
	message := "the tables do not prove that every denial has a reason. Train again, with fields that tell approvals from denials"
}

deny contains {"rule": "reasons", "message": message} if {
	not explained
	at(["explained", "method"]) != "tables"
	message := sprintf(
		"denials without a reason: %s (of %s); there may be none. Train again, with fields that tell approvals from denials",
		[word(["explained", "without_reason"]), word(["explained", "denials"])],
	)
}

explained if {
	input.explained.method == "tables"
	is_number(input.explained.denials)
	input.explained.without_reason == 0
}

explained if {
	input.explained.method == "sampled"
	is_number(input.explained.denials)
	input.explained.denials > 0
	input.explained.without_reason == 0
}

# --- is it worse than the model in service? ---------------------------------------------------------------------------

deny contains {"rule": "champion", "message": message} if {
	input.champion != null
	some figure, name in {"roc_auc": "area under the ROC curve", "accuracy": "accuracy"}
	not no_loss(["champion", figure, "value"])
	message := sprintf(
		"compared with the model in service (%s), the %s differs by %s; a loss of %s is allowed. Keep the model in service, or train a better one",
		[word(["champion", "model_version"]), name, number(["champion", figure, "value"]), limit("maximum_champion_loss")],
	)
}

deny contains {"rule": "champion", "message": message} if {
	input.champion != null
	not is_number(at(["champion", "gap"]))
	not gap_no_wider
	message := sprintf(
		"compared with the model in service (%s), whether the gap between groups is wider cannot be told: one of the two has no known gap. Bring creditworthy rows of every group",
		[word(["champion", "model_version"])],
	)
}

deny contains {"rule": "champion", "message": message} if {
	input.champion != null
	is_number(at(["champion", "gap"]))
	not gap_no_wider
	message := sprintf(
		"compared with the model in service (%s), the gap between groups is wider by %s points; %s are allowed. Keep the model in service, or look for alternatives (python -m model alternatives)",
		[word(["champion", "model_version"]), points(at(["champion", "gap"])), points(at(["limits", "maximum_champion_loss"]))],
	)
}

deny contains {"rule": "champion", "message": message} if {
	input.champion.same_rows == true
	some column, figures in groups
	some name, _ in figures.by_group
	not no_loss(["champion", "groups", column, name, "high"])
	message := sprintf(
		"%s: compared with the model in service (%s), the accuracy for group '%s' differs by %s points, and by %s at best (upper end of its 95 %% interval); a loss of %s points is allowed. Keep the model in service, or train a better one",
		[
			column, word(["champion", "model_version"]), name, points(at(["champion", "groups", column, name, "value"])),
			points(at(["champion", "groups", column, name, "high"])), points(at(["limits", "maximum_champion_loss"])),
		],
	)
}

deny contains {"rule": "champion", "message": message} if {
	not compared
	message := "the comparison with the model in service is missing or incomplete. Name an artifact, or a manifest with figures (--champion)"
}

compared if input.champion == null

compared if is_boolean(input.champion.same_rows)

no_loss(path) if {
	is_number(at(path))
	is_number(limits.maximum_champion_loss)
	at(path) >= 0 - limits.maximum_champion_loss
}

# Without a sensitive column there is no gap to compare, and the rule `sensitive` asks why.
gap_no_wider if not judged_by_groups

gap_no_wider if at_most(at(["champion", "gap"]), "maximum_champion_loss")

# --- words ------------------------------------------------------------------------------------------------------------

# Engines differ in whether `not f(g(x))` holds if g(x) is undefined, so what is called inside `not` is always defined.
at(path) := of(input, path)

of(document, path) := object.get(document, path, null) if is_object(document)

else := null

at_least(value, name) if {
	is_number(value)
	is_number(limits[name])
	value >= limits[name]
}

at_most(value, name) if {
	is_number(value)
	is_number(limits[name])
	value <= limits[name]
}

in_range(value, range) if {
	is_number(value)
	value >= range[0]
	value <= range[1]
}

given(document, name) := text if {
	text := sprintf("%v", [document[name]])
}

else := "missing"

word(path) := sprintf("%v", [at(path)]) if at(path) != null

else := "missing"

limit(name) := given(limits, name)

# Engines differ in how they write a whole number with decimal places, so whole numbers get none.
number(path) := sprintf("%v", [at(path)]) if {
	is_number(at(path))
	at(path) == round(at(path))
}

else := sprintf("%.3f", [at(path)]) if is_number(at(path))

else := "missing"

percent(share) := sprintf("%s %%", [points(share)]) if is_number(share)

else := "missing"

points(share) := sprintf("%v", [round(share * 100)]) if {
	is_number(share)
	round(share * 1000) == round(share * 100) * 10
}

else := sprintf("%.1f", [share * 100]) if is_number(share)

else := "missing"
