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

fail() { printf 'cloud: %s\n  Next: %s\n' "$1" "$2" >&2 && exit 1; }
healthy() { curl --silent --fail --max-time 2 "$AWS_ENDPOINT_URL/_ministack/health" >/dev/null; }

docker version >/dev/null 2>&1 || fail "Docker does not answer" "Start Docker, then: make cloud"

if ! healthy; then
  echo "cloud: starting MiniStack on $cloud_host" >&2
  mkdir -p "$cloud_state"
  network="" host=host-gateway
  if [ "$(uname)" = Linux ]; then
    # Over this network the function's containers can be reached without publishing a port, and can reach nothing.
    network=$cloud_network
    docker network inspect "$network" >/dev/null 2>&1 || docker network create --internal "$network" >/dev/null
    # What the containers take for this machine: its address on that network, where nothing listens by itself.
    host=$(docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' "$network")
  fi
  BIND_HOST=127.0.0.1 IOT_MTLS_ENABLED=0 GATEWAY_PORT=$cloud_port LAMBDA_DOCKER_NETWORK=$network \
    LAMBDA_DOCKER_FLAGS="--read-only --tmpfs /tmp --memory 512m --add-host host.docker.internal:$host" \
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

# What follows can be copied into a shell in this directory, so it is run from the very text that is printed.
settings="source scripts/cloud_settings.sh"
[ "$cloud_port" = 4566 ] || settings="export CLOUD_PORT=$cloud_port; $settings"
invoke="($settings; aws lambda invoke --function-name ccapproval --qualifier live \
  --payload fileb://$cloud_state/application.json $cloud_state/answer.json >/dev/null && cat $cloud_state/answer.json)"
call="curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:lambda --user test:test \
  --header 'Content-Type: application/json' --data '$application' $local_url/"
for command in "$invoke" "$call"; do
  echo "== $command"
  bash -c "$command" && echo
done

cat <<TEXT

The local cloud is running. Decide an application by either command above; end it by: make cloud-down
  AWS API and registry   $AWS_ENDPOINT_URL, for aws and docker after: $settings
  function URL           $url; only signed requests are answered, here at $local_url/
  release                $cloud_state/release.json
  log                    $cloud_state/ministack.log
TEXT
