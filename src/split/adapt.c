/* Which cut, now: learn the peer's side, plan at each change of the link, prepare both ends, swap. Loop's thread only. */
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "split/oip.h"

#include <stdlib.h>
#include <string.h>

/* A new cut must promise this share of the present one's latency, or less, to be worth a switch. */
#define CLV_SWITCH_GAIN  0.97
#define CLV_ASK_AGAIN_US 5000000
/* A peer that is of no use for so long is not waited for. */
#define CLV_HINDERED_US 3000000
#define CLV_OVERHEAD_US                                                                            \
    200.0 /* encode, frame, decode: a fixed guess, small beside every link here */

static void say(clv_splitter *s, clv_log_level level, const char *event, const char *text)
{
    char line[CLV_ERROR_TEXT_MAX];
    snprintf(line, sizeof line, "%s: %.400s", event, text);
    if (strcmp(line, s->adapt.said) == 0) return;
    memcpy(s->adapt.said, line, sizeof line);
    clv_log(level, "split", event, "model=%s peer=%s text=\"%s\"", s->model,
            clv_peer_url(s->o.peer), text);
}

static void refuse(clv_splitter *s, const char *text)
{
    s->adapt.stage = CLV_STAGE_REFUSED;
    s->adapt.ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US;
    say(s, CLV_LOG_WARN, "runs here only", text);
}

static void ask_again(clv_splitter *s, const clv_error *error)
{
    clv_adapt *a = &s->adapt;
    int64_t now = clv_now_us();
    a->ask_after_us = now + CLV_ASK_AGAIN_US / 5;
    if (error->status != CLV_EUNAVAIL && !a->hindered_us) a->hindered_us = now; /* else: it loads */
    say(s, CLV_LOG_WARN, "peer does not share yet", error->text);
}

/* Does the peer speak as this node does? Else it runs here only, until the peer is another. */
static bool speaks_alike(clv_splitter *s, const clv_peer_model *model)
{
    char text[256];
    if (model->protocol == CLV_PEER_PROTOCOL) return true;
    if (model->protocol == 0)
        snprintf(text, sizeof text,
                 "the peer names no cleave_protocol: it is no cleave node; this one speaks %d",
                 CLV_PEER_PROTOCOL);
    else
        snprintf(text, sizeof text,
                 "the peer speaks cleave_protocol %d, this node %d: both need the same version",
                 model->protocol, CLV_PEER_PROTOCOL);
    refuse(s, text);
    return false;
}

static void on_model(void *arg, const clv_peer_model *model, const clv_error *error)
{
    clv_splitter *s = arg;
    s->adapt.asking = false;
    if (s->closing) return;
    if (!error) s->adapt.hindered_us = 0;
    if (error && error->status == CLV_ENOTFOUND && s->adapt.pushed) {
        refuse(s, "the peer took the model but does not have it");
        return;
    }
    if (error && error->status == CLV_ENOTFOUND) {
        s->adapt.stage = CLV_STAGE_PUSH;
    } else if (error) {
        ask_again(s, error);
        return;
    } else if (!speaks_alike(s, model)) {
        return;
    } else if (strcmp(model->digest, clv_network_digest(s->network)) != 0) {
        char text[256];
        snprintf(text, sizeof text,
                 "the peer has another model of this name: digest %.12s, here %.12s",
                 model->digest[0] ? model->digest : "unknown", clv_network_digest(s->network));
        refuse(s, text);
        return;
    } else {
        s->adapt.stage = s->adapt.peers ? CLV_STAGE_READY : CLV_STAGE_PROFILE;
    }
    clv_adapt_step(s);
}

static void on_pushed(void *arg, const clv_error *error)
{
    clv_splitter *s = arg;
    s->adapt.asking = false;
    if (s->closing) return;
    if (error && (error->status == CLV_EDENIED || error->status == CLV_EEXIST)) {
        refuse(s, error->text);
    } else if (error) {
        s->adapt.stage = CLV_STAGE_ASK;
        ask_again(s, error);
    } else {
        s->adapt.stage = CLV_STAGE_ASK;
        s->adapt.pushed = true;
        say(s, CLV_LOG_INFO, "model pushed", clv_network_path(s->network));
        clv_adapt_step(s);
    }
}

