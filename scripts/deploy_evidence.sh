# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# What deploy.sh --evidence adds: the approved archive says which image may be released, and what is in it.

# The archive is consistent, approved, signed, and what this checkout releases; $work/approved gets what was approved.
check_evidence() {
  evidence_told="without evidence"
  [ -n "$evidence" ] || [ "${REQUIRE_EVIDENCE:-}" = true ] || return 0
  step "evidence"
  if [ "${REQUIRE_EVIDENCE:-}" = true ]; then
    [ -n "$evidence" ] || stop "REQUIRE_EVIDENCE is true, and no evidence is given" \
      "Release an approved archive: scripts/deploy.sh --evidence FILE"
    [ -n "$public_key" ] || stop "REQUIRE_EVIDENCE is true, and no key is given to check its signature by" \
      "Name the public key of whoever approves: EVIDENCE_PUBLIC_KEY=FILE"
  fi
  local name value options=(--purpose release --extract "$work/approved" --output "$work/approved.env")
  options+=(--rules "$rules" --limits "$limits")
  [ -z "${EVIDENCE_COMMIT:-}" ] || options+=(--commit "$EVIDENCE_COMMIT")
  [ -z "$public_key" ] || options+=(--public-key "$public_key")
  (cd "$root" && PYTHONPATH=$root python3 -B -m operations verify "$evidence" "${options[@]}") \
    >/dev/null 2>"$work/error" ||
    stop "the evidence is refused: $(tail -n 1 "$work/error")" \
      "Release what was approved, or have this approved: docs/pipeline.md"
  while IFS='=' read -r name value; do
    case "$name" in
      MODEL_VERSION) model_version=$value ;;
      IMAGE_URI) approved_uri=$value ;;
      EVIDENCE_SHA256) evidence_told="evidence sha256:$value" ;;
    esac
  done <"$work/approved.env"
  image=$approved_uri
  say "model $model_version, approved${public_key:+ and signed}: $evidence_told"
}

# The approved image, by its digest and from the registry that the function will pull it from.
fetch_approved() {
  step "approved image"
  find_registry
  [ "$approved_uri" = "$registry/$repository@${approved_uri##*@}" ] ||
    stop "the approved image is $approved_uri, and this release goes to $registry/$repository" \
      "Check REGISTRY and REPOSITORY, or have an image of this repository approved."
  log_in
  "$root/scripts/alive.sh" "    pulling" docker pull --quiet "$approved_uri" 9>&4 >/dev/null 2>"$work/error" ||
    stop "$approved_uri can't be pulled: $(tail -n 1 "$work/error")" "If it was deleted, build and approve it again."
  say "$approved_uri"
}

# compare_with_approved MANIFEST_PATH: what the image serves is, byte by byte, what was approved. $container is the
# image, created and never started.
compare_with_approved() {
  docker cp "$container:${1%/*}/model.joblib" "$work/model.joblib" >/dev/null 2>"$work/error" ||
    stop "the image has no ${1%/*}/model.joblib" "Release an image that serves the approved model."
  judge approved "$work/inspected.json" "$work/approved" "$work/manifest.json" "$work/model.joblib" >/dev/null
  say "its model is the approved one, byte by byte"
}
