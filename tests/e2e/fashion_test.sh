#!/usr/bin/env bash
# The committed networks classify Fashion-MNIST as well as models/accuracy.json says, and `cleave profile --data`
# tells what codecs cost them. Skipped where the data set (Debian's dataset-fashion-mnist) is missing.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
models=$repository/models
data=/usr/share/datasets/fashion-mnist
[ -d $data ] || { echo "skipped: no $data"; exit 77; }

# refused STATUS TEXT ARGUMENTS...: the profile fails with the status and one line that has the text.
refused() {
  local status=$1 text=$2 got=0
  shift 2
  "$CLEAVE" profile "$models/fashion_lenet" --threads 1 "$@" >out 2>err || got=$?
  [ "$got" = "$status" ] || fail "'$*' ended with $got, not $status: $(cat err)"
  grep -qF -- "$text" err || fail "'$*' does not say '$text': $(cat err)"
}

for name in fashion_lenet fashion_alexnet fashion_resnet18; do
  "$CLEAVE" profile "$models/$name" --data $data --threads 1 --budget 100ms --max-cuts 1 --json >$name.json
  node -e '
    const read = f => JSON.parse(require("fs").readFileSync(f)), [file, table, name] = process.argv.slice(1)
    const p = read(file), want = read(table).models[name]
    const codec = n => p.codecs.find(c => c.name === n)
    const check = (ok, what) => { if (!ok) { console.error(`FAILED: ${name}: ${what}`); process.exit(1) } }
    check(p.samples === 1000 && p.data.endsWith("t10k-images-idx3-ubyte.gz"), `data ${p.data}, ${p.samples}`)
    check(Math.abs(p.accuracy - want.accuracy_of_1000) <= 0.003, `accuracy ${p.accuracy}, not ${want.accuracy_of_1000}`)
    check(want.accuracy >= (name === "fashion_lenet" ? 0.9 : 0.925), `accuracy ${want.accuracy}`)
    check(p.codecs.length === 14, `${p.codecs.length} codecs`)
    for (const c of p.codecs) {
      const known = c.cut_bytes.filter(b => b > 0).length
      check(known === 2 && c.encode_us_per_mb > 0 && c.decode_us_per_mb > 0, `${c.name}: ${JSON.stringify(c)}`)
      check(c.name.startsWith("raw") === !c.cut_drop, `${c.name}: drop`)
    }
    const [x] = p.cuts // a picture of 256 greys is as good in 8 bits
    check(codec("q8+zstd").cut_drop[0] <= 0.001, `q8 loses ${codec("q8+zstd").cut_drop[0]} at the input`)
    check(codec("q8+zstd").cut_bytes[0] < x.up_bytes / 4, `q8+zstd makes ${codec("q8+zstd").cut_bytes[0]} bytes`)
  ' $name.json "$models/accuracy.json" $name
done

# For people and tables; kept for the nodes of this machine.
"$CLEAVE" profile "$models/fashion_lenet" --data $data --samples 100 --threads 1 --budget 100ms --keep --cuts-csv cuts.csv >out
grep -q "on 100 samples of fashion-mnist/t10k" out || fail "no table of cuts: $(cat out)"
grep -q '^0,"input",raw,3136,3136.0,0.9[0-9]*,0.000000$' cuts.csv || fail "rows: $(head -3 cuts.csv)"
grep -q '"samples": 100' cache/cleave/profiles/*.json || fail "not kept"

# Without data only what loses nothing, and f16, is offered.
"$CLEAVE" profile "$models/fashion_lenet" --threads 1 --budget 100ms --json >bare.json
[ "$(node -p 'JSON.parse(require("fs").readFileSync("bare.json")).codecs.filter(c => c.cut_bytes).map(c => c.name).join()')" = \
  raw+lz4,raw+zstd,f16,f16+lz4,f16+zstd ] || fail "offered: $(cat bare.json)"

refused 1 "no such file or folder" --data nowhere
refused 1 "neither t10k-images-idx3-ubyte nor a folder a class" --data "$dir"
refused 2 "--samples" --data $data --samples 0
printf '\0\0\10\3\0\0\0\1\0\0\0\34\0\0\0\34' >short.idx
refused 1 "truncated: [1,28,28] needs 784 bytes, 0 are there" --data short.idx --labels $data/t10k-labels-idx1-ubyte.gz
refused 2 "add --labels FILE" --data short.idx
echo "the networks are as good as they say"
