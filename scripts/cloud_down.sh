#!/usr/bin/env bash
# Ends what make cloud started: the process, its containers, its network, its image names.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/cloud_settings.sh
source scripts/cloud_settings.sh

pid_file=${TMPDIR:-/tmp}/ministack-$cloud_port.pid # MiniStack's own file: it outlives make clean
pid=$(cat "$pid_file" 2>/dev/null || true)
if [ -n "$pid" ] && ps -o command= -p "$pid" | grep -q ministack; then
  kill "$pid"
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  ! kill -0 "$pid" 2>/dev/null || kill -9 "$pid"
fi
rm -f "$pid_file"

if docker version >/dev/null 2>&1; then
  # Only this cloud's functions run images from this cloud's registry.
  docker ps --all --filter label=ministack=lambda --format '{{.ID}} {{.Image}}' |
    while read -r container image; do
      case "$image" in "$cloud_host"/*) docker rm --force "$container" >/dev/null ;; esac
    done
  docker network rm "$cloud_network" >/dev/null 2>&1 || true
  docker images --format '{{.Repository}}:{{.Tag}}' | { grep "^$cloud_host/.*:[^<]" || true; } |
    while read -r name; do docker rmi "$name" >/dev/null; done
  docker logout "$cloud_host" >/dev/null 2>&1 || true
fi
echo "The local cloud on $cloud_host is down."
