#include "cli/demo_edge.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "cli/demo_floor.h"
#include "plan/plan.h"
#include "tensor/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLV_DEMO_CANDIDATES = 6,
    CLV_DEMO_ROUNDS_MIN = 3,
    CLV_DEMO_ROUNDS_MAX = 40,
    CLV_DEMO_VISIT = 3
};
#define CLV_DEMO_NEAR                                                                              \
    1.25 /* predicted within this of the best, or measured so in the first round: a rival that is measured as often */
#define CLV_DEMO_SETTLE_US 600000000

/* The measuring thread talks to the loop's through this: post, then wait. */
typedef struct edge {
    const clv_demo_edge *demo;
    clv_node node;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ended;
    clv_error error; /* of the run, and of what is waited for */
} edge;

static void signal_end(edge *e, const clv_error *error)
{
    pthread_mutex_lock(&e->lock);
    e->ended = true;
    if (error) e->error = *error;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
}

static void wait_end(edge *e)
{
    pthread_mutex_lock(&e->lock);
    while (!e->ended) pthread_cond_wait(&e->wake, &e->lock);
    e->ended = false;
    pthread_mutex_unlock(&e->lock);
}

static void on_loop(edge *e, void (*fn)(void *), void *arg)
{
    clv_loop_post(e->node.loop, fn, arg);
    wait_end(e);
}

/* One cut under measurement. */
typedef struct contender {
    size_t cut;
    double predicted_us, *us;
    size_t n;
    bool rival; /* measured in every round */
} contender;

typedef struct trial {
    edge *e;
    const char *model;
    clv_network *network;
    clv_tensors inputs;
    size_t last;
    contender *list;
    size_t n;
    clv_plan_problem problem; /* a copy of the values; its cuts are the splitter's */
    size_t chosen;
    int pin;
} trial;

static void settle_step(void *arg)
{
    edge *e = arg;
    e->error.status = clv_server_settled(e->node.server) ? CLV_OK : CLV_EBUSY;
    signal_end(e, NULL);
}

static clv_status settle(edge *e, clv_error *err)
{
    int64_t until = clv_now_us() + CLV_DEMO_SETTLE_US;
    while (clv_now_us() < until) {
        on_loop(e, settle_step, e);
        if (e->error.status == CLV_OK) return CLV_OK;
        clv_sleep_us(20000);
    }
    return clv_fail(
        err, CLV_ETIMEOUT,
        "no plan within %d s: is the peer there, and may it take models (--accept-push)?",
        CLV_DEMO_SETTLE_US / 1000000);
}

static void add(trial *t, size_t cut, double predicted_us, bool rival)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].cut == cut) {
            t->list[i].rival |= rival;
            return;
        }
    t->list[t->n++] =
        (contender){.cut = cut,
                    .predicted_us = predicted_us,
                    .rival = rival,
                    .us = clv_alloc_array(CLV_DEMO_ROUNDS_MAX * CLV_DEMO_VISIT, sizeof(double))};
}

/* Loop's thread: who is to be measured? The plan, its nearest rivals, all local, all remote. */
static void list_contenders(void *arg)
{
    trial *t = arg;
    edge *e = t->e;
    const clv_plan_problem *p;
    const size_t *cut_of;
    clv_plan plan;
    clv_error err = {0};
    if (clv_server_problem(e->node.server, t->model, &p, &cut_of, &err) ||
        clv_plan_solve(p, CLV_POLICY_EXACT, &plan, &err)) {
        signal_end(e, &err);
        return;
    }
    t->problem = *p;
    t->chosen = cut_of[plan.cut];
    clv_plan_cost *costs = clv_alloc_array(p->n_cuts, sizeof *costs);
    clv_plan_rank(p, costs);
    t->list = clv_alloc_array(CLV_DEMO_CANDIDATES + 3, sizeof *t->list);
    add(t, t->chosen, plan.cost.latency_us, true);
    for (size_t i = 0; i < p->n_cuts; i++) {
        size_t cut = cut_of[costs[i].cut];
        bool near = costs[i].latency_us < CLV_DEMO_NEAR * plan.cost.latency_us;
        if (cut == 0 || cut == t->last || (near && t->n < CLV_DEMO_CANDIDATES))
            add(t, cut, costs[i].latency_us, near);
    }
    free(costs);
    signal_end(e, NULL);
}

