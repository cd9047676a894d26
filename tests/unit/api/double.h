/* A stand-in for serve/: one model "m" with input "x" FP32 [-1,3] and output "y", which answers with
 * what it got. So api/ is tested over real sockets without an engine; the end-to-end tests have the
 * real server. Requests are answered on another thread, as the real one does. */
#ifndef CLV_TESTS_API_DOUBLE_H
#define CLV_TESTS_API_DOUBLE_H

#include "api/api.h"
#include "net/node.h"

struct clv_network {
    clv_tensor_spec input, output;
};

struct clv_server {
    atomic_bool ready;
    atomic_size_t pushed_bytes, aborts;
    char digest[CLV_DIGEST_TEXT];
    atomic_size_t views, aligned; /* inputs that are views of the body; that are 64-byte aligned */
    _Atomic int64_t deadline_us;
    _Atomic uint64_t account;
    atomic_bool local_only;
    char prepared[64];
};

static char input_name[] = "x", output_name[] = "y";
static clv_network network = {.input = {input_name, CLV_F32, {.rank = 2, .dim = {-1, 3}}},
                              .output = {output_name, CLV_F32, {.rank = 2, .dim = {-1, 3}}}};

const clv_tensor_spec *clv_network_inputs(const clv_network *n, size_t *count)
{
    *count = 1;
    return &n->input;
}

const clv_tensor_spec *clv_network_outputs(const clv_network *n, size_t *count)
{
    *count = 1;
    return &n->output;
}

clv_lane_load clv_server_load(const clv_server *s)
{
    (void)s;
    return (clv_lane_load){.waiting = 2,
                           .running = 1,
                           .ahead_us = 7000,
                           .wait_us = 5000,
                           .ran = 40,
                           .together = 8,
                           .withdrawn = 3};
}

bool clv_server_ready(clv_server *s)
{
    return s->ready;
}

clv_status clv_server_model(clv_server *s, const char *name, const char *version,
                            clv_model_info *out, clv_error *err)
{
    (void)s;
    if (strcmp(name, "slow") == 0) {
        *out = (clv_model_info){.name = clv_strdup(name), .version = clv_strdup("1")};
        return CLV_OK;
    }
    if (strcmp(name, "m") != 0 || (version && *version && strcmp(version, "1") != 0))
        return clv_fail(err, CLV_ENOTFOUND, "no model '%s' version '%s'; there are: m", name,
                        version ? version : "");
    *out = (clv_model_info){.name = clv_strdup("m"),
                            .version = clv_strdup("1"),
                            .digest = clv_strdup("d1"),
                            .plan = clv_strdup("local"),
                            .ready = true,
                            .network = &network};
    return CLV_OK;
}

void clv_model_info_done(clv_model_info *info)
{
    free(info->name);
    free(info->version);
    free(info->digest);
    free(info->reason);
    free(info->plan);
    *info = (clv_model_info){0};
}

clv_model_info *clv_server_models(clv_server *s, size_t *n)
{
    clv_model_info *all = clv_alloc_array(2, sizeof *all);
    clv_error err = {0};
    assert_ok(clv_server_model(s, "m", "", &all[0], &err), err);
    assert_ok(clv_server_model(s, "slow", "", &all[1], &err), err);
    *n = 2;
    return all;
}

static void answer(clv_request *r)
{
    const clv_tensor *x = clv_tensors_find(&r->inputs, "x");
    if (strcmp(r->model, "m") != 0) {
        clv_fail(&r->error, CLV_ENOTFOUND, "no model '%s'", r->model);
    } else if (r->digest && strcmp(r->digest, "d1") != 0) {
        clv_fail(&r->error, CLV_EMISMATCH, "digest '%s'", r->digest);
    } else if (!x) {
        clv_fail(&r->error, CLV_EINVAL, "no input 'x'");
    } else {
        clv_tensor y;
        clv_error err = {0};
        if (x->dtype == CLV_TEXT) {
            y = clv_tensor_view("y", CLV_TEXT, x->shape, x->data, x->bytes);
        } else {
            assert_ok(clv_tensor_new(&y, "y", x->dtype, x->shape, &err), err);
            if (x->bytes) memcpy(y.data, x->data, x->bytes);
        }
        clv_tensors_add(&r->outputs, y);
        snprintf(r->plan, sizeof r->plan, "local");
        r->timing.edge_us = 5;
    }
    clv_request_finish(r);
}

