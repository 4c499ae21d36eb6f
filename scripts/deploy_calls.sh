# shellcheck shell=bash
# shellcheck disable=SC2154  # deploy.sh, which sources this, has set the variables
# How deploy.sh speaks: to people, to AWS with patience and advice, and to operations/release/checks.py.
#
# A function that finds something out prints it, and its caller reads that from a file: `ask … >"$work/said"`. Inside $(…)
# `stop` would end only the parentheses, and a signal would wait for AWS's answer. Bash 5.2 may even meet a signal there
# with a syntax error of its own and status 2, so $(…) stands only before the traps and on the way to `stop`.

say() { echo "    $*" >&2; }

step() {
  step_number=$((step_number + 1)) step_name=$1
  echo "[$step_number] $step_name" >&2
}

# checks COMMAND …: needs nothing but Python; -B leaves no byte-code in the checkout.
checks() { (cd "$root" && PYTHONPATH=$root python3 -B -m operations.release.checks "$@"); }

# summary STATUS [REASON ADVICE]: to the caller's standard output, also from inside a redirection.
summary() {
  checks summary "status=$1" "function=$function_name" "alias=$alias_name" \
    "live_version=$live_version" "version=$version" "image_uri=$image_uri" "digest=$digest" \
    "architecture=$architecture" "model_version=$model_version" "account=$account" "region=$region" \
    "evidence=$evidence_told" "previous_model=$previous_model" "pruned=$pruned" "previous_version=${moved:+$live_before}" "moved=$moved" "step=${2:+$step_name}" "reason=${2:-}" "next=${3:-}" >&3
}

# stop REASON ADVICE: say what happened, where the traffic is and what to do next, and end the run.
stop() {
  reported=yes
  # The alias may have moved although AWS's answer was lost: ask where it is, if that is possible.
  [ "$step_name" != traffic ] || live_version=$(aws lambda get-alias --function-name "$function_name" \
    --name "$alias_name" --query FunctionVersion --output text 2>/dev/null || echo "$live_version")
  local traffic="as before this run."
  [ "$live_version" = "$live_before" ] || moved=yes traffic="moved there by this run or another."
  {
    echo "Stopped at step $step_number, $step_name: $1"
    echo "  Traffic: ${live_version:+the alias $alias_name is at version $live_version, }$traffic"
    echo "  Next: $2"
  } >&4
  summary stopped "$1" "$2" || true
  exit 1
}

on_exit() {
  local status=$1
  [ -z "$waiter" ] || kill "$waiter" 2>/dev/null || true # or it would hold the caller's pipes open
  [ -z "$container" ] || docker rm "$container" >/dev/null 2>&1 || true
  if [ "$status" -ne 0 ] && [ -z "$reported" ]; then
    (stop "the run ended with status $status" "Run the same command again: every step is safe to repeat.") || true
  fi
  rm -rf "$work"
}

# stop_for_aws WHAT: stop with the last line that the AWS CLI wrote, and advice on it.
stop_for_aws() {
  local said advice="Correct the cause and run the same command again."
  said=$(grep -v '^$' "$work/error" | tail -n 1 || true)
  case "$said" in
    *"nable to locate credentials"* | *"config profile"*)
      advice="Give the AWS CLI credentials: AWS_PROFILE, aws sso login, or AWS_ACCESS_KEY_ID and its secret." ;;
    *ExpiredToken* | *InvalidClientTokenId* | *UnrecognizedClient* | *SignatureDoesNotMatch*)
      advice="Renew the credentials and run again." ;;
    *AccessDenied*)
      advice="Assume the deployer's role (DeployerRoleArn, an output of infra/service.yaml) and run again." ;;
    *"specify a region"*)
      advice="Name the region: AWS_REGION=eu-central-1 scripts/deploy.sh" ;;
    *Throttling* | *TooManyRequests* | *"Rate exceeded"*)
      advice="AWS is throttling this account; run the same command again in a minute." ;;
    *PreconditionFailed*)
      advice="$function_name changed meanwhile: by Lambda itself, or by another deploy (CloudTrail tells). Run again." ;;
    *ResourceConflict*)
      advice="Another update is still under way. Wait for it to end, then run again." ;;
    *RepositoryNotFound* | *"unction not found"*)
      advice="Create the stacks first: scripts/provision.sh. Or correct FUNCTION_NAME, REPOSITORY, AWS_REGION." ;;
    *"ould not connect to the endpoint"*)
      advice="Nothing answers at ${AWS_ENDPOINT_URL:-AWS}; check AWS_ENDPOINT_URL and the network, then run again." ;;
  esac
  stop "$1: ${said:-no message}" "$advice"
}

