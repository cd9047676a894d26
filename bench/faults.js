// What happens to requests when the other node is killed, stopped, cut off or badly reached, at random moments of a loaded run.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const s = require('./scenarios.js');

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const LINK = '200Mbit,5ms'; // ten images of 600 KB a second are a quarter of it
const RATE = 10; // requests a second
const LIMIT_MS = 30000; // for work to be shared, and for the last requests to be answered

/** A signal to what runs on a host; false: it is about to be started again. */
function signal(dir, host, name) {
  try {
    process.kill(Number(fs.readFileSync(path.join(dir, `${host}.pid`), 'utf8')), name);
    return true;
  } catch (error) {
    if (error.code === 'ESRCH' || error.code === 'ENOENT') return false;
    throw error;
  }
}

/** The faults: begin and end. */
const FAULTS = {
  SIGKILL: { begin: (f) => f.signal('SIGKILL'), end: () => {} },
  SIGSTOP: { begin: (f) => f.signal('SIGSTOP'), end: (f) => f.signal('SIGCONT') },
  'network cut': { begin: (f) => f.set('--link', 'down'), end: (f) => f.set('--link', LINK) },
  '30 % loss': { begin: (f) => f.set('--loss', '30%'), end: (f) => f.set('--loss', '0') },
};

/** A node that is started again when it ends. */
const lasting = (host, command) => `{ while :; do ${command} 2>>${host}.log & echo $! >${host}.new; mv ${host}.new ${host}.pid; wait $!; sleep 0.2; done; } 2>/dev/null`;

const CLOUD = 'cleave serve -m models --host {cloud} --threads 1 --watch 100ms';
const GATEWAY = 'cleave serve -m models --host {gateway} --threads 1 --watch 100ms --patience 300ms --peer http://{cloud}:8000 --policy cloud';
const CHAIN = { hosts: 'edge,gateway,cloud', link: `${LINK}+${LINK}`, peers: ['{gateway}', '{cloud}'], nodes: { cloud: CLOUD, gateway: GATEWAY }, plan: / > / };

/** Who is struck and which link is cut; what each host runs; which plans are those of undisturbed work. */
const PLACES = {
  cloud: { struck: 'cloud', on: 'edge-cloud', hosts: 'edge,cloud', link: LINK, peers: ['{cloud}'], nodes: { cloud: CLOUD }, plan: /^(?!local)/ },
  gateway: { struck: 'gateway', on: 'edge-gateway', ...CHAIN },
  'cloud behind a gateway': { struck: 'cloud', on: 'gateway-cloud', ...CHAIN },
};

const CASES = Object.keys(PLACES).flatMap((place) => Object.keys(FAULTS).map((fault) => `${place}: ${fault}`));

/** The plan that the edge's requests begin on now, by its log. */
function planNow(log) {
  const plans = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').match(/"(plan|peer lost|peer refused|hindered)" model=.*/g) || [] : [];
  const last = plans.at(-1) || '';
  return last.startsWith('"plan"') ? last.match(/ cut="(.*?)"/)[1] : 'local';
}

