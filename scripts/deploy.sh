#!/usr/bin/env bash
# Takes a built image to traffic: every step is safe to run again, and any failure leaves the alias where it was.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
usage: scripts/deploy.sh [--dry-run | --push | --rollback | --help]

  (nothing)    check, push, update by digest, wait, publish, invoke with the golden cases, move the alias
  --dry-run    check, and tell what would be done; changes nothing
  --push       stop when the image is in the registry; the summary's image_uri is what infra/service.yaml takes
  --rollback   move the alias back to the version that it was at before the last release

environment (with its default):
  FUNCTION_NAME (ccapproval)          REPOSITORY (ccapproval-deploy)    IMAGE (ccapproval-deploy:latest)
  ALIAS (live)                        AWS_REGION (the CLI's own)        AWS_ENDPOINT_URL (AWS itself)
  REGISTRY (ECR's own host)           AWS_ACCOUNT_ID (any; if set, no other account is touched)
  UPDATE_TIMEOUT (300 seconds)        CONFLICT_RETRIES (5), CONFLICT_WAIT (5 seconds)

Progress goes to standard error, a JSON summary to standard output. Exit status: 0 done, 1 stopped, 2 misused.
TEXT
}

mode=deploy
[ $# -le 1 ] || { usage >&2 && exit 2; }
case "${1:-}" in
  "") ;;
  --dry-run | --push | --rollback) mode=${1#--} ;;
  --help | -h) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

function_name=${FUNCTION_NAME:-ccapproval}
repository=${REPOSITORY:-ccapproval-deploy}
image=${IMAGE:-ccapproval-deploy:latest}
alias_name=${ALIAS:-live}
previous_alias=$alias_name-previous
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
registry=${REGISTRY:-}
update_timeout=${UPDATE_TIMEOUT:-300}
[ -z "$region" ] || export AWS_REGION="$region" AWS_DEFAULT_REGION="$region" # CLI 1 reads only the second
export AWS_PAGER="" AWS_RETRY_MODE="${AWS_RETRY_MODE:-standard}" AWS_MAX_ATTEMPTS="${AWS_MAX_ATTEMPTS:-5}"

# What the summary tells; the steps fill it in as they learn it.
account="" image_uri="" digest="" model_version="" architecture="" version="" live_version=""
step_number=0 step_name=start reported="" container=""
work=$(mktemp -d)
trap 'on_exit $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=scripts/aws_cli.sh
source "$root/scripts/aws_cli.sh"
# shellcheck source=scripts/deploy_calls.sh
source "$root/scripts/deploy_calls.sh"

check_tools() {
  step "tools"
  local tool tools="aws python3 docker"
  [ "$mode" != rollback ] || tools="aws python3"
  for tool in $tools; do
    type -P "$tool" >/dev/null || stop "$tool is not installed" "Install $tool and run again."
  done
  [ "$mode" = rollback ] || docker version --format '{{.Server.Version}}' >/dev/null 2>"$work/error" ||
    stop "Docker does not answer: $(tail -n 1 "$work/error")" "Start Docker (or set DOCKER_HOST) and run again."
}

check_identity() {
  step "identity"
  ask "AWS does not accept us" sts get-caller-identity --query Account
  account=$answer
  [ -z "${AWS_ACCOUNT_ID:-}" ] || [ "$AWS_ACCOUNT_ID" = "$account" ] ||
    stop "these credentials are for account $account, not $AWS_ACCOUNT_ID" "Use the right profile, or correct AWS_ACCOUNT_ID."
  say "account $account${region:+, $region}${AWS_ENDPOINT_URL:+, $AWS_ENDPOINT_URL}"
}

check_function() {
  step "function"
  read_function
  find_traffic
  say "$function_name on $function_architecture, alias $alias_name at version ${live_version:-none}"
  [ "$update_status" = InProgress ] || return 0
  say "an earlier update is still under way; waiting for it"
  bounded "$update_timeout" lambda wait function-updated-v2 --function-name "$function_name" 2>"$work/error" || true
  read_function
  [ "$update_status" != InProgress ] || stop_in_progress
}

find_traffic() {
  read_alias "$alias_name"
  live_version=$alias_version live_revision=$alias_revision
}

# One manifest, of the right architecture, of a model that has passed its gate. Needs no AWS.
check_image() {
  step "image"
  docker image inspect "$image" >"$work/inspected.json" 2>"$work/error" ||
    stop "Docker has no image $image" "Build it (make images) or name another: IMAGE=name:tag scripts/deploy.sh"
  judge image "$work/inspected.json" "$function_architecture"
  local image_id manifest cases
  IFS=$'\t' read -r image_id architecture manifest <<<"$answer"
  container=$(docker create "$image") || stop "Docker can't open the image $image" "Build it again: make images"
  docker cp "$container:$manifest" "$work/manifest.json" >/dev/null 2>"$work/error" ||
    stop "the image has no $manifest" "Build it with Dockerfile_Inference_Lambda: make images"
  docker rm "$container" >/dev/null && container=""
  judge gate "$work/manifest.json" "$work/batch.json" "$work/single.json"
  IFS=$'\t' read -r model_version cases <<<"$answer"
  tag=$model_version-$image_id
  say "$image: model $model_version, gate passed, $cases golden cases, $architecture"
}

