#!/usr/bin/env bash
# Tensors in a lossy codec, whole: `cleave profile --data` measures what it costs, so nodes over a slow link use it; what crosses is
# q8+zstd, the answer is that of the uncut network on what the encoding says, to the bit of it, which is within the codec's bound;
# `infer --explain`, `tasks` and `demo` show it. Skipped (77) without Debian's dataset-fashion-mnist or network namespaces.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
unset XDG_RUNTIME_DIR CLEAVE_LAB
data=/usr/share/datasets/fashion-mnist
[ -d $data ] || { echo "skipped: no $data"; exit 77; }
if "$CLEAVE" lab run --edge true 2>&1 | grep -q 'no rights for'; then exit 77; fi
mkdir models
cp -r "$repository/models/fashion_resnet18" models
model=fashion_resnet18

# The first test picture; and, worked out from docs/codecs.md alone, what is left of it in q8, and the bound.
node -e '
  const fs = require("fs"), { gunzipSync } = require("zlib"), f = Math.fround
  const bytes = gunzipSync(fs.readFileSync(process.argv[1])).subarray(16, 16 + 784)
  const x = Float32Array.from(bytes, b => f(b / 255)), y = new Float32Array(784)
  const up = v => { const s = new Float32Array([v]); if (s[0] < v) new Uint32Array(s.buffer)[0]++; return s[0] }
  const even = v => { const r = Math.round(v); return r - v === 0.5 && r % 2 ? r - 1 : r }
  const lo = Math.min(...x), hi = Math.max(...x), s = up((hi - lo) / 255), z = even(f(lo / s))
  x.forEach((v, i) => { y[i] = f((Math.min(255, Math.max(0, even(f(v * f(1 / s))) - z)) + z) * s) })
  const worst = Math.max(...x.map((v, i) => Math.abs(v - y[i])))
  if (!(worst > 0 && worst <= 0.51 * s)) throw new Error(`off by ${worst}, a step is ${s}`)
  fs.writeFileSync("x.bin", Buffer.from(x.buffer))
  fs.writeFileSync("y.bin", Buffer.from(y.buffer))
' $data/t10k-images-idx3-ubyte.gz
"$CLEAVE" infer models/$model --input y.bin --threads 1 --json >y.json
label=$("$CLEAVE" infer models/$model --input x.bin --threads 1 --json | node -p 'JSON.parse(require("fs").readFileSync(0)).outputs[0].top[0].index')
[ "$label" = 9 ] || fail "the first test picture is an ankle boot, 9, not $label"

# A node that has no data leaves the codec out, says so, and what would help.
"$CLEAVE" profile models/$model --threads 1 --budget 300ms --max-cuts 2 --keep >/dev/null
"$CLEAVE" serve -m models -p 0 --threads 1 2>bare.log & nodes+=($!)
"$CLEAVE" tasks -m models --peer "http://127.0.0.1:$(port bare.log)" --threads 1 --codecs q8+zstd,f16 --count 2 --json >bare.json 2>told.log
grep -q "q8+zstd left out: .* for $model .*cleave profile $model --data DATA --keep" told.log || fail "not told that q8+zstd is left out"
[ "$(grep -c 'left out' told.log)" = 1 ] || fail "told more than once"
kill "${nodes[0]}"

