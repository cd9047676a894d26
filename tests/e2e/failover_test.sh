#!/usr/bin/env bash
# The cloud is killed, stopped and brought back under a running stream of requests: none may fail, every output must be the uncut
# network's, and the edge must go back to sharing the work.
set -euo pipefail
dir=$(mktemp -d)
cloud=
finish() {
    [ -n "$cloud" ] && kill -9 "$cloud" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$dir"/*.log >&2 || true
    exit 1
}
export XDG_CACHE_HOME="$dir/cache"
"$CLEAVE" zoo lenet mobilenet_v2 -o "$dir/models" >/dev/null

start_cloud() {
    "$CLEAVE" serve -m "$dir/models" --port "$1" --threads 1 2>>"$dir/cloud.log" &
    cloud=$!
    for _ in $(seq 200); do
        curl -sf "http://127.0.0.1:${port:-$1}/v2/health/ready" >/dev/null && return 0
        sleep 0.05
    done
    fail "the cloud node did not become ready"
}
port=$((20000 + RANDOM % 20000))
start_cloud "$port"

# run NAME SIGNAL: a stream with the cloud hit after it has begun, then brought back.
run() {
    local name=$1 signal=$2
    "$CLEAVE" tasks -m "$dir/models" --peer "http://127.0.0.1:$port" --policy cloud --patience 200ms --watch 100ms --threads 1 \
        --mix lenet,mobilenet_v2 --count 1200 --rate 250 --concurrency 8 --check --trace "$dir/$name.trace" --json --log info \
        >"$dir/$name.json" 2>"$dir/$name.log" &
    local tasks=$!
    for _ in $(seq 600); do
        [ "$(grep -c 'plan' "$dir/$name.log" || true)" -ge 2 ] && break
        sleep 0.05
    done
    sleep 1
    kill "-$signal" "$cloud"
    sleep 1
    if [ "$signal" = KILL ]; then
        wait "$cloud" 2>/dev/null || true
        start_cloud "$port"
    else
        kill -CONT "$cloud"
    fi
    wait "$tasks" || fail "tasks ended with status $? after SIG$signal"
    python3 - "$dir/$name.json" "$dir/$name.trace" "$signal" <<'PY' || fail "SIG$signal"
import json, sys
summary = json.load(open(sys.argv[1]))
rows = [r for r in map(json.loads, open(sys.argv[2])) if r.get("event") == "request"]
assert summary["count"] == 1200 and summary["failed"] == 0, summary
assert summary["mismatches"] == 0, summary
plans = [r["plan"] for r in rows]
assert "remote" in plans, "never shared the work"
assert summary["recovered"] > 0 or "local" in plans, "never noticed the loss"
last_local = max((i for i, p in enumerate(plans) if p == "local"), default=-1)
assert "remote" in plans[last_local + 1:], "did not go back to sharing the work"
print(f"SIG{sys.argv[3]}: {len(rows)} requests, {summary['recovered']} finished here after the loss, 0 failed")
PY
}
run killed KILL
run stopped STOP
