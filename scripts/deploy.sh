#!/usr/bin/env bash
# Releases a built image: every step is safe to repeat, and any failure leaves the alias where it was.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
usage: scripts/deploy.sh [--evidence FILE] [--canary PERCENT] [--dry-run] [--abort-canary]
       scripts/deploy.sh --rollback [--to VERSION] [--abort-canary]
       scripts/deploy.sh --push | --prune [N] | --help

  (nothing)        check, push, update by digest, wait, publish, invoke with the golden cases, move the alias
  --evidence FILE  release the image that this approved archive names, and no other: compare the model in the image, byte
                   by byte, with the approved one, and push nothing
  --canary PERCENT give the new version that share of the alias's traffic (1 to 50) and leave the rest where it is;
                   python -m operations canary then judges it, and promotes it or takes it back
  --dry-run        check, and say what would be done; changes nothing
  --push           stop once the image is in the registry; infra/service.yaml takes the summary's image_uri
  --rollback       move the alias back to the version that was live before, or to VERSION, which was live at some time
  --abort-canary   move the alias although it shares its traffic with a second version, which then gets none
  --prune [N]      delete the versions, and their images, that no alias names and --rollback cannot go to, but for the
                   newest N (5)

environment (with its default):
  FUNCTION_NAME (ccapproval)          REPOSITORY (ccapproval-deploy)    IMAGE (ccapproval-deploy:latest)
  ALIAS (live)                        AWS_REGION (the CLI's own)        AWS_ENDPOINT_URL (AWS itself)
  REGISTRY (ECR's own host)           AWS_ACCOUNT_ID (any; if set, no other account is touched)
  UPDATE_TIMEOUT (300 seconds)        CONFLICT_RETRIES (5), CONFLICT_WAIT (5 seconds)
  with --evidence:
  EVIDENCE_PUBLIC_KEY (none)          the PEM file of the key that signs approvals; without it, no signature is checked
  EVIDENCE_COMMIT (any)               the commit that the image must be built from
  RELEASE_RULES (policies/release.json), LIMITS (model/limits.json)     what the checkout says of a release
  REQUIRE_EVIDENCE (false)            true: nothing is released without --evidence and EVIDENCE_PUBLIC_KEY

Progress goes to standard error, a JSON summary to standard output. Exit status: 0 done, 1 stopped, 2 misused.
TEXT
}

mode=deploy evidence="" rollback_to="" abort_canary="" canary="" kept=5
misused() { usage >&2 && exit 2; }
while [ $# -gt 0 ]; do
  case "$1" in
    --dry-run | --push | --rollback | --prune)
      [ "$mode" = deploy ] || misused
      mode=${1#--}
      if [ "$mode" = prune ] && [[ ${2:-} =~ ^[0-9]+$ ]]; then kept=$2 && shift; fi
      ;;
    --evidence) { [ -n "${2:-}" ] && evidence=$2 && shift; } || misused ;;
    --to) { [[ ${2:-} =~ ^[0-9]+$ ]] && rollback_to=$2 && shift; } || misused ;;
    --canary) { [[ ${2:-} =~ ^([1-9]|[1-4][0-9]|50)$ ]] && canary=$2 && shift; } || misused ;;
    --abort-canary) abort_canary=yes ;;
    --help | -h) usage && exit 0 ;;
    *) misused ;;
  esac
  shift
done
case "$mode" in
  deploy | dry-run) [ -z "$rollback_to" ] || misused ;;
  rollback) [ -z "$evidence$canary" ] || misused ;;
  *) [ -z "$evidence$rollback_to$abort_canary$canary" ] || misused ;;
esac
absolute() { case "$1" in "" | /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; } # checks run elsewhere
evidence=$(absolute "$evidence")
public_key=$(absolute "${EVIDENCE_PUBLIC_KEY:-}")
rules=$(absolute "${RELEASE_RULES:-$root/policies/release.json}")
limits=$(absolute "${LIMITS:-$root/model/limits.json}")

