#!/usr/bin/env bash
# Creates or updates the two stacks: for the first deployment and for changed templates.
#
# usage: scripts/provision.sh [PARAMETER=VALUE …]      parameters of infra/service.yaml, e.g. LogRetentionDays=2192
#
# A new stack needs a first image (IMAGE), which it serves at once. An existing stack keeps its code and its traffic:
# releasing is scripts/deploy.sh's work, with the deployer's role. Stacks need an administrator's rights. A version
# keeps the memory and the time limit that it was published with, so a change of these reaches traffic with a release.
# Environment: what scripts/deploy.sh reads, STACK (ccapproval) and TRAINING_REPOSITORY (ccapproval).
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/aws_cli.sh
source scripts/aws_cli.sh

case "${1:-}" in --help | -h) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;; esac

stack=${STACK:-ccapproval}
image=${IMAGE:-ccapproval-deploy:latest}
function_name=${FUNCTION_NAME:-ccapproval}
repositories=("InferenceRepositoryName=${REPOSITORY:-ccapproval-deploy}"
  "TrainingRepositoryName=${TRAINING_REPOSITORY:-ccapproval}" "FunctionName=$function_name")
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION="$AWS_REGION" # CLI 1 reads only the second
export AWS_PAGER=""

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

fail() { printf 'provision: %s\n  Next: %s\n' "$1" "$2" >&2 && exit 1; }

# stack_status NAME: CloudFormation's status, or none. An error ends the run: mistaking an existing stack for a new one
# would let CloudFormation replace what was released by today's image.
stack_status() {
  local said
  if said=$(aws cloudformation describe-stacks --stack-name "$1" --output text --query 'Stacks[0].StackStatus' 2>"$errors"); then
    echo "$said"
  elif grep -q 'does not exist' "$errors"; then
    echo none
  else
    fail "the stack $1 can't be read: $(tail -n 1 "$errors")" "Check credentials, region and network, then run again."
  fi
}

deploy_stack() { # deploy_stack NAME TEMPLATE PARAMETERS…
  local name=$1 template=$2 && shift 2
  echo "provision: stack $name" >&2
  aws cloudformation deploy --stack-name "$name" --template-file "$template" --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset --parameter-overrides "$@" >&2 ||
    fail "the stack $name was not deployed" "aws cloudformation describe-stack-events --stack-name $name"
}

# remove_failed NAME STATUS: a stack whose creation failed can be neither updated nor created again.
remove_failed() {
  case "$2" in ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED) ;; *) return 0 ;; esac
  echo "provision: removing the stack $1, whose creation failed before" >&2
  aws cloudformation delete-stack --stack-name "$1"
  aws cloudformation wait stack-delete-complete --stack-name "$1" ||
    fail "the stack $1 can't be deleted" "aws cloudformation describe-stack-events --stack-name $1"
}

# left_over PARAMETER COMMAND…: PARAMETER=true if the command finds what a deleted stack has left, and nothing otherwise.
# A stack keeps its images and logs when it is deleted, and a new one could not create what has their names.
left_over() {
  local parameter=$1 found && shift
  if found=$("$@" --output text 2>"$errors"); then
    case "$found" in "" | None) ;; *) echo "$parameter=true" && echo "provision: $found is there already and is kept" >&2 ;; esac
  elif ! grep -q NotFound "$errors"; then
    fail "what an earlier stack has left can't be listed: $(tail -n 1 "$errors")" "Check credentials, region and network, then run again."
  fi
}

repository_left() {
  left_over "$1" aws ecr describe-repositories --repository-names "$2" --query 'repositories[].repositoryName'
}

is_new() { case "$1" in none | REVIEW_IN_PROGRESS | ROLLBACK_COMPLETE | ROLLBACK_FAILED | CREATE_FAILED) ;; *) return 1 ;; esac; }

registry=("${repositories[@]}")
status=$(stack_status "$stack-registry")
remove_failed "$stack-registry" "$status"
if is_new "$status"; then
  kept=$(repository_left TrainingRepositoryExists "${TRAINING_REPOSITORY:-ccapproval}")
  registry+=(${kept:+"$kept"})
  kept=$(repository_left InferenceRepositoryExists "${REPOSITORY:-ccapproval-deploy}")
  registry+=(${kept:+"$kept"})
fi
deploy_stack "$stack-registry" infra/registry.yaml "${registry[@]}"

parameters=("${repositories[@]}" "$@")
status=$(stack_status "$stack")
remove_failed "$stack" "$status"
if is_new "$status"; then
  # The new stack's alias names this image at once, before deploy.sh can verify it: decide the golden cases here.
  echo "provision: the first image decides its golden cases here" >&2
  docker run --rm --network none --read-only --tmpfs /tmp --entrypoint python3 "$image" -m lambda_app.selfcheck >&2 ||
    fail "$image does not decide its golden cases on this machine" "Build it again: make images"
  pushed=$(scripts/deploy.sh --push) || exit 1
  fact() { python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$pushed" "$1"; }
  parameters+=("ImageUri=$(fact image_uri)" "Architecture=$(fact architecture)")
  kept=$(left_over LogGroupExists aws logs describe-log-groups --log-group-name-prefix "/aws/lambda/$function_name" \
    --query "logGroups[?logGroupName=='/aws/lambda/$function_name'].logGroupName")
  parameters+=(${kept:+"$kept"})
fi
deploy_stack "$stack" infra/service.yaml "${parameters[@]}"