static void on_profile(void *arg, clv_profile *take, const clv_error *error)
{
    clv_splitter *s = arg;
    s->adapt.asking = false;
    if (s->closing) {
        clv_profile_free(take);
        return;
    }
    if (error) {
        ask_again(s, error);
        return;
    }
    s->adapt.peers = take;
    s->adapt.stage = CLV_STAGE_READY;
    clv_adapt_step(s);
}

static void push(clv_splitter *s)
{
    size_t n;
    const char *const *files = clv_network_files(s->network, &n);
    clv_peer_push(s->o.peer, s->model, s->version, clv_network_digest(s->network), files, n,
                  on_pushed, s);
}

/* One question to the peer at a time. */
static void ask(clv_splitter *s)
{
    clv_adapt *a = &s->adapt;
    if (a->asking || clv_now_us() < a->ask_after_us) return;
    a->asking = true;
    switch (a->stage) {
    case CLV_STAGE_REFUSED:
    case CLV_STAGE_ASK: clv_peer_get_model(s->o.peer, s->model, s->version, on_model, s); break;
    case CLV_STAGE_PUSH: push(s); break;
    case CLV_STAGE_PROFILE:
        clv_peer_get_profile(s->o.peer, s->model, s->version, on_profile, s);
        break;
    case CLV_STAGE_READY: a->asking = false; break;
    }
}

/* Predicted times of the part behind the cut. */
typedef struct expectation {
    int64_t remote_us; /* by the peer, with the link */
    int64_t tail_us;   /* here */
} expectation;

typedef struct choice {
    clv_route route;
    expectation expected;
} choice;

/* A deployment in the making: built here and prepared on the peer at the same time. */
typedef struct preparation {
    clv_splitter *s;
    clv_route route;
    expectation expected;
    clv_deployment *built; /* NULL: failed */
    atomic_int open;       /* sides that are not ready yet */
    clv_error here, there; /* why a side failed */
} preparation;

static void end_pin(clv_splitter *s, const clv_error *error)
{
    clv_splitter_done_fn done = s->adapt.pin_done;
    s->adapt.pin_done = NULL;
    if (done) done(s->adapt.pin_arg, error);
}

static bool is_pinned(const clv_splitter *s, const clv_route *route)
{
    return s->adapt.pinned && clv_route_equal(route, &s->adapt.pin);
}

static bool is_live(const clv_splitter *s, const clv_route *route)
{
    return clv_route_equal(route, &s->live->route);
}

static bool is_local(const clv_splitter *s)
{
    return is_live(s, &s->local->route);
}

/* Is this route still to be deployed, now that it is ready? The link, the peer or the pin may have changed meanwhile. */
static bool still_wanted(const clv_splitter *s, const clv_route *route)
{
    const clv_adapt *a = &s->adapt;
    if (!clv_peer_link(s->o.peer).up) return false;
    return a->pinned ? is_pinned(s, route) : a->stage == CLV_STAGE_READY;
}

static void not_prepared(preparation *p)
{
    clv_splitter *s = p->s;
    const clv_error *error = p->here.status ? &p->here : &p->there;
    say(s, CLV_LOG_WARN, "cut not prepared", error->text);
    s->adapt.ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US / 5;
    if (p->there.status == CLV_ENOTFOUND && s->adapt.stage == CLV_STAGE_READY)
        s->adapt.stage = CLV_STAGE_ASK; /* it had the model once */
    if (is_pinned(s, &p->route)) end_pin(s, error);
}

