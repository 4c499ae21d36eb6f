#!/usr/bin/env bash
# Creates or updates the monitor's stack: alarms, dashboard, and the function that looks by a schedule. Releases nothing.
#
# usage: scripts/provision_monitor.sh [PARAMETER=VALUE …]      parameters of infra/monitor.yaml, e.g. Email=team@bank.example
#
# Builds the monitor's image first if there is none (scripts/images.sh monitor). Needs an administrator's rights, like
# scripts/provision.sh, whose stacks must be there.
# Environment: AWS_REGION, AWS_ENDPOINT_URL, REGISTRY, REPOSITORY, FUNCTION_NAME as for scripts/deploy.sh, STACK (ccapproval),
# MONITOR_IMAGE (ccapproval-monitor:latest).
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/aws_cli.sh
source scripts/aws_cli.sh

case "${1:-}" in --help | -h) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;; esac

stack=${STACK:-ccapproval}
image=${MONITOR_IMAGE:-ccapproval-monitor:latest}
repository=${REPOSITORY:-ccapproval-deploy}
function_name=${FUNCTION_NAME:-ccapproval}
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION="$AWS_REGION" # CLI 1 reads only the second
export AWS_PAGER=""

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
fail() { printf 'monitor: %s\n  Next: %s\n' "$1" "$2" >&2 && exit 1; }

docker image inspect "$image" >/dev/null 2>&1 || MONITOR_IMAGE=$image scripts/images.sh monitor
registry=${REGISTRY:-}
if [ -z "$registry" ]; then
  found=$(aws ecr describe-repositories --repository-names "$repository" --output text \
    --query 'repositories[0].repositoryUri' 2>"$errors") ||
    fail "the repository $repository can't be found: $(tail -n 1 "$errors")" "Create the stacks first: scripts/provision.sh"
  registry=${found%%/*}
fi
id=$(docker image inspect --format '{{.Id}}' "$image")
architecture=$(docker image inspect --format '{{.Architecture}}' "$image")
tag=monitor-${id#sha256:}
tag=${tag:0:20} # the repository's tags are immutable, so each image has its own

# The digest of our tag; nothing if the repository has no such image.
pushed_digest() {
  aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$tag" --output text \
    --query 'imageDetails[0].imageDigest' 2>"$errors" || grep -q ImageNotFoundException "$errors" ||
    fail "the registry can't be asked: $(tail -n 1 "$errors")" "Check credentials, region and network, then run again."
}

digest=$(pushed_digest)
if [ -z "$digest" ] || [ "$digest" = None ]; then
  echo "monitor: pushing $image" >&2
  aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null 2>"$errors" ||
    fail "the registry $registry refuses the login: $(tail -n 1 "$errors")" "Check REGISTRY and run again."
  docker tag "$image" "$registry/$repository:$tag"
  scripts/alive.sh "monitor: pushing" docker push "$registry/$repository:$tag" 9>&2 >"$errors" 2>&1 ||
    fail "the push was interrupted: $(tail -n 1 "$errors")" "Run again: layers that arrived are not sent twice."
  digest=$(pushed_digest)
fi

echo "monitor: stack $stack-monitor" >&2
case "$architecture" in arm64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
aws cloudformation deploy --stack-name "$stack-monitor" --template-file infra/monitor.yaml --capabilities CAPABILITY_IAM \
  --no-fail-on-empty-changeset --parameter-overrides "FunctionName=$function_name" \
  "MonitorImageUri=$registry/$repository@$digest" "Architecture=$architecture" "$@" >&2 ||
  fail "the stack $stack-monitor was not deployed" "aws cloudformation describe-stack-events --stack-name $stack-monitor"
aws cloudformation describe-stacks --stack-name "$stack-monitor" --output table --query 'Stacks[0].Outputs'
