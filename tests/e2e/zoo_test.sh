#!/usr/bin/env bash
# `cleave zoo` as a user meets it.
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

says 0 'mobilenet_v2' "$cleave" zoo --list
says 0 '"macs": 15470264320' "$cleave" zoo vgg16 --list --json
[ -e vgg16 ] && fail "--list wrote something"
says 0 'm/lenet/1/model.onnx' "$cleave" zoo lenet resnet18 lenet -o m
[ "$(grep -c lenet said)" = 1 ] || fail "a name given twice is written twice"
[ -s m/resnet18/1/model.onnx ] || fail "resnet18 is not there"
[ "$(find m -type f | wc -l)" = 2 ] || fail "more files than networks: $(find m -type f)"
says 0 "\"file_bytes\": $(stat -c %s m/lenet/1/model.onnx)" "$cleave" zoo lenet -o m --json
cp m/lenet/1/model.onnx one.onnx
says 0 lenet "$cleave" zoo lenet -o m --seed 2
cmp -s m/lenet/1/model.onnx one.onnx && fail "two seeds, the same bytes"

says 1 "no network 'lenett', there are lenet, alexnet" "$cleave" zoo lenett -o m
says 2 '-o DIR' "$cleave" zoo lenet
says 2 'seed' "$cleave" zoo lenet -o m --seed many
says 1 '/dev/null' "$cleave" zoo lenet -o /dev/null
exit $failed
