#!/usr/bin/env bash
# Device, gateway, cloud: three processes, one plan. The gateway is killed under a running stream and comes back: no request may fail,
# every output must be the uncut network's, the cloud must be used without the gateway while it is gone, and with it again after.
set -euo pipefail
dir=$(mktemp -d)
cloud= gateway= tasks=
finish() {
    for p in $tasks $gateway $cloud; do kill -9 "$p" 2>/dev/null || true; done
    rm -rf "$dir"
}
trap finish EXIT
fail() {
    echo "FAILED: $*" >&2
    tail -n 20 "$dir"/*.log >&2 || true
    exit 1
}
export XDG_CACHE_HOME="$dir/cache"
"$CLEAVE" zoo lenet -o "$dir/models" >/dev/null
mkdir "$dir/empty"

# node NAME PORT OPTION...: sets $node when it listens; port 0 is any, told in $port.
node() {
    local name=$1 at=$2
    shift 2
    : >"$dir/$name.log"
    "$CLEAVE" serve --port "$at" --threads 1 --watch 100ms "$@" 2>"$dir/$name.log" &
    node=$!
    for _ in $(seq 400); do
        port=$(sed -n 's/.*"listening" url=http:\/\/127.0.0.1:\([0-9]*\).*/\1/p' "$dir/$name.log")
        [ -n "$port" ] && return 0
        sleep 0.05
    done
    fail "$name does not listen"
}
# The cloud begins empty: the gateway brings the model, the edge needs not.
node cloud 0 -m "$dir/empty" --accept-push
cloud=$node cloud_port=$port
node gateway 0 -m "$dir/models" --peer "http://127.0.0.1:$cloud_port" --policy edge
gateway=$node gateway_port=$port

touch "$dir/run.log"
"$CLEAVE" tasks -m "$dir/models" --peer "http://127.0.0.1:$gateway_port" --peer "http://127.0.0.1:$cloud_port" --policy cloud \
    --watch 100ms --threads 1 --count 100000 --rate 100 --concurrency 8 --check --trace "$dir/run.trace" --json --log info \
    >"$dir/run.json" 2>"$dir/run.log" &
tasks=$!
# said COUNT TEXT: until the stream's log has it so many times.
said() {
    for _ in $(seq 1200); do
        [ "$(grep -cF "$2" "$dir/run.log" || true)" -ge "$1" ] && return 0
        kill -0 "$tasks" || fail "the stream ended"
        sleep 0.05
    done
    fail "never said: $2"
}
said 1 'cut="remote > remote"'
curl -sf "http://127.0.0.1:$gateway_port/v2/models/lenet/chain" >"$dir/chain.json" || fail "no chain"
sleep 0.5
kill -9 "$gateway"
wait "$gateway" 2>/dev/null || true
said 1 '"peer lost"'
said 1 'cut="remote"'
sleep 0.5
node gateway "$gateway_port" -m "$dir/models" --peer "http://127.0.0.1:$cloud_port" --policy edge
gateway=$node
said 2 'cut="remote > remote"'
sleep 0.5
kill -INT "$tasks"
wait "$tasks" || fail "the stream ended with status $?"
tasks=
python3 - "$dir" <<'PY' || fail "the run"
import json, sys
dir = sys.argv[1]
chain = json.load(open(f"{dir}/chain.json"))
assert len(chain["nodes"]) == 2 and chain["nodes"][1]["link"]["up_bytes_per_s"] > 0, chain
summary = json.load(open(f"{dir}/run.json"))
rows = [json.loads(line) for line in open(f"{dir}/run.trace")]
plans = [r["plan"] for r in rows if r.get("event") == "request" and "plan" in r]
assert summary["failed"] == 0 and summary["mismatches"] == 0, summary
chained = [i for i, p in enumerate(plans) if p == "remote > remote"]
around = [i for i, p in enumerate(plans) if p == "remote" and i > chained[0]]
assert around, "the gateway was not routed around"
assert any(i > around[-1] for i in chained), "the gateway did not get its work back"
print(f"{summary['count']} requests, {len(chained)} over three nodes, {len(around)} around the lost gateway, "
      f"{summary['recovered']} finished after a loss, 0 failed")
PY
