#!/usr/bin/env bash
# Downloads the wheels that one hash-locked requirements file names, for an image to install from.
#
# usage: scripts/wheels.sh LOCK [ARCHITECTURE]      e.g.  scripts/wheels.sh inference arm64
#
# Prints the directory that holds them. The host downloads, so its package index, proxy and certificates apply, and no
# image build needs a network, an index address or a credential.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=${1:?"usage: scripts/wheels.sh LOCK [x86_64|arm64]"}
architecture=${2:-$(uname -m)}
case $architecture in
  x86_64 | amd64) architecture=x86_64 machine=x86_64 ;;
  arm64 | aarch64) architecture=arm64 machine=aarch64 ;;
  *) echo "wheels: Lambda runs x86_64 and arm64, not $architecture." >&2 && exit 2 ;;
esac
requirements=requirements/$lock.txt
[[ -f $requirements ]] || { echo "wheels: there is no $requirements; 'make lock' writes it." >&2; exit 2; }

python=${PYTHON:-.venv/bin/python}
wheels=build/wheels/$lock-$architecture
digest=$(sha256sum "$requirements" | cut -d' ' -f1)
if [[ $(cat "$wheels/.complete" 2>/dev/null || true) != "$digest" ]]; then
  echo "wheels: downloading what $requirements names for $architecture ..." >&2
  mkdir -p build/wheels
  download=$(mktemp -d build/wheels/.download-XXXXXX)
  trap 'rm -rf "$download"' EXIT
  # pip evaluates markers for the Python it runs on; the image's may differ, so uv resolves them for that one first.
  "$(dirname "$python")/uv" pip compile --quiet --no-deps --no-header --no-annotate --generate-hashes \
    --python-version 3.13 --python-platform "$machine-manylinux_2_34" "$requirements" -o "$download/.requirements.txt"
  # glibc 2.17 to 2.34: what Amazon Linux 2023, which AWS's base image is made of, can load.
  scripts/alive.sh "wheels: downloading" "$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --python-version 3.13 --implementation cp \
    --platform "manylinux_2_34_$machine" --platform "manylinux_2_28_$machine" --platform "manylinux_2_27_$machine" \
    --platform "manylinux_2_24_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
    --dest "$download" --requirement "$download/.requirements.txt" >&2
  echo "$digest" >"$download/.complete"
  chmod 755 "$download" && rm -rf "$wheels" && mv "$download" "$wheels"
fi
echo "$wheels"
