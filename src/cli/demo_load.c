#include "cli/demo_load.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo_contenders.h"

#include <string.h>

enum { LOAD_ROUNDS_MIN = 2, LOAD_ROUNDS_MAX = 20 };
/* A window is so long, and so many answers, and no longer than the most. */
#define WINDOW_US      1000000
#define WINDOW_MOST_US 15000000
enum { WINDOW_ANSWERS = 8 };

/* Requests in flight. Answers come on any thread. */
typedef struct load {
    clv_demo_node *node;
    const char *model;
    const clv_tensors *inputs;
    clv_demo_contenders c;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int64_t in_flight, answers, recovered;
    clv_error error; /* of the first that failed */
} load;

static void on_answer(clv_request *r)
{
    load *l = r->asker;
    pthread_mutex_lock(&l->lock);
    l->in_flight--;
    l->answers++;
    if (r->recovered[0]) l->recovered++;
    if (r->error.status && !l->error.status) l->error = r->error;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    clv_request_free(r);
}

/* Keep `most` in flight until `answers` have come and `us` gone by, or `us_most` have. How many came. */
static int64_t keep_busy(load *l, int64_t most, int64_t us, int64_t us_most, int64_t answers)
{
    int64_t begin = clv_now_us();
    pthread_mutex_lock(&l->lock);
    int64_t first = l->answers;
    for (;;) {
        int64_t gone = clv_now_us() - begin;
        bool enough = gone >= us && l->answers - first >= answers;
        if (enough || gone >= us_most || l->error.status) break;
        while (l->in_flight < most) {
            l->in_flight++;
            pthread_mutex_unlock(&l->lock);
            clv_request *r = clv_demo_request(l->model, l->inputs);
            r->asker = l;
            r->done = on_answer;
            clv_server_submit(l->node->node.server, r);
            pthread_mutex_lock(&l->lock);
        }
        int64_t seen = l->answers;
        while (l->answers == seen && l->in_flight == most) pthread_cond_wait(&l->wake, &l->lock);
    }
    answers = l->answers - first;
    pthread_mutex_unlock(&l->lock);
    return answers;
}

static void drain(load *l)
{
    pthread_mutex_lock(&l->lock);
    while (l->in_flight > 0) pthread_cond_wait(&l->wake, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

/* Fill the pipeline, then count what comes out of it from one answer to a later one. */
static clv_status visit(load *l, clv_demo_entrant *e, clv_error *err)
{
    if (clv_demo_pin(l->node, l->model, (int)e->cut, e->codec, err)) return err->status;
    int64_t most = l->node->demo->load;
    (void)keep_busy(l, most, 0, WINDOW_MOST_US, most);
    int64_t from = clv_now_us();
    int64_t answers = keep_busy(l, most, WINDOW_US, WINDOW_MOST_US, WINDOW_ANSWERS);
    int64_t us = clv_now_us() - from;
    drain(l);
    if (l->error.status) return clv_fail(err, l->error.status, "%s: %s", l->model, l->error.text);
    if (l->recovered)
        return clv_fail(err, CLV_EUNAVAIL, "%s: the peer did not do its part of %lld requests",
                        l->model, (long long)l->recovered);
    if (us > 0 && answers > 0) clv_demo_entrant_add(e, (double)answers * 1e6 / (double)us);
    return CLV_OK;
}

static clv_status measure(load *l, int *rounds, clv_error *err)
{
    int64_t until = clv_now_us() + l->node->demo->budget_us;
    for (*rounds = 0; *rounds < LOAD_ROUNDS_MAX; (*rounds)++) {
        if (*rounds >= LOAD_ROUNDS_MIN && clv_now_us() > until) break;
        for (size_t i = 0; i < l->c.n; i++)
            if (visit(l, &l->c.items[(i + (size_t)*rounds) % l->c.n], err)) return err->status;
    }
    return CLV_OK;
}

clv_status clv_demo_load(clv_demo_node *n, const char *model, clv_network *network,
                         const clv_tensors *inputs, clv_demo_row *row, clv_error *err)
{
    load l = {.node = n, .model = model, .inputs = inputs};
    pthread_mutex_init(&l.lock, NULL);
    pthread_cond_init(&l.wake, NULL);
    clv_status status = clv_demo_look(n, model, CLV_DEMO_LOAD, &l.c, NULL, err);
    if (!status) status = measure(&l, &row->rounds, err);
    drain(&l);
    if (!status) clv_demo_contenders_report(&l.c, network, true, row);
    clv_demo_contenders_done(&l.c);
    pthread_cond_destroy(&l.wake);
    pthread_mutex_destroy(&l.lock);
    return status;
}
