// E5, the links that change: cleave's adaptive plan against fixed plans, a greedy one, CAS, and one who knows the future. All runs are
// `cleave tasks --replay` of one scenario in the lab: the same arrivals, the same link.
'use strict';
const s = require('./scenarios.js');
const c = require('./clairvoyant.js');

const NEAR = 1.05; // a plan within this of the best is right
const SWITCH_US = 500000; // a request this close to a switch feels it

const Z95 = 1.96;
const LEAST_S = 60; // what is compared runs so long in all, but twice at least,
const TIMES_MOST = 3;
const T95 = [NaN, 12.71, 4.3, 3.18, 2.78]; // Student's, by degrees of freedom: up to that of twice as many runs
const latency = (run) => s.mean(run.request.map((r) => r.total_us));
const sum = (list) => list.reduce((a, b) => a + b, 0);
const most = (list) => (list.some((x) => x !== undefined) ? Math.max(...list.filter((x) => x !== undefined)) : undefined);
const lost = (run, arrivals) => arrivals.length - run.request.filter((r) => r.status === 'ok').length;
const switches = (run) => Math.max(run.plan.length - 1, 0);

/** Requests and seconds after each step of the link until one begins on a plan that is as good as the best there; the most of both. */
function settling(run, plans) {
  const steps = c.wireSteps(run);
  const found = [];
  steps.slice(1).forEach((step, i) => {
    const until = i + 2 < steps.length ? steps[i + 2].t_us : Infinity;
    const there = [{ ...step, t_us: 0 }];
    const good = new Set(plans.filter((p) => c.takes(p, there, 0) <= NEAR * c.best(plans, there, 0).us).map((p) => p.plan));
    const after = run.request.filter((r) => r.sent_us >= step.t_us && r.sent_us < until);
    const at = after.findIndex((r) => good.has(r.plan));
    const seconds = ((at < 0 ? Math.min(until, after.length ? after.at(-1).sent_us : step.t_us) : after[at].sent_us) - step.t_us) / 1e6;
    if (after.length) found.push({ requests: at < 0 ? after.length : at, seconds, right: at >= 0 });
  });
  return found;
}

/** The longest that a request near a switch waited to begin, when no other was in flight. */
function gap(run) {
  const alone = (r) => !run.request.some((o) => o !== r && o.sent_us <= r.sent_us && o.sent_us + o.total_us > r.sent_us);
  const near = run.plan.slice(1).flatMap((p) => run.request.filter((r) => Math.abs(r.sent_us - p.t_us) < SWITCH_US && alone(r)));
  return near.length ? Math.max(...near.map((r) => r.wait_us || 0)) : undefined;
}

/** How far off the estimate of the rate upwards is when the third transfer after each step has ended: the worst. A transfer gets 1448 of 1500
 * bytes. */
function estimateError(run) {
  const steps = c.wireSteps(run);
  const errors = [];
  steps.forEach((step, i) => {
    const until = i + 1 < steps.length ? steps[i + 1].t_us : Infinity;
    const end = (r) => r.sent_us + r.total_us;
    const sent = run.request.filter((r) => r.up_bytes && !r.recovered && r.sent_us >= step.t_us && end(r) < until).sort((a, b) => end(a) - end(b));
    if (i === 0 || step.down || sent.length < 3) return;
    const seen = run.link.filter((l) => l.t_us <= end(sent[2]) + 20000).at(-1);
    errors.push(seen && seen.up ? Math.abs(seen.up_bytes_per_s / (step.bytes_per_s / s.PACKET) - 1) : 1);
  });
  return errors.length ? Math.max(...errors) : undefined;
}

/** What the link could have carried upwards, in bytes. */
function room(run) {
  const steps = c.wireSteps(run);
  const last_us = run.wire.filter((w) => !w.link).at(-1).t_us;
  return steps.reduce((sum, step, i) => {
    const end_us = i + 1 < steps.length ? steps[i + 1].t_us : last_us;
    return sum + (step.down ? 0 : (step.bytes_per_s * (end_us - step.t_us)) / 1e6);
  }, 0);
}

