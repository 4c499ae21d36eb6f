# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# How deploy.sh speaks: to people, to AWS with patience and advice, and to operations/release/checks.py.

say() { echo "    $*" >&2; }

step() {
  step_number=$((step_number + 1)) step_name=$1
  echo "[$step_number] $step_name" >&2
}

summary() { # summary STATUS [REASON ADVICE]
  python3 "$root/operations/release/checks.py" summary "status=$1" "function=$function_name" "alias=$alias_name" \
    "live_version=$live_version" "version=$version" "image_uri=$image_uri" "digest=$digest" \
    "architecture=$architecture" "model_version=$model_version" "account=$account" "region=$region" \
    "previous_version=${moved:+$live_before}" "moved=$moved" "step=${2:+$step_name}" "reason=${2:-}" "next=${3:-}"
}

# stop REASON ADVICE: say what happened, where the traffic is and what to do next, and end the run.
stop() {
  reported=yes
  # An answer can be lost on its way although the alias has moved: ask, where that is possible.
  [ "$step_name" != traffic ] || live_version=$(aws lambda get-alias --function-name "$function_name" \
    --name "$alias_name" --query FunctionVersion --output text 2>/dev/null || echo "$live_version")
  local traffic="as before this run."
  [ "$live_version" = "$live_before" ] || moved=yes traffic="moved there by this run or another."
  {
    echo "Stopped at step $step_number, $step_name: $1"
    echo "  Traffic: ${live_version:+the alias $alias_name is at version $live_version, }$traffic"
    echo "  Next: $2"
  } >&2
  summary stopped "$1" "$2" || true
  exit 1
}

stop_in_progress() {
  stop "the function's update is still in progress after $update_timeout s" \
    "Run again: it waits for the update that is under way. If it never ends, ask AWS Support."
}

on_exit() {
  local status=$1
  exec >&3 2>&4
  [ -z "$waiter" ] || kill "$waiter" 2>/dev/null || true # or it would hold the caller's pipes open
  [ -z "$container" ] || docker rm "$container" >/dev/null 2>&1 || true
  if [ "$status" -ne 0 ] && [ -z "$reported" ]; then
    (stop "the run ended with status $status" "Run the same command again: every step is safe to repeat.") || true
  fi
  rm -rf "$work"
}

# stop_for_aws WHAT: stop with the AWS CLI's last words, and advice on them.
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
      advice="Somebody else changed $function_name meanwhile. See who (CloudTrail tells), then run again." ;;
    *ResourceConflict*)
      advice="Another update is still under way. Wait for it to end, then run again." ;;
    *RepositoryNotFound* | *"unction not found"*)
      advice="Create the stacks first: scripts/provision.sh. Or correct FUNCTION_NAME, REPOSITORY, AWS_REGION." ;;
    *"ould not connect to the endpoint"*)
      advice="Nothing answers at ${AWS_ENDPOINT_URL:-AWS}; check AWS_ENDPOINT_URL and the network, then run again." ;;
  esac
  stop "$1: ${said:-no message}" "$advice"
}

# ask WHAT AWS-ARGUMENTS…: one call; leaves its text in $answer.
ask() {
  local what=$1 && shift
  aws "$@" --output text >"$work/answer" 2>"$work/error" || stop_for_aws "$what"
  answer=$(<"$work/answer")
}

# insist WHAT SETTLE CALL: call until it succeeds, patiently while another update is under way. AWS refuses a call that
# meets another update or a change since our reading; also our own call when its answer was lost and the CLI repeats it.
# So after each such refusal SETTLE reads how things stand: true if all is done as we wanted it, false if the call is to
# be made again; where that would undo another's work it ends the run.
insist() {
  local what=$1 settle=$2 call=$3 attempt=0 retries=${CONFLICT_RETRIES:-5} pause=${CONFLICT_WAIT:-5} refusal
  until "$call" >"$work/answer" 2>"$work/error"; do
    refusal=$(<"$work/error")
    case "$refusal" in *ResourceConflictException* | *PreconditionFailedException*) ;; *) stop_for_aws "$what" ;; esac
    ! "$settle" || return 0
    echo "$refusal" >"$work/error"
    if [ "$attempt" -ge "$retries" ] || [[ $refusal == *PreconditionFailedException* ]]; then stop_for_aws "$what"; fi
    attempt=$((attempt + 1))
    say "another update is under way; try $attempt of $retries in $pause s"
    sleep "$pause"
  done
  answer=$(<"$work/answer")
}

send_update() {
  aws lambda update-function-code --function-name "$function_name" --image-uri "$image_uri" --revision-id "$revision" \
    --query LastUpdateStatus --output text
}

