#!/usr/bin/env bash
# Watts, joules and money on the command line: given ones reach the profile and the summary of tasks, wrong ones are named, and
# a machine without energy counters says so. A policy of privacy that is none is refused.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
has() { grep -q -- "$2" "$1" || { cat "$1" >&2; fail "no '$2'"; }; }
refused() { # MESSAGE ARGS...
  local message=$1 code=0
  shift
  "$CLEAVE" "$@" >"$dir/out" 2>"$dir/err" || code=$?
  [ "$code" = 2 ] || fail "cleave $*: exit status $code, not 2"
  has "$dir/err" "$message"
}

"$CLEAVE" zoo lenet -o "$dir/models" >/dev/null
model=$dir/models/lenet/1/model.onnx
profile=("$CLEAVE" profile "$model" --budget 300ms)

"${profile[@]}" --power idle=2W,active=7W,price=0.36/h --threads 2 --json >"$dir/given.json"
has "$dir/given.json" '"power":{"idle_w":2.0,"active_w_per_core":2.5,"cores":2,"source":"given"}'
has "$dir/given.json" '"price_per_s":0.0001'
"${profile[@]}" --power core=1 --threads 1 -o "$dir/edge.json" >"$dir/out"
has "$dir/out" 'power: idle 0 W, active 1.00 W on 1 core (given)'
"${profile[@]}" --powercap "$dir/nowhere" >"$dir/out"
has "$dir/out" "power: unknown ('$dir/nowhere' has no energy counter"

# A counter that stands still cannot be right.
mkdir -p "$dir/cap/intel-rapl:0"
echo package-0 >"$dir/cap/intel-rapl:0/name"
echo 262143328850 >"$dir/cap/intel-rapl:0/max_energy_range_uj"
echo 5 >"$dir/cap/intel-rapl:0/energy_uj"
"${profile[@]}" --powercap "$dir/cap" >"$dir/out"
has "$dir/out" 'power: unknown .*they cannot be used'

"$CLEAVE" tasks -m "$dir/models" --count 8 --power idle=2W,active=7W,price=0.36/h --json >"$dir/tasks.json"
has "$dir/tasks.json" '"total_energy_j": 0\.0*[1-9]'
has "$dir/tasks.json" '"total_price":'
has "$dir/tasks.json" '"edge": "given"'
has "$dir/tasks.json" '"radio": "unknown"'
"$CLEAVE" tasks -m "$dir/models" --count 8 --json >"$dir/tasks.json"
! grep -q energy "$dir/tasks.json" || fail "energy without watts"

refused "idle: '-2' is negative" profile "$model" --power idle=-2
refused "active is 1 W, less than idle, 2 W" profile "$model" --power idle=2,active=1
refused "'200kW' is absurd" tasks -m "$dir/models" --power idle=200kW
refused "is not known" serve -m "$dir/models" --peer http://127.0.0.1:9 --radio 5g
refused "--radio is given, --peer is missing" serve -m "$dir/models" --radio wifi
refused "a policy is none, or input" serve -m "$dir/models" --private secret