static void *answer_on_thread(void *arg)
{
    answer(arg);
    return NULL;
}

void clv_server_submit(clv_server *s, clv_request *take)
{
    for (size_t i = 0; i < take->inputs.n; i++) {
        s->views += take->inputs.items[i].release == clv_body_unref;
        s->aligned += (uintptr_t)take->inputs.items[i].data % 64 == 0;
    }
    s->deadline_us = take->deadline_us;
    s->account = take->account;
    s->local_only = take->local_only;
    pthread_t thread;
    pthread_create(&thread, NULL, answer_on_thread, take);
    pthread_detach(thread);
}

void clv_server_profile(clv_server *s, const char *model, const char *version,
                        clv_server_text_fn done, void *arg)
{
    clv_model_info info;
    clv_error err = {0};
    if (clv_server_model(s, model, version, &info, &err)) {
        done(arg, NULL, &err);
        return;
    }
    clv_model_info_done(&info);
    done(arg, "{\"schema\":1}", NULL);
}

clv_status clv_server_chain(clv_server *s, const char *model, const char *version, bool profiles,
                            char **out, clv_error *err)
{
    clv_model_info info;
    clv_status status = clv_server_model(s, model, version, &info, err);
    if (status) return status;
    clv_model_info_done(&info);
    *out = clv_strdup(profiles ? "{\"cleave_chain\":1,\"profiles\":1}" : "{\"cleave_chain\":1}");
    return CLV_OK;
}

void clv_server_prepare(clv_server *s, const char *model, const char *version,
                        const char *const *names, size_t n, const char *way,
                        clv_server_done_fn done, void *arg)
{
    (void)model;
    (void)version;
    snprintf(s->prepared, sizeof s->prepared, "%s+%s%s", names[0], n > 1 ? names[1] : "",
             way ? way : "");
    done(arg, NULL);
}

struct clv_model_push {
    clv_server *s;
};

clv_status clv_server_push_begin(clv_server *s, const char *model, const char *version,
                                 const char *digest, clv_model_push **out, clv_error *err)
{
    (void)version;
    if (strcmp(model, "m") != 0)
        return clv_fail(err, CLV_EDENIED, "model '%s' may not be pushed", model);
    snprintf(s->digest, sizeof s->digest, "%s", digest);
    *out = clv_alloc(sizeof **out);
    (*out)->s = s;
    return CLV_OK;
}

clv_status clv_model_push_write(clv_model_push *p, const void *bytes, size_t n, clv_error *err)
{
    p->s->pushed_bytes += n;
    if (n && memchr(bytes, '!', n)) return clv_fail(err, CLV_EIO, "disk full");
    return CLV_OK;
}

void clv_model_push_end(clv_model_push *take, clv_server_done_fn done, void *arg)
{
    free(take);
    done(arg, NULL);
}

void clv_model_push_abort(clv_model_push *take)
{
    take->s->aborts++;
    free(take);
}

/* The node, and a client on the test's own thread. */
typedef struct fixture {
    clv_server server;
    node node;
    clv_loop *loop;
    clv_client *client;
} fixture;

static void fixture_start(fixture *f)
{
    *f = (fixture){0};
    f->server.ready = true;
    node_start(&f->node, (clv_http_server_options){0}, &clv_api_handler, &f->server);
    f->loop = clv_loop_new();
    f->client = client_of(f->loop, (clv_client_options){.url = f->node.url});
}

static void fixture_stop(fixture *f)
{
    clv_client_free(f->client);
    clv_loop_free(f->loop);
    node_stop(&f->node);
}

#endif
