#include "repo/network.h"
#include "base/mem.h"
#include "repo/network_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- analysis: the engine says what the units are ---- */

static clv_status optimise_at(clv_network *net, const clv_network_options *o, int64_t batch,
                              void **bytes, size_t *n, clv_error *err)
{
    CLV_AUTO(clv_free) void *pinned = NULL;
    size_t n_pinned;
    clv_pin pin = {.batch = batch, .dims = o->dims, .n_dims = o->n_dims};
    clv_status status = clv_onnx_pin(net->model, &pin, &pinned, &n_pinned, err);
    if (status) return status;
    clv_source source = {.name = "analysis",
                         .model = pinned,
                         .model_bytes = n_pinned,
                         .folder = clv_onnx_folder(net->model)};
    return clv_engine_optimise(net->engine, &source, bytes, n, err);
}

/* Any failure but a wrong option is a reason not to cut, told in `why`. */
static clv_status find_units(clv_network *net, const clv_network_options *o, clv_error *why)
{
    CLV_AUTO(clv_free) void *one = NULL;
    CLV_AUTO(clv_free) void *two = NULL;
    size_t n_one = 0, n_two = 0;
    clv_status status = optimise_at(net, o, 1, &one, &n_one, why);
    if (status) return status;
    /* A model that cannot take two is fixed to one: no error. */
    if (clv_onnx_has_batch(net->model) && optimise_at(net, o, 2, &two, &n_two, NULL))
        clv_free(&two);
    return clv_units_find(net->model, one, n_one, two, n_two, &net->units, why);
}

/* Nothing to choose: all here, or all there. One block, as clv_cuts_free() expects. */
static clv_cuts *two_cuts(const clv_graph *g)
{
    size_t items = 2 * sizeof(clv_cut), bits = 2 * sizeof(uint64_t);
    clv_cuts *cuts = clv_alloc(sizeof *cuts + items + bits + (g->n_tensors + 1) * sizeof(int));
    cuts->items = (clv_cut *)(cuts + 1);
    uint64_t *units = (uint64_t *)(cuts->items + 2);
    int *live = (int *)(units + 2);
    cuts->n = 2;
    cuts->words = 1;
    cuts->items[0] = (clv_cut){.units = units, .live = live};
    cuts->items[1] = (clv_cut){.units = units + 1, .n_units = 1, .live = live};
    units[1] = 1;
    for (size_t i = 0; i < g->n_tensors; i++) {
        if (g->tensors[i].is_output) cuts->items[0].down_bytes += g->tensors[i].bytes;
        if (!g->tensors[i].is_input) continue;
        live[cuts->items[0].n_live++] = (int)i;
        cuts->items[0].bytes += g->tensors[i].bytes;
    }
    return cuts;
}

/* Whether the model runs at all is for the engine to say; without prepacking that is quick. */
static clv_status check_whole(clv_network *net, clv_error *err)
{
    clv_extracted e;
    clv_status status = clv_extract(net->units, net->cuts, 0, 1, &e, err);
    if (status) return status;
    clv_session *session = NULL;
    status = clv_network_compile(net, &e, "whole model", true, &session, err);
    clv_session_free(session);
    clv_extracted_done(&e);
    return status;
}

static clv_status leave_whole(clv_network *net, const clv_error *why, clv_error *err)
{
    net->uncut_reason = clv_strdup(why->text);
    net->units = clv_units_whole(net->model);
    net->cuts = two_cuts(clv_units_graph(net->units));
    return check_whole(net, err);
}

static clv_status analyse(clv_network *net, const clv_network_options *o, clv_error *err)
{
    clv_error why = {0};
    clv_status status = find_units(net, o, &why);
    if (status == CLV_EINVAL) { /* an option that does not parse */
        if (err) *err = why;
        return status;
    }
    if (!status)
        return clv_cuts_enumerate(clv_units_graph(net->units),
                                  o->cuts_cap ? o->cuts_cap : CLV_CUTS_CAP, &net->cuts, err);
    return leave_whole(net, &why, err);
}

/* ---- life ---- */

static void network_free(clv_network *net)
{
    clv_cuts_free(net->cuts);
    clv_units_free(net->units);
    clv_engine_pool_free(net->engine, net->pool);
    clv_onnx_free(net->model);
    pthread_mutex_destroy(&net->lock);
    pthread_mutex_destroy(&net->digest_lock);
    pthread_cond_destroy(&net->changed);
    free(net->uncut_reason);
    free(net->path);
    free(net);
}

clv_status clv_network_open(const char *path, clv_engine *engine,
                            const clv_network_options *options, clv_network **out, clv_error *err)
{
    clv_network *net = clv_alloc(sizeof *net);
    *net = (clv_network){.path = clv_strdup(path), .engine = engine, .users = 1};
    pthread_mutex_init(&net->lock, NULL);
    pthread_mutex_init(&net->digest_lock, NULL);
    pthread_cond_init(&net->changed, NULL);
    net->pool = clv_engine_pool_new(engine);
    clv_status status = clv_onnx_open(path, &net->model, err);
    if (!status && analyse(net, options, err)) status = clv_within(err, "model '%s'", path);
    if (status)
        network_free(net);
    else
        *out = net;
    return status;
}

clv_network *clv_network_ref(clv_network *net)
{
    pthread_mutex_lock(&net->lock);
    net->users++;
    pthread_mutex_unlock(&net->lock);
    return net;
}

void clv_network_unref(clv_network *net)
{
    if (!net) return;
    pthread_mutex_lock(&net->lock);
    bool last = --net->users == 0;
    pthread_mutex_unlock(&net->lock);
    if (!last) return;
    while (net->cache) {
        clv_segment *s = net->cache;
        net->cache = s->next;
        clv_session_free(s->session);
        free(s);
    }
    network_free(net);
}

/* ---- what is known ---- */

const clv_graph *clv_network_graph(const clv_network *net)
{
    return clv_units_graph(net->units);
}

const clv_cuts *clv_network_cuts(const clv_network *net)
{
    return net->cuts;
}

/* Reads every byte of the model, so it is done when somebody asks. */
const char *clv_network_digest(const clv_network *net)
{
    clv_network *own = (clv_network *)(uintptr_t)net; /* logically const */
    pthread_mutex_lock(&own->digest_lock);
    if (!own->digest[0]) clv_onnx_digest(own->model, own->digest);
    pthread_mutex_unlock(&own->digest_lock);
    return net->digest;
}

const char *clv_network_path(const clv_network *net)
{
    return net->path;
}

const char *const *clv_network_files(const clv_network *net, size_t *n)
{
    return clv_onnx_files(net->model, n);
}

const clv_tensor_spec *clv_network_inputs(const clv_network *net, size_t *n)
{
    return clv_onnx_inputs(net->model, n);
}

const clv_tensor_spec *clv_network_outputs(const clv_network *net, size_t *n)
{
    return clv_onnx_outputs(net->model, n);
}

const char *clv_network_uncut_reason(const clv_network *net)
{
    return net->uncut_reason;
}
