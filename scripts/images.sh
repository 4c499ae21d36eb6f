#!/usr/bin/env bash
# Builds the images: the one that Lambda runs, the one that trains and tests, and the one that monitors.
#
# usage: scripts/images.sh [inference] [training] [monitor]      the first two, if none is named (make images)
#
# Environment
#   IMAGE (ccapproval-deploy:latest)   TRAINING_IMAGE (ccapproval:latest)   MONITOR_IMAGE (ccapproval-monitor:latest)
#                                      what the images are called
#   ARTIFACTS (model/artifacts)        the judged model to serve
#   CHALLENGER                         a second judged model, which decides in the shadow of the first
#   MODEL_FORMAT                       export the model in this format first (CONTRACT, DATA: what it was trained on)
#   ARCHITECTURE                       x86_64 or arm64; this machine's own if unset
#   IMAGE_FACTS (build/images)         where each image's facts and bill of materials (CycloneDX) are written
#   NO_CACHE                           if not empty, every layer is built again
#   BASE_IMAGE, TRAINING_BASE_IMAGE    other bases; by default AWS's, or a stand-in (scripts/standin_base.sh) if AWS's
#                                      registry does not answer within PULL_SECONDS (60)
#   REQUIRE_BASE (false)               true: fail rather than build on the stand-in, as a release must
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'images: %s\n  Next: %s\n' "$1" "$2" >&2 && exit 1; }

lambda_base=public.ecr.aws/lambda/python:3.13
python_base=public.ecr.aws/docker/library/python:3.13
artifacts=${ARTIFACTS:-model/artifacts}
python=${PYTHON:-.venv/bin/python}
export PYTHON=$python
case ${ARCHITECTURE:-$(uname -m)} in
  x86_64 | amd64) architecture=x86_64 platform=linux/amd64 ;;
  arm64 | aarch64) architecture=arm64 platform=linux/arm64 ;;
  *) fail "Lambda runs x86_64 and arm64, not ${ARCHITECTURE:-$(uname -m)}" "Set ARCHITECTURE to one of them." ;;
esac
docker version >/dev/null 2>&1 || fail "Docker does not answer" "Start Docker, then: make images"

mkdir -p build
work=$(mktemp -d build/images-XXXXXX)
trap 'rm -rf "$work"' EXIT

# Lambda takes a single manifest; BuildKit would wrap it in an index, together with its provenance.
options=(--platform "$platform" --network none)
[[ -z ${NO_CACHE:-} ]] || options+=(--no-cache)
if [[ ${DOCKER_BUILDKIT:-1} != 0 ]] && docker buildx version >/dev/null 2>&1; then
  options+=(--provenance=false --sbom=false --load)
else
  options+=(--force-rm) # the classic builder would keep the container of a step that failed
fi

pull() {
  docker pull --quiet --platform "$platform" "$1" >/dev/null 2>"$work/pull.log" &
  local pid=$! waited=0
  while kill -0 "$pid" 2>/dev/null && ((waited++ < ${PULL_SECONDS:-60})); do sleep 1; done
  kill "$pid" 2>/dev/null && echo "no answer within ${PULL_SECONDS:-60} s" >"$work/pull.log"
  wait "$pid"
}

# base NAMED DEFAULT: set $base to the image to build on.
registry_answers=yes
base() {
  base=$1
  if [[ -n $base ]]; then
    docker image inspect "$base" >/dev/null 2>&1 || pull "$base" ||
      fail "the base image $base cannot be pulled: $(tail -n 1 "$work/pull.log")" "Log in to its registry, or name another."
    return
  fi
  base=$2
  if [[ $registry_answers = yes ]] && pull "$base"; then return; fi
  [[ $registry_answers = no ]] ||
    echo "images: $base cannot be pulled ($(tail -n 1 "$work/pull.log" | cut -c1-200)); using the stand-in" >&2
  registry_answers=no
  [[ ${REQUIRE_BASE:-} != true ]] ||
    fail "$base cannot be pulled, and REQUIRE_BASE allows no stand-in" "Run again, or name a mirror: BASE_IMAGE, and in policies/release.json."
  base=$(scripts/standin_base.sh "$architecture")
}

# keep_name NAME IMAGE: give an image this name, and remove the one that loses it and has no other.
keep_name() {
  local before unnamed
  before=$(docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true) # nothing has the name at first
  docker tag "$2" "$1"
  unnamed=$(docker image inspect --format '{{len .RepoTags}}' "${before:-none}" 2>/dev/null || true) # likewise
  [[ $unnamed != 0 ]] || docker rmi "$before" >/dev/null 2>&1 || true # a container may still use it
}

# build NAME DOCKERFILE TAG ARGUMENT...: from the context in $work/NAME, without a network.
build() {
  local name=$1 dockerfile=$2 tag=$3 stage && shift 3
  echo "images: building $tag on $base ..." >&2
  find "$work/$name" -name __pycache__ -prune -exec rm -rf {} +
  local log=build/image-$name.log
  scripts/alive.sh "images: building $tag" docker build "${options[@]}" --build-arg "BASE_IMAGE=$base" "$@" \
    --file "$dockerfile" --iidfile "$work/$name.id" "$work/$name" 9>&2 >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "$tag could not be built; the whole output is in $log" "Correct the cause, then: make images"
  }
  # The classic builder leaves the first stage without a name; its log tells which image that is. One name for each lock
  # ($lock is the caller's), so that what pip installed stays cached.
  stage=$(awk '/^Step .* : FROM / && ++count == 2 { print last; exit } /^ ---> [0-9a-f]+$/ { last = $2 }' "$log")
  [[ -z $stage ]] || keep_name "ccapproval-stage:${lock:-$name}" "$stage"
  keep_name "$tag" "$(<"$work/$name.id")"
  echo "images: $tag is $(docker image inspect --format '{{.Id}}' "$tag")" >&2
}

