# The rules that a model must pass before it may serve.
#
# The input is the "input" of gate.json (`GateQuestion` in model/judge/gate.py): the limits (limits.json beside the
# contract), the metrics on the hold-out, the results of the parity and monotonicity checks, and the champion's metrics
# or null.
#
# A rule denies unless its condition is shown to hold, so a missing value or a value of the wrong type denies too. Types
# are checked because Rego orders values across types: any string is greater than any number, and null is less.
package model_gate

import rego.v1

default allow := false

allow if count(deny) == 0

deny contains {"rule": "limits", "message": "a limit is missing or is not a number"} if not limits_complete

limits_complete if {
	is_number(input.limits.minimum_accuracy)
	is_number(input.limits.maximum_equal_opportunity_gap)
	is_number(input.limits.minimum_group_size)
	is_number(input.limits.maximum_champion_loss)
	is_number(input.limits.maximum_parity_difference)
}

deny contains {"rule": "accuracy", "message": "the accuracy on the hold-out is below the limit"} if not accurate

accurate if {
	is_number(input.metrics.accuracy)
	input.metrics.accuracy >= input.limits.minimum_accuracy
}

deny contains {"rule": "sensitive", "message": "there is no sensitive column to judge by"} if not judged_by_groups

judged_by_groups if {
	is_object(input.metrics.groups)
	count(input.metrics.groups) > 0
}

# Without a sensitive column there are no groups to compare, and the rule `sensitive` denies already.
deny contains {
	"rule": "equal_opportunity",
	"message": "the gap between groups in approvals of creditworthy applicants exceeds the limit, or is unknown",
} if {
	judged_by_groups
	not equal_opportunity
}

equal_opportunity if {
	every column in input.metrics.groups {
		is_number(column.equal_opportunity_difference.value)
		column.equal_opportunity_difference.value <= input.limits.maximum_equal_opportunity_gap
	}
}

deny contains {"rule": "group_size", "message": "a group of the hold-out is too small to judge by"} if {
	judged_by_groups
	not groups_large_enough
}

groups_large_enough if {
	every column in input.metrics.groups {
		is_number(column.smallest_group)
		column.smallest_group >= input.limits.minimum_group_size
	}
}

deny contains {"rule": "parity", "message": "the exported model does not decide like the trained one"} if not parity

parity if {
	is_number(input.parity.rows)
	input.parity.rows > 0
	input.parity.different_decisions == 0
	is_number(input.parity.largest_difference)
	input.parity.largest_difference <= input.limits.maximum_parity_difference
}

deny contains {
	"rule": "monotonicity",
	"message": "a field moves the decision against its direction, or no pair of applications could be compared",
} if not monotone

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

deny contains {"rule": "champion", "message": "the model is worse than the one in service"} if not no_worse_than_champion

no_worse_than_champion if input.champion == null

no_worse_than_champion if {
	is_number(input.metrics.accuracy)
	input.metrics.accuracy >= input.champion.accuracy - input.limits.maximum_champion_loss
	gap_no_worse
}

# Without a sensitive column there is no gap to compare, and the rule `sensitive` denies already.
gap_no_worse if not judged_by_groups

gap_no_worse if {
	is_number(input.metrics.equal_opportunity_gap)
	input.metrics.equal_opportunity_gap <= input.champion.equal_opportunity_gap + input.limits.maximum_champion_loss
}