# With data, kept for the nodes of this machine. What runs on the edge of an emulated link:
"$CLEAVE" profile models/$model --data $data --samples 100 --threads 1 --budget 300ms --max-cuts 2 --keep >/dev/null
cat >edge <<'SH'
"$CLEAVE" serve -m models -p 8001 --threads 1 --peer "http://$CLOUD:8000" --codecs q8+zstd --watch 100ms 2>edge.log & node=$!
until grep -q '"plan" .*cut="remote q8+zstd"' edge.log; do kill -0 $node || exit 1; sleep 0.05; done
"$CLEAVE" infer fashion_resnet18 --url http://127.0.0.1:8001 --input x.bin --explain --json -o out >coded.json
"$CLEAVE" infer fashion_resnet18 --url http://127.0.0.1:8001 --input x.bin --explain >text
kill $node
wait $node
"$CLEAVE" tasks -m models --peer "http://$CLOUD:8000" --threads 1 --codecs q8+zstd --watch 100ms --count 12 --check --trace run.trace --json >tasks.json
"$CLEAVE" tasks --show run.trace >tasks.text
SH
"$CLEAVE" lab run --link 0.4Mbit,20ms --slow edge=400 --wait 8000 --cloud "'$CLEAVE' serve -m models --host {cloud} --threads 1 2>cloud.log" \
  --edge "CLOUD={cloud} CLEAVE='$CLEAVE' bash edge" || fail "the lab ended with $?"

holds coded.json "the picture went as q8+zstd, a tenth of it" '
  d.plan === "remote q8+zstd" && !d.recovered && d.crossed.length === 2 && d.crossed[0].codec === "raw" &&
  d.crossed[1].codec === "q8+zstd" && d.crossed[1].tensor_bytes === 3136 && d.crossed[1].coded_bytes < 700'
holds coded.json "the node predicted all that happened" '
  p = Object.fromEntries(d.explain.map(e => [e.part, e])), ["encode", "link", "cloud", "decode", "total"].every(k => p[k].happened_us > 0) &&
  p.link.predicted_us > 20000 && p.encode.predicted_us > 0 && p.cloud.predicted_us > 0 && p.decode.predicted_us > 0'
node -e '
  const read = f => JSON.parse(require("fs").readFileSync(f)).outputs[0].top, a = read("coded.json"), b = read("y.json")
  const near = (x, y) => Math.abs(x - y) <= 1e-5 * Math.max(1, Math.abs(y))
  if (!a.every((c, k) => c.index === b[k].index && near(c.score, b[k].score))) throw new Error(JSON.stringify([a, b]))
' || fail "not the uncut network's answer to what the encoding says"
[ "$(json coded.json 'd.outputs[0].top[0].index')" = 9 ] || fail "another class"
grep -q '^node 0 > node 1  q8+zstd  *3136 B' text && grep -q '^part  *predicted .* happened' text || fail "infer --explain shows: $(cat text)"
holds tasks.json "all went so, and were right within what the codec may change" '
  d.count === 12 && d.failed === 0 && d.mismatches === 0 && d.plans.some(p => p.plan === "remote q8+zstd" && p.count > 6 &&
  p.tensor_bytes === 3136 && p.coded_bytes > 0 && p.coded_bytes < 1000 && p.up_bytes > p.coded_bytes)'
grep -q 'remote q8+zstd .* 3\.14 kB .* B ' tasks.text || fail "tasks shows: $(cat tasks.text)"

# The demo compares raw plans, unless it is asked for codecs: then they are contenders, and their coding is in the floor.
"$CLEAVE" demo --networks lenet --links 2Mbit,2ms --slow 300 --budget 100ms --codecs f16,q8 --dir zoo --json >demo.json 2>demo.log || fail "no demo"
holds demo.json "codecs were measured, and the input in f16 is predicted to be faster than raw" '
  r = d.rows[0], c = Object.fromEntries(r.contenders.map(c => [c.cut, c])), r.contenders.some(c => / f16$/.test(c.cut) && c.n > 0) &&
  (!c["remote f16"] || c["remote f16"].predicted_us < c.remote.predicted_us) && r.floor_us > 0 &&
  (!/ f16$/.test(r.plan) || (r.coded_bytes > 0 && r.coded_bytes < r.tensor_bytes))'
grep -q 'q8 left out' demo.log || fail "the demo does not tell of q8"
echo "codecs: sent as q8+zstd, $(json coded.json 'd.crossed[1].coded_bytes') bytes of 3136"
