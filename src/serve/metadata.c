/* What a server says of its models. */
#include "serve/served.h"

#include "base/mem.h"

#include <stdlib.h>

static clv_model_info describe(clv_served *m)
{
    clv_model_info info = {.name = clv_strdup(m->name), .version = clv_strdup(m->version)};
    switch (atomic_load(&m->state)) {
    case CLV_SERVED_LOADING: break;
    case CLV_SERVED_FAILED: info.reason = clv_strdup(m->error.text); break;
    case CLV_SERVED_READY:
        info.ready = true;
        info.network = clv_network_ref(m->network);
        info.digest = clv_strdup(clv_network_digest(m->network));
        if (m->server->peer) info.plan = clv_splitter_plan(m->splitter);
        if (info.plan) info.mode = clv_splitter_mode(m->splitter);
        info.withheld = clv_splitter_withheld(m->splitter);
        break;
    }
    return info;
}

clv_status clv_server_model(clv_server *s, const char *name, const char *version,
                            clv_model_info *out, clv_error *err)
{
    clv_served *m = clv_server_find(s, name, version);
    if (!m) return clv_server_find_ready(s, name, version, &m, err); /* for its message */
    *out = describe(m);
    return CLV_OK;
}

clv_status clv_server_model_ready(clv_server *s, const char *name, const char *version,
                                  clv_model_info *out, clv_error *err)
{
    clv_served *m;
    clv_status status = clv_server_find_ready(s, name, version, &m, err);
    if (!status) *out = describe(m);
    return status;
}

void clv_model_info_done(clv_model_info *info)
{
    free(info->name);
    free(info->version);
    free(info->digest);
    free(info->reason);
    free(info->plan);
    clv_network_unref(info->network);
    *info = (clv_model_info){0};
}

clv_model_info *clv_server_models(clv_server *s, size_t *n)
{
    pthread_mutex_lock(&s->lock);
    *n = s->n_models;
    clv_model_info *list = clv_alloc_array(*n, sizeof *list);
    for (size_t i = 0; i < *n; i++) list[i] = describe(s->models[i]);
    pthread_mutex_unlock(&s->lock);
    return list;
}

bool clv_server_link(clv_server *s, clv_link *out)
{
    if (s->peer) *out = clv_peer_link(s->peer);
    return s->peer != NULL;
}

uint64_t clv_server_asked_bytes(clv_server *s)
{
    return s->peer ? clv_peer_asked_bytes(s->peer) : 0;
}

clv_status clv_server_problem(clv_server *s, const char *model, const clv_plan_problem **problem,
                              clv_error *err)
{
    clv_served *m;
    clv_status status = clv_server_find_ready(s, model, NULL, &m, err);
    return status ? status : clv_splitter_problem(m->splitter, problem, err);
}

void clv_server_pin(clv_server *s, const char *model, int cut, clv_codec codec,
                    clv_server_done_fn done, void *arg)
{
    clv_served *m;
    clv_error err = {0};
    if (clv_server_find_ready(s, model, NULL, &m, &err)) {
        done(arg, &err);
        return;
    }
    size_t last = clv_network_cuts(m->network)->n - 1;
    clv_route route = clv_route_at((size_t)cut, codec, last);
    clv_splitter_pin(m->splitter, cut < 0 ? NULL : &route, done, arg);
}

clv_status clv_server_chain(clv_server *s, const char *model, const char *version, bool profiles,
                            char **out, clv_error *err)
{
    clv_served *m;
    clv_status status = clv_server_find_ready(s, model, version, &m, err);
    if (!status) *out = clv_splitter_chain(m->splitter, profiles);
    return status;
}

void clv_server_prepare(clv_server *s, const char *model, const char *version,
                        const char *const *names, size_t n, const char *way,
                        clv_server_done_fn done, void *arg)
{
    clv_served *m;
    clv_error err = {0};
    if (clv_server_find_ready(s, model, version, &m, &err))
        done(arg, &err);
    else
        clv_splitter_prepare(m->splitter, names, n, way, done, arg);
}
