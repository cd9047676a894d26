#!/usr/bin/env bash
# cleave infer --url: the same answer from a node as from this machine, over TLS with a token; what goes wrong is told.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"

# ready URL OPTION...: the node answers for lenet.
ready() {
  for _ in $(seq 300); do
    "$CLEAVE" infer lenet --url "$@" --random 1 >/dev/null 2>err && return
    sleep 0.1
  done
  fail "not ready: $(cat err)"
}

"$CLEAVE" zoo lenet -o models >/dev/null 2>&1
"$CLEAVE" infer lenet --models models --random 1 --json >local.json

"$CLEAVE" serve -m models -p 0 2>plain.log & nodes+=($!)
plain=http://127.0.0.1:$(port plain.log)
ready "$plain"
"$CLEAVE" infer lenet --url "$plain" --random 1 --count 3 --json >remote.json
[ "$(json remote.json 'JSON.stringify(d.outputs)')" = "$(json local.json 'JSON.stringify(d.outputs)')" ] || fail "another answer"
[ "$(json remote.json '[d.model, d.version, d.latency.count].join()')" = lenet,1,3 ] || fail "model or version"
[ "$(json remote.json 'd.timing.edge_us > 0 && d.timing.network_us > 0')" = true ] || fail "timing: $(cat remote.json)"
[ "$(json remote.json 't = d.timing; sum = 0; for (k in t) if (k != "total_us") sum += t[k]; Math.abs(sum - t.total_us) <= 0.05 * t.total_us + 50')" = true ] ||
  fail "the parts do not add up: $(cat remote.json)"
want_error 1 "no model 'nosuch'; this node has lenet" "$CLEAVE" infer nosuch --url "$plain" --random 1
want_error 1 "version 7" "$CLEAVE" infer lenet --url "$plain" --model-version 7 --random 1
want_error 1 "does not speak TLS" "$CLEAVE" infer lenet --url "${plain/http/https}" --random 1
head -c 12 /dev/zero >short.bin
want_error 1 "short.bin: 12 bytes" "$CLEAVE" infer lenet --url "$plain" --input short.bin

# An edge that hands everything on: the plan, and the times of both sides.
"$CLEAVE" serve -m models -p 0 --peer "$plain" --policy cloud 2>edge.log & nodes+=($!)
edge=http://127.0.0.1:$(port edge.log)
for _ in $(seq 300); do
  "$CLEAVE" infer lenet --url "$edge" --random 1 --json >edge.json 2>err && [ "$(json edge.json 'd.timing.cloud_us > 0')" = true ] && break
  sleep 0.1
done
[ "$(json edge.json 'd.plan != "local" && d.timing.cloud_us > 0 && d.timing.link_us > 0')" = true ] || fail "no split: $(cat edge.json)"
[ "$(json edge.json 'JSON.stringify(d.outputs)')" = "$(json local.json 'JSON.stringify(d.outputs)')" ] || fail "another answer through the edge"
"$CLEAVE" infer lenet --url "$edge" --random 1 >text
grep -q '^cloud ' text && grep -q '^link ' text || fail "no parts of a split in: $(cat text)"

# Both ways again over Unix-domain sockets.
"$CLEAVE" serve -m models -p 0 --socket far.sock 2>far.log & nodes+=($!)
ready unix:far.sock
"$CLEAVE" infer lenet --url "unix://$dir/far.sock" --random 1 --json >socket.json
[ "$(json socket.json 'JSON.stringify(d.outputs)')" = "$(json local.json 'JSON.stringify(d.outputs)')" ] || fail "another answer over a socket"
"$CLEAVE" serve -m models -p 0 --socket near.sock --peer unix:far.sock --policy cloud 2>near.log & nodes+=($!)
near=$!
for _ in $(seq 300); do
  "$CLEAVE" infer lenet --url unix:near.sock --random 1 --json >socket.json 2>err && [ "$(json socket.json 'd.timing.cloud_us > 0')" = true ] && break
  sleep 0.1
done
[ "$(json socket.json 'd.plan != "local" && d.timing.cloud_us > 0')" = true ] || fail "no split over sockets: $(cat socket.json)"
[ "$(json socket.json 'JSON.stringify(d.outputs)')" = "$(json local.json 'JSON.stringify(d.outputs)')" ] || fail "another answer through sockets"
kill "$near"
wait "$near" || fail "the edge ended with $?"
[ ! -e near.sock ] && [ -S far.sock ] || fail "the edge's socket is left, or it took the other's"
want_error 1 "connect to unix:near.sock: No such file" "$CLEAVE" infer lenet --url unix:near.sock --random 1
want_error 1 "unix:///run" "$CLEAVE" infer lenet --url unix://run/x --random 1
want_error 2 "needs an address with TLS" "$CLEAVE" infer lenet --url unix:far.sock --ca cert.pem --random 1