function_name=${FUNCTION_NAME:-ccapproval}
repository=${REPOSITORY:-ccapproval-deploy}
image=${IMAGE:-ccapproval-deploy:latest}
alias_name=${ALIAS:-live}
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
registry=${REGISTRY:-}
update_timeout=${UPDATE_TIMEOUT:-300}
[ -z "$region" ] || export AWS_REGION="$region" AWS_DEFAULT_REGION="$region" # CLI 1 reads only the second
export AWS_PAGER="" AWS_RETRY_MODE="${AWS_RETRY_MODE:-standard}" AWS_MAX_ATTEMPTS="${AWS_MAX_ATTEMPTS:-5}"

# What the summary tells; the steps fill it in as they find it out.
account="" image_uri="" digest="" model_version="" architecture="" version="" live_version="" live_before="" moved="" shared=""
approved_uri="" evidence_told="" previous_model="" pruned=""
step_number=0 step_name=start reported="" container="" waiter=""
work=$(mktemp -d)
work=$(cd "$work" && pwd) # TMPDIR may be relative, and checks run elsewhere
exec 3>&1 4>&2 # the caller's output, for a summary or message from inside a redirection
trap 'on_exit $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=scripts/aws_cli.sh
source "$root/scripts/aws_cli.sh"
# shellcheck source=scripts/deploy_calls.sh
source "$root/scripts/deploy_calls.sh"
# shellcheck source=scripts/deploy_evidence.sh
source "$root/scripts/deploy_evidence.sh"
# shellcheck source=scripts/deploy_traffic.sh
source "$root/scripts/deploy_traffic.sh"
# shellcheck source=scripts/deploy_prune.sh
source "$root/scripts/deploy_prune.sh"

check_tools() {
  step "tools"
  local tool tools="aws python3 docker"
  case "$mode" in rollback | prune) tools="aws python3" ;; esac
  [ -z "$public_key" ] || tools="$tools openssl"
  for tool in $tools; do
    type -P "$tool" >/dev/null || stop "$tool is not installed" "Install $tool and run again."
  done
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "python3 is $(python3 --version 2>&1)" "Put Python 3.11 or newer first on the PATH and run again."
  [[ $tools != *docker* ]] || docker version --format '{{.Server.Version}}' >/dev/null 2>"$work/error" ||
    stop "Docker does not answer: $(tail -n 1 "$work/error")" "Start Docker (or set DOCKER_HOST) and run again."
}

check_identity() {
  step "identity"
  ask "AWS does not accept us" aws sts get-caller-identity --query Account >"$work/said"
  read -r account <"$work/said"
  [ -z "${AWS_ACCOUNT_ID:-}" ] || [ "$AWS_ACCOUNT_ID" = "$account" ] ||
    stop "these credentials are for account $account, not $AWS_ACCOUNT_ID" "Use the right profile, or correct AWS_ACCOUNT_ID."
  say "account $account${region:+, $region}${AWS_ENDPOINT_URL:+, $AWS_ENDPOINT_URL}"
}

check_function() {
  step "function"
  look_at_latest
  find_traffic
  say "$function_name on $latest_processor, alias $alias_name at version ${live_version:-none}"
  [ -z "$canary" ] || [ -n "$live_version" ] ||
    stop "there is no alias $alias_name yet, so a canary would have nothing beside it" "Release the first version without --canary."
  [ "$latest_update_status" = InProgress ] || return 0
  say "an earlier update is still under way; waiting for it"
  await_update
  [ "$latest_update_status" != InProgress ] || stop_in_progress
}

