#!/usr/bin/env bash
# Runs a command, and says every eight seconds that it is still running.
#
# usage: scripts/alive.sh WHAT COMMAND [ARGUMENT …]
#
# It says so on file descriptor 9 if that is open, and else on standard error: so a command's output can go to a file.
set -euo pipefail

what=$1 && shift
{ : >&9; } 2>/dev/null || exec 9>&2

pulse() {
  local seconds=0
  # Neither outlives the command for long, or holds its output open.
  while sleep 8 >/dev/null 2>&1 9>&- && kill -0 $$ 2>/dev/null; do
    seconds=$((seconds + 8))
    echo "$what: $seconds s ..." >&9
  done
}
pulse >/dev/null 2>&1 &
trap 'kill $! 2>/dev/null || true' EXIT # it may have ended
"$@" 9>&-