/** Fault after fault at random moments of one run, each when work is shared again. */
async function strike(lab, cleave, name, moments, seed) {
  const [where, kind] = name.split(': ');
  const place = PLACES[where];
  const u = s.random(seed);
  const labName = `bench-${process.pid}-${seed}`;
  const edge = `echo $$ >edge.pid; exec cleave tasks -m models ${place.peers.map((peer) => `--peer http://${peer}:8000`).join(' ')} --policy cloud --threads 1 --watch 100ms ` +
    `--patience 300ms --rate ${RATE} --count 100000 --concurrency 16 --check --json --trace out.jsonl --log info >out.json 2>edge.log`;
  const nodes = Object.entries(place.nodes).map(([host, command]) => `${host}=${lasting(host, command)}`);
  const run = spawn(cleave, ['lab', 'run', '--name', labName, '--hosts', place.hosts, '--link', place.link, '--slow', 'edge=4', '--wait', '8000',
    ...s.pins(), ...nodes, `edge=${edge}`], { cwd: lab.dir, env: lab.env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((done) => run.on('exit', done));
  const running = () => run.exitCode === null && run.signalCode === null;
  const set = (...what) => execFileSync(cleave, ['lab', 'set', '--lab', labName, '--on', place.on, ...what], { env: lab.env, stdio: ['ignore', 'ignore', 'inherit'] });
  const target = { set, signal: (what) => signal(lab.dir, place.struck, what) };
  const shared = async () => {
    for (const until = Date.now() + LIMIT_MS; Date.now() < until && running(); await sleep(20))
      if (place.plan.test(planNow(path.join(lab.dir, 'edge.log')))) return true;
    return false;
  };
  let struck = 0;
  while (struck < moments && (await shared())) {
    await sleep(200 + 1000 * u());
    FAULTS[kind].begin(target);
    await sleep(300 + 1200 * u());
    FAULTS[kind].end(target);
    struck++;
  }
  await shared();
  await sleep(500);
  for (let asked = 0; asked < 2 && running(); asked++) { // the second does not wait for who was never answered
    signal(lab.dir, 'edge', 'SIGINT');
    await Promise.race([ended, sleep(LIMIT_MS)]);
  }
  run.kill('SIGTERM');
  await ended;
  return { where, fault: kind, moments: struck, wanted: moments, ...outcome(lab, place) };
}

/** What became of the requests of a run. */
function outcome(lab, place) {
  const summary = JSON.parse(fs.readFileSync(path.join(lab.dir, 'out.json'), 'utf8'));
  const request = s.read(path.join(lab.dir, 'out.jsonl')).request.filter((r) => r.status);
  const sharing = request.filter((r) => r.plan !== 'local' && !r.recovered);
  return {
    requests: request.length + summary.unanswered,
    failed: summary.failed,
    unanswered: summary.unanswered,
    twice: summary.twice,
    mismatches: summary.mismatches,
    shared: sharing.filter((r) => place.plan.test(r.plan)).length,
    around: sharing.filter((r) => !place.plan.test(r.plan)).length,
    alone: request.filter((r) => r.plan === 'local').length,
    recovered: summary.recovered,
    hedged: summary.hedged,
    p50_us: summary.p50_us,
    p99_us: summary.p99_us,
  };
}

/** bench/run waits for no promise: the faults run in a process of their own, which prints rows. */
function faults(o, networks, cleave, cases) {
  const out = execFileSync(process.execPath, [__filename, cleave, o.models, String(o.quick ? 3 : 50), networks.join(','), ...cases],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 });
  return out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

async function main([cleave, models, moments, networks, ...cases]) {
  for (const name of cases) {
    const lab = s.lab(cleave, { models }, networks.split(','), 1);
    try {
      for (const network of networks.split(','))
        execFileSync(cleave, ['profile', network, '--models', lab.models, '--threads', '1', '--budget', '8s', '--keep'], { env: lab.env, stdio: ['ignore', 'ignore', 'inherit'] });
      console.log(JSON.stringify(await strike(lab, cleave, name, Number(moments), 1 + CASES.indexOf(name))));
    } finally {
      lab.done();
    }
  }
}

const ms = (us) => `${(us / 1e3).toFixed(us < 1e4 ? 2 : 0)} ms`;
const table = (cleave) => ({
  faults: {
    title: 'Faults at random moments of a loaded run',
    networks: ['mobilenet_v2'],
    cases: CASES,
    caseOf: (r) => `${r.where}: ${r.fault}`,
    run: (o, networks, cases) => faults(o, networks, cleave, cases),
    columns: [
      ['fault', (r) => r.fault],
      ['of the', (r) => r.where],
      ['moments', (r) => String(r.moments)],
      ['requests', (r) => String(r.requests)],
      ['failed', (r) => String(r.failed)],
      ['unanswered', (r) => String(r.unanswered)],
      ['twice', (r) => String(r.twice)],
      ['wrong', (r) => String(r.mismatches)],
      ['as planned', (r) => String(r.shared)],
      ['around', (r) => String(r.around)],
      ['alone', (r) => String(r.alone)],
      ['finished at the edge', (r) => String(r.recovered)],
      ['p50', (r) => ms(r.p50_us)],
      ['p99', (r) => ms(r.p99_us)],
    ],
    target: 'failed, unanswered, answered twice, wrong outputs: 0, at every moment asked for, each while work was shared',
    met: (r) => r.failed === 0 && r.unanswered === 0 && r.twice === 0 && r.mismatches === 0 && r.shared > 0 && r.moments === r.wanted,
  },
});

module.exports = table;
if (require.main === module)
  main(process.argv.slice(2)).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