push_image() {
  step "push"
  if [ -z "$registry" ]; then
    ask "The repository can't be found" ecr describe-repositories --repository-names "$repository" \
      --query 'repositories[0].repositoryUri'
    registry=${answer%%/*}
  fi
  find_pushed_image
  if [ -n "$digest" ]; then
    say "$repository:$tag is there already"
  elif [ "$mode" = dry-run ]; then
    say "would push $registry/$repository:$tag"
  else
    ask "ECR gives no password" ecr get-login-password
    docker login --username AWS --password-stdin "$registry" <<<"$answer" >/dev/null 2>"$work/error" ||
      stop "the registry $registry refuses the login: $(tail -n 1 "$work/error")" "Check REGISTRY and run again."
    docker tag "$image" "$registry/$repository:$tag"
    docker push "$registry/$repository:$tag" >&2 2>"$work/error" ||
      stop "the push was interrupted: $(tail -n 1 "$work/error")" "Run again: layers that arrived are not sent twice."
  fi
}

resolve_digest() {
  step "digest"
  [ -n "$digest" ] || [ "$mode" = dry-run ] || find_pushed_image
  [ -z "$digest" ] || [[ $image != *@sha256:* ]] || [ "${image##*@}" = "$digest" ] ||
    stop "the registry has $digest, not the digest that IMAGE names" "Check REPOSITORY and REGISTRY."
  if [ -n "$digest" ]; then
    image_uri=$registry/$repository@$digest
    say "$image_uri"
  elif [ "$mode" = dry-run ]; then
    say "known once it is pushed"
  else
    stop "the registry does not know $repository:$tag, which was just pushed" "Check that REGISTRY is this account's ECR."
  fi
}

update_code() {
  step "update"
  if [ -n "$digest" ] && [ "${resolved##*@}" = "$digest" ] && [ "$update_status" = Successful ]; then
    say "the function has this image already"
  elif [ "$mode" = dry-run ]; then
    say "would update $function_name and wait, at most $update_timeout s"
  else
    insist "The update is refused" lambda update-function-code --function-name "$function_name" \
      --image-uri "$image_uri" --revision-id "$revision" --query LastUpdateStatus
    bounded "$update_timeout" lambda wait function-updated-v2 --function-name "$function_name" 2>"$work/error" || true
    read_function
  fi
}

# The waiter looks at LastUpdateStatus alone, and a tag or another deployer may have brought other bytes.
check_state() {
  step "state"
  [ "$mode" != dry-run ] || { say "would check state and digest" && return; }
  [ "$state" != Inactive ] || wake "\$LATEST"
  case "$update_status" in
    Successful) ;;
    Failed) stop "Lambda could not update the function: $reason" "Correct the cause (logs, repository policy, image) and run again." ;;
    *) stop_in_progress ;;
  esac
  [ "$state" = Active ] ||
    stop "the function is $state: $reason" "See aws lambda get-function --function-name $function_name, then run again."
  [ "${resolved##*@}" = "$digest" ] ||
    stop "the function has ${resolved##*@}, not $digest: another deploy came between" "See who deploys, then run again."
  say "active, with this digest"
}

publish_version() {
  step "publish"
  [ "$mode" != dry-run ] || { say "would publish a version" && return; }
  insist "No version can be published" lambda publish-version --function-name "$function_name" --revision-id "$revision" \
    --code-sha256 "$code_sha" --description "model $model_version" --query Version
  version=$answer
  # SnapStart takes its snapshot now, which can take minutes.
  bounded "$update_timeout" lambda wait published-version-active --function-name "$function_name" \
    --qualifier "$version" 2>"$work/error" || stop_for_aws "Version $version does not become active"
  say "version $version"
}

verify_version() {
  step "verify"
  [ "$mode" != dry-run ] || { say "would invoke that version with the golden cases" && return; }
  invoke "$version" "$work/batch.json" "$work/batch-answer.json"
  invoke "$version" "$work/single.json" "$work/single-answer.json"
  judge golden "$work/manifest.json" "$work/batch-answer.json" "$work/single-answer.json"
  say "$answer golden cases answered as recorded"
}

# All at once. A canary takes the place of this one step: the version it moves to is verified already.
move_traffic() {
  step "traffic"
  if [ "$mode" = dry-run ]; then
    say "would move $alias_name, now at version ${live_version:-none}"
  elif [ "$live_version" = "$version" ]; then
    say "$alias_name is at version $version already"
  else
    if [ -n "$live_version" ]; then
      read_alias "$previous_alias"
      point_alias "$previous_alias" "$live_version" "$alias_revision"
    fi
    point_alias "$alias_name" "$version" "$live_revision"
    say "$alias_name: version ${live_version:-none} -> $version"
    live_version=$version
  fi
}

roll_back() {
  step "function"
  find_traffic
  read_alias "$previous_alias"
  version=$alias_version
  if [ -z "$version" ] || [ "$version" = "$live_version" ]; then
    stop "there is no earlier version to go back to" "Deploy an older image: IMAGE=name:tag scripts/deploy.sh"
  fi
  step "verify"
  echo '{"version": "2.0", "rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}' >"$work/health.json"
  invoke "$version" "$work/health.json" "$work/health-answer.json"
  grep -q '"statusCode": *200' "$work/health-answer.json" ||
    stop "version $version does not answer /health" "Deploy an image that works: IMAGE=name:tag scripts/deploy.sh"
  step "traffic"
  point_alias "$alias_name" "$version" "$live_revision"
  say "$alias_name: version $live_version -> $version"
  live_version=$version
}

check_tools
check_identity
if [ "$mode" = rollback ]; then
  roll_back
  summary rolled-back && exit
fi
function_architecture=${ARCHITECTURE:-}
[ "$mode" = push ] || check_function
check_image
push_image
resolve_digest
[ "$mode" != push ] || { summary pushed && exit; }
update_code
check_state
publish_version
verify_version
move_traffic
[ "$mode" != dry-run ] || { summary planned && exit; }
summary live
