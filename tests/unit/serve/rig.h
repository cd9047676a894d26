/* A node's server over a repository with the model "chain" (split/edge.h), on its own loop thread, without a port. */
#ifndef CLV_TESTS_SERVE_RIG_H
#define CLV_TESTS_SERVE_RIG_H

#include "serve/server.h"
#include "split/edge.h"

typedef struct rig {
    char *folder, *models, *profiles;
    const char *peer, *token, *policy; /* NULL: none, none, exact */
    const int64_t *step_us;            /* of its engine (split/counting.h); NULL: none is slow */
    counting *engine;
    clv_loop *loop;
    clv_lane *lane;
    clv_server *server;
    pthread_t thread;
} rig;

static inline void serve(rig *r, bool accept_push)
{
    clv_error err = {0};
    r->engine = counting_new();
    for (int k = 0; r->step_us && k < COUNTING_STEPS; k++) r->engine->step_us[k] = r->step_us[k];
    r->loop = clv_loop_new();
    r->lane = clv_lane_new("compute", 64, -1);
    clv_server_options o = {.models = r->models,
                            .accept_push = accept_push,
                            .profiles = r->profiles,
                            .threads = 1,
                            .peer = r->peer,
                            .peer_token = r->token,
                            .policy = r->policy,
                            .watch_every_us = 20000};
    assert_ok(clv_server_new(&o, r->loop, &r->engine->base, r->lane, &r->server, &err), err);
    pthread_create(&r->thread, NULL, edge_run, r->loop);
}

static inline void unserve(rig *r)
{
    if (!r->server) return;
    clv_loop_stop(r->loop);
    pthread_join(r->thread, NULL);
    clv_server_free(r->server);
    r->server = NULL;
    clv_lane_free(r->lane);
    clv_engine_free(&r->engine->base);
    clv_loop_free(r->loop);
}

static inline int start(void **state)
{
    clv_error err = {0};
    rig *r = clv_alloc(sizeof *r);
    assert_ok(clv_dir_temp("serve", &r->folder, &err), err);
    r->models = clv_path_join(r->folder, "models");
    r->profiles = clv_path_join(r->folder, "profiles");
    free(write_chain(r->models));
    *state = r;
    return 0;
}

static inline int stop(void **state)
{
    rig *r = *state;
    unserve(r);
    clv_dir_remove(r->folder);
    free(r->folder);
    free(r->models);
    free(r->profiles);
    free(r);
    return 0;
}

#endif
