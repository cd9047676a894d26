#!/usr/bin/env bash
# cleave infer on this machine: files of every kind in, classes, arrays and times out, errors in one line.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"

# npy FILE SHAPE BYTES DESCR: an array of zeros.
npy() {
  node -e 'const [file, shape, bytes, descr] = process.argv.slice(1)
    let h = `{"descr": "${descr}", "fortran_order": False, "shape": (${shape}), }`.replaceAll("\"", "\x27")
    h += " ".repeat(127 - 10 - h.length) + "\n"
    const p = Buffer.from([0x93, 78, 85, 77, 80, 89, 1, 0, h.length, 0])
    require("fs").writeFileSync(file, Buffer.concat([p, Buffer.from(h, "latin1"), Buffer.alloc(+bytes)]))' "$@"
}

"$CLEAVE" zoo lenet -o . >/dev/null 2>&1 || fail "no lenet"
model=$(find . -name '*.onnx' | head -1)
# What the model wants is in the error that asks for it.
wanted=$("$CLEAVE" infer "$model" 2>&1 || true)
input=$(sed -n "s/.*input '\([^']*\)' .*/\1/p" <<<"$wanted")
shape=$(sed -n 's/.*FP32 \[[^,]*,\([^]]*\)\] is missing.*/\1/p' <<<"$wanted")
[ -n "$input" ] || fail "the missing input is not named"

# Random input, for people and for programs; the same seed gives the same answer.
"$CLEAVE" infer "$model" --random 1 >text
grep -q '^total' text || fail "no total in: $(cat text)"
grep -q '^plan: local' text || fail "no plan"
"$CLEAVE" infer "$model" --random 1 --count 5 --json -o arrays >a.json
"$CLEAVE" infer "$model" --random 1 --json >b.json
[ "$(json a.json 'd.outputs[0].top.length')" = 5 ] || fail "no top 5"
[ "$(json a.json 'd.outputs[0].top[0].score >= d.outputs[0].top[1].score')" = true ] || fail "not sorted"
[ "$(json a.json 'JSON.stringify(d.outputs)')" = "$(json b.json 'JSON.stringify(d.outputs)')" ] || fail "not repeatable"
[ "$(json a.json 'd.latency.count')" = 5 ] || fail "not 5 requests"
[ "$(json a.json 'd.timing.edge_us > 0 && d.timing.edge_us <= d.timing.total_us')" = true ] || fail "timing"
[ "$(json a.json 'd.plan')" = local ] || fail "plan"
[ -s "$(echo arrays/*.npy)" ] || fail "no array written"

# The labels stand beside their classes.
seq -f 'label %g' 0 9 >labels
"$CLEAVE" infer "$model" --random 1 --labels labels --json >c.json
[ "$(json c.json 'd.outputs[0].top[0].label')" = "label $(json c.json 'd.outputs[0].top[0].index')" ] || fail "label"

# A picture, an array without a batch dimension, raw bytes.
png=iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGMQ+MDQ4AAABVYBwT2FkM4AAAAASUVORK5CYII=
echo "$png" | base64 -d >two.png
"$CLEAVE" infer "$model" --input two.png >/dev/null || fail "a picture"
bytes=$((4 * ${shape//,/ * }))
npy one.npy "$shape" "$bytes" '<f4'
"$CLEAVE" infer "$model" --input "$input=one.npy" >/dev/null || fail "an array"
head -c $((2 * bytes)) /dev/zero >two.bin
"$CLEAVE" infer "$model" --input two.bin --json >d.json || fail "raw bytes"
[ "$(json d.json 'd.outputs[0].top.length')" = 10 ] || fail "two rows of raw bytes"

# Errors name the thing, its value and what would be right.
npy doubles.npy "$shape" $((2 * bytes)) '<f8'
npy short.npy "2, 3" 24 '<f4'
head -c 40 two.png >cut.png
want_error 1 "dtype FP64, input '$input' is FP32" "$CLEAVE" infer "$model" --input doubles.npy
want_error 1 "short.npy: shape" "$CLEAVE" infer "$model" --input short.npy
want_error 1 "cut.png: unreadable PNG" "$CLEAVE" infer "$model" --input cut.png
want_error 1 "nowhere.png" "$CLEAVE" infer "$model" --input nowhere.png
want_error 2 "no input has this name" "$CLEAVE" infer "$model" --input nobody=one.npy
want_error 2 "--random 1" "$CLEAVE" infer "$model"
want_error 1 "nowhere.onnx" "$CLEAVE" infer nowhere.onnx --random 1
want_error 2 "--url is missing" "$CLEAVE" infer "$model" --random 1 --token-file labels
want_error 2 "needs an address with TLS" "$CLEAVE" infer m --url http://127.0.0.1:1 --ca labels
want_error 1 "http://127.0.0.1:1: Connection refused" "$CLEAVE" infer m --url http://127.0.0.1:1 --random 1
echo "infer: ok"
