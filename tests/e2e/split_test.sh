#!/usr/bin/env bash
# `cleave verify` and `cleave split` as a user meets them.
set -uo pipefail
cleave=$(realpath "${CLEAVE:-../../build/cleave}")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$out" || exit 1
failed=0

fail() {
  echo "FAILED: $*"
  failed=1
}
# says STATUS TEXT COMMAND...: the command ends with STATUS and prints TEXT.
says() {
  local status=$1 text=$2 got
  shift 2
  "$@" >said 2>&1 </dev/null
  got=$?
  [ "$got" = "$status" ] || fail "status $got instead of $status: $*: $(head -c 300 said)"
  grep -qF -- "$text" said || fail "no '$text' from: $*: $(head -c 300 said)"
}

"$cleave" zoo lenet -o m >/dev/null || fail "no lenet"
says 0 '"cuts": 9, "mismatches": 0, "max_abs_err": 0' "$cleave" verify m/lenet --cuts all --json
says 0 '4 cuts, 0 mismatches' "$cleave" verify m/lenet --cuts 4 --batch 3
says 2 "--cuts 'some': expected all, a number" "$cleave" verify m/lenet --cuts some
says 1 'nowhere.onnx' "$cleave" verify nowhere.onnx
says 1 "device 'gpu': expected cpu, cuda or cuda:N" "$cleave" verify m/lenet --device gpu
head -c 100000 m/lenet/1/model.onnx >short.onnx
says 1 'not a sound ONNX file' "$cleave" verify short.onnx

says 0 '"cut": 3' "$cleave" split m/lenet --at 3 -o parts --json
name=$(sed 's/.*"tensors": \["\([^"]*\)"\].*/\1/' said)
[ -s parts/prefix.onnx ] && [ -s parts/suffix.onnx ] || fail "no parts"
says 0 'mismatches": 0' "$cleave" verify parts/prefix.onnx --json
says 0 'mismatches": 0' "$cleave" verify parts/suffix.onnx --json
says 0 'cut 3:' "$cleave" split m/lenet --at "$name" -o named
cmp parts/suffix.onnx named/suffix.onnx || fail "the same cut by name differs"
says 2 '--at is missing' "$cleave" split m/lenet
says 2 'expected 1 to 7' "$cleave" split m/lenet --at 8
says 2 'expected 1 to 7' "$cleave" split m/lenet --at 99
says 1 "no cut '${name%?}'" "$cleave" split m/lenet --at "${name%?}"
grep -qF "'$name'" said || fail "the near cut is not told: $(cat said)"
says 1 '/dev/null' "$cleave" split m/lenet --at 3 -o /dev/null
exit $failed
