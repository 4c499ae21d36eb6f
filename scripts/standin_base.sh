#!/usr/bin/env bash
# Builds a stand-in for AWS's Lambda base image, for networks that cannot reach AWS's registry.
#
# usage: scripts/standin_base.sh [ARCHITECTURE]      x86_64 or arm64; the machine's own if unnamed
#
# Prints the image's name, which holds a digest of what it is made from, so an unchanged stand-in is built only once.
# The layout is that of public.ecr.aws/lambda/python:3.13: /lambda-entrypoint.sh, the runtime interface emulator,
# /var/lang/bin/python3.13, the runtime client and boto3 in /var/runtime, the function in /var/task. Debian stands in
# for Amazon Linux. The training image builds on it too, hence libatomic for its policy engine.
#
# Environment: DEBIAN_MIRROR (another package mirror), CA_BUNDLE (certificates to trust instead of the host's).
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "standin_base: $1" >&2 && exit 1; }

architecture=${1:-$(uname -m)}
case $architecture in
  x86_64 | amd64) architecture=x86_64 debian=amd64 ;;
  arm64 | aarch64) architecture=arm64 debian=arm64 ;;
  *) fail "Lambda runs x86_64 and arm64, not $architecture." ;;
esac
certificates=${CA_BUNDLE:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}

inputs=(scripts/standin_base.sh requirements/lambda-base.txt requirements/rie.txt)
[[ -f $certificates ]] && inputs+=("$certificates")
image=ccapproval-standin-base:$architecture-$(cat "${inputs[@]}" | sha256sum | cut -c1-12)
if docker image inspect "$image" >/dev/null 2>&1; then
  echo "$image" && exit 0
fi

command -v mmdebstrap >/dev/null || fail "mmdebstrap is missing; on Debian and Ubuntu: apt-get install mmdebstrap."
[[ -f $certificates ]] || fail "no certificates at $certificates; name a bundle: CA_BUNDLE=FILE."
mkdir -p build
work=$(mktemp -d build/standin-base-XXXXXX)
trap 'rm -rf "$work"' EXIT

wheels=$(scripts/wheels.sh lambda-base "$architecture")
emulator=$(scripts/wheels.sh rie "$architecture")
"${PYTHON:-.venv/bin/python}" -m zipfile --extract "$emulator"/aws_sam_cli-*.whl "$work/emulator"

# AWS's image has these two programs; this is how they work, rewritten.
cat >"$work/lambda-entrypoint.sh" <<'SCRIPT'
#!/bin/sh
# Usage: lambda-entrypoint.sh HANDLER. Outside Lambda, the runtime interface emulator stands in for it.
[ $# -eq 1 ] || { echo "Name the handler and nothing else." >&2; exit 142; }
export _HANDLER="$1"
[ -n "$AWS_LAMBDA_RUNTIME_API" ] && exec /var/runtime/bootstrap
exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
SCRIPT
cat >"$work/bootstrap" <<'SCRIPT'
#!/bin/sh
export PYTHONPATH=/var/runtime AWS_EXECUTION_ENV=AWS_Lambda_python3.13
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
SCRIPT

echo "standin_base: bootstrapping Debian with Python 3.13 (about half a minute) ..." >&2
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
# shellcheck disable=SC2016  # mmdebstrap's own shell expands $1, the new root
scripts/alive.sh "standin_base: bootstrapping" mmdebstrap --quiet --variant=essential --architectures="$debian" \
  --include=ca-certificates,libatomic1,libstdc++6,python3,python3.13,python3-pip \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='mkdir -p "$1/var/task" "$1/var/runtime" "$1/var/lang/bin" "$1/opt" "$1/wheels"' \
  --customize-hook='for name in python3.13 python3 python; do ln -s /usr/bin/python3.13 "$1/var/lang/bin/$name"; done' \
  --customize-hook='ln -s /usr/bin/pip3 "$1/var/lang/bin/pip"' \
  --customize-hook="upload '$certificates' /etc/ssl/certs/ca-certificates.crt" \
  --customize-hook="upload '$work/emulator/samcli/local/rapid/aws-lambda-rie-$architecture' /usr/local/bin/aws-lambda-rie" \
  --customize-hook="upload '$work/lambda-entrypoint.sh' /lambda-entrypoint.sh" \
  --customize-hook="upload '$work/bootstrap' /var/runtime/bootstrap" \
  --customize-hook='chmod 755 "$1/usr/local/bin/aws-lambda-rie" "$1/lambda-entrypoint.sh" "$1/var/runtime/bootstrap"' \
  --customize-hook='rm "$1/usr/lib/python3.13/EXTERNALLY-MANAGED"' \
  --customize-hook="copy-in '$wheels/.' /wheels" \
  --customize-hook="upload requirements/lambda-base.txt /wheels/requirements.txt" \
  --customize-hook='chroot "$1" pip3 --isolated install --quiet --root-user-action=ignore --no-index --find-links /wheels \
      --require-hashes --no-compile --target /var/runtime --requirement /wheels/requirements.txt' \
  --customize-hook='chroot "$1" python3.13 -m compileall -q --invalidation-mode unchecked-hash /var/runtime' \
  --customize-hook='rm -rf "$1/wheels" "$1/root/.cache" "$1/var/cache/apt" "$1/var/lib/apt/lists" "$1/var/log"' \
  trixie "$work/root.tar" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >&2 ||
  fail "Debian could not be bootstrapped; name a mirror that answers (DEBIAN_MIRROR=…), or for another architecture install qemu-user-static and binfmt-support."

scripts/alive.sh "standin_base: importing" docker import --platform "linux/$debian" \
  --change 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin' \
  --change 'ENV LANG=en_US.UTF-8' --change 'ENV TZ=:/etc/localtime' \
  --change 'ENV LAMBDA_TASK_ROOT=/var/task' --change 'ENV LAMBDA_RUNTIME_DIR=/var/runtime' \
  --change 'WORKDIR /var/task' --change 'ENTRYPOINT ["/lambda-entrypoint.sh"]' \
  "$work/root.tar" "$image" >/dev/null
echo "$image"
