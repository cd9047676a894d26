#include "api/rest.h"

#include "api/rest_infer.h"
#include "api/rest_models.h"
#include "api/rest_reply.h"
#include "api/rest_stream.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define MODELS "/v2/models/"

/* `path` of a model's route is what stands behind /v2/models/M[/versions/V]. */
static const struct route {
    const char *method;
    bool of_model;
    const char *path;
    void (*handle)(const clv_rest_call *c);
    clv_status (*begin)(const clv_rest_call *c, clv_body_sink *sink, size_t *body_max,
                        clv_error *err);
} routes[] = {
    {"GET", false, "/v2", clv_rest_server, NULL},
    {"GET", false, "/v2/health/live", clv_rest_live, NULL},
    {"GET", false, "/v2/health/ready", clv_rest_ready, NULL},
    {"POST", false, "/v2/repository/index", clv_rest_index, NULL},
    {"GET", false, "/v2/load", clv_rest_load, NULL},
    {"POST", false, "/v2/link/probe", clv_rest_probe, clv_rest_probe_begin},
    {"GET", true, "", clv_rest_model, NULL},
    {"GET", true, "/ready", clv_rest_model_ready, NULL},
    {"POST", true, "/infer", clv_rest_infer, NULL},
    {"GET", true, "/profile", clv_rest_profile, NULL},
    {"GET", true, "/chain", clv_rest_chain, NULL},
    {"POST", true, "/prepare", clv_rest_prepare, NULL},
    {"PUT", true, "/file", clv_rest_push, clv_rest_push_begin},
};

/* A path taken apart: the model's name and version, and what is behind them. */
typedef struct target {
    bool of_model;
    char model[CLV_HTTP_PATH_MAX + 1], version[CLV_HTTP_PATH_MAX + 1];
    const char *rest;
} target;

static const char *segment(const char *at, char *out)
{
    size_t n = strcspn(at, "/");
    if (n > CLV_HTTP_PATH_MAX) n = CLV_HTTP_PATH_MAX;
    memcpy(out, at, n);
    out[n] = 0;
    return at + n;
}

static void take_apart(const char *path, target *t)
{
    static const char versions[] = "/versions/";
    t->of_model = strncmp(path, MODELS, strlen(MODELS)) == 0 && path[strlen(MODELS)];
    t->model[0] = t->version[0] = 0;
    t->rest = path;
    if (!t->of_model) return;
    t->rest = segment(path + strlen(MODELS), t->model);
    if (strncmp(t->rest, versions, strlen(versions)) == 0 && t->rest[strlen(versions)])
        t->rest = segment(t->rest + strlen(versions), t->version);
}

/* The route, or NULL; then `allow` lists the methods that the path has ("" for an unknown one). */
static const struct route *find(const target *t, const char *method, char *allow, size_t room)
{
    size_t used = 0;
    allow[0] = 0;
    for (size_t i = 0; i < CLV_COUNT(routes); i++) {
        if (routes[i].of_model != t->of_model || strcmp(routes[i].path, t->rest) != 0) continue;
        if (strcmp(routes[i].method, method) == 0) return &routes[i];
        int n = snprintf(allow + used, room - used, "%s%s", used ? ", " : "", routes[i].method);
        if (n > 0 && (size_t)n < room - used) used += (size_t)n;
    }
    return NULL;
}

enum { ALLOW_MAX = 64 };

clv_status clv_rest_begin(clv_server *server, clv_exchange *x, clv_body_sink *sink,
                          size_t *body_max, clv_error *err)
{
    target t;
    char allow[ALLOW_MAX];
    take_apart(clv_exchange_path(x), &t);
    const struct route *r = find(&t, clv_exchange_method(x), allow, sizeof allow);
    if (!r || !r->begin) return CLV_OK; /* `request` will tell */
    clv_rest_call c = {.server = server, .x = x, .model = t.model, .version = t.version};
    return r->begin(&c, sink, body_max, err);
}

void clv_rest_request(clv_server *server, clv_exchange *x)
{
    target t;
    char allow[ALLOW_MAX];
    const char *path = clv_exchange_path(x), *method = clv_exchange_method(x);
    take_apart(path, &t);
    const struct route *r = find(&t, method, allow, sizeof allow);
    if (r) {
        r->handle(
            &(clv_rest_call){.server = server, .x = x, .model = t.model, .version = t.version});
        return;
    }
    clv_error err = {0};
    if (allow[0]) {
        clv_fail(&err, CLV_EINVAL, "%s %s: this path takes %s", method, path, allow);
        clv_rest_refuse(x, 405, allow, err.text);
    } else {
        clv_fail(&err, CLV_ENOTFOUND, "%s %s: no such path; GET /v2 is one", method, path);
        clv_rest_reply_error(x, &err);
    }
}

void clv_rest_gone(clv_exchange *x)
{
    clv_rest_stream_gone(x);
}
