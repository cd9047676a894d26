#!/usr/bin/env bash
# cleave inspect, profile and plan, as a person and as a program uses them. The plan is checked against
# every cut of the two profiles, worked out here from their JSON.
. "$(dirname "${BASH_SOURCE[0]}")/kit.sh"

"$CLEAVE" zoo lenet resnet18 -o models >/dev/null 2>&1 || fail "no models"

# inspect: totals are the published ones, the parts add up, a directory and its file are one model.
"$CLEAVE" inspect models/resnet18 --json >i.json
[ "$(json i.json 'd.params')" = 11689512 ] || fail "parameters: $(json i.json 'd.params')"
[ "$(json i.json 'd.units.reduce((s, u) => s + u.macs, 0) === d.macs')" = true ] || fail "MACs"
[ "$(json i.json 'd.cuts[0].label + d.cuts[0].bytes + d.cuts.at(-1).label + d.cuts.at(-1).bytes')" = input602112output0 ] || fail "cuts"
[ "$(json i.json 'd.cuts.every((c, i) => c.index === i && (i === 0 || c.units >= d.cuts[i - 1].units))')" = true ] || fail "order of cuts"
"$CLEAVE" inspect models/resnet18/1/model.onnx --csv i.csv --svg i.svg
[ "$(wc -l <i.csv)" = "$(json i.json 'd.units.length + 1')" ] || fail "rows of $(head -3 i.csv)"
grep -q '</svg>' i.svg || fail "no SVG"
"$CLEAVE" inspect lenet --models models | grep -q '^lenet: ' || fail "a bare name is not looked up"
want_error 1 "no such file or directory" "$CLEAVE" inspect nonexistent.onnx
want_error 2 "MODEL" "$CLEAVE" inspect

# profile: a file that plan reads; what was not asked for is not measured.
"$CLEAVE" profile models/lenet --threads 1 --budget 2s --all -o cloud.json --csv p.csv --svg p.svg >/dev/null
"$CLEAVE" profile models/lenet --threads 1 --budget 2s --all --slowdown 20 --json >edge.json
[ "$(json edge.json 'd.slowdown')" = 20 ] || fail "slowdown"
[ "$(json cloud.json 'd.cuts.slice(1, -1).every(c => c.prefix.n > 0 && c.suffix.n > 0)')" = true ] || fail "not every cut is measured"
[ "$(json cloud.json 'Math.abs(d.units.reduce((s, u) => s + u.us, 0) - d.cuts.at(-1).prefix.us) < 0.1')" = true ] || fail "units do not add up"
head -1 p.csv | grep -q ',us,cumulative_us,cut_bytes$' || fail "columns: $(head -1 p.csv)"
CLEAVE_SLOWDOWN=3 "$CLEAVE" profile models/lenet --threads 1 --budget 1s --max-cuts 1 -o few.json >/dev/null
[ "$(json few.json 'd.slowdown + "," + d.cuts.slice(1, -1).filter(c => c.prefix.n).length')" = 3,1 ] || fail "--max-cuts or \$CLEAVE_SLOWDOWN"
want_error 2 "--budget" "$CLEAVE" profile models/lenet --budget 5
want_error 2 "--slowdown" "$CLEAVE" profile models/lenet --slowdown 0.5

# plan: the least of all cuts, at every link.
plan() { "$CLEAVE" plan models/lenet --edge edge.json --cloud cloud.json "$@"; }
for link in 2Mbit,1us 30Mbit,10us 200Mbit,20us 2Gbit/100Mbit,50us wifi 3g; do
  plan --link "$link" --codecs raw --json >plan.json
  node -e '
    const read = f => JSON.parse(require("fs").readFileSync(f)), edge = read("edge.json"), cloud = read("cloud.json")
    const {plan, candidates, link: l, planning_us} = read("plan.json"), last = edge.cuts.length - 1
    const all = edge.cuts.map((c, i) => c.prefix.us + (i === last ? 0 : cloud.cuts[i].suffix.us + l.rtt_us +
      1e6 * (c.up_bytes / l.up_bytes_per_s + c.down_bytes / l.down_bytes_per_s)))
    const least = Math.min(...all)
    const ok = Math.abs(all[plan.cut] - least) < 0.01 && Math.abs(plan.latency_us - least) < 0.01 &&
      candidates.length === all.length && planning_us > 0 && candidates[0].cut === plan.cut &&
      candidates.every((c, i) => !i || c.latency_us >= candidates[i - 1].latency_us) && plan.why.length > 20
    if (!ok) { console.error(JSON.stringify(plan), all); process.exit(1) }' || fail "plan on $link"