# What the edge's plan predicted, beside what happened.
"$CLEAVE" infer lenet --url "$edge" --random 1 --explain --json >explain.json
[ "$(json explain.json 'e = Object.fromEntries(d.explain.map(p => [p.part, p])); e.cloud.predicted_us > 0 && e.link.predicted_us > 0 &&
  e.total.predicted_us >= e.cloud.predicted_us + e.link.predicted_us && e.cloud.happened_us === d.timing.cloud_us')" = true ] ||
  fail "no prediction of a split: $(cat explain.json)"
"$CLEAVE" infer lenet --url "$edge" --random 1 --explain >text
grep -q '^part  *predicted .* happened' text || fail "no table of predictions in: $(cat text)"
[ "$(json edge.json 'd.explain === undefined')" = true ] || fail "explained without being asked"

# What crossed each link, in which codec and as how many bytes; what cannot be written is told.
hops() { json "$1" 'd.crossed.map(c => [c.codec, c.tensor_bytes, c.coded_bytes].join(" ")).join()'; }
[ "$(hops edge.json)" = "raw 3136 3136,raw 3136 3136" ] || fail "crossed: $(hops edge.json)"
[ "$(json edge.json 'd.crossed.every(c => c.up_bytes > c.coded_bytes && c.down_bytes > 0)')" = true ] || fail "messages: $(cat edge.json)"
"$CLEAVE" infer lenet --url "$plain" --random 1 --codecs f16,raw+zstd --json >coded.json
[ "$(hops coded.json)" = "f16 3136 1580" ] || fail "crossed coded: $(hops coded.json)"
[ "$(json coded.json 'd.outputs[0].top[0].index')" = "$(json local.json 'd.outputs[0].top[0].index')" ] || fail "another answer in f16"
"$CLEAVE" infer lenet --url "$edge" --random 1 --codecs f16 --json >coded.json
[ "$(hops coded.json)" = "f16 3136 1580,f16 3136 1580" ] || fail "handed on: $(hops coded.json)"
"$CLEAVE" infer lenet --url "$plain" --random 1 --codecs q8,f16 >text 2>err
grep -q '^here > node 0  f16  *3136 B  *1580 B' text || fail "no table of links in: $(cat text)"
grep -q 'q8 left out: .* for lenet .*cleave profile lenet --data' err || fail "q8 without data: $(cat err)"
"$CLEAVE" infer lenet --url "$plain" --random 1 --codecs q8 --accuracy-drop 100 --json >coded.json
[ "$(hops coded.json)" = "q8 3136 802" ] || fail "any accuracy: $(hops coded.json)"
want_error 2 "unknown codec 'q9'" "$CLEAVE" infer lenet --url "$plain" --random 1 --codecs q9
want_error 2 "--codecs is for a node" "$CLEAVE" infer lenet --models models --random 1 --codecs f16
want_error 2 "--policy cloud sends tensors raw" "$CLEAVE" serve -m models -p 0 --peer "$plain" --policy cloud --codecs f16

# TLS and a token; certificates are made here.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 \
  -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>/dev/null
printf 'right\nthe second line is a remark\n' >token
echo wrong >wrong
"$CLEAVE" serve -m models -p 0 --tls-cert cert.pem --tls-key key.pem --token-file token 2>tls.log & nodes+=($!)
tls=https://127.0.0.1:$(port tls.log)
ready "$tls" --ca cert.pem --token-file token
CLEAVE_TOKEN=right "$CLEAVE" infer lenet --url "$tls" --ca cert.pem --random 1 --json >tls.json
[ "$(json tls.json 'JSON.stringify(d.outputs)')" = "$(json local.json 'JSON.stringify(d.outputs)')" ] || fail "another answer over TLS"
want_error 1 "a token is asked for" "$CLEAVE" infer lenet --url "$tls" --ca cert.pem --random 1
want_error 1 "the token is wrong" "$CLEAVE" infer lenet --url "$tls" --ca cert.pem --token-file wrong --random 1
want_error 1 "certificate not accepted" "$CLEAVE" infer lenet --url "$tls" --token-file token --random 1
want_error 1 "nowhere.pem" "$CLEAVE" infer lenet --url "$tls" --ca nowhere.pem --random 1

# A node that stalls: the deadline holds.
kill -STOP "${nodes[0]}"
want_error 1 "$plain" "$CLEAVE" infer lenet --url "$plain" --timeout 500ms --random 1
kill -CONT "${nodes[0]}"
echo "infer --url: ok"
