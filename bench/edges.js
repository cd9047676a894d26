// Many edges, one cloud: eight real edges (`cleave tasks`) and one real cloud (`cleave serve`) over TLS, each edge with a certificate of its own.
// Where do the edges go, do they stay, what does it cost against the best fixed split of them, who waits when one is greedy, and
// what do shared runs bring? The devices' slowness is emulated asleep, so that nine of them fit on one machine.
'use strict';
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const s = require('./scenarios.js');

const EDGES = 8;
const MODEL = 'lenet';
const SLOW = { edge: 600, cloud: 150 }; // of this machine's time for the network
const LINK = { mbit: 100, rtt_ms: 5 };
const LAST_SHARE = 0.5; // of a run: only what was asked in it is compared; before, the edges find their places

/** Certificates: of an issuer made for this run, of the cloud, and of each edge. */
function certificates(dir) {
  const openssl = (...words) => execFileSync('openssl', words, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...fresh, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=bench');
  fs.writeFileSync(path.join(dir, 'names'), 'subjectAltName=IP:127.0.0.1,IP:100.64.0.2,DNS:localhost\n');
  for (const name of ['cloud', ...Array.from({ length: EDGES }, (_, i) => `edge${i}`)]) {
    openssl('req', '-new', ...fresh, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-out', `${name}.pem`, '-extfile', 'names');
  }
}

const identity = (name) => `--peer-cert ${name}.pem --peer-key ${name}.key`;

/** One edge's command. `e`: its number, requests a second (0: as fast as `flights` allow), the plan to keep, and whose certificate it shows. */
function edgeCommand(e, seconds) {
  const rate = e.rate ? `--rate ${e.rate} --count ${Math.round(e.rate * seconds)} --concurrency 256` : `--count ${e.count} --concurrency ${e.flights}`;
  return `${e.rate ? '' : e.until ? `timeout -s INT ${e.until} ` : ''}cleave tasks -m models --mix ${e.model || MODEL} --peer https://{cloud}:8000 --peer-ca ca.pem ${identity(e.as || `edge${e.n}`)} --threads 1 --slowdown ${e.slow || SLOW.edge} --slow-asleep ` +
    `--watch 200ms ${rate} --seed ${e.n + 1} ${e.at ? `--at '${e.at}'` : ''} --json --trace ${e.n}.jsonl >${e.n}.json 2>${e.n}.log`;
}

const cloudCommand = (o) => `cleave serve -m models --host {cloud} --threads 1 --slowdown ${o.slow || SLOW.cloud} --slow-asleep --batch-max ${o.batch || 8} ` +
  `--tls-cert cloud.pem --tls-key cloud.key --tls-ca ca.pem 2>cloud.log`;

const LOAD = `curl -s --cacert ca.pem --cert edge0.pem --key edge0.key https://{cloud}:8000/v2/load`;

/** A machine without namespaces has no lab: then all is on loopback, without a link to emulate. */
const hasLab = (cleave) => spawnSync(cleave, ['lab', 'run', '--edge', 'true'], { stdio: 'ignore' }).status === 0;

function world(cleave, models) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cleave-bench-'));
  const env = { ...process.env, XDG_CACHE_HOME: path.join(dir, 'cache'), PATH: `${path.dirname(cleave)}:${process.env.PATH}` };
  fs.mkdirSync(path.join(dir, 'models'));
  for (const [name, at] of Object.entries(models)) fs.symlinkSync(at, path.join(dir, 'models', name));
  certificates(dir);
  const emulated = hasLab(cleave);
  const inLab = (edges, cloud) => execFileSync(cleave, ['lab', 'run', '--link', `${LINK.mbit}Mbit,${LINK.rtt_ms}ms`, '--keep-window', '--wait', '8000', '--cloud', cloud, '--edge', edges],
    { cwd: dir, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const onLoopback = (edges, cloud) => {
    const here = (text) => text.replaceAll('{cloud}', '127.0.0.1');
    const wait = 'until (exec 3<>/dev/tcp/127.0.0.1/8000) 2>/dev/null; do sleep 0.1; done';
    execFileSync('bash', ['-c', `${here(cloud)} & node=$!; ${wait}; ${here(edges)}; kill $node; wait`], { cwd: dir, env, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  /** What each edge saw, and the cloud's counters of this run. */
  const run = (edges, o = {}) => {
    const script = [...edges.map((e) => `{ ${edgeCommand(e, o.seconds)}; } &`), 'wait', `${LOAD} >load.json`, 'true'].join('\n');
    (emulated ? inLab : onLoopback)(script, cloudCommand(o));
    const seen = edges.map((e) => ({ ...s.read(path.join(dir, `${e.n}.jsonl`)), summary: JSON.parse(fs.readFileSync(path.join(dir, `${e.n}.json`), 'utf8')), n: e.n }));
    const load = JSON.parse(fs.readFileSync(path.join(dir, 'load.json'), 'utf8'));
    for (const e of edges) fs.rmSync(path.join(dir, `${e.n}.jsonl`));
    return { seen, load, together: load.ran ? load.together / load.ran : 0 };
  };
  return { dir, emulated, run, done: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

// --- what was seen ---

const isAway = (plan) => plan !== 'local';
const last = (run, seconds) => run.request.filter((r) => r.status && r.sent_us >= (1 - LAST_SHARE) * seconds * 1e6);
const latencies = (seen, seconds) => seen.flatMap((run) => last(run, seconds).map((r) => r.total_us));
const awayShare = (seen, seconds) => s.mean(seen.flatMap((run) => last(run, seconds).map((r) => (isAway(r.plan) ? 1 : 0))));

/** Moves of an edge between home and away, and when. */
function moves(run) {
  const plans = [...run.plan].sort((a, b) => a.t_us - b.t_us);
  return plans.slice(1).filter((p, i) => isAway(p.plan) !== isAway(plans[i].plan)).map((p) => p.t_us);
}

const failed = (seen) => seen.reduce((sum, run) => sum + run.request.filter((r) => r.status && r.status !== 'ok').length + (run.summary.twice || 0), 0);
const all = (make) => Array.from({ length: EDGES }, (_, n) => make(n));

/** The plan that most requests away had. */
function usualAway(seen) {
  const count = {};
  for (const run of seen) for (const r of run.request) if (r.plan && isAway(r.plan)) count[r.plan] = (count[r.plan] || 0) + 1;
  const [best] = Object.entries(count).sort((a, b) => b[1] - a[1]);
  return best ? best[0] : 'remote';
}

function settlingRow(w, rate, o) {
  const seconds = o.quick ? 16 : 60;
  const free = w.run(all((n) => ({ n, rate })), { seconds });
  const away = usualAway(free.seen);
  const splits = (o.quick ? [0, 4, 8] : [...Array(EDGES + 1).keys()]).map((k) => {
    const fixed = w.run(all((n) => ({ n, rate, at: n < k ? away : 'local' })), { seconds });
    return { away: k, mean_us: s.mean(latencies(fixed.seen, seconds)), together: fixed.together };
  });
  const best = splits.reduce((a, b) => (b.mean_us < a.mean_us ? b : a));
  const each = free.seen.map(moves);
  const late = (t) => t >= (1 - LAST_SHARE) * seconds * 1e6;
  const mean_us = s.mean(latencies(free.seen, seconds));
  const took = (part, kind) => s.median(free.seen.flatMap((run) => run.request.filter((r) => r.plan === kind && r[part]).map((r) => r[part])));
  return { emulated: w.emulated, rate, seconds, home_us: took('edge_us', 'local'), cloud_us: took('cloud_us', away), queue_us: took('queue_us', away), requests: free.seen.reduce((sum, run) => sum + run.request.length, 0), failed: failed(free.seen), mean_us, away_plan: away,
    away_share: awayShare(free.seen, seconds), best_away: best.away, best_us: best.mean_us, ratio: mean_us / best.mean_us, splits, moves: each,
    moves_first: each.flat().filter((t) => !late(t)).length, moves_last: each.flat().filter(late).length, together: free.together };
}

function settling(o, cleave) {
  const w = world(cleave, { [MODEL]: path.join(o.models, MODEL) });
  try {
    w.run([{ n: 0, rate: 5 }], { seconds: 1 }); // measures the profile
    return (o.quick ? [20] : [10, 20, 30]).map((rate) => settlingRow(w, rate, o));
  } finally {
    w.done();
  }
}

/** Seven modest edges, and an eighth that asks as much as it can: how long do the seven wait? */
function greedyRows(o, cleave) {
  const w = world(cleave, { [MODEL]: path.join(o.models, MODEL) });
  const seconds = o.quick ? 10 : 30;
  const modest = all((n) => ({ n, rate: 8, at: 'remote' })).slice(0, EDGES - 1);
  // never done: it is interrupted when the others are
  const greedy = (n, as) => ({ n, as, count: 3000 * seconds, flights: 32, at: 'remote', until: seconds + 4 });
  const kinds = {
    'nobody': [],
    'one, 32 requests at once': [greedy(EDGES - 1)],
    'one with four connections, 128 at once': [0, 1, 2, 3].map((i) => greedy(EDGES - 1 + i, `edge${EDGES - 1}`)),
  };
  try {
    w.run([{ n: 0, rate: 5 }], { seconds: 1 });
    const rows = Object.entries(kinds).map(([name, list]) => {
      const got = w.run([...modest, ...list], { seconds });
      const seven = got.seen.filter((run) => run.n < EDGES - 1);
      const waits = seven.flatMap((run) => last(run, seconds).map((r) => r.total_us));
      const others = got.seen.filter((run) => run.n >= EDGES - 1).flatMap((run) => last(run, seconds).map((r) => r.total_us));
      return { emulated: w.emulated, greedy: name, p50_us: s.quantile(waits, 0.5), p95_us: s.quantile(waits, 0.95), greedy_p95_us: others.length ? s.quantile(others, 0.95) : undefined,
        failed: failed(got.seen), recovered: seven.flatMap((run) => run.request).filter((r) => r.recovered).length, together: got.together };
    });
    return rows.map((r) => ({ ...r, ratio: r.p95_us / rows[0].p95_us, more_us: r.p95_us - rows[0].p95_us }));
  } finally {
    w.done();
  }
}

/** Requests a second of eight edges at one cut, as many at once as fit, with shared runs and without. */
function sharedRows(o, cleave) {
  const own = path.join(__dirname, '..', 'models');
  const cases = [{ model: MODEL, at: path.join(o.models, MODEL), slow: SLOW.cloud }, { model: 'fashion_alexnet', at: path.join(own, 'fashion_alexnet'), slow: 10 },
    { model: 'fashion_resnet18', at: path.join(own, 'fashion_resnet18'), slow: 10 }];
  return (o.quick ? cases.slice(0, 2) : cases).map((c) => {
    const w = world(cleave, { [c.model]: c.at });
    const count = o.quick ? 100 : 400;
    const edges = all((n) => ({ n, model: c.model, count, flights: 8, at: 'remote', slow: 1.0001 }));
    const rate = (got) => {
      const ends = got.seen.flatMap((run) => run.request.map((r) => r.sent_us + r.total_us)).sort((a, b) => a - b);
      const at = (q) => Math.floor(q * (ends.length - 1));
      return ((at(0.75) - at(0.25)) * 1e6) / (ends[at(0.75)] - ends[at(0.25)]);
    };
    try {
      w.run([{ n: 0, model: c.model, rate: 5 }], { seconds: 1, slow: c.slow });
      const alone = w.run(edges, { seconds: 1, slow: c.slow, batch: 1 });
      const shared = w.run(edges, { seconds: 1, slow: c.slow, batch: 8 });
      return { emulated: w.emulated, network: c.model, slow: c.slow, alone_per_s: rate(alone), shared_per_s: rate(shared), gain: rate(shared) / rate(alone),
        together: shared.together, failed: failed(alone.seen) + failed(shared.seen) };
    } finally {
      w.done();
    }
  });
}

const ms = (us) => (us === undefined ? '' : `${(us / 1e3).toFixed(1)} ms`);
const share = (x) => `${(100 * x).toFixed(0)} %`;

module.exports = (cleave) => ({
  edges: {
    title: 'Eight edges, one cloud: mean latency against the best fixed split of the edges, and moves between home and away',
    networks: [MODEL],
    run: (o) => settling(o, cleave),
    columns: [
      ['each asks', (r) => `${r.rate}/s`],
      ['mean', (r) => ms(r.mean_us)],
      ['away', (r) => share(r.away_share)],
      ['best fixed split', (r) => `${r.best_away} of ${EDGES} away (${r.away_plan})`],
      ['mean', (r) => ms(r.best_us)],
      ['ratio', (r) => r.ratio.toFixed(2)],
      ['moves, 1st half', (r) => String(r.moves_first)],
      ['2nd half', (r) => String(r.moves_last)],
      ['shared a run', (r) => share(r.together)],
      ['failed', (r) => String(r.failed)],
    ],
    target: 'mean ≤ 1.15 of the best fixed split; no more than two moves an edge in the second half; 0 failed',
    met: (r) => r.ratio <= 1.15 && r.moves_last <= 2 * EDGES && r.failed === 0,
  },
  greedy: {
    title: 'Seven modest edges beside a greedy one: their latency',
    networks: [MODEL],
    run: (o) => greedyRows(o, cleave),
    columns: [
      ['greedy', (r) => r.greedy],
      ['p50 of the seven', (r) => ms(r.p50_us)],
      ['p95', (r) => ms(r.p95_us)],
      ['more than without', (r) => ms(r.more_us)],
      ['p95 of the greedy', (r) => ms(r.greedy_p95_us)],
      ['finished at home', (r) => String(r.recovered)],
      ['shared a run', (r) => share(r.together)],
      ['failed', (r) => String(r.failed)],
    ],
    target: 'p95 of the seven at most 100 ms more than without (the burst that anybody has, and one run), 0 failed',
    met: (r) => r.more_us <= 1e5 && r.failed === 0,
  },
  shared: {
    title: 'Requests of eight edges at the same cut, run together against one by one',
    networks: [MODEL],
    run: (o) => sharedRows(o, cleave),
    columns: [
      ['network', (r) => r.network],
      ['cloud', (r) => `1/${r.slow}`],
      ['one by one', (r) => `${r.alone_per_s.toFixed(1)}/s`],
      ['together', (r) => `${r.shared_per_s.toFixed(1)}/s`],
      ['gain', (r) => r.gain.toFixed(2)],
      ['shared a run', (r) => share(r.together)],
      ['failed', (r) => String(r.failed)],
    ],
  },
});
