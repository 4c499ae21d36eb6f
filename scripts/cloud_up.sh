#!/usr/bin/env bash
# A whole AWS on this machine: starts MiniStack, creates both stacks, pushes and releases the image, decides an
# application. Safe to repeat.
#
# usage: scripts/cloud_up.sh            (make cloud builds the images first)
#
# Environment: CLOUD_PORT (4566), IMAGE (ccapproval-deploy:latest).
# The training image is not pushed: MiniStack's registry needs more than ten minutes for its gigabyte.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cloud_settings.sh
source scripts/cloud_settings.sh
PATH=$PWD/.venv/bin:$PATH

fail() { printf 'cloud: %s\n  Next: %s\n' "$1" "$2" >&2 && exit 1; }
healthy() { curl --silent --fail --max-time 2 "$AWS_ENDPOINT_URL/_ministack/health" >/dev/null; }

docker version >/dev/null 2>&1 || fail "Docker does not answer" "Start Docker, then: make cloud"

if ! healthy; then
  echo "cloud: starting MiniStack on $cloud_host" >&2
  mkdir -p "$cloud_state"
  network=""
  if [ "$(uname)" = Linux ]; then
    # Over this network the function's containers can be reached without publishing a port, and can reach nothing.
    network=$cloud_network
    docker network inspect "$network" >/dev/null 2>&1 || docker network create --internal "$network" >/dev/null
  fi
  BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 GATEWAY_PORT=$cloud_port LAMBDA_DOCKER_NETWORK=$network \
    LAMBDA_DOCKER_FLAGS="--read-only --tmpfs /tmp --memory 512m" \
    nohup ministack >"$cloud_state/ministack.log" 2>&1 </dev/null &
  ministack=$!
  for _ in $(seq 100); do
    healthy && break
    kill -0 "$ministack" 2>/dev/null || break
    sleep 0.3
  done
  healthy || fail "MiniStack did not start: $(tail -n 3 "$cloud_state/ministack.log")" "See $cloud_state/ministack.log; is the port taken? CLOUD_PORT=4599 make cloud"
fi

scripts/provision.sh
scripts/deploy.sh >"$cloud_state/release.json"

output() { aws cloudformation describe-stacks --stack-name ccapproval --output text --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"; }
url=$(output FunctionUrl)
url_id=${url#https://} && url_id=${url_id%%.*}
local_url=$AWS_ENDPOINT_URL/_aws/lambda-url/$url_id
application='{"Num_Children": 2, "Income": 500000, "Own_Car": 1, "Own_Housing": 1}'
echo "$application" >"$cloud_state/application.json"

echo "== $application"
echo "== aws lambda invoke --function-name ccapproval --qualifier live"
aws lambda invoke --function-name ccapproval --qualifier live --payload "fileb://$cloud_state/application.json" \
  "$cloud_state/answer.json" >/dev/null
cat "$cloud_state/answer.json" && echo
echo "== curl --aws-sigv4 aws:amz:us-east-1:lambda --user test:test --data '…' $local_url/"
curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:lambda --user test:test \
  --header 'Content-Type: application/json' --data "$application" "$local_url/" && echo

cat <<TEXT

The local cloud is running; make cloud-down ends it.
  AWS API and registry   $AWS_ENDPOINT_URL      (source scripts/cloud_settings.sh, then use aws and docker as ever)
  function URL           $local_url/      (signed, as on AWS: $url)
  release                $cloud_state/release.json
  log                    $cloud_state/ministack.log
TEXT