# One manifest, of the right architecture, of a model that has passed its gate. Needs no AWS.
check_image() {
  step "image"
  local image_id manifest cases wanted=${ARCHITECTURE:-}
  [ "$mode" = push ] || wanted=$latest_processor
  docker image inspect "$image" >"$work/inspected.json" 2>"$work/error" ||
    stop "Docker has no image $image" "Build it (make images) or name another: IMAGE=name:tag scripts/deploy.sh"
  judge image "$work/inspected.json" "$wanted" >"$work/said"
  IFS=$'\t' read -r image_id architecture manifest <"$work/said"
  docker create "$image" >"$work/said" || stop "Docker can't open the image $image" "Build it again: make images"
  read -r container <"$work/said"
  docker cp "$container:$manifest" "$work/manifest.json" >/dev/null 2>"$work/error" ||
    stop "the image has no $manifest" "Build it with Dockerfile_Inference_Lambda: make images"
  [ -z "$evidence" ] || compare_with_approved "$manifest"
  docker rm "$container" >/dev/null && container=""
  judge gate "$work/manifest.json" "$work/batch.json" "$work/single.json" >"$work/said"
  IFS=$'\t' read -r model_version cases <"$work/said"
  tag=$model_version-$image_id
  say "$image: model $model_version, gate passed, $cases golden cases, $architecture"
}

push_image() {
  step "push"
  find_registry
  find_pushed_image
  if [ -n "$digest" ]; then
    say "$repository has it already"
  elif [ -n "$evidence" ]; then
    stop "the registry no longer has $approved_uri, which was approved" "Build and approve it again: docs/pipeline.md"
  elif [ "$mode" = dry-run ]; then
    say "would push $registry/$repository:$tag"
  else
    log_in
    docker tag "$image" "$registry/$repository:$tag"
    "$root/scripts/alive.sh" "    pushing" docker push "$registry/$repository:$tag" 9>&4 >&2 2>"$work/error" ||
      stop "the push was interrupted: $(tail -n 1 "$work/error")" "Run again: layers that arrived are not sent twice."
  fi
}

find_registry() {
  [ -z "$registry" ] || return 0
  ask "The repository can't be found" aws ecr describe-repositories --repository-names "$repository" \
    --query 'repositories[0].repositoryUri' >"$work/said"
  IFS=/ read -r registry _ <"$work/said"
}

log_in() {
  ask "ECR gives no password" aws ecr get-login-password >"$work/password"
  docker login --username AWS --password-stdin "$registry" <"$work/password" >/dev/null 2>"$work/error" ||
    stop "the registry $registry refuses the login: $(tail -n 1 "$work/error")" "Check REGISTRY and run again."
}

# By the digest that was approved, or else by our tag.
find_pushed_image() {
  local image_id=imageTag=${tag:-}
  [ -z "$evidence" ] || image_id=imageDigest=${approved_uri##*@}
  read_pushed_digest "$image_id" >"$work/said"
  read -r digest <"$work/said" || digest=""
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
  if [ -n "$digest" ] && [ "$latest_deployed" = "$digest" ] &&
    [ "$latest_update_status" = Successful ]; then
    say "the function has this image already"
  elif [ "$mode" = dry-run ]; then
    say "would update $function_name and wait, at most $update_timeout s"
  else
    insist "The update is refused" settle_update send_update >/dev/null
    await_update
  fi
}

send_update() {
  aws lambda update-function-code --function-name "$function_name" --image-uri "$image_uri" \
    --revision-id "$latest_revision" --query LastUpdateStatus --output text
}

settle_update() {
  local before=$latest_deployed
  await_update
  [ "$latest_deployed" != "$digest" ] || return 0
  [ "$latest_deployed" = "$before" ] || stop_for_another
  return 1
}

# Wait for an update of $LATEST to end, and look at what came of it.
await_update() {
  wait_for aws lambda wait function-updated-v2 --function-name "$function_name" || true
  look_at_latest
}

# The waiter looks at LastUpdateStatus alone, and a tag or another deployer may have brought other bytes.
check_state() {
  step "state"
  [ "$mode" != dry-run ] || { say "would check state and digest" && return; }
  if [ "$latest_state" = Inactive ]; then
    wake "\$LATEST"
    look_at_latest
  fi
  case "$latest_update_status" in
    Successful) ;;
    Failed) stop "Lambda could not update the function: $latest_reason" "Correct the cause (logs, repository policy, image) and run again." ;;
    *) stop_in_progress ;;
  esac
  [ "$latest_state" = Active ] ||
    stop "the function is $latest_state: $latest_reason" "See aws lambda get-function --function-name $function_name, then run again."
  [ "$latest_deployed" = "$digest" ] || stop_for_another
  say "active, with this digest"
}

