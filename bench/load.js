// Heavy load: what a loaded run gives against what its plan promises.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const s = require('./scenarios.js');

const NETWORKS = ['alexnet', 'resnet18'];
const LINKS = [s.WIFI, { mbit: 100, rtt_ms: 5 }];
const linkName = (link) => `${link.mbit} Mbit/s`;
const SLOW = 4; // the edge, of this machine's time for the network
const ROUNDS = { wanted: 3, tries: 6, most: 0.02 }; // of a run and a profile each; the host takes at most so much

/** The profile of the cache, as of a device that is slower. */
function slower(profile, factor) {
  const scale = (t) => t && { ...t, us: t.us * factor, sigma_us: t.sigma_us * factor };
  return {
    ...profile,
    slowdown: factor,
    cuts: profile.cuts.map((cut) => ({ ...cut, ...(cut.prefix && { prefix: scale(cut.prefix) }), ...(cut.suffix && { suffix: scale(cut.suffix) }) })),
    units: profile.units.map((unit) => ({ ...unit, us: unit.us * factor })),
  };
}

/** A profile with sure medians, for the nodes and for what is promised: what a node measures at its start are three runs of most cuts. */
function measureProfile(lab, cleave, model, budget) {
  execFileSync(cleave, ['profile', model, '--models', lab.models, '--threads', '1', '--budget', budget, '--keep'],
    { cwd: lab.dir, env: lab.env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What the exact throughput plan promises on this link, by a profile of now: requests a second. */
function promised(lab, cleave, model, link, o) {
  measureProfile(lab, cleave, model, o.quick ? '10s' : '30s');
  const files = fs.readdirSync(lab.profile()).map((f) => path.join(lab.profile(), f));
  const profile = files.map((f) => JSON.parse(fs.readFileSync(f, 'utf8'))).find((p) => p.model === model);
  const at = (name, doc) => {
    fs.writeFileSync(path.join(lab.dir, name), JSON.stringify(doc));
    return path.join(lab.dir, name);
  };
  const args = ['plan', model, '--edge', at('edge.json', slower(profile, SLOW)), '--cloud', at('cloud.json', profile), '--objective', 'throughput',
    '--link', `${link.mbit / s.PACKET}Mbit,${link.rtt_ms}ms`, '--json'];
  const doc = JSON.parse(execFileSync(cleave, args, { cwd: lab.models, env: lab.env, encoding: 'utf8', maxBuffer: 1 << 26 }));
  return { plan: doc.plan.label, codec: doc.plan.codec, per_s: 1e6 / doc.plan.period_us, latency_us: doc.plan.latency_us };
}

/** Requests a second of a run: what filled the pipeline at first, and what drained it at last, is no sustained rate. */
function sustained(run) {
  const ends = run.request.map((r) => r.sent_us + r.total_us).sort((a, b) => a - b);
  const [from, to] = [0.25, 0.95].map((q) => Math.floor(ends.length * q));
  return ((to - from) * 1e6) / (ends[to] - ends[from]);
}

/** Sixteen requests in flight, in turns with profiles: what a machine gets through differs by some percent from minute to minute. */
function rounds(lab, cleave, model, link, o, seconds) {
  let before = promised(lab, cleave, model, link, o);
  return s.undisturbed(() => {
    // the edge's slowness is emulated asleep: awake it would keep a processor that the emulated link needs
    const run = lab.tasks(`--mix ${model} --count ${Math.ceil(before.per_s * seconds)} --concurrency 16 --slow-asleep`, link);
    const after = promised(lab, cleave, model, link, o);
    const [per_s, promised_per_s] = [sustained(run), (before.per_s + after.per_s) / 2];
    before = after;
    return { ...after, per_s, promised_per_s, ratio: per_s / promised_per_s };
  }, o.quick ? { tries: 1 } : ROUNDS);
}

function loadRow(lab, cleave, model, link, o) {
  const seconds = o.quick ? 8 : 30; // the heavy mode is entered within the first two
  const full = rounds(lab, cleave, model, link, o, seconds);
  const middle = (what) => s.median(full.map((r) => r[what]));
  const [per_s, promised_per_s] = [middle('per_s'), middle('promised_per_s')];
  const deadline_us = middle('latency_us') + 25e6 / promised_per_s;
  const rate = 0.9 * Math.min(per_s, promised_per_s); // what runs together may get through more than any plan promises, but not whatever comes
  const [at90] = s.undisturbed(() =>
    lab.tasks(`--mix ${model} --count ${Math.ceil(rate * seconds)} --rate ${rate.toFixed(3)} --timeout ${Math.round(deadline_us)}us --slow-asleep`, link));
  const missed = at90.request.filter((r) => r.status !== 'ok' || r.total_us > deadline_us).length;
  return { network: model, link: linkName(link), plan: full[0].plan, codec: full[0].codec, promised_per_s, per_s, ratio: middle('ratio'), rounds: full,
    deadline_us, requests: at90.request.length, missed, miss_share: missed / at90.request.length, p99_us: at90.summary.p99_us,
    stolen: Math.max(...full.map((r) => r.stolen)), stolen_at90: at90.stolen };
}

function load(o, networks, cases, cleave) {
  return networks.flatMap((model) => {
    const lab = s.lab(cleave, o, [model], SLOW, s.relayAtEdge());
    const wanted = (o.quick ? LINKS.slice(0, 1) : LINKS).filter((link) => cases.includes(`${model}: ${linkName(link)}`));
    try {
      return wanted.map((link) => loadRow(lab, cleave, model, link, o));
    } finally {
      lab.done();
    }
  });
}

const ms = (us) => `${(us / 1e3).toFixed(us < 1e4 ? 2 : 0)} ms`;
const share = (x, digits) => `${(100 * x).toFixed(digits)} %`;

module.exports = (cleave) => ({
  load: {
    title: 'Heavy load: sustained requests per second over what the exact throughput plan promises, and deadlines at 90 % of them',
    networks: NETWORKS,
    cases: NETWORKS.flatMap((network) => LINKS.map((link) => `${network}: ${linkName(link)}`)),
    caseOf: (r) => `${r.network}: ${r.link}`,
    run: (o, networks, cases) => load(o, networks, cases, cleave),
    columns: [
      ['network', (r) => r.network],
      ['link', (r) => r.link],
      ['throughput plan', (r) => `${r.plan}${r.codec && r.codec !== 'raw' ? ` ${r.codec}` : ''}`],
      ['promised', (r) => r.promised_per_s.toFixed(2)],
      ['sustained', (r) => r.per_s.toFixed(2)],
      ['ratio', (r) => r.ratio.toFixed(3)],
      ['rounds', (r) => r.rounds.map((x) => x.ratio.toFixed(2)).join(', ')],
      ['stolen', (r) => share(r.stolen, 1)],
      ['deadline', (r) => ms(r.deadline_us)],
      ['missed at 90 %', (r) => share(r.miss_share, 2)],
      ['stolen', (r) => share(r.stolen_at90, 1)],
    ],
    target: 'ratio ≥ 0.95; missed ≤ 1 %',
    met: (r) => r.ratio >= 0.95 && r.miss_share <= 0.01,
  },
});
