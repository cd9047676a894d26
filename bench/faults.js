// What happens to requests when the other node is killed, stopped, cut off or badly reached, at random moments of a loaded run; and what a loaded
// run gives against what its plan promises.
'use strict';
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const s = require('./scenarios.js');

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Ends a process and what it started anew: the shell around the node starts another. */
const pidOf = (dir, host) => Number(fs.readFileSync(path.join(dir, `${host}.pid`), 'utf8'));
function signal(dir, host, name) {
  try {
    process.kill(pidOf(dir, host), name);
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'ENOENT') throw error; // it is about to be started again
  }
}

/** The faults: begin and end. */
const FAULTS = {
  SIGKILL: { begin: (f) => signal(f.dir, f.host, 'SIGKILL'), end: () => {} },
  SIGSTOP: { begin: (f) => signal(f.dir, f.host, 'SIGSTOP'), end: (f) => signal(f.dir, f.host, 'SIGCONT') },
  'network cut': { begin: (f) => f.set('--link down'), end: (f) => f.set('--link wifi') },
  '30 % loss': { begin: (f) => f.set('--loss 30%'), end: (f) => f.set('--loss 0') },
};

/** A node that is started again when it ends. */
const lasting = (host, command) => `{ while :; do ${command} 2>>${host}.log & echo $! >${host}.new; mv ${host}.new ${host}.pid; wait $!; sleep 0.2; done; } 2>/dev/null`;

/** What each host runs, and the link that is cut. */
const PLACES = {
  cloud: { hosts: 'edge,cloud', link: 'wifi', on: 'edge-cloud', peers: ['{cloud}'], nodes: { cloud: 'cleave serve -m models --host {cloud} --threads 1' } },
  gateway: {
    hosts: 'edge,gateway,cloud', link: 'wifi+wifi', on: 'edge-gateway', peers: ['{gateway}', '{cloud}'],
    nodes: {
      cloud: 'cleave serve -m models --host {cloud} --threads 1',
      gateway: 'cleave serve -m models --host {gateway} --threads 1 --peer http://{cloud}:8000 --policy cloud',
    },
  },
};

