# shellcheck shell=bash
# The AWS CLI at AWS_ENDPOINT_URL. CLI 2 reads that variable only since 2.13; an older one would quietly ask AWS itself.
# Sourced by deploy.sh, provision.sh and cloud_settings.sh. `env` finds the program, not this function, and becomes it.
aws() { env aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} "$@"; }
