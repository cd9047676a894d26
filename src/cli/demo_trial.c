#include "cli/demo_trial.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo_contenders.h"
#include "cli/demo_floor.h"

/* Every row gets ROUNDS_MIN rounds, over its budget if need be; one that is OVERDRAWN times over
 * it only the fewest. */
enum { ROUNDS_FEWEST = 3, ROUNDS_MIN = 5, ROUNDS_MAX = 400, OVERDRAWN = 4 };
/* Plans that the node may try before it is measured, and requests to each at least; a part of the
 * budget goes to them, so that no short spell of the machine decides. */
enum {
    ACQUAINT_PLANS = 6,
    ACQUAINT_REQUESTS = 10,
    ACQUAINT_LONG_REQUESTS = 5,
    ACQUAINT_SIDE_REQUESTS = 6
};
#define ACQUAINT_SHARE 0.1
/* Long requests are few, so that the rounds are many; the first of the others warms caches up after
 * the split before. */
#define LONG_US 200000.0
static const clv_demo_visit visits[] = {{.runs = 3, .uncounted = 1}, {.runs = 1}};
/* Predicted to take so many times the best: one request tells enough. */
#define FAR 3.0

typedef struct trial {
    clv_demo_node *node;
    const char *model;
    size_t last; /* the cut that is all local */
    const clv_tensors *inputs;
    clv_demo_contenders c;
    clv_link link; /* as the node knows it */
} trial;

static clv_status look(trial *t, clv_error *err)
{
    clv_demo_wanted wanted = t->node->demo->policies ? CLV_DEMO_POLICIES : CLV_DEMO_RIVALS;
    return clv_demo_look(t->node, t->model, wanted, &t->c, &t->link, err);
}

static void on_done(clv_request *r)
{
    clv_demo_signal(r->asker, r->error.status ? &r->error : NULL);
}

/* One request to this entrant, whose split is deployed; its latency, or a negative number when the
 * peer did not do its part (it may also have been lost since the cut was pinned, and then nothing
 * is sent at all); and its energy. */
static clv_status ask(trial *t, clv_demo_entrant *e, double *us, double *energy_j, clv_error *err)
{
    clv_request *r = clv_demo_request(t->model, t->inputs);
    r->asker = t->node;
    r->done = on_done;
    clv_server_submit(t->node->node.server, r);
    clv_demo_wait(t->node);
    bool as_pinned = !r->recovered[0] && (r->up_bytes > 0) == (e->cut < t->last);
    *us = r->error.status || !as_pinned ? -1 : (double)r->timing.total_us;
    const clv_energy_use use = clv_request_use(r);
    *energy_j = clv_energy_j(&t->node->node.rates, &use).total_j;
    if (r->crossed.n) {
        e->tensor_bytes = r->crossed.hops[0].tensor_bytes;
        e->coded_bytes = r->crossed.hops[0].coded_bytes;
    }
    clv_request_free(r);
    const clv_error *why = &t->node->error;
    return why->status ? clv_fail(err, why->status, "%s: %s", t->model, why->text) : CLV_OK;
}

static bool is_long(const clv_demo_entrant *e)
{
    return e->predicted_us > LONG_US;
}

static clv_status visit(trial *t, clv_demo_entrant *e, clv_error *err)
{
    if (clv_demo_pin(t->node, t->model, (int)e->cut, e->codec, err)) return err->status;
    bool far = e->predicted_us > FAR * t->c.items[0].predicted_us;
    const clv_demo_visit stay = visits[is_long(e)];
    for (int k = 0; k < stay.runs && !(far && e->n > 0); k++) {
        double us, energy_j;
        if (ask(t, e, &us, &energy_j, err)) return err->status;
        if ((k < stay.uncounted && !far) || us < 0) continue;
        clv_demo_entrant_add(e, us);
        e->energy_j += energy_j;
        e->n_energies++;
    }
    return CLV_OK;
}

static bool same_split(const clv_demo_entrant *a, const clv_demo_entrant *b)
{
    return a->cut == b->cut && clv_codec_index(a->codec) == clv_codec_index(b->codec);
}

