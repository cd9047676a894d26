#include "cli/demo_edge.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo_load.h"
#include "cli/demo_node.h"
#include "cli/demo_trial.h"
#include "tensor/random.h"

#include <stdlib.h>

#define CLV_DEMO_SETTLE_US 600000000
/* How long a link may be down (a busy machine, a missed probe) before nothing is measured over it. */
#define CLV_DEMO_LINK_US 30000000
/* Under load requests wait behind each other: that is no reason to finish them here. */
#define CLV_DEMO_PATIENCE_US 120000000

void clv_demo_signal(clv_demo_node *n, const clv_error *error)
{
    pthread_mutex_lock(&n->lock);
    n->ended = true;
    n->error = error ? *error : (clv_error){0};
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

void clv_demo_wait(clv_demo_node *n)
{
    pthread_mutex_lock(&n->lock);
    while (!n->ended) pthread_cond_wait(&n->wake, &n->lock);
    n->ended = false;
    pthread_mutex_unlock(&n->lock);
}

clv_status clv_demo_on_loop(clv_demo_node *n, void (*fn)(void *), void *arg, clv_error *err)
{
    clv_loop_post(n->node.loop, fn, arg);
    clv_demo_wait(n);
    return n->error.status ? clv_fail(err, n->error.status, "%s", n->error.text) : CLV_OK;
}

typedef struct looking {
    clv_demo_node *n;
    const char *model;
    clv_demo_wanted wanted;
    clv_demo_contenders *out;
    clv_link *link;
} looking;

typedef struct pinning {
    clv_demo_node *n;
    const char *model;
    int cut;
    clv_codec codec;
} pinning;

static void on_pinned(void *arg, const clv_error *error)
{
    clv_demo_signal(arg, error);
}

static void pin_step(void *arg)
{
    pinning *p = arg;
    clv_server_pin(p->n->node.server, p->model, p->cut, p->codec, on_pinned, p->n);
}

clv_status clv_demo_pin(clv_demo_node *n, const char *model, int cut, clv_codec codec,
                        clv_error *err)
{
    pinning p = {n, model, cut, codec};
    clv_status status = clv_demo_on_loop(n, pin_step, &p, err);
    return status ? clv_within(err, "%s", model) : CLV_OK;
}

clv_request *clv_demo_request(const char *model, const clv_tensors *inputs)
{
    clv_request *r = clv_request_new(model);
    for (size_t i = 0; i < inputs->n; i++) {
        const clv_tensor *in = &inputs->items[i];
        clv_tensors_add(&r->inputs,
                        clv_tensor_view(in->name, in->dtype, in->shape, in->data, in->bytes));
    }
    return r;
}

/* Loop's thread. */
static void look_step(void *arg)
{
    looking *l = arg;
    const clv_plan_problem *p;
    clv_error err = {0};
    clv_status status = clv_server_problem(l->n->node.server, l->model, &p, &err);
    if (!status && !p->hops[0].up)
        status = clv_fail(&err, CLV_EUNAVAIL, "the link to the peer is down");
    if (!status) status = clv_demo_contenders_find(p, l->wanted, l->out, &err);
    if (!status && l->link)
        *l->link = (clv_link){.up_bytes_per_s = 1e12 / (double)p->hops[0].up_ps_per_byte,
                              .down_bytes_per_s = 1e12 / (double)p->hops[0].down_ps_per_byte,
                              .rtt_us = (double)p->hops[0].rtt_ns / 1e3,
                              .up = true};
    clv_demo_signal(l->n, status ? &err : NULL);
}

clv_status clv_demo_look(clv_demo_node *n, const char *model, clv_demo_wanted wanted,
                         clv_demo_contenders *out, clv_link *link, clv_error *err)
{
    looking l = {n, model, wanted, out, link};
    int64_t until = clv_now_us() + CLV_DEMO_LINK_US;
    for (;;) {
        clv_error why = {0};
        clv_status status = clv_demo_on_loop(n, look_step, &l, &why);
        if (status != CLV_EUNAVAIL || clv_now_us() > until)
            return status ? clv_fail(err, status, "%s: %s", model, why.text) : CLV_OK;
        clv_sleep_us(100000);
    }
}

static void settle_step(void *arg)
{
    clv_demo_node *n = arg;
    clv_error busy = {.status = CLV_EBUSY};
    clv_demo_signal(n, clv_server_settled(n->node.server) ? NULL : &busy);
}

static clv_status settle(clv_demo_node *n, clv_error *err)
{
    int64_t until = clv_now_us() + CLV_DEMO_SETTLE_US;
    while (clv_now_us() < until) {
        clv_error ignored = {0};
        if (clv_demo_on_loop(n, settle_step, n, &ignored) == CLV_OK) return CLV_OK;
        clv_sleep_us(20000);
    }
    return clv_fail(
        err, CLV_ETIMEOUT,
        "no plan within %d s: is the peer there, and may it take models (--accept-push)?",
        CLV_DEMO_SETTLE_US / 1000000);
}

static clv_status run_network(clv_demo_node *n, const char *model, clv_error *err)
{
    clv_model_info info;
    if (clv_server_model_ready(n->node.server, model, NULL, &info, err)) return err->status;
    clv_tensors inputs = {0};
    clv_rng rng = clv_rng_seeded(1);
    size_t n_specs;
    const clv_tensor_spec *specs = clv_network_inputs(info.network, &n_specs);
    clv_status status = clv_tensors_random(specs, n_specs, 1, &rng, &inputs, err);
    clv_demo_row row = {0};
    snprintf(row.network, sizeof row.network, "%s", model);
    snprintf(row.link, sizeof row.link, "%s", n->demo->link_name);
    if (!status && n->demo->load)
        status = clv_demo_load(n, model, info.network, &inputs, &row, err);
    else if (!status)
        status = clv_demo_trial(n, model, info.network, &inputs, &row, err);
    if (!status) n->demo->row(n->demo->arg, &row);
    clv_error ignored = {0};
    if (clv_demo_pin(n, model, -1, clv_codec_at(0), &ignored) &&
        !status) /* the model is there: it was measured */
        status = clv_fail(err, ignored.status, "%s", ignored.text);
    clv_tensors_done(&inputs);
    clv_model_info_done(&info);
    return status;
}

static clv_status run_all(clv_demo_node *n, clv_error *err)
{
    if (settle(n, err)) return err->status;
    clv_status status = CLV_OK;
    for (size_t i = 0; !status && i < n->demo->networks->n; i++)
        status = run_network(n, n->demo->networks->items[i], err);
    if (n->demo->networks->n) return status;
    size_t count;
    clv_model_info *models = clv_server_models(n->node.server, &count);
    for (size_t i = 0; i < count; i++) {
        if (!status) status = run_network(n, models[i].name, err);
        clv_model_info_done(&models[i]);
    }
    free(models);
    return status;
}

static void *measuring_thread(void *arg)
{
    clv_demo_node *n = arg;
    clv_error err = {0};
    clv_status status = run_all(n, &err);
    n->error = status ? err : (clv_error){0};
    clv_loop_stop(n->node.loop);
    return NULL;
}

clv_status clv_demo_edge_run(const clv_demo_edge *demo, clv_error *err)
{
    clv_demo_node n = {.demo = demo};
    clv_node_options node = *demo->node;
    node.keep_segments = true;
    if (demo->load) node.patience_us = CLV_DEMO_PATIENCE_US;
    if (clv_node_start(&node, demo->device, &n.node, err)) return err->status;
    pthread_mutex_init(&n.lock, NULL);
    pthread_cond_init(&n.wake, NULL);
    pthread_t thread;
    if (pthread_create(&thread, NULL, measuring_thread, &n)) {
        clv_node_stop(&n.node);
        return clv_fail(err, CLV_EIO, "no thread for measuring");
    }
    clv_loop_run(n.node.loop);
    pthread_join(thread, NULL);
    clv_node_stop(&n.node);
    pthread_cond_destroy(&n.wake);
    pthread_mutex_destroy(&n.lock);
    if (n.error.status) *err = n.error;
    return n.error.status;
}
