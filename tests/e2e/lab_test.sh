#!/usr/bin/env bash
# `cleave lab` as a user meets it. Skipped (77) where this machine allows no network namespaces.
set -uo pipefail
cleave=${CLEAVE:-../../build/cleave}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export TMPDIR=$out
cleave=$(realpath "$cleave")
cd "$out" || exit 1
unset XDG_RUNTIME_DIR CLEAVE_LAB
failed=0

fail() {
  echo "FAILED: $*"
  failed=1
}
# says STATUS TEXT COMMAND...: the command ends with STATUS and prints TEXT.
says() {
  local status=$1 text=$2 got
  shift 2
  "$@" >"$out/said" 2>&1 </dev/null
  got=$?
  [ "$got" = "$status" ] || fail "status $got instead of $status: $*: $(head -c 300 "$out/said")"
  [ -z "$text" ] || grep -qF -- "$text" "$out/said" || fail "no '$text' from: $*: $(head -c 300 "$out/said")"
}

if "$cleave" lab validate --link lan --time 10ms --repeats 1 2>&1 >/dev/null | grep 'no rights for'; then
  says 0 'running on plain loopback' "$cleave" lab run --edge 'echo {edge}'
  [ $failed = 0 ] && exit 77
  exit 1
fi

# Usage.
says 0 'wifi' "$cleave" lab links
says 2 "did you mean 'run'?" "$cleave" lab rum
says 2 'no command' "$cleave" lab run
says 2 "no host 'fog'" "$cleave" lab run fog=true
says 2 'two commands' "$cleave" lab run --edge true edge=true
says 2 'not a rate' "$cleave" lab run --rate fast --edge true
says 2 '0% to 100%' "$cleave" lab run --loss 101% --edge true
says 2 '2 hosts have 1' "$cleave" lab run --link wifi+lte --edge true
says 2 "no host, such as" "$cleave" lab run --hosts '' --edge true
says 2 'factor' "$cleave" lab run --slow edge=0.5 --edge true
says 1 'processors' "$cleave" lab run --pin edge=x --edge true
says 1 'No such file' "$cleave" lab run --trace "$out/none" --edge true
says 1 "congestion control 'none-such'" "$cleave" lab run --congestion none-such --edge true
says 1 'no lab of yours is running' "$cleave" lab status

# Commands, addresses, exit status, files left.
says 7 '100.64.0.1 and 100.64.0.2' "$cleave" lab run --edge 'echo {edge} and {cloud}; exit 7'
says 0 '{"a": 1} 4' "$cleave" lab run --slow edge=4 --edge "echo '{\"a\": 1}' \$CLEAVE_SLOWDOWN"
says 143 '' "$cleave" lab run --edge 'kill -TERM $$'
says 1 'ended with status 3' "$cleave" lab run --wait 80 --cloud 'exit 3' --edge true
[ -z "$(ls "$out"/*.sock 2>/dev/null)" ] || fail "a control socket was left"

# Change while it runs: from inside, from outside, by a trace.
says 0 '"bytes_per_s": 137500.0' "$cleave" lab run --link wifi \
  --edge 'cleave lab set --link 3g --loss 2%/0 && cleave lab status --json'
"$cleave" lab run --name test --link wifi --edge 'touch up; while [ ! -e go ]; do sleep 0.02; done' \
  >/dev/null 2>&1 &
run=$!
until "$cleave" lab status --lab test >/dev/null 2>&1; do sleep 0.02; done
says 0 '' "$cleave" lab set --link lte
says 0 '5.85 Mbit/s' "$cleave" lab status
says 2 'links of the lab are edge-cloud' "$cleave" lab set --on cloud-edge --link lte
says 1 'delay 900000000' "$cleave" lab set --loss 0 --rtt 30m
touch go
wait $run || fail "the run in the background ended with $?"
rm -f go up
printf '0s,lte\n100ms,down\n' >"$out/trace"
says 0 '"loss": 1.0' "$cleave" lab run --trace "$out/trace" \
  --edge 'sleep 0.5; cleave lab status --json'
says 0 'gateway-cloud' "$cleave" lab run --hosts edge,gateway,cloud --link wifi+lte \
  --edge 'cleave lab status'

# A signal goes to the command, whose status counts; kill -9 leaves nothing that runs.
"$cleave" lab run --edge 'trap "exit 9" TERM; touch up; while :; do sleep 0.02; done' &
run=$!
until [ -e up ]; do sleep 0.02; done
kill -TERM $run
wait $run
[ $? = 9 ] || fail "SIGTERM was not passed on"
rm -f up
"$cleave" lab run --edge 'setsid sh -c "echo \$\$ >pid.new; mv pid.new pid; sleep 600" & sleep 600' &
run=$!
until [ -e pid ]; do sleep 0.02; done
kill -KILL $run
wait $run 2>/dev/null
for _ in $(seq 500); do
  kill -0 "$(cat pid)" 2>/dev/null || break
  sleep 0.02
done
kill -0 "$(cat pid)" 2>/dev/null && fail "a daemon outlived its lab"
rm -f pid

# An ordinary user, where such a one may make user namespaces.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  # With the libraries that lie where such a user may not read.
  mkdir "$out/bin" && cp "$cleave" $(ldd "$cleave" | awk '$3 !~ "^/(usr/)?lib" && $3 ~ "^/" {print $3}') "$out/bin"
  chmod -R a+rX "$out"
  nobody=(env TMPDIR=/tmp LD_LIBRARY_PATH="$out/bin" setpriv --reuid=65534 --regid=65534 --clear-groups)
  "${nobody[@]}" unshare -Un true &&
    says 0 'uid=65534' "${nobody[@]}" "$out/bin/cleave" lab run --link 3g --edge 'id; cleave lab status'
fi
exit $failed