/** What went up that no request sent (probes, pings, preparing, acknowledgements), as a share of what the link could have carried. */
function otherTraffic(run) {
  const wires = run.wire.filter((w) => !w.link);
  const carried = wires.at(-1).up.carried_bytes - wires[0].up.carried_bytes;
  const own = run.request.reduce((sum, r) => sum + (r.up_bytes || 0) * s.PACKET, 0);
  return Math.max(0, carried - own) / room(run);
}

/** What pings and probes sent upwards, as a share of what the link could have carried. */
function probes(run) {
  const asked = run.link.map((l) => l.asked_bytes).filter((bytes) => bytes !== undefined);
  return asked.length ? ((asked.at(-1) - asked[0]) * s.PACKET) / room(run) : undefined;
}

/** By how much two contenders' means may differ by chance, in µs: the 95 % interval of the difference of their runs' means, as a machine is some
 * per cent faster in one run than in the next; or, if larger, that of the mean difference of the same arrivals. */
function noise(runs, others) {
  const took = (list) => list.map((run) => [...run.request].sort((a, b) => a.sent_us - b.sent_us).map((r) => r.total_us));
  const squares = (list) => sum(list.map((x) => (x - s.mean(list)) ** 2));
  const [ours, theirs] = [took(runs), took(others)];
  const free = runs.length + others.length - 2;
  const ofRuns = T95[free] * Math.sqrt(((squares(ours.map(s.mean)) + squares(theirs.map(s.mean))) / free) * (1 / runs.length + 1 / others.length));
  const apart = ours[0].map((_, i) => s.mean(ours.map((t) => t[i])) - s.mean(theirs.map((t) => t[i])));
  return Math.max(ofRuns, (Z95 * Math.sqrt(squares(apart))) / apart.length);
}

/** One scenario, with every policy; the adaptive plan and the best one kept again, in the opposite order. */
function rowOf(lab, model, name, scenario, rate) {
  const asked = s.arrivals(model, rate, scenario.length_s, 7);
  const events = [...asked, ...scenario.steps.map(s.wire)];
  const play = (flags) => s.undisturbed(() => lab.replay(events, scenario.steps[0], flags), { tries: 2 })[0];
  const exact = () => play('--policy exact --check');
  const keep = (plan) => play(`--at '${plan}'`);
  const adaptive = [exact()];
  const greedy = play('--policy greedy');
  const cas = play('--policy cas');
  const cuts = new Set(['local']); // and what anybody chose: a plan that nobody ever does is the best on no link
  for (const run of [...adaptive, greedy, cas]) for (const r of run.request) if (r.plan) cuts.add(r.plan);
  const fixed = [...cuts].map((plan) => ({ plan, runs: [keep(plan)] }));
  const mean = (runs) => s.mean(runs.map(latency));
  const best = fixed.reduce((a, b) => (mean(b.runs) < mean(a.runs) ? b : a));
  const again = [() => best.runs.push(keep(best.plan)), () => adaptive.push(exact())];
  const times = Math.min(Math.max(2, Math.ceil(LEAST_S / scenario.length_s)), TIMES_MOST);
  for (let i = 1; i < times; i++) {
    for (const run of again) run();
    again.reverse();
  }
  const kept = fixed.flatMap((f) => f.runs);
  const plans = c.plansOf([...adaptive, greedy, cas, ...kept]);
  const clairvoyant = (run) => s.mean(run.request.map((r) => c.best(plans, c.wireSteps(run), r.sent_us).us));
  const ratio = (runs) => mean(runs) / s.mean(runs.map(clairvoyant));
  const settled = adaptive.flatMap((run) => settling(run, plans));
  const off = [...adaptive, ...kept].map(estimateError).filter((x) => x !== undefined);
  return {
    scenario: name,
    network: model,
    requests: asked.length,
    clairvoyant_us: s.mean(adaptive.map(clairvoyant)),
    mean_us: mean(adaptive),
    means_us: adaptive.map(latency),
    stolen: most([...adaptive, ...best.runs].map((run) => run.stolen)),
    ratio: ratio(adaptive),
    greedy: ratio([greedy]),
    cas: ratio([cas]),
    best_fixed: best.plan,
    best_fixed_us: mean(best.runs),
    over_fixed: mean(adaptive) / mean(best.runs),
    over_fixed_noise: noise(adaptive, best.runs) / mean(best.runs),
    fixed: Object.fromEntries(fixed.map((f) => [f.plan, f.runs.map(latency)])),
    lost: sum(adaptive.map((run) => lost(run, asked))),
    mismatches: sum(adaptive.map((run) => run.summary.mismatches)),
    twice: sum(adaptive.map((run) => run.summary.twice)),
    recovered: sum(adaptive.map((run) => run.summary.recovered)),
    switches: most(adaptive.map(switches)),
    greedy_switches: switches(greedy),
    cas_switches: switches(cas),
    steps: settled.length,
    slow_steps: settled.filter((x) => x.requests > 3 && x.seconds > 1).length,
    worst_requests: most(settled.map((x) => x.requests)),
    worst_s: most(settled.map((x) => x.seconds)),
    gap_us: most(adaptive.map(gap)),
    estimate_error: s.median(off),
    estimate_errors: off, // of every run: the worst step of each
    probes: most(adaptive.map(probes)),
    other_traffic: most(adaptive.map(otherTraffic)),
    plans,
  };
}

