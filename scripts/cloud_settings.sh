# shellcheck shell=bash
# shellcheck disable=SC2034  # for those who source this
# Where the local cloud is, and credentials that no AWS account knows. cloud_up.sh and cloud_down.sh source it; by hand,
# `source scripts/cloud_settings.sh` points the AWS CLI and every script here at the local cloud.
cloud_port=${CLOUD_PORT:-4566}
cloud_host=127.0.0.1:$cloud_port
cloud_state=build/cloud-$cloud_port
cloud_network=ccapproval-cloud-$cloud_port
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ACCOUNT_ID
# A proxy for the outside world must not be asked for this machine's own address.
export no_proxy=127.0.0.1,localhost${no_proxy:+,$no_proxy}
export NO_PROXY=$no_proxy
export AWS_ENDPOINT_URL=http://$cloud_host REGISTRY=$cloud_host
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=""
cloud_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)
PATH=$cloud_root/.venv/bin:$PATH # the CLI that comes with the environment
export RELEASE_RULES=$cloud_root/policies/release_local.json
# shellcheck source=scripts/aws_cli.sh
source "$(dirname "${BASH_SOURCE[0]:-$0}")/aws_cli.sh" # an older CLI would ignore the endpoint, and ask AWS itself
