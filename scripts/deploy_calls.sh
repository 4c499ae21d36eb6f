# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# How deploy.sh speaks: to people, to AWS with patience and advice, and to operations/release.py.

say() { echo "    $*" >&2; }

step() {
  step_number=$((step_number + 1)) step_name=$1
  echo "[$step_number] $step_name" >&2
}

summary() { # summary STATUS [REASON ADVICE]
  python3 "$root/operations/release.py" summary "status=$1" "function=$function_name" "alias=$alias_name" \
    "live_version=$live_version" "version=$version" "image_uri=$image_uri" "digest=$digest" \
    "architecture=$architecture" "model_version=$model_version" "account=$account" "region=$region" \
    "step=${2:+$step_name}" "reason=${2:-}" "next=${3:-}"
}

# stop REASON ADVICE: say what happened, where the traffic is and what to do next, and end the run.
stop() {
  reported=yes
  # An answer can be lost on its way although the alias has moved: ask, where that is possible.
  [ "$step_name" != traffic ] || live_version=$(aws lambda get-alias --function-name "$function_name" \
    --name "$alias_name" --query FunctionVersion --output text 2>/dev/null || echo "$live_version")
  {
    echo "Stopped at step $step_number, $step_name: $1"
    echo "  Traffic: ${live_version:+the alias $alias_name is at version $live_version, }as before this run."
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

# insist WHAT AWS-ARGUMENTS…: the same, patient while another update of the function is under way.
insist() {
  local what=$1 attempt=0 retries=${CONFLICT_RETRIES:-5} pause=${CONFLICT_WAIT:-5} && shift
  until aws "$@" --output text >"$work/answer" 2>"$work/error"; do
    if [ "$attempt" -ge "$retries" ] || ! grep -q ResourceConflictException "$work/error"; then
      stop_for_aws "$what"
    fi
    attempt=$((attempt + 1))
    say "another update is under way; try $attempt of $retries in $pause s"
    sleep "$pause"
  done
  answer=$(<"$work/answer")
}

# judge ARGUMENTS…: one decision of operations/release.py, which brings reason and advice; leaves its text in $answer.
judge() {
  python3 "$root/operations/release.py" "$@" >"$work/answer" 2>"$work/error" ||
    stop "$(sed -n 1p "$work/error")" "$(sed -n '$p' "$work/error")"
  answer=$(<"$work/answer")
}

# bounded SECONDS AWS-ARGUMENTS…: false if the call fails or takes longer. (Not every system has a timeout program.)
bounded() {
  local deadline=$((SECONDS + $1)) && shift
  env aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@" & # not the function aws: this pid can be killed
  local command=$!
  while kill -0 "$command" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || kill "$command" 2>/dev/null || true
    sleep 0.2
  done
  wait "$command"
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

# read_alias NAME: leaves alias_version and alias_revision, both empty if there is no such alias.
read_alias() {
  alias_version="" alias_revision=""
  if aws lambda get-alias --function-name "$function_name" --name "$1" --output text \
    --query '[FunctionVersion, RevisionId]' >"$work/answer" 2>"$work/error"; then
    IFS=$'\t' read -r alias_version alias_revision <"$work/answer"
  else
    grep -q ResourceNotFoundException "$work/error" || stop_for_aws "The alias $1 can't be read"
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

# wake QUALIFIER: an invoke wakes a function whose image Lambda has let go of after weeks without traffic.
wake() {
  say "the function lay idle and is inactive; waking it"
  aws lambda invoke --function-name "$function_name" --qualifier "$1" --payload '{}' "$work/woken.json" >/dev/null 2>&1 || true
  bounded "$update_timeout" lambda wait function-active-v2 --function-name "$function_name" --qualifier "$1" \
    2>"$work/error" || true
  read_function
}

# point_alias NAME VERSION REVISION: move an alias, only if it is still at that revision; no revision: create it.
point_alias() {
  if [ -n "$3" ]; then
    insist "The alias $1 can't be moved" lambda update-alias --function-name "$function_name" --name "$1" \
      --function-version "$2" --revision-id "$3" --routing-config AdditionalVersionWeights={} --query FunctionVersion
  else
    insist "The alias $1 can't be created" lambda create-alias --function-name "$function_name" --name "$1" \
      --function-version "$2" --query FunctionVersion
  fi
}