# gather NAME PATH...: make a build context of these paths and nothing else.
gather() {
  local name=$1 path && shift
  for path in "$@"; do
    mkdir -p "$work/$name/$(dirname "$path")" && cp -R "$path" "$work/$name/$path"
  done
}

# facts DIRECTORY: print the format and the training time (seconds since 1970) of the model there.
facts() {
  "$python" - "$1/manifest.json" <<'PYTHON'
import datetime, json, sys

manifest = json.load(open(sys.argv[1], encoding="utf-8"))
print(manifest["format"], int(datetime.datetime.fromisoformat(manifest["trained_at"]).timestamp()))
PYTHON
}

# record ROLE IMAGE: write the image's facts and its bill of materials.
record() {
  echo "images: listing what is in $2 ..." >&2
  # The tool for the bill is missing where only `make .venv/bin/uv` has been run.
  if ! "$python" -c 'import cyclonedx_py' 2>/dev/null; then
    "$(dirname "$python")/uv" pip install --quiet --python "$python" --require-hashes \
      --requirement requirements/sbom.txt >&2 ||
      fail "what requirements/sbom.txt names cannot be installed" "Correct what the lines above name, then: make images"
  fi
  scripts/alive.sh "images: listing" "$python" -m operations image "$1" "$2" --out "${IMAGE_FACTS:-build/images}" >&2 ||
    fail "$2 is built, but its packages cannot be listed" "Correct what the lines above name, then: make images"
}

inference() {
  [[ -f $artifacts/manifest.json && -f $artifacts/model.joblib ]] ||
    fail "there is no judged model in $artifacts" "Train one: make run"
  local format installed trained_at lock label wheels labels=()
  read -r format trained_at < <(facts "$artifacts") || fail "the manifest in $artifacts cannot be read" "Train again: make run"
  if [[ ${MODEL_FORMAT:-$format} != "$format" ]]; then
    echo "images: exporting the model of $artifacts in format $MODEL_FORMAT ..." >&2
    "$python" -m model export --artifact "$artifacts" --format "$MODEL_FORMAT" --out "$work/artifacts" \
      ${CONTRACT:+--contract "$CONTRACT"} ${DATA:+--data "$DATA"} >&2 ||
      fail "the model could not be exported in format $MODEL_FORMAT" "Correct what the lines above name, then: make images"
    artifacts=$work/artifacts
    read -r format trained_at < <(facts "$artifacts") || fail "the manifest in $artifacts cannot be read" "Train again: make run"
  fi
  # A scorecard runs wherever another format does, so a challenger may be of another.
  installed=$format
  if [[ -n ${CHALLENGER:-} ]]; then
    [[ -f $CHALLENGER/manifest.json && -f $CHALLENGER/model.joblib ]] ||
      fail "there is no judged model in $CHALLENGER" "Name the directory of an artifact: CHALLENGER=DIR"
    [[ $format != scorecard ]] || read -r installed _ < <(facts "$CHALLENGER") ||
      fail "the manifest in $CHALLENGER cannot be read" "Train it again"
  fi
  lock=inference && [[ $installed = scorecard ]] || lock=inference-$installed
  base "${BASE_IMAGE:-}" "$lambda_base"
  "$python" -m operations.images.labels "$artifacts/manifest.json" "$base" >"$work/labels" ||
    fail "the image's labels cannot be made" "Correct what the lines above name, then: make images"
  while IFS= read -r label; do labels+=(--label "$label"); done <"$work/labels"
  wheels=$(scripts/wheels.sh "$lock" "$architecture")
  gather inference lambda_app requirements/inference{,-onnx,-sklearn}.txt operations/images/seal.py scripts/entry.sh \
    "$wheels"
  mkdir -p "$work/inference/model/artifacts"
  cp "$artifacts/manifest.json" "$artifacts/model.joblib" "$work/inference/model/artifacts/"
  if [[ -n ${CHALLENGER:-} ]]; then
    mkdir "$work/inference/model/artifacts/challenger"
    cp "$CHALLENGER/manifest.json" "$CHALLENGER/model.joblib" "$work/inference/model/artifacts/challenger/"
  fi
  build inference Dockerfile_Inference_Lambda "${IMAGE:-ccapproval-deploy:latest}" "${labels[@]}" \
    --build-arg "MODEL_FORMAT=$installed" --build-arg "SOURCE_DATE_EPOCH=$trained_at"
  record inference "${IMAGE:-ccapproval-deploy:latest}"
}

training() {
  base "${TRAINING_BASE_IMAGE:-}" "$python_base"
  local wheels
  wheels=$(scripts/wheels.sh training "$architecture")
  gather training pyproject.toml Makefile credit_card_approval.ipynb docs policies examples lambda_app model operations \
    scripts tests requirements/training.txt "$wheels"
  rm -rf "$work"/training/model/artifacts "$work"/training/examples/*/artifacts
  build training Dockerfile_Training_Testing "${TRAINING_IMAGE:-ccapproval:latest}"
  record training "${TRAINING_IMAGE:-ccapproval:latest}"
}

monitor() {
  local lock=monitor
  base "${BASE_IMAGE:-}" "$lambda_base"
  gather monitor lambda_app operations policies/canary.json
  build monitor Dockerfile_Monitor_Lambda "${MONITOR_IMAGE:-ccapproval-monitor:latest}"
}

(($#)) || set -- inference training
for name in "$@"; do
  case $name in
    inference | training | monitor) "$name" ;;
    *) fail "there is no image '$name'" "Name inference, training, monitor or none." ;;
  esac
done