/** Fault after fault at random moments of one run. */
async function strike(lab, cleave, where, name, moments, seed) {
  const place = PLACES[where];
  const u = s.random(seed);
  const rate = 20;
  const seconds = moments * 3 + 8;
  const labName = `bench-${process.pid}-${seed}`;
  const edge = `cleave tasks -m models ${place.peers.map((peer) => `--peer http://${peer}:8000`).join(' ')} --policy cloud --threads 1 --watch 100ms --patience 300ms --rate ${rate} ` +
    `--count ${Math.round(rate * seconds)} --concurrency 16 --check --json --trace out.jsonl --log info >out.json 2>edge.log`;
  const nodes = Object.entries(place.nodes).map(([host, command]) => `${host}=${lasting(host, command)}`);
  for (const file of ['out.json', 'out.jsonl', 'edge.log']) fs.rmSync(path.join(lab.dir, file), { force: true });
  const run = spawn(cleave, ['lab', 'run', '--name', labName, '--hosts', place.hosts, '--link', place.link, '--slow', 'edge=20', '--wait', '8000',
    ...s.pins(), ...nodes, `edge=${edge}`], { cwd: lab.dir, env: lab.env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((done) => run.on('exit', done));
  const running = () => run.exitCode === null && run.signalCode === null;
  const fault = { dir: lab.dir, host: where, set: (text) => spawnSync(cleave, ['lab', 'set', '--lab', labName, '--on', place.on, ...text.split(' ')], { env: lab.env }) };
  const log = path.join(lab.dir, 'edge.log');
  while (running() && !(fs.existsSync(log) && fs.readFileSync(log, 'utf8').includes('"plan" model='))) await sleep(100);
  let struck = 0;
  for (; struck < moments && running(); struck++) {
    await sleep(500 + 1500 * u());
    FAULTS[name].begin(fault);
    await sleep(300 + 600 * u());
    FAULTS[name].end(fault);
  }
  await ended;
  const { summary, request } = { summary: JSON.parse(fs.readFileSync(path.join(lab.dir, 'out.json'), 'utf8')), ...s.read(path.join(lab.dir, 'out.jsonl')) };
  return {
    where,
    fault: name,
    moments: struck,
    requests: summary.count,
    failed: summary.failed,
    unanswered: request.filter((r) => !r.status).length,
    twice: summary.twice,
    mismatches: summary.mismatches,
    recovered: summary.recovered,
    hedged: summary.hedged,
    shared: request.filter((r) => r.plan !== 'local' && !r.recovered).length,
    p50_us: summary.p50_us,
    p99_us: summary.p99_us,
  };
}

/** bench/run waits for no promise: the faults run in a process of their own, which prints rows. */
function faults(o, networks, cleave) {
  const out = execFileSync(process.execPath, [__filename, cleave, o.models, String(o.quick ? 3 : 50), ...networks],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
  return out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

async function main([cleave, models, moments, ...networks]) {
  const lab = s.lab(cleave, { models }, networks, 20);
  try {
    lab.tasks('--count 4', s.WIFI); // measures the profiles
    let seed = 1;
    for (const where of Object.keys(PLACES))
      for (const name of Object.keys(FAULTS)) console.log(JSON.stringify(await strike(lab, cleave, where, name, Number(moments), seed++)));
  } finally {
    lab.done();
  }
}

// --- heavy load ---

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

const SLOW = 4;

/** What the exact throughput plan promises on this link: requests a second. */
function promised(lab, cleave, model, link) {
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

function loadRow(lab, cleave, model, link, o) {
  const most = promised(lab, cleave, model, link);
  const seconds = o.quick ? 4 : 30;
  const full = lab.tasks(`--mix ${model} --count ${Math.ceil(most.per_s * seconds)} --concurrency 16`, link);
  // what filled the pipeline at first, and what drained it at last, is no sustained rate
  const ends = full.request.map((r) => r.sent_us + r.total_us).sort((a, b) => a - b);
  const from = ends[Math.floor(ends.length * 0.25)];
  const to = ends[Math.floor(ends.length * 0.95)];
  const per_s = ((Math.floor(ends.length * 0.95) - Math.floor(ends.length * 0.25)) * 1e6) / (to - from);
  const deadline_us = most.latency_us + 25e6 / most.per_s;
  const at90 = lab.tasks(`--mix ${model} --count ${Math.ceil(0.9 * per_s * seconds)} --rate ${(0.9 * per_s).toFixed(3)} --timeout ${Math.round(deadline_us)}us`, link);
  const missed = at90.request.filter((r) => r.status !== 'ok' || r.total_us > deadline_us).length;
  return { network: model, link: `${link.mbit} Mbit/s`, plan: most.plan, codec: most.codec, promised_per_s: most.per_s, per_s, ratio: per_s / most.per_s, deadline_us,
    requests: at90.request.length, missed, miss_share: missed / at90.request.length, p99_us: at90.summary.p99_us };
}

function load(o, networks, cleave) {
  return networks.flatMap((model) => {
    const lab = s.lab(cleave, o, [model], SLOW);
    try {
      lab.tasks('--count 4', s.WIFI);
      return (o.quick ? [s.WIFI] : [s.WIFI, { mbit: 100, rtt_ms: 5 }]).map((link) => loadRow(lab, cleave, model, link, o));
    } finally {
      lab.done();
    }
  });
}

const ms = (us) => `${(us / 1e3).toFixed(us < 1e4 ? 2 : 0)} ms`;
const table = (cleave) => ({
  faults: {
    title: 'Faults at random moments of a loaded run',
    networks: ['mobilenet_v2'],
    run: (o, networks) => faults(o, networks, cleave),
    columns: [
      ['fault', (r) => r.fault],
      ['of', (r) => r.where],
      ['moments', (r) => String(r.moments)],
      ['requests', (r) => String(r.requests)],
      ['failed', (r) => String(r.failed)],
      ['unanswered', (r) => String(r.unanswered)],
      ['twice', (r) => String(r.twice)],
      ['wrong', (r) => String(r.mismatches)],
      ['shared', (r) => String(r.shared)],
      ['recovered', (r) => String(r.recovered)],
      ['p50', (r) => ms(r.p50_us)],
      ['p99', (r) => ms(r.p99_us)],
    ],
    target: 'failed, unanswered, answered twice, wrong outputs: 0, with work shared in between',
    met: (r) => r.failed === 0 && r.unanswered === 0 && r.twice === 0 && r.mismatches === 0 && r.shared > 0,
  },
  load: {
    title: 'Heavy load: sustained requests per second over what the exact throughput plan promises, and deadlines at 90 % of them',
    networks: ['alexnet', 'resnet18'],
    run: (o, networks) => load(o, networks, cleave),
    columns: [
      ['network', (r) => r.network],
      ['link', (r) => r.link],
      ['throughput plan', (r) => `${r.plan}${r.codec && r.codec !== 'raw' ? ` ${r.codec}` : ''}`],
      ['promised', (r) => r.promised_per_s.toFixed(2)],
      ['sustained', (r) => r.per_s.toFixed(2)],
      ['ratio', (r) => r.ratio.toFixed(3)],
      ['deadline', (r) => ms(r.deadline_us)],
      ['missed at 90 %', (r) => `${(100 * r.miss_share).toFixed(2)} %`],
    ],
    target: 'ratio ≥ 0.95; missed ≤ 1 %',
    met: (r) => r.ratio >= 0.95 && r.miss_share <= 0.01,
  },
});

module.exports = table;
if (require.main === module)
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
