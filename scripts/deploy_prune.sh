# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are shared with deploy.sh, which sources this
# What deploy.sh --prune does: versions and images that nobody can come back to are deleted. SnapStart bills each version.

prune() {
  step "function"
  look_at_latest
  list_versions
  ask "The aliases of $function_name can't be listed" aws lambda list-aliases --function-name "$function_name" --query \
    "Aliases[].[FunctionVersion, join(' ', keys(RoutingConfig.AdditionalVersionWeights || \`{}\`)), Description || '-']" \
    >"$work/aliases"
  judge prunable "$work/versions" "$work/aliases" "$kept" >"$work/prunable"
  step "prune"
  : >"$work/pruned-images"
  while read -r version; do
    [ -n "$version" ] || continue
    find_image "$version" >>"$work/pruned-images"
    ask "Version $version can't be deleted" aws lambda delete-function --function-name "$function_name" \
      --qualifier "$version" >/dev/null
    say "version $version is deleted"
    pruned="$pruned${pruned:+ }$version"
  done <"$work/prunable"
  [ -n "$pruned" ] || say "no version: all are named by an alias, ways back, or among the newest $kept others"
  delete_unused_images
  version=""
}

# Only images of versions that this run has deleted, and that neither $LATEST nor another version runs.
delete_unused_images() {
  local image refusal
  list_versions
  while read -r version; do find_image "$version" >>"$work/used-images"; done <"$work/versions"
  # grep fails if it keeps no line.
  sort -u "$work/pruned-images" | { grep -vxFf "$work/used-images" | grep '^sha256:' || true; } >"$work/unused-images"
  while read -r image; do
    ask "The image $image can't be deleted" aws ecr batch-delete-image --repository-name "$repository" \
      --image-ids "imageDigest=$image" --query "failures[].failureReason" >"$work/said"
    refusal=""
    read -r refusal <"$work/said" || true # nothing is said of what is deleted
    if [ -n "$refusal" ]; then say "image $image stays: $refusal"; else say "image $image is deleted"; fi
  done <"$work/unused-images"
}

# $work/versions gets every version, $LATEST too.
list_versions() {
  ask "The versions of $function_name can't be listed" aws lambda list-versions-by-function \
    --function-name "$function_name" --query 'Versions[].[Version]' >"$work/versions"
}

# find_image VERSION: the digest of its image.
find_image() {
  local uri
  ask "Version $1 can't be read" aws lambda get-function --function-name "$function_name" --qualifier "$1" \
    --query "Code.ResolvedImageUri || '-'" >"$work/said"
  read -r uri <"$work/said"
  echo "${uri##*@}"
}