static void take_over(preparation *p)
{
    clv_splitter *s = p->s;
    if (still_wanted(s, &p->route)) {
        atomic_store(&p->built->expected_remote_us, p->expected.remote_us);
        atomic_store(&p->built->expected_tail_us, p->expected.tail_us);
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=\"%s\"", s->model, p->built->label);
        clv_splitter_deploy(s, clv_deployment_ref(p->built));
        if (is_pinned(s, &p->route)) end_pin(s, NULL);
    }
    clv_adapt_step(s);
}

static void prepared(void *arg)
{
    preparation *p = arg;
    clv_splitter *s = p->s;
    s->adapt.preparing = false;
    bool failed = p->here.status || p->there.status;
    if (!s->closing && failed) not_prepared(p);
    if (!s->closing && !failed) take_over(p);
    if (failed)
        clv_deployment_unref(p->built); /* its segments stay for the next try */
    else
        clv_splitter_drop(s, p->built);
    free(p);
    atomic_fetch_sub(&s->busy, 1);
}

static void side_ready(preparation *p)
{
    if (atomic_fetch_sub(&p->open, 1) == 1) clv_loop_post(p->s->o.loop, prepared, p);
}

static void build_here(void *arg, int64_t queue_us)
{
    (void)queue_us;
    preparation *p = arg;
    if (clv_deployment_new(p->s->network, &p->route, &p->built, &p->here)) p->built = NULL;
    side_ready(p);
}

static void on_peer_prepared(void *arg, const clv_error *error)
{
    preparation *p = arg;
    if (error) p->there = *error;
    side_ready(p);
}

static void prepare(clv_splitter *s, const choice *chosen)
{
    preparation *p = clv_alloc(sizeof *p);
    *p = (preparation){.s = s, .route = chosen->route, .expected = chosen->expected};
    atomic_init(&p->open, 2);
    s->adapt.preparing = true;
    atomic_fetch_add(&s->busy, 1);
    const clv_cut *c = &clv_network_cuts(s->network)->items[p->route.cut[0]];
    CLV_AUTO(clv_free) const char **names = clv_alloc_array(c->n_live, sizeof *names);
    for (size_t i = 0; i < c->n_live; i++)
        names[i] = clv_network_graph(s->network)->tensors[c->live[i]].name;
    clv_peer_prepare(s->o.peer, s->model, s->version, names, c->n_live, on_peer_prepared, p);
    if (clv_lane_submit(s->o.build, &(clv_job){.run = build_here, .arg = p}, &p->here))
        side_ready(p);
}

/* Both profiles are known: make the planner's tables once. */
static void join(clv_splitter *s)
{
    clv_adapt *a = &s->adapt;
    if (!a->own || !a->peers || a->tables) return;
    const clv_plan_sources from = {.graph = clv_network_graph(s->network),
                                   .cuts = clv_network_cuts(s->network),
                                   .profiles = {a->own, a->peers},
                                   .n_devices = 2};
    clv_error err = {0};
    if (clv_plan_tables_new(&from, &a->tables, &err)) {
        refuse(s, err.text);
        return;
    }
    clv_plan_tables_overhead(a->tables, 0, CLV_OVERHEAD_US);
    a->tables->problem.limits.stays = s->guard.stays;
}

clv_status clv_splitter_problem(clv_splitter *s, const clv_plan_problem **problem, clv_error *err)
{
    clv_adapt *a = &s->adapt;
    if (!a->tables)
        return clv_fail(err, CLV_EUNAVAIL, "model '%s': the profile of %s is not known yet",
                        s->model, a->own ? "the peer" : "this device");
    clv_link link = clv_peer_link(s->o.peer);
    clv_status status = clv_plan_tables_link(a->tables, 0, &link, err);
    if (status) return status;
    clv_plan_tables_wait(a->tables, 1, (double)atomic_load(&s->queue_us));
    clv_learning_apply(&s->learning, a->tables);
    *problem = &a->tables->problem;
    return CLV_OK;
}

/* The codecs of the planner's problem, by number. */
static const clv_codec offered[] = {{CLV_QUANT_RAW, CLV_PACK_NONE}};

