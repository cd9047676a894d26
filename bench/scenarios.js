// Links over time for the benches of adaptation, and runs of `cleave tasks` on them. Everything that is random follows a seed.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const MBIT = 125000; // bytes per second
const PACKET = 1500 / 1448; // bytes of the wire for a byte of a transfer, in full packets

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const normal = (u) => Math.sqrt(-2 * Math.log(1 - u())) * Math.cos(2 * Math.PI * u());

const WIFI = { mbit: 18.88, rtt_ms: 5 };
const LTE = { mbit: 5.85, rtt_ms: 60 };
const G3 = { mbit: 1.1, rtt_ms: 100 };
const DOWN = { mbit: 1, rtt_ms: 0, down: true };

/** Two links by turns, each for half the period. */
function square(period_s, length_s) {
  const steps = [];
  for (let t = 0, i = 0; t < length_s; t += period_s / 2, i++) steps.push({ t_s: t, ...(i % 2 ? G3 : WIFI) });
  return { length_s, steps };
}

/** The rate's logarithm takes a normal step every half second, within 0.5 and 40 Mbit/s. */
function walk(length_s, seed) {
  const u = random(seed);
  const steps = [];
  for (let t = 0, x = Math.log(6); t < length_s; t += 0.5) {
    steps.push({ t_s: t, mbit: Math.exp(x), rtt_ms: 40 });
    x = Math.min(Math.log(40), Math.max(Math.log(0.5), x + 0.3 * normal(u)));
  }
  return { length_s, steps };
}

/** As a phone on a tram has it: rates around 6 Mbit/s, log-normal and correlated over some seconds, the round trip longer when the rate is low,
 * and two holes. Made up by these numbers, not measured. */
function tram(length_s, seed) {
  const u = random(seed);
  const steps = [];
  for (let t = 0, x = 0; t < length_s; t += 0.5) {
    const mbit = 6 * Math.exp(0.9 * x);
    const hole = [0.35, 0.7].some((share) => t >= share * length_s && t < share * length_s + 2);
    steps.push({ t_s: t, ...(hole ? DOWN : { mbit: Math.max(mbit, 0.3), rtt_ms: 40 + 60 / (1 + mbit / 3) }) });
    x = 0.92 * x + 0.39 * normal(u);
  }
  return { length_s, steps };
}

/** ±10 %, anew every 200 ms. */
function noisy(length_s, seed) {
  const u = random(seed);
  const steps = [];
  for (let t = 0; t < length_s; t += 0.2) steps.push({ t_s: t, mbit: WIFI.mbit * (0.9 + 0.2 * u()), rtt_ms: WIFI.rtt_ms });
  return { length_s, steps };
}

/** All of them; with `quick` the shortest that show the same. */
function all(quick) {
  const s = (x) => (quick ? Math.max(x / 4, 6) : x);
  const list = {
    steps: { length_s: s(60), steps: [{ t_s: 0, ...WIFI }, { t_s: s(60) / 3, ...G3 }, { t_s: (2 * s(60)) / 3, ...LTE }] },
    'square 1 s': square(1, s(20)),
    'square 5 s': square(5, s(20)),
    'square 20 s': square(20, 40),
    'square 60 s': square(60, 60),
    walk: walk(s(40), 1),
    tram: tram(s(40), 2),
    outages: {
      length_s: s(50),
      steps: [0.2, 0.4, 0.64].reduce((steps, at, i) => [...steps, { t_s: at * s(50), ...DOWN }, { t_s: at * s(50) + [1, 3, 6][i] * (quick ? 0.3 : 1), ...WIFI }], [{ t_s: 0, ...WIFI }]),
    },
    'noise ±10 %': noisy(s(20), 3),
  };
  if (!quick) return list;
  return { steps: list.steps, outages: list.outages };
}

/** Regular arrivals with a little jitter: what differs between two runs is then the plan, not the queue. */
function arrivals(model, rate_per_s, length_s, seed) {
  const u = random(seed);
  const list = [];
  for (let i = 0; i / rate_per_s < length_s; i++)
    list.push({ event: 'request', t_us: Math.round((1e6 * (i + 0.3 * u())) / rate_per_s), model, input: Math.floor(4 * u()) });
  return list;
}

const way = (s) => ({ bytes_per_s: s.mbit * MBIT, delay_us: Math.round(500 * s.rtt_ms), loss: s.down ? 1 : 0 });
const wire = (s) => ({ event: 'wire', t_us: Math.round(1e6 * s.t_s), up: way(s), down: way(s) });