const ms = (us) => (us === undefined ? '' : `${(us / 1e3).toFixed(us < 1e4 ? 2 : 0)} ms`);
const two = (x) => (x === undefined ? '' : x.toFixed(2));
const share = (x) => (x === undefined || !Number.isFinite(x) ? '' : `${(100 * x).toFixed(1)} %`);
const count = (x) => (x === undefined ? '' : String(x));

module.exports = (cleave) => ({
  e5: {
    title: 'E5: links that change: mean latency over that of a clairvoyant planner',
    networks: ['alexnet'],
    cases: Object.keys(s.all(false)),
    caseOf: (r) => r.scenario,
    run: (o, networks, cases) => {
      const lab = s.lab(cleave, o, networks, 4);
      const wanted = Object.entries(s.all(o.quick)).filter(([name]) => cases.includes(name));
      try {
        lab.tasks('--count 4', s.WIFI); // measures the profiles
        return networks.flatMap((model) => wanted.map(([name, scenario]) => rowOf(lab, model, name, scenario, 3)));
      } finally {
        lab.done();
      }
    },
    columns: [
      ['scenario', (r) => r.scenario],
      ['mean', (r) => ms(r.mean_us)],
      ['adaptive', (r) => two(r.ratio)],
      ['greedy', (r) => two(r.greedy)],
      ['cas', (r) => two(r.cas)],
      ['best fixed', (r) => r.best_fixed],
      ['over it', (r) => two(r.over_fixed)],
      ['±', (r) => two(r.over_fixed_noise)],
      ['lost', (r) => count(r.lost)],
      ['switches', (r) => count(r.switches)],
      ['greedy', (r) => count(r.greedy_switches)],
      ['slow steps', (r) => `${r.slow_steps} of ${r.steps}`],
      ['gap', (r) => ms(r.gap_us)],
      ['estimate off', (r) => share(r.estimate_error)],
      ['probes', (r) => share(r.probes)],
      ['other traffic', (r) => share(r.other_traffic)],
      ['stolen', (r) => share(r.stolen)],
    ],
    target: 'adaptive ≤ 1.15 and no worse than the best fixed plan beyond noise; lost 0; gap ≤ 1 ms; no switch under noise; the right plan within 3 requests or 1 s of ' +
      'each step (steps); estimate ≤ 10 % off after 3 transfers (all but walk); probes ≤ 1 %',
    met: (r) => r.ratio <= 1.15 && r.over_fixed - r.over_fixed_noise <= 1 && r.lost === 0 && r.mismatches === 0 && r.twice === 0 && !(r.gap_us > 1000) &&
      (!r.scenario.startsWith('noise') || r.switches === 0) && (r.scenario !== 'steps' || r.slow_steps === 0) && (r.scenario === 'walk' || !(r.estimate_error > 0.1)) && !((r.probes === undefined ? r.other_traffic : r.probes) > 0.01),
  },
});