/* What is deployed, as the planner has it. */
static clv_plan_chain live_chain(const clv_splitter *s)
{
    return (clv_plan_chain){.cut = {(int)clv_deployment_cut(s->live), (int)s->last}};
}

/* What the policy wants; what is deployed if the best is hardly better. */
static clv_status best_route(const clv_splitter *s, const clv_plan_problem *p, clv_route *route,
                             clv_error *err)
{
    clv_plan_chain live = live_chain(s);
    clv_plan_cost best, now;
    clv_policy_choice chosen;
    clv_status status =
        clv_policy_choose(p, s->o.policy, &(clv_policy_options){.previous = &live}, &chosen, err);
    if (status) return status;
    bool keep = s->o.policy == CLV_POLICY_EXACT && clv_plan_weigh(p, &live, &now, NULL) == CLV_OK &&
                clv_plan_weigh(p, &chosen.chain, &best, NULL) == CLV_OK &&
                (double)best.score > CLV_SWITCH_GAIN * (double)now.score;
    *route = keep ? s->live->route : clv_route_of(&chosen.chain, offered, s->last);
    clv_policy_choice_done(&chosen);
    return CLV_OK;
}

/* What the part behind the cut should take; 0 where that is not known. */
static expectation expect(const clv_plan_problem *p, size_t cut)
{
    size_t last = p->cuts->n - 1;
    const clv_plan_amount parts[] = {clv_plan_cross(p, 0, cut, 0), clv_plan_wait(p, 1),
                                     clv_plan_segment(p, 1, cut, last)};
    clv_plan_amount remote = {0};
    for (size_t i = 0; i < CLV_COUNT(parts); i++) remote = clv_plan_add(remote, parts[i]);
    int64_t whole_ns = p->devices[0].prefix[last].ns, head_ns = p->devices[0].prefix[cut].ns;
    if (cut == last || remote.ns == CLV_PLAN_UNKNOWN || head_ns == CLV_PLAN_UNKNOWN)
        return (expectation){0};
    return (expectation){.remote_us = (remote.ns - p->hops[0].overhead_ns) / 1000,
                         .tail_us = CLV_MAX(whole_ns - head_ns, 0) / 1000};
}

/* The pinned route, or the best one. */
static choice choose(clv_splitter *s)
{
    const clv_adapt *a = &s->adapt;
    choice out = {.route = a->pinned ? a->pin : s->local->route};
    const clv_plan_problem *problem;
    clv_error err = {0};
    if (clv_splitter_problem(s, &problem, &err)) return out;
    if (!a->pinned && best_route(s, problem, &out.route, &err)) {
        say(s, CLV_LOG_WARN, "no plan", err.text);
        return out;
    }
    out.expected = expect(problem, out.route.cut[0]);
    return out;
}

/* The peer is lost: everything runs here from the next request on. */
static void retreat(clv_splitter *s)
{
    if (is_local(s)) return;
    clv_log(CLV_LOG_WARN, "split", "peer lost", "model=%s peer=%s plan=local", s->model,
            clv_peer_url(s->o.peer));
    clv_splitter_deploy(s, clv_deployment_ref(s->local));
}

void clv_adapt_refused(clv_splitter *s, const clv_error *error)
{
    bool passing = error->status == CLV_EBUSY || error->status == CLV_ETIMEOUT ||
                   error->status == CLV_ELIMIT /* gRPC has one code for both */ ||
                   error->status == CLV_ECANCELED;
    if (s->closing || passing || is_local(s)) return;
    if (s->adapt.stage == CLV_STAGE_READY) s->adapt.stage = CLV_STAGE_ASK;
    s->adapt.ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US;
    say(s, CLV_LOG_WARN, "peer refused", error->text);
    clv_splitter_deploy(s, clv_deployment_ref(s->local));
}

void clv_adapt_withheld(clv_splitter *s, const clv_error *error)
{
    clv_log(CLV_LOG_ERROR, "split", "withheld", "model=%s peer=%s text=\"%s\"", s->model,
            clv_peer_url(s->o.peer), error->text);
    if (s->closing) return;
    clv_adapt_unpin(s, error->text);
    if (!is_local(s)) clv_splitter_deploy(s, clv_deployment_ref(s->local));
}