settle_update() {
  local seen=${resolved##*@}
  await_update
  [ "${resolved##*@}" != "$digest" ] || return 0
  [ "${resolved##*@}" = "$seen" ] || stop_for_another
  return 1
}

send_publication() {
  aws lambda publish-version --function-name "$function_name" --revision-id "$revision" --code-sha256 "$code_sha" \
    --description "model $model_version" --query Version --output text
}

settle_publication() {
  await_update
  [ "${resolved##*@}" = "$digest" ] || stop_for_another
  return 1
}

stop_for_another() {
  stop "the function has ${resolved##*@}, not $digest: another deploy came between" "See who deploys, then run again."
}

# judge ARGUMENTS…: one decision of operations/release/checks.py, which brings reason and advice; leaves its text in $answer.
judge() {
  python3 "$root/operations/release/checks.py" "$@" >"$work/answer" 2>"$work/error" ||
    stop "$(sed -n 1p "$work/error")" "$(sed -n '$p' "$work/error")"
  answer=$(<"$work/answer")
}

# wait_for WAITER [ARGUMENTS…]: false if it has not come true within $update_timeout seconds. (Not every system has a
# timeout program, and a waiter gives up after a count of its own.)
wait_for() {
  local deadline=$((SECONDS + update_timeout)) ended
  while :; do
    # Not the function aws: this pid can be killed.
    env aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} lambda wait "$@" --function-name "$function_name" \
      2>"$work/error" &
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

# Wait for an update of $LATEST to end, and read what came of it.
await_update() {
  wait_for function-updated-v2 || true
  read_function
}

# await_version VERSION: until Lambda can run it. One that lay idle is woken; why one can't run is told.
await_version() {
  read_version "$1"
  [ "$version_state" != Inactive ] || { wake "$1" && read_version "$1"; }
  [ "$version_state" != Pending ] || { wait_for published-version-active --qualifier "$1" || true; read_version "$1"; }
  case "$version_state" in
    Active) ;;
    Pending) stop "version $1 is still pending after $update_timeout s" "Run again: it waits for that version first." ;;
    *) stop "version $1 is $version_state: $version_reason" "Correct the cause (see its log and the image), then run again." ;;
  esac
}

# read_version VERSION: leaves version_state and version_reason.
read_version() {
  ask "Version $1 can't be read" lambda get-function-configuration --function-name "$function_name" --qualifier "$1" \
    --query "[State || 'Active', StateReason || 'it gives no reason']"
  IFS=$'\t' read -r version_state version_reason <<<"$answer"
}

# Leaves what Lambda says of $LATEST in state, update_status, revision, code_sha, function_architecture, resolved, reason.
read_function() {
  ask "The function $function_name can't be read" lambda get-function --function-name "$function_name" --query \
    "[Configuration.State || '-', Configuration.LastUpdateStatus || '-', Configuration.RevisionId || '-',
      Configuration.CodeSha256 || '-', Configuration.Architectures[0] || 'x86_64',
      Code.ResolvedImageUri || Code.ImageUri || '-',
      Configuration.LastUpdateStatusReason || Configuration.StateReason || 'it gives no reason']"
  IFS=$'\t' read -r state update_status revision code_sha function_architecture resolved reason <<<"$answer"
}

# The alias says itself what it named before: one call moves it and leaves the way back, or does neither.
way_back="previous version: "

# Leaves alias_version, alias_revision and alias_description, all empty if there is no such alias.
read_alias() {
  alias_version="" alias_revision="" alias_description=""
  if aws lambda get-alias --function-name "$function_name" --name "$alias_name" --output text \
    --query "[FunctionVersion, RevisionId, Description || '-']" >"$work/answer" 2>"$work/error"; then
    IFS=$'\t' read -r alias_version alias_revision alias_description <"$work/answer"
  else
    grep -q ResourceNotFoundException "$work/error" || stop_for_aws "The alias $alias_name can't be read"
  fi
}

# Leaves the digest of $repository:$tag in digest, empty if the registry has no such tag.
find_pushed_image() {
  local media_type
  digest=""
  if aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$tag" --output text \
    --query "imageDetails[0].[imageDigest, imageManifestMediaType || '-']" >"$work/answer" 2>"$work/error"; then
    IFS=$'\t' read -r digest media_type <"$work/answer"
    [ "$digest" != None ] || { digest="" && return; }
    judge registry "$media_type"
  else
    grep -q ImageNotFoundException "$work/error" || stop_for_aws "The registry can't be asked for $repository:$tag"
  fi
}

# invoke VERSION PAYLOAD ANSWER: by files, which CLI 1 and 2 take alike.
invoke() {
  ask "Version $1 can't be invoked" lambda invoke --function-name "$function_name" --qualifier "$1" \
    --payload "fileb://$2" --query 'FunctionError' "$3"
  [ "$answer" = None ] ||
    stop "version $1 fails ($answer): $(head -c 300 "$3")" "Read its log (aws logs tail /aws/lambda/$function_name), correct the image."
}

# wake QUALIFIER: an invoke wakes a version whose image Lambda has let go of after weeks without traffic.
wake() {
  say "it lay idle and is inactive; waking it"
  echo '{}' >"$work/wake.json"
  aws lambda invoke --function-name "$function_name" --qualifier "$1" --payload "fileb://$work/wake.json" \
    "$work/woken.json" >/dev/null 2>&1 || true
  wait_for function-active-v2 --qualifier "$1" || true
}

# point_alias VERSION DESCRIPTION: move the alias, or create it where there was none, from how it was read.
point_alias() {
  alias_target=$1 alias_text=$2
  insist "The alias $alias_name can't be moved" settle_alias send_alias
  say "$alias_name: version ${live_before:-none} -> $alias_target"
  live_version=$alias_target moved=yes
}

send_alias() {
  if [ -n "$live_before" ]; then
    aws lambda update-alias --function-name "$function_name" --name "$alias_name" --function-version "$alias_target" \
      --revision-id "$alias_revision" --routing-config AdditionalVersionWeights={} --description "$alias_text" \
      --query FunctionVersion --output text
  else
    aws lambda create-alias --function-name "$function_name" --name "$alias_name" --function-version "$alias_target" \
      --description "$alias_text" --query FunctionVersion --output text
  fi
}

settle_alias() {
  read_alias
  [ "$alias_version" != "$alias_target" ] || return 0
  [ "$alias_version" = "$live_before" ] ||
    stop "the alias $alias_name is at version $alias_version meanwhile: another deploy came between" "See who deploys, then run again."
  return 1
}