static void on_pinned(void *arg, const clv_error *error)
{
    signal_end(arg, error);
}

static void pin_step(void *arg)
{
    trial *t = arg;
    clv_server_pin(t->e->node.server, t->model, t->pin, on_pinned, t->e);
}

static void on_done(clv_request *r)
{
    edge *e = r->carrier;
    signal_end(e, r->error.status ? &r->error : NULL);
}

/* One request; its latency, or a negative number. */
static double ask(trial *t)
{
    edge *e = t->e;
    clv_request *r = clv_request_new(t->model);
    for (size_t i = 0; i < t->inputs.n; i++) {
        const clv_tensor *in = &t->inputs.items[i];
        clv_tensors_add(&r->inputs,
                        clv_tensor_view(in->name, in->dtype, in->shape, in->data, in->bytes));
    }
    r->carrier = e;
    r->done = on_done;
    clv_server_submit(e->node.server, r);
    wait_end(e);
    double us = r->error.status ? -1 : (double)r->timing.total_us;
    if (r->recovered[0]) us = -1;
    clv_request_free(r);
    return us;
}

static clv_status visit(trial *t, contender *c, clv_error *err)
{
    t->pin = (int)c->cut;
    t->e->error = (clv_error){0};
    on_loop(t->e, pin_step, t);
    if (t->e->error.status)
        return clv_fail(err, t->e->error.status, "%s: %s", t->model, t->e->error.text);
    for (int k = 0; k < CLV_DEMO_VISIT; k++) {
        double us = ask(t);
        if (t->e->error.status)
            return clv_fail(err, t->e->error.status, "%s: %s", t->model, t->e->error.text);
        if (k > 0 && us >= 0)
            c->us[c->n++] = us; /* the first warms caches up after the cut before */
    }
    return CLV_OK;
}

/* What measured well in the first round is a rival too, whatever was predicted. */
static void promote(trial *t)
{
    double best = -1;
    for (size_t i = 0; i < t->n; i++) {
        double us = clv_median(t->list[i].us, t->list[i].n);
        if (t->list[i].n && (best < 0 || us < best)) best = us;
    }
    for (size_t i = 0; i < t->n; i++)
        if (clv_median(t->list[i].us, t->list[i].n) <= CLV_DEMO_NEAR * best)
            t->list[i].rival = true;
}

/* Rounds: each rival and the floor in turn, so that a slow spell of the machine meets all of them. */
static clv_status measure(trial *t, clv_demo_floor *f, int *rounds, clv_error *err)
{
    int64_t until = clv_now_us() + t->e->demo->budget_us;
    for (*rounds = 0; *rounds < CLV_DEMO_ROUNDS_MAX; (*rounds)++) {
        if (*rounds >= CLV_DEMO_ROUNDS_MIN && clv_now_us() > until) break;
        if (clv_demo_floor_visit(f, err)) return err->status;
        for (size_t i = 0; i < t->n; i++) {
            contender *c = &t->list[(i + (size_t)*rounds) % t->n]; /* nobody is always first */
            if ((c->rival || *rounds == 0) && visit(t, c, err)) return err->status;
        }
        if (*rounds == 0) promote(t);
    }
    return CLV_OK;
}

