/* One splitter with all that it needs, on its own loop thread: the edge of the tests of split/. The
 * model is a chain with two outputs, so that heads, tails and outputs made on the way are all
 * there:
 *
 *     x [N,4] -MatMul-> a -Tanh-> b -MatMul-> c -Sigmoid-> d -MatMul-> e -Tanh-> y [N,3]        outputs: y, b
 */
#ifndef CLV_TESTS_SPLIT_EDGE_H
#define CLV_TESTS_SPLIT_EDGE_H

#include "split/counting.h"

#include "base/file.h"
#include "model.h"
#include "split/splitter.h"

#include <pthread.h>

enum { EDGE_WAIT_US = 20000000 };

/* Wait until the condition holds; a minute of patience is for sanitizers, not part of what is tested. */
#define await(condition)                                                                           \
    do {                                                                                           \
        int64_t await_until = clv_now_us() + 3 * EDGE_WAIT_US;                                     \
        while (!(condition)) {                                                                     \
            if (clv_now_us() > await_until) fail_msg("never: %s", #condition);                     \
            clv_sleep_us(500);                                                                     \
        }                                                                                          \
    } while (0)

static inline model *chain(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,4");
    model_weights(m, "w1", 1, "4,64");
    model_weights(m, "w2", 2, "64,64");
    model_weights(m, "w3", 3, "64,3");
    model_node(m, "MatMul", "x,w1", "a", NULL);
    model_node(m, "Tanh", "a", "b", NULL);
    model_node(m, "MatMul", "b,w2", "c", NULL);
    model_node(m, "Sigmoid", "c", "d", NULL);
    model_node(m, "MatMul", "d,w3", "e", NULL);
    model_node(m, "Tanh", "e", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,3");
    model_output(m, "b", ONNX_F32, "N,64");
    return m;
}

/* FOLDER/chain/1/model.onnx; heap text. */
static inline char *write_chain(const char *folder)
{
    clv_error err = {0};
    char *place = clv_format("%s/chain/1", folder);
    assert_ok(clv_dir_make(place, &err), err);
    char *path = clv_path_join(place, "model.onnx");
    model *m = chain();
    model_write(m, path);
    model_free(m);
    free(place);
    return path;
}

typedef struct edge {
    counting *engine;
    clv_network *network;
    clv_loop *loop;
    clv_lane *compute, *build;
    clv_peer *peer, *detour; /* NULL: none */
    clv_splitter *splitter;
    pthread_t thread;
    size_t last;
} edge;

static inline void *edge_run(void *loop)
{
    clv_loop_run(loop);
    return NULL;
}

static inline void edge_follow(void *splitter)
{
    clv_splitter_follow(splitter);
}

static inline clv_network *open_chain(const char *folder, counting *engine)
{
    clv_error err = {0};
    clv_network *network;
    char *path = write_chain(folder);
    assert_ok(clv_network_open(path, &engine->base, &(clv_network_options){0}, &network, &err),
              err);
    free(path);
    return network;
}

typedef struct edge_options {
    const char *folder, *peer, *detour, *privacy; /* peers NULL: none */
    const char *token;
    int64_t patience_us;
    clv_policy policy;
} edge_options;

static inline clv_peer *edge_peer(edge *e, const char *url, const char *token)
{
    clv_error err = {0};
    clv_peer *p;
    clv_peer_options o = {.url = url, .token = token, .watch_every_us = 20000};
    assert_ok(clv_peer_new(e->loop, &o, &p, &err), err);
    return p;
}

static inline void edge_start_with(edge *e, const edge_options *with)
{
    clv_error err = {0};
    clv_privacy privacy;
    assert_ok(clv_privacy_parse(with->privacy, &privacy, &err), err);
    *e = (edge){.engine = counting_new(), .loop = clv_loop_new()};
    e->network = open_chain(with->folder, e->engine);
    e->last = clv_network_cuts(e->network)->n - 1;
    e->compute = clv_lane_new("compute", 1024, -1);
    e->build = clv_lane_new("build", 1024, -1);
    if (with->peer) e->peer = edge_peer(e, with->peer, with->token);
    if (with->detour) e->detour = edge_peer(e, with->detour, with->token);
    clv_splitter_options o = {.model = "chain",
                              .version = "1",
                              .network = e->network,
                              .compute = e->compute,
                              .build = e->build,
                              .prepare = e->build,
                              .loop = e->loop,
                              .node_id = "0000000000000000000000000000ed6e",
                              .peer = e->peer,
                              .detours = &e->detour,
                              .n_detours = e->detour ? 1 : 0,
                              .policy = with->policy,
                              .privacy = &privacy,
                              .patience_us = with->patience_us};
    assert_ok(clv_splitter_new(&o, &e->splitter, &err), err);
    pthread_create(&e->thread, NULL, edge_run, e->loop);
    if (e->peer) clv_loop_post(e->loop, edge_follow, e->splitter);
}

/* With a privacy policy. */
static inline void edge_start_private(edge *e, const char *folder, const char *peer_url,
                                      int64_t patience_us, const char *policy)
{
    edge_start_with(e, &(edge_options){.folder = folder,
                                       .peer = peer_url,
                                       .privacy = policy,
                                       .patience_us = patience_us,
                                       .policy = CLV_POLICY_EXACT});
}

static inline void edge_start(edge *e, const char *folder, const char *peer_url,
                              int64_t patience_us)
{
    edge_start_private(e, folder, peer_url, patience_us, "none");
}

static inline void edge_stop(edge *e)
{
    clv_loop_stop(e->loop);
    pthread_join(e->thread, NULL);
    clv_splitter_close(e->splitter);
    clv_peer_free(e->peer);
    clv_peer_free(e->detour);
    clv_lane_free(e->build);
    clv_splitter_free(e->splitter);
    clv_lane_free(e->compute);
    clv_network_unref(e->network);
    clv_engine_free(&e->engine->base);
    clv_loop_free(e->loop);
}

/* --- calls on the loop's thread --- */

typedef struct edge_call {
    edge *e;
    int cut;
    clv_codec codec;
    clv_profile *profile;
    atomic_int done; /* times */
    clv_error error;
    bool settled;
} edge_call;

static inline void edge_called(void *arg, const clv_error *error)
{
    edge_call *c = arg;
    if (error) c->error = *error;
    atomic_fetch_add(&c->done, 1);
}

static inline void edge_pin_step(void *arg)
{
    edge_call *c = arg;
    size_t last = clv_network_cuts(c->e->network)->n - 1;
    clv_route route = clv_route_at((size_t)c->cut, c->codec, last);
    clv_splitter_pin(c->e->splitter, c->cut < 0 ? NULL : &route, edge_called, c);
}

/* Deploy this cut and keep it, or say why not. */
static inline clv_error edge_try_pin(edge *e, int cut)
{
    edge_call c = {.e = e, .cut = cut};
    clv_loop_post(e->loop, edge_pin_step, &c);
    await(atomic_load(&c.done) == 1);
    return c.error;
}

/* The same, with the tensors written in this codec. */
static inline void edge_pin_coded(edge *e, int cut, const char *codec)
{
    clv_error err = {0};
    edge_call c = {.e = e, .cut = cut};
    assert_ok(clv_codec_parse(codec, &c.codec, &err), err);
    clv_loop_post(e->loop, edge_pin_step, &c);
    await(atomic_load(&c.done) == 1);
    assert_ok(c.error.status, c.error);
}

static inline void edge_pin(edge *e, int cut)
{
    clv_error err = edge_try_pin(e, cut);
    assert_ok(err.status, err);
}

static inline void edge_profile_step(void *arg)
{
    edge_call *c = arg;
    clv_splitter_set_profile(c->e->splitter, c->profile);
    atomic_fetch_add(&c->done, 1);
}

static inline void edge_settled_step(void *arg)
{
    edge_call *c = arg;
    c->settled = clv_splitter_settled(c->e->splitter);
    atomic_fetch_add(&c->done, 1);
}

static inline bool edge_settled(edge *e)
{
    edge_call c = {.e = e};
    clv_loop_post(e->loop, edge_settled_step, &c);
    await(atomic_load(&c.done) == 1);
    return c.settled;
}

static inline void edge_set_profile(edge *e, clv_profile *take)
{
    edge_call c = {.e = e, .profile = take};
    clv_loop_post(e->loop, edge_profile_step, &c);
    await(atomic_load(&c.done) == 1);
}

/* A profile of the chain on a device, of which every time is still to be given. */
static inline clv_profile *profile_blank(clv_network *network)
{
    const clv_cuts *cuts = clv_network_cuts(network);
    const clv_graph *g = clv_network_graph(network);
    clv_profile *p = clv_alloc(sizeof *p);
    *p = (clv_profile){.threads = 1, .slowdown = 1, .n_cuts = cuts->n};
    snprintf(p->model, sizeof p->model, "chain");
    snprintf(p->digest, sizeof p->digest, "%s", clv_network_digest(network));
    snprintf(p->device, sizeof p->device, "test");
    snprintf(p->engine, sizeof p->engine, "test");
    clv_profile_describe(p, g);
    p->cuts = clv_alloc_array(p->n_cuts, sizeof *p->cuts);
    for (size_t i = 0; i < p->n_cuts; i++) {
        clv_profile_cut *c = &p->cuts[i];
        c->label = clv_cut_label(cuts, g, i);
        c->n_live = cuts->items[i].n_live;
        c->live = clv_alloc_array(c->n_live, sizeof *c->live);
        for (size_t k = 0; k < c->n_live; k++)
            c->live[k] = clv_strdup(g->tensors[cuts->items[i].live[k]].name);
        c->up_bytes = cuts->items[i].bytes;
        c->down_bytes = 100;
    }
    return p;
}

/* As the engine of split/counting.h takes with these steps; each run as unsure as sigma says. */
static inline clv_profile *profile_of_steps(clv_network *network, const int64_t *step_us,
                                            double sigma_us)
{
    clv_profile *p = profile_blank(network);
    for (size_t i = 0; i < p->n_cuts; i++) {
        clv_profile_cut *c = &p->cuts[i];
        size_t place = i + 1 < p->n_cuts
                           ? (size_t)(strchr(counting_tensors, c->live[0][0]) - counting_tensors)
                           : COUNTING_STEPS;
        double head = 0, tail = 0;
        for (size_t k = 0; k < COUNTING_STEPS; k++)
            *(k < place ? &head : &tail) += (double)step_us[k];
        if (i > 0) c->prefix = (clv_time){head, sigma_us, 9};
        if (i + 1 < p->n_cuts) c->suffix = (clv_time){tail, sigma_us, 9};
    }
    return p;
}

/* A profile in which everything up to cut `best` is free on the edge and dear on the cloud, and
 * everything behind it the other way round: so the best cut is `best` on any link. */
static inline clv_profile *profile_for(clv_network *network, bool of_edge, size_t best)
{
    clv_profile *p = profile_blank(network);
    for (size_t i = 0; i < p->n_cuts; i++) {
        clv_profile_cut *c = &p->cuts[i];
        bool before = i <= best;
        if (i > 0) c->prefix = (clv_time){of_edge && before ? 1 : 1e6, 0, 9};
        if (i + 1 < p->n_cuts) c->suffix = (clv_time){of_edge || i < best ? 1e6 : 1, 0, 9};
    }
    return p;
}

/* --- requests --- */

typedef struct asked {
    atomic_int answers;
    clv_request *request;
    int place; /* among all answers of the test: 0, 1 … */
} asked;

static atomic_int places;

static inline void on_asked(clv_request *r)
{
    asked *a = r->asker;
    a->request = r;
    a->place = atomic_fetch_add(&places, 1);
    atomic_fetch_add(&a->answers, 1);
}

static inline clv_tensor numbers(const char *name, int rows, int columns)
{
    clv_tensor t;
    clv_error err = {0};
    assert_ok(clv_tensor_new(&t, name, CLV_F32, clv_shape_of(2, rows, columns), &err), err);
    float *v = t.data;
    for (int i = 0; i < rows * columns; i++) v[i] = (float)(i % 7) * 0.25F - 0.5F;
    return t;
}

static inline clv_request *question(asked *a, clv_tensor take)
{
    *a = (asked){0};
    clv_request *r = clv_request_new("chain");
    clv_tensors_add(&r->inputs, take);
    r->done = on_asked;
    r->asker = a;
    return r;
}

static inline clv_request *answer_of(asked *a)
{
    await(atomic_load(&a->answers) > 0);
    assert_int_equal(atomic_load(&a->answers), 1);
    return a->request;
}

/* One question about `rows` rows, answered. The caller frees it. */
static inline clv_request *edge_ask(edge *e, int rows)
{
    asked a;
    clv_splitter_run(e->splitter, question(&a, numbers("x", rows, 4)));
    return answer_of(&a);
}

/* Is it the right answer? Compared with the whole network, run beside the splitter. */
static inline void assert_right(edge *e, const clv_request *r, int rows)
{
    clv_error err = {0};
    assert_ok(r->error.status, r->error);
    assert_int_equal(r->outputs.n, 2);
    clv_segment *whole;
    clv_tensors right = {0};
    clv_tensor x = numbers("x", rows, 4);
    assert_ok(clv_network_segment(e->network, 0, e->last, &whole, &err), err);
    assert_ok(clv_segment_run(whole, &x, 1, &right, &err), err);
    atomic_fetch_sub(&e->engine->wholes, 1); /* not the splitter's */
    for (size_t i = 0; i < right.n; i++) {
        const clv_tensor *t = clv_tensors_find(&r->outputs, right.items[i].name);
        assert_non_null(t);
        assert_true(clv_shape_equal(&t->shape, &right.items[i].shape));
        assert_int_equal(t->bytes, right.items[i].bytes);
        const float *a = t->data, *b = right.items[i].data;
        for (size_t k = 0; k < t->bytes / sizeof *a; k++) assert_true(fabsf(a[k] - b[k]) <= 1e-5F);
    }
    clv_tensors_done(&right);
    clv_tensor_done(&x);
    clv_segment_unref(whole);
}

#endif