/* A node that has served a while with one plan: its requests have corrected the profiles. */
static clv_status serve_a_while(trial *t, clv_error *err)
{
    clv_demo_entrant *plan = &t->c.items[0];
    if (clv_demo_pin(t->node, t->model, (int)plan->cut, plan->codec, err)) return err->status;
    const int64_t until =
        clv_now_us() + (int64_t)(ACQUAINT_SHARE * (double)t->node->demo->budget_us);
    const int least = is_long(plan) ? ACQUAINT_LONG_REQUESTS : ACQUAINT_REQUESTS;
    for (int k = 0; k < least || clv_now_us() < until; k++) {
        double us, energy_j;
        if (ask(t, plan, &us, &energy_j, err)) return err->status;
    }
    return CLV_OK;
}

/* A plan that leaves a device idle teaches nothing of it, and it may be faster or slower than it was
 * when it was profiled: some requests all on one side, then all on the other, unless that is far off. */
static clv_status try_sides(trial *t, clv_error *err)
{
    clv_status status = CLV_OK;
    for (size_t i = 0; !status && i < t->c.n; i++) {
        clv_demo_entrant *e = &t->c.items[i];
        bool side = e->cut == 0 || e->cut == t->last;
        if (!side || e->predicted_us > FAR * t->c.items[0].predicted_us) continue;
        status = clv_demo_pin(t->node, t->model, (int)e->cut, e->codec, err);
        for (int k = 0; !status && k < ACQUAINT_SIDE_REQUESTS; k++) {
            double us, energy_j;
            status = ask(t, e, &us, &energy_j, err);
        }
    }
    return status;
}

/* What the requests taught may have led to another plan: until one stays. Finds the contenders of
 * that plan. */
static clv_status acquaint(trial *t, clv_error *err)
{
    clv_status status = look(t, err);
    if (!status) status = try_sides(t, err);
    for (int i = 0; !status && i < ACQUAINT_PLANS; i++) {
        status = serve_a_while(t, err);
        if (status) break;
        const clv_demo_entrant before = t->c.items[0];
        clv_demo_contenders_done(&t->c);
        status = look(t, err);
        if (!status && same_split(&t->c.items[0], &before)) break;
    }
    return status;
}

/* Rounds: each rival in turn, and the floor next to the plan, so that a slow spell of the machine
 * meets all of them. */
static clv_status measure(trial *t, clv_demo_floor *f, int *rounds, clv_error *err)
{
    int64_t begin = clv_now_us(), budget_us = t->node->demo->budget_us;
    for (*rounds = 0; *rounds < ROUNDS_MAX; (*rounds)++) {
        int64_t gone_us = clv_now_us() - begin;
        if (*rounds >= ROUNDS_MIN && gone_us > budget_us) break;
        if (*rounds >= ROUNDS_FEWEST && gone_us > OVERDRAWN * budget_us) break;
        for (size_t i = 0; i < t->c.n; i++) {
            clv_demo_entrant *e =
                &t->c.items[(i + (size_t)*rounds) % t->c.n]; /* nobody is always first */
            bool worth = e->rival || (*rounds == 0 && !clv_demo_entrant_hopeless(&t->c, e));
            if (f && e == &t->c.items[0] && clv_demo_floor_visit(f, err)) return err->status;
            if (worth && visit(t, e, err)) return err->status;
        }
        if (*rounds == 0) clv_demo_contenders_promote(&t->c);
    }
    return CLV_OK;
}

clv_status clv_demo_trial(clv_demo_node *n, const char *model, clv_network *network,
                          const clv_tensors *inputs, clv_demo_row *row, clv_error *err)
{
    trial t = {
        .node = n, .model = model, .last = clv_network_cuts(network)->n - 1, .inputs = inputs};
    clv_status status = acquaint(&t, err);
    clv_demo_floor *f = NULL;
    if (!status && !n->demo->policies)
        status =
            clv_demo_floor_new(network, t.c.items[0].cut, t.c.items[0].codec, inputs,
                               n->demo->device->slowdown, visits[is_long(&t.c.items[0])], &f, err);
    if (!status) status = measure(&t, f, &row->rounds, err);
    if (!status) {
        const clv_link *link = n->demo->link ? n->demo->link : &t.link;
        row->floor_us = f ? clv_demo_floor_us(f, link) : 0;
        row->wire_floor_us = f ? clv_demo_floor_wire_us(f, link) : 0;
        clv_demo_contenders_report(&t.c, network, false, row);
    }
    clv_demo_floor_free(f);
    clv_demo_contenders_done(&t.c);
    return status;
}
