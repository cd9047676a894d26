/* One model and version on this node: from file to answering requests. Private to serve/. */
#ifndef CLV_SERVE_SERVED_H
#define CLV_SERVE_SERVED_H

#include "serve/server.h"
#include "split/chain.h"
#include "split/splitter.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct clv_profile_waiter {
    clv_server_text_fn done;
    void *arg;
} clv_profile_waiter;

typedef enum clv_served_state {
    CLV_SERVED_LOADING,
    CLV_SERVED_READY,
    CLV_SERVED_FAILED
} clv_served_state;

/* Lives as long as its server: models are added, never removed, so a pointer to one stays good. */
typedef struct clv_served {
    clv_server *server;
    char *name, *version, *path;
    _Atomic clv_served_state
        state; /* network and splitter are set before READY, error before FAILED */
    clv_network *network;
    clv_splitter *splitter;
    clv_error error;
    /* guarded by the server's lock */
    char *profile; /* JSON, when known */
    bool profiling;
    clv_profile_waiter *waiters;
    size_t n_waiters, cap_waiters;
} clv_served;

/* What the files of the server share. */
struct clv_server {
    clv_server_options o;
    char *models_dir, *profiles_dir;
    clv_loop *loop;
    clv_engine *engine;
    clv_lane *compute, *build;
    clv_lane *prepare; /* NULL: the build lane does that, too */
    clv_peer *peer, *detours[CLV_SPLITTER_DETOURS_MAX];
    char node_id[CLV_NODE_ID_TEXT]; /* drawn at each start: split/chain.h */
    clv_policy policy;
    pthread_mutex_t lock; /* guards the table and the profiles */
    clv_served **models;  /* sorted by name, then version */
    size_t n_models, cap_models;
    atomic_int loading; /* models on the build lane: being loaded, or pushed and being checked */
    atomic_int pushes;  /* ever begun, for names of folders */
    atomic_bool closing, draining;
};

/* server.c: add a model to the table and load it on the build lane; `done` (may be NULL) when it is
 * ready or has failed. */
void clv_server_add(clv_server *s, const char *name, const char *version, const char *path,
                    clv_server_done_fn done, void *arg);
/* NULL if absent. An empty or NULL version is the newest that is ready, else the newest: one that is
 * being loaded, or cannot be, does not hide the one that answers. */
clv_served *clv_server_find(clv_server *s, const char *name, const char *version);
/* CLV_ENOTFOUND names what there is; CLV_EUNAVAIL: still loading; or why loading failed. */
CLV_MUST
clv_status clv_server_find_ready(clv_server *s, const char *name, const char *version,
                                 clv_served **out, clv_error *err);

/* warm_up.c: let the model answer once before requests come, so that the engine has allocated what it
 * works in, and put that and the weights in huge pages. On the build lane. */
void clv_served_warm_up(clv_served *m);

/* profiles.c: measure the model's profile on the build lane unless it is known or cached. */
void clv_served_profile(clv_served *m);

#endif
