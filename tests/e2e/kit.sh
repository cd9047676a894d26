# What the shell's end-to-end tests share, as kit.mjs is for the others:
#
#     . "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
#
# A test runs in a folder of its own, $dir, which goes with it, with a cache of its own; nodes whose process ids are in `nodes` are ended
# then. $repository is the checkout. A failure ends the test with what it says and the ends of the logs in $dir.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
dir=$(mktemp -d)
nodes=()
finish() {
  for p in "${nodes[@]}"; do kill "$p" 2>/dev/null || true; done
  wait
  rm -rf "$dir"
}
trap finish EXIT
cd "$dir"
export XDG_CACHE_HOME="$dir/cache"
unset CLEAVE_TOKEN

fail() {
  echo "FAILED: $*" >&2
  tail -n 30 ./*.log >&2 2>/dev/null || true
  exit 1
}
# want_error STATUS TEXT COMMAND...: fails with the status and one line that has the text.
want_error() {
  local status=$1 text=$2 got=0
  shift 2
  "$@" >out 2>err || got=$?
  [ "$got" = "$status" ] || fail "'$*' ended with $got, not $status: $(cat err)"
  [ "$(wc -l <err)" = 1 ] || fail "'$*' printed more than one line: $(cat err)"
  grep -qF -- "$text" err || fail "'$*' does not say '$text': $(cat err)"
}
# json FILE EXPRESSION: the value of a JavaScript expression of the document `d`.
json() { node -e 'const d = JSON.parse(require("fs").readFileSync(process.argv[1])); console.log(eval(process.argv[2]))' "$1" "$2"; }
# holds FILE WHAT EXPRESSION: that is true.
holds() { [ "$(json "$1" "$3")" = true ] || fail "not so: $2: $(cat "$1")"; }
# port LOG: where the node that logs there listens, once it does.
port() {
  for _ in $(seq 300); do
    sed -nE "s/.*\"listening\" url=[^ ]*:([0-9]+) .*/\1/p" "$1" | grep . && return
    sleep 0.1
  done
  fail "no node: $(cat "$1")"
}
