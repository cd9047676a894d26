/* Which cut, now: learn the peer's side, plan at each change of the link, prepare both ends, swap. Loop's thread only. */
#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* A new cut must promise this share of the present one's latency, or less, to be worth a switch. */
#define CLV_SWITCH_GAIN  0.97
#define CLV_ASK_AGAIN_US 5000000
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
    s->adapt.ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US / 5;
    say(s, CLV_LOG_WARN, "peer gives no answer yet", error->text);
}

static void on_model(void *arg, const clv_peer_model *model, const clv_error *error)
{
    clv_splitter *s = arg;
    s->adapt.asking = false;
    if (s->closing) return;
    if (error && error->status == CLV_ENOTFOUND) {
        s->adapt.stage = CLV_STAGE_PUSH;
    } else if (error) {
        ask_again(s, error);
        return;
    } else if (strcmp(model->digest, clv_network_digest(s->network)) != 0) {
        char text[256];
        snprintf(text, sizeof text,
                 "the peer has another model of this name: digest %.12s, here %.12s",
                 model->digest[0] ? model->digest : "unknown", clv_network_digest(s->network));
        refuse(s, text);
        return;
    } else {
        s->adapt.stage = CLV_STAGE_PROFILE;
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

/* A deployment in the making: built here and prepared on the peer at the same time. */
typedef struct preparation {
    clv_splitter *s;
    size_t cut;
    int64_t expected_remote_us;
    clv_deployment *built;
    atomic_int open; /* sides that are not ready yet */
    clv_error error;
    bool failed;
} preparation;

static void prepared(void *arg)
{
    preparation *p = arg;
    clv_splitter *s = p->s;
    s->adapt.preparing = false;
    if (s->closing) {
        clv_deployment_unref(p->built);
    } else if (p->failed) {
        say(s, CLV_LOG_WARN, "cut not prepared", p->error.text);
        clv_deployment_unref(p->built);
        s->adapt.ask_after_us = clv_now_us() + CLV_ASK_AGAIN_US / 5;
    } else {
        atomic_init(&p->built->expected_remote_us, p->expected_remote_us);
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=\"%s\"", s->model, p->built->label);
        clv_splitter_deploy(s, p->built);
    }
    if (s->adapt.pin_done && !s->closing) {
        clv_splitter_done_fn done = s->adapt.pin_done;
        s->adapt.pin_done = NULL;
        done(s->adapt.pin_arg, p->failed ? &p->error : NULL);
    }
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
    clv_error err = {0};
    if (clv_deployment_new(p->s->network, p->cut, &p->built, &err)) {
        p->error = err;
        p->failed = true;
    }
    side_ready(p);
}

static void on_peer_prepared(void *arg, const clv_error *error)
{
    preparation *p = arg;
    if (error) {
        p->error = *error;
        p->failed = true;
    }
    side_ready(p);
}

static void prepare(clv_splitter *s, size_t cut, int64_t expected_remote_us)
{
    preparation *p = clv_alloc(sizeof *p);
    *p = (preparation){.s = s, .cut = cut, .expected_remote_us = expected_remote_us};
    bool remote = cut < s->last;
    atomic_init(&p->open, remote ? 2 : 1);
    s->adapt.preparing = true;
    atomic_fetch_add(&s->busy, 1);
    if (remote) {
        const clv_cut *c = &clv_network_cuts(s->network)->items[cut];
        const char **names = clv_alloc_array(c->n_live, sizeof *names);
        for (size_t i = 0; i < c->n_live; i++)
            names[i] = clv_network_graph(s->network)->tensors[c->live[i]].name;
        clv_peer_prepare(s->o.peer, s->model, s->version, names, c->n_live, on_peer_prepared, p);
        free(names);
    }
    if (clv_lane_submit(s->o.build, &(clv_job){.run = build_here, .arg = p}, &p->error)) {
        p->failed = true;
        side_ready(p);
    }
}

/* Both profiles are known: join them once, and remember which cut of the network each cut of the problem is. */
static void join(clv_splitter *s)
{
    clv_adapt *a = &s->adapt;
    if (!a->own || !a->peers || a->problem.n_cuts) return;
    clv_link unknown = {0};
    clv_error err = {0};
    if (clv_plan_problem_join(a->own, a->peers, &unknown, &a->problem, &err)) {
        refuse(s, err.text);
        return;
    }
    a->problem.overhead_us = CLV_OVERHEAD_US;
    a->cut_of = clv_alloc_array(a->problem.n_cuts, sizeof *a->cut_of);
    for (size_t i = 0; i < a->problem.n_cuts; i++) {
        const clv_profile_cut *cut = &a->own->cuts[a->problem.cuts[i].edge_index];
        int at = clv_cuts_find(clv_network_cuts(s->network), clv_network_graph(s->network),
                               (const char *const *)cut->live, cut->n_live);
        a->cut_of[i] = cut->n_live == 0 || at < 0 ? s->last : (size_t)at;
    }
}

clv_status clv_splitter_problem(clv_splitter *s, const clv_plan_problem **problem,
                                const size_t **cut_of, clv_error *err)
{
    clv_adapt *a = &s->adapt;
    if (!a->problem.n_cuts)
        return clv_fail(err, CLV_EUNAVAIL, "model '%s': the profile of %s is not known yet",
                        s->model, a->own ? "the peer" : "this device");
    a->problem.link = clv_peer_link(s->o.peer);
    a->problem.queue_us = (double)atomic_load(&s->queue_us);
    *problem = &a->problem;
    *cut_of = a->cut_of;
    return CLV_OK;
}

/* Where a cut of the network stands in the problem; n_cuts if it does not. */
static size_t index_of(const clv_adapt *a, size_t cut)
{
    size_t i = 0;
    while (i < a->problem.n_cuts && a->cut_of[i] != cut) i++;
    return i;
}

typedef struct choice {
    size_t cut;
    int64_t expected_remote_us;
} choice;

/* The pinned cut, or the best one; the present one if the best is hardly better. */
static choice choose(clv_splitter *s)
{
    const clv_adapt *a = &s->adapt;
    choice out = {.cut = a->pinned >= 0 ? (size_t)a->pinned : s->last};
    const clv_plan_problem *problem;
    const size_t *cut_of;
    clv_plan plan;
    clv_error err = {0};
    if (clv_splitter_problem(s, &problem, &cut_of, &err)) return out;
    if (a->pinned < 0) {
        if (clv_plan_solve(problem, s->o.policy, &plan, &err)) {
            say(s, CLV_LOG_WARN, "no plan", err.text);
            return out;
        }
        size_t live = index_of(a, s->live->cut), best = plan.cut;
        if (s->o.policy == CLV_POLICY_EXACT && live < problem->n_cuts &&
            plan.cost.latency_us > CLV_SWITCH_GAIN * clv_plan_cost_of(problem, live).latency_us)
            best = live;
        out.cut = cut_of[best];
    }
    size_t at = index_of(a, out.cut);
    if (at < problem->n_cuts) {
        clv_plan_cost cost = clv_plan_cost_of(problem, at);
        out.expected_remote_us = (int64_t)(cost.link_us + cost.queue_us + cost.cloud_us);
    }
    return out;
}

/* The peer is lost: everything runs here from the next request on. */
static void retreat(clv_splitter *s)
{
    if (s->live->cut == s->last) return;
    clv_log(CLV_LOG_WARN, "split", "peer lost", "model=%s peer=%s plan=local", s->model,
            clv_peer_url(s->o.peer));
    clv_splitter_deploy(s, clv_deployment_ref(s->local));
}

void clv_adapt_step(void *splitter)
{
    clv_splitter *s = splitter;
    clv_adapt *a = &s->adapt;
    if (s->closing) return;
    if (!clv_peer_link(s->o.peer).up) {
        retreat(s);
        return;
    }
    if (a->stage != CLV_STAGE_READY) ask(s);
    join(s);
    if (a->preparing || clv_now_us() < a->ask_after_us ||
        (a->stage != CLV_STAGE_READY && a->pinned < 0))
        return;
    choice c = choose(s);
    a->planned = a->problem.n_cuts > 0;
    if (c.cut == s->live->cut) {
        atomic_store(&s->live->expected_remote_us, c.expected_remote_us);
    } else if (c.cut == s->last) {
        clv_log(CLV_LOG_INFO, "split", "plan", "model=%s cut=local", s->model);
        clv_splitter_deploy(s, clv_deployment_ref(s->local));
    } else {
        prepare(s, c.cut, c.expected_remote_us);
    }
}

bool clv_splitter_settled(const clv_splitter *s)
{
    const clv_adapt *a = &s->adapt;
    return !s->o.peer || a->stage == CLV_STAGE_REFUSED || (a->planned && !a->preparing);
}

void clv_splitter_set_profile(clv_splitter *s, clv_profile *take)
{
    if (s->adapt.own) { /* one profile a life: the joined problem refers to it */
        clv_profile_free(take);
        return;
    }
    s->adapt.own = take;
    if (s->o.peer) clv_adapt_step(s);
}

void clv_splitter_pin(clv_splitter *s, int cut, clv_splitter_done_fn done, void *arg)
{
    s->adapt.pinned = cut;
    if (cut < 0 || s->live->cut == (size_t)cut || (size_t)cut == s->last) {
        if (cut >= 0 && (size_t)cut == s->last)
            clv_splitter_deploy(s, clv_deployment_ref(s->local));
        done(arg, NULL);
        return;
    }
    s->adapt.pin_done = done;
    s->adapt.pin_arg = arg;
    s->adapt.ask_after_us = 0;
    clv_adapt_step(s);
}

void clv_adapt_done(clv_splitter *s)
{
    clv_plan_problem_done(&s->adapt.problem);
    free(s->adapt.cut_of);
    clv_profile_free(s->adapt.own);
    clv_profile_free(s->adapt.peers);
}
