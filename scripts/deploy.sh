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
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
registry=${REGISTRY:-}
update_timeout=${UPDATE_TIMEOUT:-300}
[ -z "$region" ] || export AWS_REGION="$region" AWS_DEFAULT_REGION="$region" # CLI 1 reads only the second
export AWS_PAGER="" AWS_RETRY_MODE="${AWS_RETRY_MODE:-standard}" AWS_MAX_ATTEMPTS="${AWS_MAX_ATTEMPTS:-5}"

# What the summary tells; the steps fill it in as they learn it.
account="" image_uri="" digest="" model_version="" architecture="" version="" live_version="" live_before="" moved=""
step_number=0 step_name=start reported="" container="" waiter=""
work=$(mktemp -d)
exec 3>&1 4>&2 # where people and programs listen, wherever a call's own output goes when a signal comes
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
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    stop "python3 is $(python3 --version 2>&1)" "Put Python 3.10 or newer first on the PATH and run again."
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
  await_update
  [ "$update_status" != InProgress ] || stop_in_progress
}

find_traffic() {
  read_alias
  live_version=$alias_version live_before=$alias_version
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
    insist "The update is refused" settle_update send_update
    await_update
  fi
}

# The waiter looks at LastUpdateStatus alone, and a tag or another deployer may have brought other bytes.
check_state() {
  step "state"
  [ "$mode" != dry-run ] || { say "would check state and digest" && return; }
  [ "$state" != Inactive ] || { wake "\$LATEST" && read_function; }
  case "$update_status" in
    Successful) ;;
    Failed) stop "Lambda could not update the function: $reason" "Correct the cause (logs, repository policy, image) and run again." ;;
    *) stop_in_progress ;;
  esac
  [ "$state" = Active ] ||
    stop "the function is $state: $reason" "See aws lambda get-function --function-name $function_name, then run again."
  [ "${resolved##*@}" = "$digest" ] || stop_for_another
  say "active, with this digest"
}

publish_version() {
  step "publish"
  [ "$mode" != dry-run ] || { say "would publish a version" && return; }
  insist "No version can be published" settle_publication send_publication
  version=$answer
  await_version "$version" # SnapStart takes its snapshot now, which can take minutes
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
    point_alias "$version" "${live_version:+$way_back$live_version}"
  fi
}

roll_back() {
  step "function"
  read_function
  find_traffic
  version=${alias_description#"$way_back"}
  [ "$version" != "$alias_description" ] ||
    stop "there is no earlier version to go back to" "Deploy an older image: IMAGE=name:tag scripts/deploy.sh"
  step "verify"
  await_version "$version"
  echo '{"version": "2.0", "rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}' >"$work/health.json"
  invoke "$version" "$work/health.json" "$work/health-answer.json"
  grep -q '"statusCode": *200' "$work/health-answer.json" ||
    stop "version $version does not answer /health" "Deploy an image that works: IMAGE=name:tag scripts/deploy.sh"
  step "traffic"
  point_alias "$version" "rolled back from version $live_version"
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