void clv_adapt_step(void *splitter)
{
    clv_splitter *s = splitter;
    clv_adapt *a = &s->adapt;
    if (s->closing) return;
    if (!clv_peer_link(s->o.peer).up) { /* who comes back may have other models */
        if (a->stage == CLV_STAGE_READY) a->stage = CLV_STAGE_ASK;
        a->pushed = false;
        if (!a->hindered_us && clv_peer_unreachable(s->o.peer)) a->hindered_us = clv_now_us();
        retreat(s);
        return;
    }
    if (a->stage != CLV_STAGE_READY) ask(s);
    join(s);
    if (a->preparing || clv_now_us() < a->ask_after_us ||
        (a->stage != CLV_STAGE_READY && !a->pinned))
        return;
    choice c = choose(s);
    a->planned = a->tables != NULL;
    a->hindered_us = 0;
    if (is_live(s, &c.route)) {
        atomic_store(&s->live->expected_remote_us, c.expected.remote_us);
        atomic_store(&s->live->expected_tail_us, c.expected.tail_us);
    } else if (c.route.n == 1) {
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=local", s->model);
        clv_splitter_deploy(s, clv_deployment_ref(s->local));
    } else {
        prepare(s, &c);
    }
}

bool clv_splitter_settled(const clv_splitter *s)
{
    const clv_adapt *a = &s->adapt;
    bool hindered = a->hindered_us && clv_now_us() - a->hindered_us > CLV_HINDERED_US;
    return !s->o.peer || a->stage == CLV_STAGE_REFUSED || hindered || (a->planned && !a->preparing);
}

void clv_splitter_set_profile(clv_splitter *s, clv_profile *take)
{
    if (s->adapt.own) { /* one profile a life: the tables are made of it */
        clv_profile_free(take);
        return;
    }
    s->adapt.own = take;
    if (s->o.peer) clv_adapt_step(s);
}

/* May the route be deployed here? */
static clv_status check_pin(const clv_splitter *s, const clv_route *route, clv_error *err)
{
    size_t cut = route->cut[0];
    if (cut > s->last || (cut < s->last && !s->o.peer))
        return clv_fail(err, CLV_EINVAL,
                        "model '%s': cut %zu cannot be deployed; 0 to %zu with a peer can",
                        s->model, cut, s->last);
    if (clv_guard_allows(&s->guard, cut)) return CLV_OK;
    return clv_fail(err, CLV_EDENIED,
                    "model '%s': cut %zu cannot be deployed: privacy keeps what is behind it here",
                    s->model, cut);
}

void clv_splitter_pin(clv_splitter *s, const clv_route *route, clv_splitter_done_fn done, void *arg)
{
    clv_error err = {0};
    clv_adapt_unpin(s, "another cut was pinned");
    if (route && check_pin(s, route, &err)) {
        done(arg, &err);
        return;
    }
    s->adapt.pinned = route != NULL;
    if (route) s->adapt.pin = *route;
    if (route && route->n == 1) clv_splitter_deploy(s, clv_deployment_ref(s->local));
    if (!route || is_live(s, route)) {
        done(arg, NULL);
    } else {
        s->adapt.pin_done = done;
        s->adapt.pin_arg = arg;
        s->adapt.ask_after_us = 0;
    }
    if (s->o.peer) clv_adapt_step(s);
}

void clv_adapt_unpin(clv_splitter *s, const char *why)
{
    clv_error err = {0};
    clv_fail(&err, CLV_ECANCELED, "model '%s': %s", s->model, why);
    s->adapt.pinned = false;
    end_pin(s, &err);
}

void clv_adapt_done(clv_splitter *s)
{
    clv_plan_tables_free(s->adapt.tables);
    clv_profile_free(s->adapt.own);
    clv_profile_free(s->adapt.peers);
}
