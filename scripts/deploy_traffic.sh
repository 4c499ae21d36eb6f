# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# Who gets the traffic: where deploy.sh finds the alias, moves it, and takes it back.

# The alias's description names the version before it: one call moves it and leaves the way back, or does neither.
way_back="previous version: "

# The alias as a step last saw it.
find_traffic() {
  read_alias >"$work/said"
  IFS=$'\t' read -r live_version alias_revision alias_description <"$work/said" || true # there may be none
  live_before=$live_version
}

# The alias's version, revision and description; nothing if there is no such alias.
read_alias() {
  aws lambda get-alias --function-name "$function_name" --name "$alias_name" --output text \
    --query "[FunctionVersion, RevisionId, Description || '-']" 2>"$work/error" ||
    grep -q ResourceNotFoundException "$work/error" || stop_for_aws "The alias $alias_name can't be read"
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

# point_alias VERSION DESCRIPTION: move the alias from where we saw it, or create it where there was none.
point_alias() {
  insist "The alias $alias_name can't be moved" settle_alias send_alias "$@" >/dev/null
  say "$alias_name: version ${live_before:-none} -> $1"
  live_version=$1 moved=yes
}

send_alias() {
  local target=(--function-name "$function_name" --name "$alias_name" --function-version "$1" --description "$2")
  if [ -n "$live_before" ]; then
    aws lambda update-alias "${target[@]}" --revision-id "$alias_revision" \
      --routing-config AdditionalVersionWeights={} --query FunctionVersion --output text
  else
    aws lambda create-alias "${target[@]}" --query FunctionVersion --output text
  fi
}

settle_alias() {
  local found
  read_alias >"$work/said"
  IFS=$'\t' read -r found alias_revision _ <"$work/said" || true # it may be gone
  [ "$found" != "$1" ] || return 0
  [ "$found" = "$live_before" ] ||
    stop "the alias $alias_name is at version $found meanwhile: another deploy came between" "See who deploys, then run again."
  return 1
}

roll_back() {
  step "function"
  look_at_latest
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
