// The experiments with cut policies: E1, latency of what each policy chooses; E3, frames per second under load. Both run `cleave demo`
// in the lab; bench/run prints and keeps their rows.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ms = (x) => (x < 1e4 ? `${(x / 1e3).toFixed(2)} ms` : x < 1e6 ? `${(x / 1e3).toFixed(0)} ms` : `${(x / 1e6).toFixed(2)} s`);
const percent = (x) => (x === undefined ? '' : x < 10 ? `${(100 * x).toFixed(1)} %` : `${x.toFixed(0)} x`);
const ratio = (x) => (x === undefined ? '' : x.toFixed(2));
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

/** Rows of `cleave demo` for each edge speed, all from profiles of this hour, measured once. The nodes get these networks only:
 * they would profile all that they have, at the same time as requests are measured. */
function demos(cleave, o, networks, links, speeds, flags) {
  const cache = fs.mkdtempSync(path.join(os.tmpdir(), 'cleave-bench-'));
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  const models = path.join(cache, 'models');
  try {
    fs.mkdirSync(models);
    for (const name of networks) fs.symlinkSync(path.join(o.models, name), path.join(models, name));
    return speeds.flatMap((slow) => {
      const args = ['demo', '--json', '--dir', models, '--networks', networks.join(','), '--slow', String(slow), ...flags];
      for (const link of links) args.push('--links', link);
      const doc = JSON.parse(execFileSync(cleave, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 }));
      return doc.rows.map((row) => ({ ...row, slow: doc.slow, emulated: doc.emulated }));
    });
  } finally {
    fs.rmSync(cache, { recursive: true });
  }
}

/** Half of the 95 % interval of a median of n samples whose median deviation gives this sigma; 0 for a single one. */
const noise = (sigma, n) => (n > 1 ? (1.96 * 1.2533 * sigma) / Math.sqrt(n) : 0);

/** The choices of a row with what they took: regret against the best measured cut; who beats the exact plan by more than noise. */
function latencies(row) {
  const best = Math.min(...row.contenders.filter((c) => c.rival && c.n).map((c) => c.p50_us));
  const list = row.choices.map(({ policy, contender, believed_us }) => {
    const c = row.contenders[contender];
    const p50_us = c.n ? c.p50_us : c.predicted_us; // not measured: ten times the best and more by prediction
    return { policy, cut: c.cut, p50_us, noise_us: noise(c.sigma_us, c.n), n: c.n, predicted_us: c.predicted_us, believed_us,
      regret: p50_us / best - 1 };
  });
  const exact = list.find((c) => c.policy === 'exact');
  for (const c of list) c.beats_exact = exact.p50_us - c.p50_us > Math.hypot(exact.noise_us, c.noise_us) && c.cut !== exact.cut;
  return list;
}

const choice = (row, policy) => row.policies.find((c) => c.policy === policy) || {};
/** What the edge is slowed by; each is a part of the bench. */
const e1Speeds = [2, 5, 20];
const speedName = (slow) => `edge 1/${slow}`;
const e1Policies = ['edge', 'cloud', 'random', 'neurosurgeon', 'dads-dsl', 'dads-dsh', 'qdmp', 'cas'];

function e1Summary(rows) {
  const lines = ['exact', ...e1Policies].map((policy) => {
    const regrets = rows.map((r) => choice(r, policy).regret).filter((x) => x !== undefined);
    const beats = rows.filter((r) => choice(r, policy).beats_exact).length;
    return `${policy}: mean regret ${percent(mean(regrets))}, worst ${percent(Math.max(...regrets))}, within 5 % of the best in ` +
      `${regrets.filter((x) => x <= 0.05).length} of ${regrets.length} rows` + (policy === 'exact' ? '' : `, better than exact beyond noise in ${beats}`);
  });
  return [...lines, 'Noise: the 95 % intervals of both medians, from the median deviation, added as squares.'];
}

const e3Policies = ['exact', 'exact-throughput', 'dads-dsl', 'dads-dsh', 'edge', 'cloud'];

function rates(row) {
  return row.choices.map(({ policy, contender }) => {
    const c = row.contenders[contender];
    return { policy, cut: c.cut, fps: c.fps, fps_sigma: c.fps_sigma, windows: c.n };
  });
}

function e3Summary(rows) {
  const over = (policy) => {
    const list = rows.map((r) => choice(r, 'exact-throughput').fps / choice(r, policy).fps).filter(Number.isFinite);
    return `Throughput plan over ${policy === 'exact' ? 'latency plan' : policy}: mean ${ratio(mean(list))}, least ${ratio(Math.min(...list))}, most ${ratio(Math.max(...list))}`;
  };
  return e3Policies.filter((p) => p !== 'exact-throughput').map(over);
}

const where = [
  ['network', (r) => r.network],
  ['link', (r) => r.link],
  ['edge', (r) => `1/${r.slow}`],
];

/** The rows of bench/run's table of benches. */
const benches = (cleave) => ({
  e1: {
    title: 'E1: what each policy chooses, measured: regret against the best measured cut',
    networks: ['alexnet', 'vgg16', 'mobilenet_v2', 'resnet18', 'googlenet'],
    cases: e1Speeds.map(speedName),
    caseOf: (r) => speedName(r.slow),
    run: (o, networks, cases) =>
      demos(cleave, o, networks, o.quick ? ['wifi'] : ['3g', 'lte', 'wifi', 'lan'],
        (o.quick ? [5] : e1Speeds).filter((slow) => cases.includes(speedName(slow))),
        ['--policies', '--budget', o.quick ? '1s' : '10s']).map((row) => ({ ...row, policies: latencies(row) })),
    columns: [
      ...where,
      ['best cut', (r) => r.best_cut],
      ['takes', (r) => ms(r.best_cut_us)],
      ['exact plan', (r) => choice(r, 'exact').cut],
      ['exact', (r) => percent(choice(r, 'exact').regret)],
      ...e1Policies.map((policy) => [policy, (r) => percent(choice(r, policy).regret)]),
    ],
    summary: e1Summary,
    target: 'regret of exact ≤ 10 % in every row (≤ 5 % in the mean), no policy better beyond noise',
    met: (r) => (r.emulated === false ? null : choice(r, 'exact').regret <= 0.1 && !r.policies.some((c) => c.beats_exact)),
  },
  e3: {
    title: 'E3: sustained frames per second with six requests in flight',
    networks: ['alexnet', 'resnet18', 'googlenet'],
    run: (o, networks) =>
      demos(cleave, o, networks, o.quick ? ['wifi'] : ['wifi', 'lan'], o.quick ? [5] : [5, 20],
        ['--load', '6', '--budget', o.quick ? '1s' : '12s']).map((row) => ({ ...row, policies: rates(row) })),
    columns: [
      ...where,
      ['throughput plan', (r) => choice(r, 'exact-throughput').cut],
      ['latency plan', (r) => choice(r, 'exact').cut],
      ...e3Policies.map((policy) => [policy === 'exact' ? 'exact-latency' : policy, (r) => ratio(choice(r, policy).fps)]),
      ['throughput/latency', (r) => ratio(choice(r, 'exact-throughput').fps / choice(r, 'exact').fps)],
    ],
    summary: e3Summary,
    target: 'the throughput plan gives ≥ 0.95 of the most that any policy gives',
    met: (r) => (r.emulated === false ? null : choice(r, 'exact-throughput').fps >= 0.95 * Math.max(...r.policies.map((c) => c.fps))),
  },
});

module.exports = { benches, demos };