static void report(trial *t, clv_demo_floor *f, int rounds)
{
    const clv_link *link = t->e->demo->link ? t->e->demo->link : &t->problem.link;
    clv_demo_row row = {.floor_us = clv_demo_floor_us(f, link),
                        .wire_floor_us = clv_demo_floor_wire_us(f, link),
                        .rounds = rounds,
                        .best_cut_us = -1};
    snprintf(row.network, sizeof row.network, "%s", t->model);
    snprintf(row.link, sizeof row.link, "%s", t->e->demo->link_name);
    for (size_t i = 0; i < t->n; i++) {
        contender *c = &t->list[i];
        if (c->n == 0) continue;
        double p50 = clv_median(c->us, c->n);
        CLV_AUTO(clv_text_free)
        char *label = c->cut == 0         ? clv_strdup("remote")
                      : c->cut == t->last ? clv_strdup("local")
                                          : clv_cut_label(clv_network_cuts(t->network),
                                                          clv_network_graph(t->network), c->cut);
        if (c->cut == 0) row.cloud_us = p50;
        if (c->cut == t->last) row.local_us = p50;
        if (c->cut == t->chosen) {
            row.p50_us = p50;
            row.predicted_us = c->predicted_us;
            snprintf(row.plan, sizeof row.plan, "%s", label);
        }
        /* Who was far behind in the first round was not measured again, and cannot be compared with those who were. */
        if (c->rival && (row.best_cut_us < 0 || p50 < row.best_cut_us)) {
            row.best_cut_us = p50;
            snprintf(row.best_cut, sizeof row.best_cut, "%s", label);
        }
    }
    row.regret = row.best_cut_us > 0 ? row.p50_us / row.best_cut_us - 1 : 0;
    t->e->demo->row(t->e->demo->arg, &row);
}

static clv_status run_network(edge *e, const char *model, clv_error *err)
{
    clv_model_info info;
    if (clv_server_model_ready(e->node.server, model, NULL, &info, err)) return err->status;
    trial t = {.e = e,
               .model = model,
               .network = info.network,
               .last = clv_network_cuts(info.network)->n - 1};
    clv_rng rng = clv_rng_seeded(1);
    size_t n_specs;
    const clv_tensor_spec *specs = clv_network_inputs(t.network, &n_specs);
    clv_status status = clv_tensors_random(specs, n_specs, 1, &rng, &t.inputs, err);
    e->error = (clv_error){0};
    if (!status) on_loop(e, list_contenders, &t);
    if (!status && e->error.status) status = clv_fail(err, e->error.status, "%s", e->error.text);
    int rounds = 0;
    clv_demo_floor *f = NULL;
    if (!status)
        status =
            clv_demo_floor_new(t.network, t.chosen, &t.inputs, e->demo->device->slowdown, &f, err);
    if (!status) status = measure(&t, f, &rounds, err);
    if (!status) report(&t, f, rounds);
    clv_demo_floor_free(f);
    t.pin = -1;
    on_loop(e, pin_step, &t);
    for (size_t i = 0; i < t.n; i++) free(t.list[i].us);
    free(t.list);
    clv_tensors_done(&t.inputs);
    clv_model_info_done(&info);
    return status;
}

static clv_status run_all(edge *e, clv_error *err)
{
    if (settle(e, err)) return err->status;
    clv_status status = CLV_OK;
    for (size_t i = 0; !status && i < e->demo->networks->n; i++)
        status = run_network(e, e->demo->networks->items[i], err);
    if (e->demo->networks->n) return status;
    size_t n;
    clv_model_info *models = clv_server_models(e->node.server, &n);
    for (size_t i = 0; i < n; i++) {
        if (!status) status = run_network(e, models[i].name, err);
        clv_model_info_done(&models[i]);
    }
    free(models);
    return status;
}

static void *measuring_thread(void *arg)
{
    edge *e = arg;
    clv_error err = {0};
    clv_status status = run_all(e, &err);
    e->error = status ? err : (clv_error){0};
    clv_loop_stop(e->node.loop);
    return NULL;
}

clv_status clv_demo_edge_run(const clv_demo_edge *demo, clv_error *err)
{
    edge e = {.demo = demo};
    clv_node_options node = *demo->node;
    node.keep_segments = true;
    if (clv_node_start(&node, demo->device, &e.node, err)) return err->status;
    pthread_mutex_init(&e.lock, NULL);
    pthread_cond_init(&e.wake, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, measuring_thread, &e)) {
        clv_node_stop(&e.node);
        return clv_fail(err, CLV_EIO, "no thread for measuring");
    }
    clv_loop_run(e.node.loop);
    pthread_join(thread, NULL);
    clv_node_stop(&e.node);
    pthread_cond_destroy(&e.wake);
    pthread_mutex_destroy(&e.lock);
    if (e.error.status) *err = e.error;
    return e.error.status;
}
