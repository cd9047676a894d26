#include "base/log.h"
#include "base/mem.h"
#include "repo/network.h"
#include "repo/network_priv.h"
#include "tensor/random.h"

#include <stdlib.h>
#include <string.h>

/* ---- compiling ---- */

clv_status clv_network_compile(clv_network *net, const clv_extracted *e, const char *name,
                               bool fast_load, clv_session **out, clv_error *err)
{
    CLV_AUTO(clv_free) clv_weight *weights = clv_alloc_array(e->n_stored, sizeof *weights);
    for (size_t i = 0; i < e->n_stored; i++)
        weights[i] = (clv_weight){.name = e->stored[i].name,
                                  .dtype = e->stored[i].dtype,
                                  .shape = e->stored[i].shape,
                                  .data = e->stored[i].data,
                                  .bytes = e->stored[i].bytes};
    clv_source source = {.name = name,
                         .model = e->bytes,
                         .model_bytes = e->n,
                         .folder = clv_onnx_folder(net->model),
                         .weights = weights,
                         .n_weights = e->n_stored,
                         .pool = net->pool,
                         .fast_load = fast_load};
    return clv_engine_compile(net->engine, &source, out, err);
}

static clv_status build(clv_network *net, clv_segment *s, clv_error *err)
{
    clv_extracted e;
    clv_status status = clv_extract(net->units, net->cuts, s->from, s->to, &e, err);
    if (status) return status;
    CLV_AUTO(clv_text_free) char *from = clv_cut_label(net->cuts, clv_network_graph(net), s->from);
    CLV_AUTO(clv_text_free) char *to = clv_cut_label(net->cuts, clv_network_graph(net), s->to);
    CLV_AUTO(clv_text_free) char *name = clv_format("segment from '%.60s' to '%.60s'", from, to);
    status = clv_network_compile(net, &e, name, false, &s->session, err);
    s->any_batch = e.any_batch;
    clv_onnx_drop_pages(net->model);
    clv_extracted_done(&e);
    return status;
}

/* ---- the cache; all of these with the network's lock held ---- */

static clv_segment *find(clv_network *net, size_t from, size_t to)
{
    clv_segment *s = net->cache;
    while (s && (s->from != from || s->to != to)) s = s->next;
    return s;
}

static void take_out(clv_network *net, clv_segment *s)
{
    clv_segment **at = &net->cache;
    while (*at && *at != s) at = &(*at)->next;
    if (*at) *at = s->next;
    s->cached = false;
}

/* A user's reference; it keeps the network, too. */
static clv_segment *hold(clv_segment *s)
{
    s->users++;
    s->network->users++;
    return s;
}

static clv_segment *put_in(clv_network *net, size_t from, size_t to)
{
    clv_segment *s = clv_alloc(sizeof *s);
    *s = (clv_segment){.network = net, .from = from, .to = to, .cached = true, .next = net->cache};
    return net->cache = s;
}

clv_status clv_network_segment(clv_network *net, size_t from, size_t to, clv_segment **out,
                               clv_error *err)
{
    pthread_mutex_lock(&net->lock);
    clv_segment *s;
    while ((s = find(net, from, to)) && !s->session) pthread_cond_wait(&net->changed, &net->lock);
    if (s) {
        *out = hold(s);
        pthread_mutex_unlock(&net->lock);
        return CLV_OK;
    }
    s = hold(put_in(net, from, to)); /* without a session: others wait for it */
    pthread_mutex_unlock(&net->lock);
    clv_session *session = NULL;
    clv_segment made = {.from = from, .to = to};
    clv_status status = build(net, &made, err);
    session = made.session;
    pthread_mutex_lock(&net->lock);
    s->session = session;
    s->any_batch = made.any_batch;
    if (status) take_out(net, s);
    pthread_cond_broadcast(&net->changed);
    pthread_mutex_unlock(&net->lock);
    if (status)
        clv_segment_unref(s);
    else
        *out = s;
    return status;
}

clv_segment *clv_network_resident(clv_network *net, size_t from, size_t to)
{
    pthread_mutex_lock(&net->lock);
    clv_segment *s = find(net, from, to);
    if (s) s = s->session ? hold(s) : NULL;
    pthread_mutex_unlock(&net->lock);
    return s;
}

static void segment_free(clv_segment *s)
{
    clv_session_free(s->session);
    free(s);
}

void clv_network_evict(clv_network *net, size_t from, size_t to)
{
    pthread_mutex_lock(&net->lock);
    clv_segment *s = find(net, from, to);
    if (s && !s->session) s = NULL; /* being compiled for somebody: it stays */
    if (s) take_out(net, s);
    bool unused = s && s->users == 0;
    pthread_mutex_unlock(&net->lock);
    if (unused) segment_free(s);
}

void clv_segment_unref(clv_segment *s)
{
    if (!s) return;
    clv_network *net = s->network;
    pthread_mutex_lock(&net->lock);
    bool unused = --s->users == 0 && !s->cached;
    pthread_mutex_unlock(&net->lock);
    if (unused) segment_free(s);
    clv_network_unref(net);
}

/* ---- use ---- */

clv_status clv_network_export(clv_network *net, size_t from, size_t to, const char *path,
                              clv_error *err)
{
    return clv_extract_file(net->units, net->cuts, from, to, path, err);
}

const clv_tensor_spec *clv_segment_inputs(const clv_segment *s, size_t *n)
{
    *n = s->session->n_inputs;
    return s->session->inputs;
}

const clv_tensor_spec *clv_segment_outputs(const clv_segment *s, size_t *n)
{
    *n = s->session->n_outputs;
    return s->session->outputs;
}

bool clv_segment_any_batch(const clv_segment *s)
{
    return s->any_batch;
}

void clv_segment_warm_up(clv_segment *s)
{
    clv_error err = {0};
    clv_rng rng = clv_rng_seeded(1);
    clv_tensors inputs = {0}, outputs = {0};
    size_t n;
    const clv_tensor_spec *specs = clv_segment_inputs(s, &n);
    if (atomic_exchange(&s->warm, true)) return;
    if (clv_tensors_random(specs, n, 1, &rng, &inputs, &err) ||
        clv_segment_run(s, inputs.items, inputs.n, &outputs, &err))
        clv_log(CLV_LOG_DEBUG, "repo", "warm-up failed", "from=%zu to=%zu error=\"%s\"", s->from,
                s->to, err.text);
    clv_tensors_done(&inputs);
    clv_tensors_done(&outputs);
}

clv_status clv_segment_run(clv_segment *s, const clv_tensor *inputs, size_t n, clv_tensors *outputs,
                           clv_error *err)
{
    return clv_session_run(s->session, inputs, n, outputs, err);
}
