#!/usr/bin/env bash
# cleave calibrate, and plans from calibrations: written, gone on with, evaluated, planned with, refused.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"

"$CLEAVE" zoo lenet mobilenet_v2 -o models >/dev/null 2>&1 || fail "no models"

# What was looked at stays when more is asked for; the file says so.
"$CLEAVE" calibrate -o c.json --networks 3 --threads 1 | grep -q pointwise || fail "no table of kinds"
cp c.json first.json
"$CLEAVE" calibrate -o c.json --networks 4 --threads 1 >/dev/null
[ "$(json c.json 'd.networks.length + " " + d.complete')" = "4 true" ] || fail "networks: $(json c.json 'd.networks.length')"
[ "$(json c.json 'JSON.stringify(d.networks[1].rows)')" = "$(json first.json 'JSON.stringify(d.networks[1].rows)')" ] || fail "the first networks were measured again"
[ "$(json c.json 'd.networks.every(n => n.rows.every(r => r.us >= 0))')" = true ] || fail "negative times"
"$CLEAVE" calibrate -o c.json --networks 1 --threads 1 --seed 3 --fresh >/dev/null
[ "$(json c.json 'd.networks.length')" = 1 ] || fail "--fresh does not start anew"
mv first.json c.json

# Evaluation: every field, three ways, a chart; measured profiles are kept and taken again.
"$CLEAVE" calibrate --evaluate models/lenet models/mobilenet_v2 -c c.json --threads 1 --profiles p --budget 2s --svg e.svg --json >e.json
for field in hit_10 hit_20 ceiling_10 mape rank_error regret; do
  for way in '' .corrected .baseline; do
    [ "$(json e.json "[...d.models, d.total].every(m => m$way.$field >= 0)")" = true ] || fail "no $field of ${way:-.predicted}"
  done
done
[ "$(json e.json 'd.models.map(m => m.model).join()')" = lenet,mobilenet_v2 ] || fail "models"
# Both know the reference, so predictions are brought to the speed of measuring; without it they stay as calibrated.
[ "$(json e.json 'd.models.every(m => m.speed > 0 && m.speed !== 1) && d.total.as_calibrated.baseline.hit_10 >= 0')" = true ] || fail "speed"
[ "$(json c.json 'd.reference.n + " " + (d.reference.us > 0)')" = "3 true" ] || fail "reference of the calibration"
[ "$(json p/lenet.json 'd.reference.n > 0 && d.reference.network')" = "$(json c.json 'd.reference.network')" ] || fail "reference of the profile"
mkdir old && json p/lenet.json '(delete d.reference, JSON.stringify(d))' >old/lenet.json
"$CLEAVE" calibrate --evaluate models/lenet -c c.json --threads 1 --profiles old --json >old.json
[ "$(json old.json 'd.models[0].speed === 1 && d.total.mape === d.total.as_calibrated.mape')" = true ] || fail "a factor without a reference"
[ "$(json e.json 'd.total.segments === d.models[0].segments + d.models[1].segments')" = true ] || fail "total"
grep -q '</svg>' e.svg || fail "no SVG"
[ -s p/lenet.json ] && [ -s p/mobilenet_v2.json ] || fail "profiles are not kept"
"$CLEAVE" calibrate --evaluate models/lenet -c c.json --threads 1 --profiles p | grep -q baseline || fail "no table"
"$CLEAVE" calibrate --evaluate models/lenet -c c.json --threads 1 --profiles p --again p --json >e.json
[ "$(json e.json 'd.total.again.hit_10 === 1 && d.total.again.regret === 0')" = true ] || fail "a profile is not like itself"

# A device may be a calibration, and so may both.
"$CLEAVE" plan models/mobilenet_v2 --edge c.json --cloud p/mobilenet_v2.json --link wifi --json >plan.json
[ "$(json plan.json 'd.model')" = mobilenet_v2 ] || fail "model of a predicted plan"
"$CLEAVE" plan models/mobilenet_v2 --edge c.json --cloud c.json --link lan | grep -q mobilenet_v2 || fail "plan from calibrations alone"

# Bad files and uses.
head -c 2000 c.json >cut.json
want_error 1 "cut.json" "$CLEAVE" plan models/lenet --edge cut.json --cloud c.json --link wifi
sed 's/"calibration":2/"calibration":9/' c.json >new.json
want_error 1 "schema 9, this program reads 2" "$CLEAVE" plan models/lenet --edge new.json --cloud c.json --link wifi
want_error 1 "schema 9" "$CLEAVE" calibrate -o new.json
json c.json '(d.reference.us = -1, JSON.stringify(d))' >slow.json
want_error 1 "reference.us" "$CLEAVE" plan models/lenet --edge slow.json --cloud c.json --link wifi
sed 's/"complete":true/"complete":false/' c.json >half.json
want_error 1 "not complete" "$CLEAVE" plan models/lenet --edge half.json --cloud c.json --link wifi
want_error 1 "slowed" "$CLEAVE" calibrate -o c.json --slowdown 3 --threads 1
want_error 2 "MODEL" "$CLEAVE" calibrate --evaluate
want_error 2 "models are for --evaluate" "$CLEAVE" calibrate models/lenet