/** What --replay takes. */
function write(file, events, seed) {
  const lines = [...events].sort((a, b) => a.t_us - b.t_us).map((e) => JSON.stringify(e));
  fs.writeFileSync(file, [JSON.stringify({ cleave_trace: 2, seed }), ...lines].join('\n') + '\n');
}

/** A trace by kind of event. */
function read(file) {
  const run = { request: [], link: [], wire: [], plan: [], load: [] };
  for (const line of fs.readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
    const event = JSON.parse(line);
    run[event.event].push(event);
  }
  return run;
}

/** A lab for one model, whose profiles are measured once: `tasks(file, flags)` runs `cleave tasks` on its edge, asks as the file says and gives
 * back the trace and the summary. */
function lab(cleave, o, networks, slow, relay = []) {
  const dir = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'cleave-bench-'));
  const models = path.join(dir, 'models');
  fs.mkdirSync(models);
  for (const name of networks) fs.symlinkSync(path.join(o.models, name), path.join(models, name));
  const env = { ...process.env, XDG_CACHE_HOME: path.join(dir, 'cache') };
  const run = (flags, first) => {
    const link = first ? (first.down ? 'wifi' : `${first.mbit}Mbit,${first.rtt_ms}ms`) : 'wifi';
    const edge = `cleave tasks -m models --peer http://{cloud}:8000 --threads 1 --watch 100ms ${flags.includes('--concurrency') ? '' : '--concurrency 64'} --json --trace out.jsonl ${flags} >out.json`;
    const args = ['lab', 'run', '--link', link, '--slow', `edge=${slow}`, '--keep-window', '--wait', '8000', ...pins(),
      '--cloud', 'cleave serve -m models --host {cloud} --threads 1 2>cloud.log', '--edge', edge];
    let failed = null;
    try {
      execFileSync([...relay, cleave][0], [...relay, cleave, ...args].slice(1), { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
    } catch (error) {
      failed = error; // requests that failed are in the summary
    }
    if (failed && !fs.existsSync(path.join(dir, 'out.jsonl'))) throw failed;
    const result = { ...read(path.join(dir, 'out.jsonl')), summary: JSON.parse(fs.readFileSync(path.join(dir, 'out.json'), 'utf8')) };
    for (const name of ['out.jsonl', 'out.json']) fs.rmSync(path.join(dir, name));
    return result;
  };
  return {
    dir,
    env,
    models,
    tasks: (flags, first) => run(flags, first),
    replay(events, first, flags) {
      write(path.join(dir, 'in.jsonl'), events, 1);
      return run(`--replay in.jsonl ${flags}`, first);
    },
    profile: () => path.join(dir, 'cache', 'cleave', 'profiles'),
    done: () => fs.rmSync(dir, { recursive: true, force: true }),
  };
}

/** The emulated link beside an edge that sleeps, not beside the cloud; for `lab`. */
const relayAtEdge = () => (require('node:os').availableParallelism() > 1 ? ['taskset', '-c', '0'] : []);

/** Edge and cloud on processors of their own, where there are two. */
const pins = () => (require('node:os').availableParallelism() > 1 ? ['--pin', 'edge=0', '--pin', 'cloud=1'] : []);

/** The processor time that the machine has wanted since it started, and what of it the host gave to others, in ticks. */
const processorTime = () => {
  const ticks = fs.readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1, 9).map(Number);
  return { wanted: ticks.reduce((a, b) => a + b, 0) - ticks[3] - ticks[4], stolen: ticks[7] };
};
const stolenShare = (from, to) => (to.stolen - from.stolen) / Math.max(to.wanted - from.wanted, 1);

const STOLEN_MOST = 0.08;

/** What was measured while the host let this machine have its processors, as often as `wanted`, the least disturbed first; what some more `tries`
 * do not give so calmly is made up by the calmest of the others. */
function undisturbed(measure, { wanted = 1, tries = 3, most = STOLEN_MOST } = {}) {
  const seen = [];
  while (seen.length < tries && seen.filter((x) => x.stolen <= most).length < wanted) {
    const before = processorTime();
    const got = measure();
    seen.push({ ...got, stolen: stolenShare(before, processorTime()) });
  }
  return seen.sort((a, b) => a.stolen - b.stolen).slice(0, wanted);
}

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : undefined;
};
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))];
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

module.exports = { MBIT, PACKET, WIFI, random, all, arrivals, wire, lab, pins, relayAtEdge, undisturbed, read, median, quantile, mean };
