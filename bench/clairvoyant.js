// A planner that knows what the link will do: for each request the least that any plan could have taken, by what the plans were measured to
// compute and by the true link from the moment at which their bytes go out.
'use strict';
const { PACKET, mean } = require('./scenarios.js');

const US = 1e6;

/** What each plan took of computing, over all runs: means of its requests that went as planned, as what it is held against is a mean. */
function plansOf(runs) {
  const byPlan = new Map();
  for (const run of runs)
    for (const r of run.request) {
      if (r.status !== 'ok' || r.recovered || r.hedged || r.stayed || (r.plan !== 'local' && !r.up_bytes)) continue;
      if (!byPlan.has(r.plan)) byPlan.set(r.plan, []);
      byPlan.get(r.plan).push(r);
    }
  const part = (list, name) => mean(list.map((r) => r[name] || 0));
  return [...byPlan].map(([plan, list]) => ({
    plan,
    n: list.length,
    before_us: part(list, 'edge_us') + part(list, 'encode_us'),
    after_us: part(list, 'cloud_us') + part(list, 'decode_us'),
    up_bytes: part(list, 'up_bytes') * PACKET,
    down_bytes: part(list, 'down_bytes') * PACKET,
  }));
}

/** The time at which `bytes` that begin to go out at t_us have gone, on steps of {t_us, bytes_per_s, down}. */
function sentBy(steps, t_us, bytes) {
  let i = steps.length - 1;
  while (i > 0 && steps[i].t_us > t_us) i--;
  for (let at = t_us, left = bytes; ; i++) {
    const end = i + 1 < steps.length ? steps[i + 1].t_us : Infinity;
    const rate = steps[i].down ? 0 : steps[i].bytes_per_s;
    const needs = rate > 0 ? (left / rate) * US : Infinity;
    if (at + needs <= end) return at + needs;
    if (end === Infinity) return Infinity;
    left -= (rate * (end - at)) / US;
    at = end;
  }
}

/** The true link of a run, of its `wire` lines. */
const wireSteps = (run) =>
  run.wire.filter((w) => !w.link).map((w) => ({ t_us: w.t_us, bytes_per_s: w.up.bytes_per_s, rtt_us: (w.up.delay_us || 0) + (w.down.delay_us || 0),
    down: w.up.loss === 1 }));

const stepAt = (steps, t_us) => steps.reduce((now, s) => (s.t_us <= t_us ? s : now), steps[0]);

/** What a request at t_us takes with a plan. */
function takes(plan, steps, t_us) {
  if (plan.plan === 'local') return plan.before_us;
  const begin = t_us + plan.before_us;
  const there = sentBy(steps, begin, plan.up_bytes) + stepAt(steps, begin).rtt_us / 2;
  if (!Number.isFinite(there)) return Infinity;
  const back = sentBy(steps, there + plan.after_us, plan.down_bytes);
  return back + stepAt(steps, there).rtt_us / 2 - t_us;
}

/** The least, and whose it is. */
function best(plans, steps, t_us) {
  return plans.map((p) => ({ plan: p.plan, us: takes(p, steps, t_us) })).reduce((a, b) => (b.us < a.us ? b : a));
}

module.exports = { plansOf, wireSteps, stepAt, sentBy, takes, best };