# ask WHAT COMMAND…: one call of the AWS CLI; prints its answer as text.
ask() {
  local what=$1 && shift
  "$@" --output text 2>"$work/error" || stop_for_aws "$what"
}

# insist WHAT SETTLE CALL [ARGUMENTS…]: make the call until it succeeds, and print its answer. AWS refuses a call that
# meets another update, or a change since we last looked; also our own call if its answer was lost and the CLI repeats
# it. So after such a refusal SETTLE looks again: it succeeds if everything is as we want it already, and fails if the
# call is to be made again. Where a repetition would undo somebody's work, it ends the run.
insist() {
  local what=$1 settle=$2 call=$3 attempt=0 retries=${CONFLICT_RETRIES:-5} pause=${CONFLICT_WAIT:-5} refusal
  shift 3
  until "$call" "$@" >"$work/answer" 2>"$work/error"; do
    refusal=$(<"$work/error")
    case "$refusal" in *ResourceConflictException* | *PreconditionFailedException*) ;; *) stop_for_aws "$what" ;; esac
    ! "$settle" "$@" || return 0
    echo "$refusal" >"$work/error"
    if [ "$attempt" -ge "$retries" ] || [[ $refusal == *PreconditionFailedException* ]]; then stop_for_aws "$what"; fi
    attempt=$((attempt + 1))
    say "another update is under way; try $attempt of $retries in $pause s"
    sleep "$pause"
  done
  cat "$work/answer"
}

# judge ARGUMENTS…: one decision of operations/release/checks.py, whose refusal brings reason and advice.
judge() {
  local reason
  checks "$@" 2>"$work/error" && return
  reason=$(sed -n 1p "$work/error")
  stop "$reason" "$(sed -n '$p' "$work/error")"
}

# wait_for aws lambda wait …: fails if it has not come true within $update_timeout seconds. (Not every system has a
# timeout program, and a waiter gives up after a count of its own.) Callers ignore the failure and look for themselves:
# the state that they then read says more than a waiter's exit status.
wait_for() {
  local deadline=$((SECONDS + update_timeout)) ended
  while :; do
    # `env` runs the program aws, not the function of that name, so this pid is one that can be killed.
    env "$@" ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} >/dev/null 2>"$work/error" &
    waiter=$!
    while kill -0 "$waiter" 2>/dev/null; do
      [ "$SECONDS" -lt "$deadline" ] || kill "$waiter" 2>/dev/null || true
      sleep 0.2
    done
    wait "$waiter" && ended=0 || ended=$?
    waiter=""
    if [ "$ended" -eq 0 ] || [ "$SECONDS" -ge "$deadline" ] || ! grep -q "Max attempts" "$work/error"; then
      return "$ended"
    fi
  done
}

# Ask Lambda about $LATEST, and set latest_… to what it answers; latest_deployed is the digest of its image.
# shellcheck disable=SC2034  # deploy.sh reads them
look_at_latest() {
  ask "The function $function_name can't be read" aws lambda get-function --function-name "$function_name" --query \
    "[Configuration.State || '-', Configuration.LastUpdateStatus || '-', Configuration.RevisionId || '-',
      Configuration.CodeSha256 || '-', Configuration.Architectures[0] || 'x86_64',
      Code.ResolvedImageUri || Code.ImageUri || '-',
      Configuration.LastUpdateStatusReason || Configuration.StateReason || 'it gives no reason']" >"$work/said"
  IFS=$'\t' read -r latest_state latest_update_status latest_revision latest_code_sha latest_processor latest_deployed \
    latest_reason <"$work/said"
  latest_deployed=${latest_deployed##*@}
}

# read_version VERSION: its state, and the reason for it.
read_version() {
  ask "Version $1 can't be read" aws lambda get-function-configuration --function-name "$function_name" \
    --qualifier "$1" --query "[State || 'Active', StateReason || 'it gives no reason']"
}

# read_pushed_digest imageTag=TAG|imageDigest=DIGEST: the image's digest in $repository; nothing if it has no such image.
read_pushed_digest() {
  local found media_type
  if aws ecr describe-images --repository-name "$repository" --image-ids "$1" --output text \
    --query "imageDetails[0].[imageDigest, imageManifestMediaType || '-']" >"$work/pushed" 2>"$work/error"; then
    IFS=$'\t' read -r found media_type <"$work/pushed"
    [ "$found" != None ] || return 0
    judge registry "$media_type" >/dev/null
    echo "$found"
  else
    grep -q ImageNotFoundException "$work/error" || stop_for_aws "The registry can't be asked for $repository, $1"
  fi
}
