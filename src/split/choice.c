#include "split/choice.h"

#include "base/clock.h"
#include "base/mem.h"

/* Time counts as requests too: so many a second, for a second at most, so that a plan is right
 * before the next one comes. */
#define TASKS_PER_S 3.0
/* The most that were under way at once is forgotten in so long. */
#define IN_FLIGHT_S 20.0

/* The problem's number of a codec; raw's if it is not offered any more. */
static int codec_number(const clv_way *w, clv_codec codec)
{
    size_t i = w->tables->problem.n_codecs - 1;
    while (i > 0 && clv_codec_index(w->tables->named[i]) != clv_codec_index(codec)) i--;
    return (int)i;
}

/* What the part behind the cut should take; 0 where that is not known. */
/* Node k's part of the route, with the hop to it. One that runs nothing hands on what it got. */
static clv_plan_amount part_of(const clv_plan_problem *p, const clv_route *r, const int *codecs,
                               size_t k)
{
    size_t from = r->cut[k - 1], to = r->cut[k], codec = (size_t)codecs[k - 1];
    clv_plan_amount part = clv_plan_cross(p, k - 1, from, codec);
    if (from == to) return part;
    part = clv_plan_add(part, clv_plan_wait(p, k));
    part = clv_plan_add(part, clv_plan_decode(p, k, from, codec));
    part = clv_plan_add(part, clv_plan_segment(p, k, from, to));
    return k + 1 < r->n ? clv_plan_add(part, clv_plan_encode(p, k, to, (size_t)codecs[k])) : part;
}

static void expect(const clv_way *w, const clv_plan_problem *p, const clv_route *route,
                   clv_expectation *out)
{
    size_t last = p->cuts->n - 1, cut = route->cut[0];
    int codecs[CLV_PLAN_DEVICES_MAX] = {0};
    clv_plan_amount remote = {0};
    if (cut == last || route->n > p->n_devices) return;
    for (size_t k = 0; k + 1 < route->n; k++) codecs[k] = codec_number(w, route->codec[k]);
    for (size_t k = 1; k < route->n; k++)
        remote = clv_plan_add(remote, part_of(p, route, codecs, k));
    int64_t whole_ns = p->devices[0].prefix[last].ns, head_ns = p->devices[0].prefix[cut].ns;
    if (remote.ns == CLV_PLAN_UNKNOWN || head_ns == CLV_PLAN_UNKNOWN) return;
    out->remote_us = (remote.ns - p->hops[0].overhead_ns) / 1000;
    out->tail_us = CLV_MAX(whole_ns - head_ns, 0) / 1000;
}

/* What came since the chooser was asked last, how much of it is under way at once, and what the plan in
 * use has got through; what the load calls for is told to the log. */
static void look_at_load(clv_splitter *s, clv_chooser_view *v)
{
    clv_adapt *a = &s->adapt;
    int64_t now_us = v->now_us;
    clv_load load = clv_arrivals_look(&s->arrivals, now_us);
    double s_gone = a->looked_us ? (double)(now_us - a->looked_us) * 1e-6 : 0;
    double of_time = TASKS_PER_S * CLV_MIN(CLV_MAX(s_gone, 0.0), 1.0);
    a->looked_us = now_us;
    /* The peer's wait that is planned with is of the last seconds: so is the number that waited. */
    a->in_flight = CLV_MAX(load.in_flight, a->in_flight * CLV_MAX(1 - s_gone / IN_FLIGHT_S, 0.0));
    if (load.heavy != a->heavy)
        clv_log(CLV_LOG_INFO, "split", "load", "model=%s mode=%s requests_per_s=%.3g", s->model,
                clv_load_mode_name(load.heavy), load.rate_per_s);
    a->heavy = load.heavy;
    v->heavy = load.heavy;
    v->tasks = CLV_MAX((double)load.came, of_time);
    v->in_flight = a->in_flight;
    v->rate_per_s = load.rate_per_s;
    v->shows_all =
        clv_proven_look(&a->proven, s->live, atomic_load(&s->live->served), load.queue, now_us);
    v->answered_per_s = a->proven.per_s;
}

static clv_status choose(clv_splitter *s, clv_way *w, const clv_plan_problem *p, clv_choice *out,
                         clv_error *err)
{
    clv_chooser_answer answer;
    const clv_route *warm[CLV_WARM_MAX];
    size_t n_warm = 0;
    while (n_warm < CLV_WARM_MAX && s->warm[n_warm]) {
        warm[n_warm] = &s->warm[n_warm]->route;
        n_warm++;
    }
    clv_chooser_view view = {.problem = p,
                             .codecs = w->tables->named,
                             .policy = s->o.policy,
                             .way = (size_t)(w - s->ways),
                             .unseen_us = clv_peer_link(w->peer).unseen_us,
                             .live = &s->live->route,
                             .warm = warm,
                             .n_warm = n_warm,
                             .now_us = clv_now_us()};
    look_at_load(s, &view);
    clv_status status = clv_chooser_look(&s->adapt.chooser, &view, &answer, err);
    if (status) return status;
    clv_arrivals_plan(&s->arrivals, answer.period_us, answer.latency_us);
    out->route = answer.to;
    out->second = answer.second;
    out->expected.may_stay = answer.may_stay;
    return CLV_OK;
}

clv_choice clv_choice_make(clv_splitter *s, clv_way *w)
{
    const clv_adapt *a = &s->adapt;
    clv_choice out = {.route = a->pinned ? a->pin : s->local->route};
    const clv_plan_problem *problem;
    clv_error err = {0};
    if (clv_way_problem(w, &problem, &err)) {
        out.second = out.route;
        return out;
    }
    if (!a->pinned && choose(s, w, problem, &out, &err))
        clv_way_say(w, CLV_LOG_WARN, "no plan", err.text);
    else
        expect(w, problem, &out.route, &out.expected);
    if (a->pinned || err.status) out.second = out.route;
    return out;
}
