# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# Who gets the traffic: where deploy.sh finds the alias, moves it, and takes it back.

# The alias's description holds the ways back: operations/release/ways.py. One call moves the alias and leaves them, or
# does neither.
weights=""

# The alias as a step last saw it.
find_traffic() {
  read_alias >"$work/said"
  IFS=$'\t' read -r live_version alias_revision weights alias_description <"$work/said" || true # there may be none
  live_before=$live_version
}

# The alias's version, revision, canary ("-" if there is none) and description; nothing if there is no such alias.
read_alias() {
  aws lambda get-alias --function-name "$function_name" --name "$alias_name" --output text --query \
    "[FunctionVersion, RevisionId, join(' ', keys(RoutingConfig.AdditionalVersionWeights || \`{}\`)) || '-',
      Description || '-']" 2>"$work/error" ||
    grep -q ResourceNotFoundException "$work/error" || stop_for_aws "The alias $alias_name can't be read"
}

# All at once, or a share of it to begin with. The version is verified already.
move_traffic() {
  step "traffic"
  if [ "$live_version" = "$version" ]; then
    say "$alias_name is at version $version already"
    return
  fi
  # A canary of the same version only changes its share.
  if [ -z "$canary" ] || [ "$weights" != "${version:--}" ]; then refuse_over_canary; fi
  if [ -n "$canary" ]; then
    start_canary
  elif [ "$mode" = dry-run ]; then
    say "would move $alias_name, now at version ${live_version:-none}"
  else
    local ways=""
    judge ways-after-release "$alias_description" "$live_version" "$version" >"$work/said"
    read -r ways <"$work/said" || true # there are none where there was no alias
    point_alias "$version" "$ways"
  fi
}

# The new version gets $canary percent of the traffic; the ways back are written once it is promoted.
start_canary() {
  if [ "$mode" = dry-run ]; then
    say "would give the new version $canary % of $alias_name, beside version $live_version"
    return
  fi
  insist "The alias $alias_name can't be shared" settle_canary send_canary >/dev/null
  shared=yes
  say "$alias_name: version $version has $canary %, version $live_version the rest"
  say "next: python -m operations canary --function $function_name --alias $alias_name --wait 3600"
}

send_canary() {
  local share
  printf -v share '0.%02d' "$canary"
  aws lambda update-alias --function-name "$function_name" --name "$alias_name" --function-version "$live_version" \
    --revision-id "$alias_revision" --routing-config "AdditionalVersionWeights={$version=$share}" \
    --query FunctionVersion --output text
}

settle_canary() {
  local found
  read_alias >"$work/said"
  IFS=$'\t' read -r found alias_revision weights _ <"$work/said" || true # it may be gone
  [ "$found" = "$live_before" ] ||
    stop "the alias $alias_name is at version $found meanwhile: another deploy came between" "See who deploys, then run again."
  [ "$weights" = "$version" ] || refuse_over_canary
  return 1
}

# A second version that has a share of the traffic would lose it without a word.
refuse_over_canary() {
  case "$weights" in "" | -) return 0 ;; esac
  [ -z "$abort_canary" ] || { say "ending the canary: version $weights gets no more traffic" && return; }
  stop "$alias_name shares its traffic with version $weights: a canary is running" \
    "Let it end, or end it by this run: --abort-canary"
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
  IFS=$'\t' read -r found alias_revision weights _ <"$work/said" || true # it may be gone
  [ "$found" != "$1" ] || return 0
  [ "$found" = "$live_before" ] ||
    stop "the alias $alias_name is at version $found meanwhile: another deploy came between" "See who deploys, then run again."
  refuse_over_canary
  return 1
}

roll_back() {
  local ways
  step "function"
  find_traffic
  [ -n "$live_version" ] || look_at_latest # there may be no such function
  if [ -n "$rollback_to" ] && [ "$rollback_to" = "$live_version" ]; then
    say "$alias_name is at version $rollback_to already"
    version=$rollback_to
    return
  fi
  judge way-back "$alias_description" "$live_version" "$rollback_to" >"$work/said"
  IFS=$'\t' read -r version ways <"$work/said"
  refuse_over_canary
  step "verify"
  echo '{"version": "2.0", "rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}' >"$work/health.json"
  await_version "$version"
  invoke "$version" "$work/health.json" "$work/health-answer.json"
  judge health "$work/health-answer.json" >"$work/said"
  read -r model_version <"$work/said"
  name_live_model
  say "from version $live_version (model $previous_model) to version $version (model $model_version)"
  step "traffic"
  point_alias "$version" "$ways"
}

# What is live may be what is broken, so it need not answer.
name_live_model() {
  previous_model=unknown
  if aws lambda invoke --function-name "$function_name" --qualifier "$live_version" --payload "fileb://$work/health.json" \
    "$work/live-answer.json" >/dev/null 2>&1 && checks health "$work/live-answer.json" >"$work/said" 2>/dev/null; then
    read -r previous_model <"$work/said"
  fi
}
