#!/usr/bin/env bash
# Train the model again if the code, the contract, the data or what was asked for has changed (make run).
#
# usage: scripts/train_if_changed.sh
#
# Environment
#   ARTIFACTS                 where the model goes; `trained-from` there says what the last training was asked for
#   CONTRACT, DATA, DATED     as `python -m model train` takes them; empty for its defaults
#   PYTHON (.venv/bin/python) what trains it
#
# make itself could not decide: it has no prerequisites with spaces in their names.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-.venv/bin/python}
manifest=$ARTIFACTS/manifest.json trained_from=$ARTIFACTS/trained-from

contract=
[[ $CONTRACT != *.py:* ]] || contract=${CONTRACT%:*}
for file in "$contract" "$DATA"; do
  [[ -z $file || -f $file ]] || { echo "There is no file '$file': correct CONTRACT=FILE:CLASS or DATA=FILE." >&2 && exit 1; }
done
set --
[[ -z $CONTRACT ]] || set -- "$@" --contract "$CONTRACT"
[[ -z $DATA ]] || set -- "$@" --data "$DATA"
[[ -z $DATED ]] || set -- "$@" --dated "$DATED"
asked=$*

changed() {
  [[ -f $manifest && -f $trained_from && $(<"$trained_from") = "$asked" ]] || return 0
  local file
  for file in .venv/training "$contract" "$DATA" "${contract:+$(dirname "$contract")/limits.json}"; do
    [[ ! $file -nt $manifest ]] || return 0
  done
  [[ -n $(find model lambda_app policies \
    \( -name '*.py' -o -name limits.json -o -path '*/templates/*' -o -name '*.rego' \) -newer "$manifest" -print) ]]
}

if changed; then
  set -- -m model train --out "$ARTIFACTS" "$@"
  echo "$python$(printf ' %q' "$@")"
  "$python" "$@"
  echo "$asked" >"$trained_from"
fi
