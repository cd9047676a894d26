/* An edge, a gateway and a cloud in one process, each with its own loop and engine, over real
 * ports. The edge knows both others; the gateway has the cloud as its peer, through a tap. */
#ifndef CLV_TESTS_SERVE_TRIO_H
#define CLV_TESTS_SERVE_TRIO_H

#include "serve/cloud.h"
#include "split/tap.h"

typedef struct trio {
    edge e;
    cloud gateway, cloud;
    tap tap; /* between these two */
    char *folder, *edge_folder;
} trio;

static inline void node_begin(cloud *node)
{
    cloud_start(node);
    await(clv_server_ready(node->r.server));
}

/* Folders and models; no node runs yet. */
static inline trio *trio_new(void)
{
    clv_error err = {0};
    trio *t = clv_alloc(sizeof *t);
    assert_ok(clv_dir_temp("trio", &t->folder, &err), err);
    t->edge_folder = clv_format("%s/edge", t->folder);
    folders(&t->gateway.r, t->folder, "gateway");
    folders(&t->cloud.r, t->folder, "cloud");
    free(write_chain(t->gateway.r.models));
    free(write_chain(t->cloud.r.models));
    return t;
}

/* The cloud runs, and the tap; the gateway is told of them. */
static inline void trio_begin(trio *t)
{
    node_begin(&t->cloud);
    tap_start(&t->tap, t->cloud.port);
    t->gateway.r.peer = t->tap.url;
    t->gateway.r.token = cloud_token;
    t->gateway.r.policy = "edge"; /* its own requests stay there */
}

static inline int prepare(void **state)
{
    trio *t = trio_new();
    *state = t;
    trio_begin(t);
    return 0;
}

/* The edge knows the gateway, and the cloud behind it. */
static inline void start_edge(trio *t, clv_policy policy)
{
    edge_start_with(&t->e, &(edge_options){.folder = t->edge_folder,
                                           .peer = t->gateway.url,
                                           .detour = t->cloud.url,
                                           .token = cloud_token,
                                           .privacy = "none",
                                           .patience_us = EDGE_WAIT_US,
                                           .policy = policy});
}

static inline int stop_trio(void **state)
{
    trio *t = *state;
    if (t->e.loop) edge_stop(&t->e);
    cloud_stop(&t->gateway);
    cloud_stop(&t->cloud);
    tap_stop(&t->tap);
    clv_dir_remove(t->folder);
    free(t->gateway.r.models);
    free(t->gateway.r.profiles);
    free(t->cloud.r.models);
    free(t->cloud.r.profiles);
    free(t->edge_folder);
    free(t->folder);
    free(t);
    return 0;
}

static inline size_t at(const edge *e, const char *name)
{
    int cut = clv_cuts_find(clv_network_cuts(e->network), clv_network_graph(e->network), &name, 1);
    assert_true(cut >= 0);
    return (size_t)cut;
}

#endif
