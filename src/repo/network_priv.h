/* Private to repo/network*.c: layout of a network and of its segments. */
#ifndef CLV_REPO_NETWORK_PRIV_H
#define CLV_REPO_NETWORK_PRIV_H

#include "repo/network.h"

#include "onnx/extract.h"

#include <pthread.h>
#include <stdatomic.h>

/* A segment is held by its users and, as long as it is in the list, by the cache. */
struct clv_segment {
    clv_network *network;
    clv_segment *next; /* in the cache */
    size_t from, to;
    clv_session *session; /* NULL while it is being compiled */
    bool any_batch, cached;
    atomic_bool warm;
    int users;
};

struct clv_network {
    char *path;
    clv_engine *engine;
    clv_onnx *model;
    clv_units *units;
    clv_cuts *cuts;
    char *uncut_reason; /* NULL: it can be cut */
    struct clv_pool *pool;
    pthread_mutex_t lock;   /* guards what follows, and the segments' `users` and `cached` */
    pthread_cond_t changed; /* a compilation has ended */
    clv_segment *cache;
    int users; /* of the network: its own references and those of segments */
    pthread_mutex_t digest_lock;
    char digest[CLV_DIGEST_TEXT];
};

/* Compile without a place in the cache. */
CLV_MUST
clv_status clv_network_compile(clv_network *net, const clv_extracted *e, const char *name,
                               bool fast_load, clv_session **out, clv_error *err);

#endif
