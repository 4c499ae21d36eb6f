#!/usr/bin/env bash
# Runs a command in the training image on this checkout, where it can reach no more than training needs: a dependency
# that was tampered with can make a bad model, which the gate and people judge, and nothing else.
#
# usage: scripts/train_isolated.sh IMAGE COMMAND [ARGUMENT …]      e.g.  scripts/train_isolated.sh ccapproval:latest train
#
# The checkout is at /harness, read-only but for model/artifacts and build/training, so what runs later, with
# credentials, is what was checked out. No variable of this shell is passed on but a few that training reads, no file
# outside the checkout is there, and there is no network, unless MLFLOW_TRACKING_URI names a server to record the run on.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
image=$1 && shift
outputs=(model/artifacts build/training)
variables=(MLFLOW_TRACKING_URI MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN PIPELINE_ID DATA)

user=$(id -u)
mkdir -p "${outputs[@]}"
if [ "$user" = 0 ]; then # root writes wherever it can read; this user has nothing
  user=65534
  chown -R "$user" "${outputs[@]}"
fi
options=(--rm --user "$user" --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp:exec)
options+=(--volume "$PWD:/harness:ro" --workdir /harness)
for path in "${outputs[@]}"; do options+=(--volume "$PWD/$path:/harness/$path"); done
[ -n "${MLFLOW_TRACKING_URI:-}" ] || options+=(--network none)
for name in "${variables[@]}"; do
  [ -z "${!name:-}" ] || options+=(--env "$name")
done
exec docker run "${options[@]}" "$image" "$@"
