#!/usr/bin/env bash
# curl against a node: every path, JSON and raw tensors both ways, errors that name the thing; plain, then TLS with a token, and
# beside each a Unix-domain socket.
set -euo pipefail
dir=$(mktemp -d)
node=
finish() {
  [ -n "$node" ] && kill -9 "$node" 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT
fail() {
  echo "FAILED: $*" >&2
  tail -n 20 "$dir/log" >&2 || true
  exit 1
}
export XDG_CACHE_HOME="$dir/cache"
curl=(curl -s --max-time 30)

# start OPTION...: a node on any free port; its address is in the log.
start() {
  : >"$dir/log"
  "$CLEAVE" serve -m "$dir/models" --port 0 --socket "$dir/socket" --threads 1 --body-max 1MiB "$@" 2>"$dir/log" &
  node=$!
  for _ in $(seq 400); do
    url=$(sed -n 's/.*listening.* url=\([^ ]*\).*/\1/p' "$dir/log")
    url=${url/127.0.0.1/localhost}
    [ -n "$url" ] && "${curl[@]}" -f "$url/v2/health/ready" >/dev/null && return 0
    sleep 0.05
  done
  fail "the node did not become ready"
}
stop() {
  kill -TERM "$node"
  wait "$node" || fail "the node ended with $?"
  node=
}
# want STATUS TEXT CURL-ARGUMENT...: the answer has this status, this text, and is JSON.
want() {
  local status=$1 text=$2 got
  shift 2
  got=$("${curl[@]}" -o "$dir/answer" -w '%{http_code}' "$@") || fail "curl $*: $?"
  [ "$got" = "$status" ] || fail "$*: $got, wanted $status: $(head -c 400 "$dir/answer")"
  grep -qF -- "$text" "$dir/answer" || fail "$*: no '$text' in $(head -c 400 "$dir/answer")"
}
want_json() {
  want "$@"
  node -e 'JSON.parse(require("fs").readFileSync(process.argv[1]))' "$dir/answer" || fail "$*: not JSON"
}

"$CLEAVE" zoo lenet -o "$dir/models" >/dev/null
# The same question as raw bytes, flat and nested JSON, and JSON with raw behind it; the uncut network's answer.
node -e '
const fs = require("fs"), dir = process.argv[1] + "/";
const x = Float32Array.from({ length: 784 }, (_, i) => ((i * 7919) % 256) / 128 - 1);
const rows = Array.from({ length: 28 }, (_, r) => Array.from(x.subarray(r * 28, r * 28 + 28)));
const input = { name: "input", shape: [1, 1, 28, 28], datatype: "FP32" };
const raw = Buffer.from(x.buffer);
fs.writeFileSync(dir + "x.bin", raw);
fs.writeFileSync(dir + "flat.json", JSON.stringify({ id: "one", inputs: [{ ...input, data: Array.from(x) }] }));
fs.writeFileSync(dir + "nested.json", JSON.stringify({ inputs: [{ ...input, data: [[rows]] }] }, null, 1));
const head = JSON.stringify({ parameters: { binary_data_output: true }, inputs: [{ ...input, parameters: { binary_data_size: 3136 } }] });
fs.writeFileSync(dir + "raw.req", Buffer.concat([Buffer.from(head), raw]));
fs.writeFileSync(dir + "raw.length", String(head.length));' "$dir"
"$CLEAVE" infer lenet --models "$dir/models" --input input="$dir/x.bin" -o "$dir/whole" >/dev/null
tail -c 40 "$dir"/whole/*.npy >"$dir/expected"

paths() {
  want_json 200 '"binary_tensor_data"' "$@" "$url/v2"
  want_json 200 '{"live":true}' "$@" "$url/v2/health/live"
  want_json 200 '{"ready":true}' "$@" "$url/v2/health/ready"
  want_json 200 '"shape":[-1,1,28,28]' "$@" "$url/v2/models/lenet"
  want_json 200 '"platform":"onnx_onnxv1"' "$@" "$url/v2/models/lenet/versions/1"
  want_json 200 '"digest":"' "$@" "$url/v2/models/lenet"
  cp "$dir/answer" "$dir/metadata"
  want_json 200 '"ready":true' "$@" "$url/v2/models/lenet/ready"
  want_json 200 '"state":"READY"' "$@" -d '' "$url/v2/repository/index"
  want_json 200 '"device"' "$@" "$url/v2/models/lenet/profile"
  want_json 200 '"received":3136' "$@" --data-binary "@$dir/x.bin" "$url/v2/link/probe"
}

infer="v2/models/lenet/infer"
answers() {
  for form in flat nested; do
    want_json 200 '"model_name":"lenet"' "$@" --data-binary "@$dir/$form.json" "$url/$infer"
    node -e '
const fs = require("fs"), [answer, expected] = process.argv.slice(1).map((f) => fs.readFileSync(f));
const o = JSON.parse(answer).outputs[0];
const same = o.datatype === "FP32" && Buffer.from(Float32Array.from(o.data).buffer).equals(expected);
process.exit(same ? 0 : 1)' "$dir/answer" "$dir/expected" || fail "$form JSON: another answer than the uncut network's"
  done
  want_json 200 '"id":"one"' "$@" --data-binary "@$dir/flat.json" "$url/v2/models/lenet/versions/1/infer"
  want 200 '"binary_data_size":40' "$@" -H "Inference-Header-Content-Length: $(cat "$dir/raw.length")" \
    --data-binary "@$dir/raw.req" "$url/$infer"
  tail -c 40 "$dir/answer" | cmp - "$dir/expected" || fail "raw: another answer"
  want 200 '"binary_data_size":40' "$@" -H 'Inference-Header-Content-Length: 0' --data-binary "@$dir/x.bin" "$url/$infer" \
    -D "$dir/headers"
  tail -c 40 "$dir/answer" | cmp - "$dir/expected" || fail "raw body: another answer"
  grep -qi '^inference-header-content-length: ' "$dir/headers" || fail "no length in $(cat "$dir/headers")"
  want_json 200 '"cleave_total_us":' "$@" --data-binary "@$dir/flat.json" "$url/$infer"
  want_json 200 '"cleave_plan":"' "$@" --data-binary "@$dir/flat.json" "$url/$infer"
}

errors() {
  want_json 404 'no such path' "$@" "$url/nowhere"
  want_json 405 'POST' "$@" "$url/$infer"
  want_json 404 'absent' "$@" "$url/v2/models/absent"
  want_json 404 'absent' "$@" --data-binary "@$dir/flat.json" "$url/v2/models/absent/infer"
  want_json 404 '77' "$@" --data-binary "@$dir/flat.json" "$url/v2/models/lenet/versions/77/infer"
  want_json 400 'line 3' "$@" -d $'{\n"inputs":[\n}' "$url/$infer"
  sed 's/FP32/INT32/' "$dir/flat.json" >"$dir/wrong.json"
  want_json 400 'element 1 (line 1): not an integer' "$@" --data-binary "@$dir/wrong.json" "$url/$infer"
  sed 's/\[1,1,28,28\]/[1,1,28,27]/' "$dir/flat.json" >"$dir/wrong.json"
  want_json 400 'more elements than the shape has' "$@" --data-binary "@$dir/wrong.json" "$url/$infer"
  sed 's/\[1,1,28,28\]/[1,28,28]/' "$dir/flat.json" >"$dir/wrong.json"
  want_json 400 "input" "$@" --data-binary "@$dir/wrong.json" "$url/$infer"
  sed 's/"input"/"nobody"/' "$dir/flat.json" >"$dir/wrong.json"
  want_json 400 "input" "$@" --data-binary "@$dir/wrong.json" "$url/$infer"
  sed 's/"inputs"/"outputs":[{"name":"nothing"}],"inputs"/' "$dir/flat.json" >"$dir/wrong.json"
  want_json 400 "nothing" "$@" --data-binary "@$dir/wrong.json" "$url/$infer"
  want_json 400 'bytes' "$@" -H 'Inference-Header-Content-Length: 0' -d 'short' "$url/$infer"
  want_json 400 'inference-header-content-length' "$@" -H 'Inference-Header-Content-Length: 99' -d '{}' "$url/$infer"
  head -c 1100000 /dev/zero >"$dir/large"
  want_json 413 'limit' "$@" --data-binary "@$dir/large" "$url/$infer"
  want_json 403 '' "$@" -T "$dir/x.bin" -H "x-cleave-digest: $(sha256sum "$dir/x.bin" | cut -d' ' -f1)" \
    "$url/v2/models/new/versions/1/file"
  want_json 200 '{"live":true}' "$@" "$url/v2/health/live"
}

socket=(--unix-socket "$dir/socket")

start
paths
answers
answers --http2-prior-knowledge
errors
url=http://localhost answers "${socket[@]}"
[ "$(stat -c %a "$dir/socket")" = 660 ] || fail "mode of the socket: $(stat -c %a "$dir/socket")"
# A second node may not take its place; after one that was killed the next does.
code=0
"$CLEAVE" serve -m "$dir/models" --port 0 --socket "$dir/socket" 2>"$dir/second" || code=$?
[ "$code" = 1 ] && grep -q "^cleave serve: listen on unix:$dir/socket: another process listens there" "$dir/second" ||
  fail "a second node: $code: $(cat "$dir/second")"
want_json 200 '{"live":true}' "${socket[@]}" http://localhost/v2/health/live
kill -KILL "$node"
wait "$node" || true
[ -S "$dir/socket" ] || fail "a killed node took its socket away"
start
want_json 200 '{"live":true}' "${socket[@]}" http://localhost/v2/health/live
stop
[ ! -e "$dir/socket" ] || fail "the socket is left behind"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$dir/key" -out "$dir/cert" 2>/dev/null
echo s3cret >"$dir/token"
curl+=(--cacert "$dir/cert")
start --tls-cert "$dir/cert" --tls-key "$dir/key" --token-file "$dir/token"
bearer=(-H 'Authorization: Bearer s3cret')
paths "${bearer[@]}"
answers "${bearer[@]}" --http1.1
answers "${bearer[@]}" --http2
errors "${bearer[@]}"
want_json 401 'token' "$url/v2/models/lenet"
want_json 401 'token' -H 'Authorization: Bearer wrong' "$url/v2/models/lenet"
want_json 200 '{"live":true}' "$url/v2/health/live"
want_json 200 '"digest":"' "${socket[@]}" "${bearer[@]}" http://localhost/v2/models/lenet
want_json 401 'token' "${socket[@]}" http://localhost/v2/models/lenet
stop

# A pushed model is checked, stored and served.
want_digest=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).parameters.digest' "$dir/metadata")
start --accept-push
model="$dir/models/lenet/1/model.onnx"
{ echo "model.onnx $(stat -c %s "$model")" && cat "$model"; } >"$dir/bundle"
push=(-X PUT --data-binary "@$dir/bundle" "$url/v2/models/copy/versions/1/file")
want_json 400 'x-cleave-digest' "${push[@]}"
want_json 400 'SIZE' -T "$model" -H "x-cleave-digest: $want_digest" "$url/v2/models/copy/versions/1/file"
want 412 'digest' -H "x-cleave-digest: ${want_digest//[0-9]/0}" "${push[@]}"
want_json 404 'copy' "$url/v2/models/copy"
want_json 200 '"stored":true' -H "x-cleave-digest: $want_digest" "${push[@]}"
want 200 '"binary_data_size":40' -H 'Inference-Header-Content-Length: 0' --data-binary "@$dir/x.bin" "$url/v2/models/copy/infer"
tail -c 40 "$dir/answer" | cmp - "$dir/expected" || fail "pushed model: another answer"
stop
echo "REST: ok"