stop_in_progress() {
  stop "the function's update is still in progress after $update_timeout s" \
    "Run again: it waits for the update that is under way. If it never ends, ask AWS Support."
}

stop_for_another() {
  stop "the function has $latest_deployed, not $digest: another deploy came between" \
    "See who deploys, then run again."
}

publish_version() {
  step "publish"
  [ "$mode" != dry-run ] || { say "would publish a version" && return; }
  insist "No version can be published" settle_publication send_publication >"$work/version"
  read -r version <"$work/version"
  await_version "$version" # SnapStart takes its snapshot now, which can take minutes
  say "version $version"
}

send_publication() {
  aws lambda publish-version --function-name "$function_name" --description "model $model_version, $evidence_told" \
    --revision-id "$latest_revision" --code-sha256 "$latest_code_sha" --query Version --output text
}

settle_publication() {
  await_update
  [ "$latest_deployed" = "$digest" ] || stop_for_another
  return 1
}

# look_at_version VERSION: for await_version, whose state and reason it finds.
look_at_version() {
  read_version "$1" >"$work/said"
  IFS=$'\t' read -r state reason <"$work/said"
}

# await_version VERSION: until Lambda can run it. An idle one is woken; the run stops for one that can't run.
await_version() {
  local state reason
  look_at_version "$1"
  if [ "$state" = Inactive ]; then
    wake "$1"
    look_at_version "$1"
  fi
  if [ "$state" = Pending ]; then
    wait_for aws lambda wait published-version-active --function-name "$function_name" --qualifier "$1" || true
    look_at_version "$1"
  fi
  case "$state" in
    Active) ;;
    Pending) stop "version $1 is still pending after $update_timeout s" "Run again: it waits for that version first." ;;
    *) stop "version $1 is $state: $reason" "Correct the cause (see its log and the image), then run again." ;;
  esac
}

# wake QUALIFIER: an invoke wakes a version whose image Lambda has let go of after weeks without traffic. That invoke may
# fail; what counts is the state that the caller reads afterwards.
wake() {
  say "it lay idle and is inactive; waking it"
  echo '{}' >"$work/wake.json"
  aws lambda invoke --function-name "$function_name" --qualifier "$1" --payload "fileb://$work/wake.json" \
    "$work/woken.json" >/dev/null 2>&1 || true
  wait_for aws lambda wait function-active-v2 --function-name "$function_name" --qualifier "$1" || true
}

verify_version() {
  step "verify"
  [ "$mode" != dry-run ] || { say "would invoke that version with the golden cases" && return; }
  local cases
  invoke "$version" "$work/batch.json" "$work/batch-answer.json"
  invoke "$version" "$work/single.json" "$work/single-answer.json"
  judge golden "$work/manifest.json" "$work/batch-answer.json" "$work/single-answer.json" >"$work/said"
  read -r cases <"$work/said"
  say "$cases golden cases answered as recorded"
}

# invoke VERSION PAYLOAD ANSWER: by files, which CLI 1 and 2 take alike.
invoke() {
  local failed
  ask "Version $1 can't be invoked" aws lambda invoke --function-name "$function_name" --qualifier "$1" \
    --payload "fileb://$2" --query FunctionError "$3" >"$work/said"
  read -r failed <"$work/said"
  [ "$failed" = None ] ||
    stop "version $1 fails ($failed): $(head -c 300 "$3")" "Read its log (aws logs tail /aws/lambda/$function_name), correct the image."
}

check_tools
check_identity
if [ "$mode" = rollback ]; then
  roll_back
  summary rolled-back && exit
fi
if [ "$mode" = prune ]; then
  prune
  summary pruned && exit
fi
[ "$mode" = push ] || check_evidence
[ "$mode" = push ] || check_function
[ -z "$evidence" ] || fetch_approved
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
[ -z "$shared" ] || { summary canary && exit; }
summary live