done
[ "$(plan --link down --json | tee plan.json | head -c 1; json plan.json 'd.plan.label + d.candidates.length')" = "{output1" ] || fail "no link"
plan --link wifi --policy edge --json >plan.json
[ "$(json plan.json 'd.plan.label + d.plan.policy')" = outputedge ] || fail "policy edge"
plan --link wifi >text
grep -q '^edge' text || fail "no shares in $(cat text)"
plan --sweep rate --from 1Mbit --to 10Gbit --csv sweep.csv --svg sweep.svg >/dev/null
head -1 sweep.csv | grep -q '^cut,label,from_bytes_per_s' || fail "sweep: $(cat sweep.csv)"
grep -q '</svg>' sweep.svg || fail "no SVG of the sweep"
# Other objectives and limits: what cannot be kept says how far it is, what makes no sense names its options.
watts="--power edge=idle=2W,active=7W --radio wifi"
plan $watts --objective energy --json >plan.json
[ "$(json plan.json 'd.plan.optimal && d.candidates.every(c => c.energy_j >= d.plan.energy_j)')" = true ] || fail "energy"
"$CLEAVE" plan models/lenet --device pi=edge.json --device hub=cloud.json --device gpu=cloud.json --link wifi --link lan --json >plan.json
[ "$(json plan.json 'd.plan.cuts.length + d.plan.planner + d.devices.map(x => x.name)')" = 2hopspi,hub,gpu ] || fail "three devices: $(json plan.json 'd.plan.planner')"
plan $watts --policy all --json >plan.json
[ "$(json plan.json 'd.policies.length > 5 && d.policies.every(p => p.regret === null || p.regret >= 0)')" = true ] || fail "policies"
# A plan that was written down, as text or JSON, weighs the same again; what must stay here is in no plan.
plan --link 30Mbit,10us --json >plan.json
plan --link 30Mbit,10us | sed -n 's/.*as text: *//p' >plan.txt
for written in plan.json plan.txt; do
  plan --link 30Mbit,10us --given $written --json >given.json
  [ "$(json given.json 'd.plan.cut + " " + d.plan.latency_us')" = "$(json plan.json 'd.plan.cut + " " + d.plan.latency_us')" ] || fail "$written given"
done
# Codecs: a slow link is worth one; without data only those that cost no accuracy, and f16; also for the input.
plan --link 0.3Mbit,1ms --json >plan.json
[ "$(json plan.json 'd.plan.cut === d.candidates.length - 1 || d.plan.codec !== "raw"')" = true ] || fail "no codec: $(json plan.json 'd.plan.why')"
[ "$(json plan.json 'd.candidates.every(c => c.codec === null || /^(raw|f16)/.test(c.codec)) && d.candidates.every(c => c.accuracy_drop === 0)')" = true ] || fail "codecs that nobody measured"
[ "$(json plan.json 'd.candidates.some(c => c.cut === 0 && c.codec === "raw+zstd" && c.up_bytes > 0)')" = true ] || fail "the input is not compressed"
plan --link 0.3Mbit,1ms --codecs f16+zstd --json >coded.json
plan --link 0.3Mbit,1ms --given "edge - | f16+zstd | cloud ..output" --json >given.json
[ "$(json given.json 'd.plan.codec + d.plan.stages[0].codec')" = f16+zstdf16+zstd ] || fail "a codec given"
plan --link 0.3Mbit,1ms --given given.json --json >again.json
[ "$(json again.json 'd.plan.latency_us + d.plan.codec')" = "$(json given.json 'd.plan.latency_us + d.plan.codec')" ] || fail "a codec comes back"
[ "$(json plan.json 'd.plan.codec === null || d.plan.why.includes("less than raw")')" = true ] || fail "the codec's worth: $(json plan.json 'd.plan.why')"
plan --link 0.3Mbit,1ms --codecs auto --accuracy-drop 100 --json >any.json
[ "$(json any.json 'd.plan.latency_us')" != "" ] && [ "$(json any.json 'd.candidates.length')" -ge "$(json plan.json 'd.candidates.length')" ] || fail "any drop"
want_error 2 "unknown codec 'q9'" plan --codecs q9
want_error 2 "--policy cloud sends tensors raw" plan --codecs f16 --policy cloud
# Who names a codec that has no measured accuracy is told what is left out, and what would measure it; nothing is said of "auto".
plan --link wifi --codecs f16,q8+zstd >/dev/null 2>err
grep -q 'q8+zstd left out: .* for lenet .*cleave profile lenet --data' err || fail "not told what is left out: $(cat err)"
plan --link wifi --codecs auto >/dev/null 2>err
[ ! -s err ] || fail "told without being asked: $(cat err)"
want_error 2 "--accuracy-drop" plan --accuracy-drop 101
plan --link 2Gbit,1us --json >plan.json
[ "$(json plan.json 'd.plan.cut < d.candidates.length - 1')" = true ] || fail "a fast link is not used"
plan --link 2Gbit,1us --private class:features --json >plan.json
[ "$(json plan.json 'd.plan.label')" = output ] || fail "features leave"
plan --link 2Gbit,1us --private input --json >plan.json
[ "$(json plan.json 'd.plan.cut > 0')" = true ] || fail "the input leaves"
plan $watts --chart cuts --svg cuts.svg >/dev/null
grep -q 'the plan' cuts.svg || fail "no figure of the cuts"
want_error 1 "no placement keeps all limits" plan --deadline 1us
want_error 2 "states its watts" plan --objective energy
want_error 2 "weighted:latency=1" plan --objective fast
want_error 2 "there are edge, cloud" plan --memory fog=1MB
want_error 2 "3 devices need 2" "$CLEAVE" plan models/lenet --device a=edge.json --device b=edge.json --device c=cloud.json
want_error 1 "is down" plan --link down --policy cloud
want_error 2 "5.85Mbit,60ms" plan --link 5Mbit
want_error 2 "--policy" plan --policy best
want_error 2 "--cloud" "$CLEAVE" plan models/lenet --edge edge.json
want_error 1 "nowhere.json" "$CLEAVE" plan models/lenet --edge nowhere.json --cloud cloud.json
echo '{"schema": 3}' >bad.json
want_error 1 "field 'model'" "$CLEAVE" plan models/lenet --edge bad.json --cloud cloud.json
echo '{"schema": 1}' >bad.json
want_error 1 "profile the model again" "$CLEAVE" plan models/lenet --edge bad.json --cloud cloud.json
want_error 1 "profile it again" "$CLEAVE" plan models/resnet18 --edge edge.json --cloud cloud.json
echo "inspect, profile and plan agree"
