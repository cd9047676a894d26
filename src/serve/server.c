#include "serve/served.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "measure/profile_cache.h"
#include "repo/repository.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { CLV_BUILD_QUEUE_MAX = 65536, CLV_CLOSE_GRAIN_US = 200 };

static int compare(const clv_served *m, const char *name, const char *version)
{
    int order = strcmp(m->name, name);
    if (order) return order;
    size_t a = strlen(m->version), b = strlen(version);
    return a != b ? (a > b) - (a < b) : strcmp(m->version, version);
}

/* Of two versions of a model, `b` the later one, that to take when none is named. */
static clv_served *better(clv_served *a, clv_served *b)
{
    bool a_ready = a && atomic_load(&a->state) == CLV_SERVED_READY;
    return a_ready && atomic_load(&b->state) != CLV_SERVED_READY ? a : b;
}

clv_served *clv_server_find(clv_server *s, const char *name, const char *version)
{
    clv_served *found = NULL;
    bool any = !version || !*version;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_models; i++) { /* sorted: later ones are newer */
        clv_served *m = s->models[i];
        if (strcmp(m->name, name) == 0 && (any || strcmp(m->version, version) == 0))
            found = better(found, m);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* "alexnet, lenet" for errors, cut when there are many. */
static void list_names(clv_server *s, char *text, size_t size)
{
    size_t at = 0;
    text[0] = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_models && at + 4 < size; i++) {
        if (i > 0 && strcmp(s->models[i]->name, s->models[i - 1]->name) == 0) continue;
        int n = snprintf(text + at, size - at, "%s%s", at ? ", " : "", s->models[i]->name);
        at += n > 0 ? (size_t)n : 0;
    }
    pthread_mutex_unlock(&s->lock);
}

clv_status clv_server_find_ready(clv_server *s, const char *name, const char *version,
                                 clv_served **out, clv_error *err)
{
    clv_served *m = clv_server_find(s, name, version);
    if (!m) {
        char names[200];
        list_names(s, names, sizeof names);
        bool versioned = version && *version;
        return clv_fail(err, CLV_ENOTFOUND, "no model '%.128s'%s%.16s; this node has %s", name,
                        versioned ? " version " : "", versioned ? version : "",
                        names[0] ? names : "none");
    }
    switch (atomic_load(&m->state)) {
    case CLV_SERVED_LOADING:
        return clv_fail(err, CLV_EUNAVAIL, "model '%s' is still loading", name);
    case CLV_SERVED_FAILED:
        return clv_fail(err, CLV_EUNAVAIL, "model '%s' could not be loaded: %.300s", name,
                        m->error.text);
    case CLV_SERVED_READY: break;
    }
    *out = m;
    return CLV_OK;
}

typedef struct load_job {
    clv_served *m;
    clv_server_done_fn done;
    void *arg;
} load_job;

static clv_status load(clv_served *m, clv_error *err)
{
    clv_server *s = m->server;
    if (atomic_load(&s->closing))
        return clv_fail(err, CLV_ECANCELED, "model '%s': the node is shutting down", m->name);
    if (clv_network_open(m->path, s->engine, &(clv_network_options){0}, &m->network, err))
        return err->status;
    const char *reason = clv_network_uncut_reason(m->network);
    if (reason)
        clv_log(CLV_LOG_WARN, "serve", "model runs whole", "model=%s reason=\"%s\"", m->name,
                reason);
    return clv_splitter_new(&(clv_splitter_options){.model = m->name,
                                                    .version = m->version,
                                                    .network = m->network,
                                                    .compute = s->compute,
                                                    .build = s->build,
                                                    .prepare = s->prepare ? s->prepare : s->build,
                                                    .loop = s->loop,
                                                    .node_id = s->node_id,
                                                    .peer = s->peer,
                                                    .detours = s->detours,
                                                    .n_detours = s->o.n_detours,
                                                    .policy = s->policy,
                                                    .offer = s->o.offer,
                                                    .privacy = &s->o.privacy,
                                                    .batch_max = (size_t)s->o.batch_max,
                                                    .keep_segments = s->o.keep_segments,
                                                    .patience_us = s->o.patience_us},
                            &m->splitter, err);
}

/* On the loop's thread, once the model is ready: it may now follow the peer. */
static void follow_peer(void *arg)
{
    clv_served *m = arg;
    if (atomic_load(&m->server->closing)) return;
    clv_splitter_follow(m->splitter);
    clv_served_profile(m);
}

static void load_run(void *arg, int64_t queue_us)
{
    (void)queue_us;
    CLV_AUTO(clv_free) load_job *job = arg;
    clv_served *m = job->m;
    int64_t start = clv_now_us();
    if (load(m, &m->error)) {
        atomic_store(&m->state, CLV_SERVED_FAILED);
        if (m->error.status != CLV_ECANCELED) /* else the node ends: not the model's fault */
            clv_log(CLV_LOG_ERROR, "serve", "model failed", "model=%s version=%s error=\"%s\"",
                    m->name, m->version, m->error.text);
    } else {
        clv_served_warm_up(m);
        atomic_store(&m->state, CLV_SERVED_READY);
        clv_log(CLV_LOG_INFO, "serve", "model ready", "model=%s version=%s cuts=%zu load_ms=%lld",
                m->name, m->version, clv_network_cuts(m->network)->n,
                (long long)(clv_now_us() - start) / 1000);
        if (m->server->peer) clv_loop_post(m->server->loop, follow_peer, m);
    }
    atomic_fetch_sub(&m->server->loading, 1);
    if (job->done) job->done(job->arg, m->error.status ? &m->error : NULL);
}

void clv_server_add(clv_server *s, const char *name, const char *version, const char *path,
                    clv_server_done_fn done, void *arg)
{
    clv_served *m = clv_alloc(sizeof *m);
    m->server = s;
    m->name = clv_strdup(name);
    m->version = clv_strdup(version);
    m->path = clv_strdup(path);
    atomic_init(&m->state, CLV_SERVED_LOADING);
    atomic_fetch_add(&s->loading, 1);
    pthread_mutex_lock(&s->lock);
    clv_grow(&s->models, &s->cap_models, s->n_models + 1, sizeof *s->models);
    size_t at = s->n_models++;
    for (; at > 0 && compare(s->models[at - 1], name, version) > 0; at--)
        s->models[at] = s->models[at - 1];
    s->models[at] = m;
    pthread_mutex_unlock(&s->lock);
    load_job *job = clv_alloc(sizeof *job);
    *job = (load_job){m, done, arg};
    if (clv_lane_submit(s->build, &(clv_job){.run = load_run, .arg = job}, &m->error)) {
        free(job);
        atomic_store(&m->state, CLV_SERVED_FAILED);
        atomic_fetch_sub(&s->loading, 1);
        if (done) done(arg, &m->error);
    }
}

static clv_status load_repository(clv_server *s, clv_error *err)
{
    clv_repository_entry *entries = NULL;
    size_t n = 0;
    clv_status status = clv_repository_scan(s->models_dir, &entries, &n, err);
    if (status) return status;
    for (size_t i = 0; i < n; i++) {
        bool newest = i + 1 == n || strcmp(entries[i].name, entries[i + 1].name) != 0;
        if (newest)
            clv_server_add(s, entries[i].name, entries[i].version, entries[i].path, NULL, NULL);
    }
    clv_repository_entries_free(entries, n);
    return CLV_OK;
}

static clv_status find_policy(const char *name, clv_policy *out, clv_error *err)
{
    *out = CLV_POLICY_EXACT;
    if (!name) return CLV_OK;
    for (int i = 0; i < CLV_POLICY_COUNT; i++)
        if (strcmp(clv_policy_name((clv_policy)i), name) == 0) {
            *out = (clv_policy)i;
            return CLV_OK;
        }
    return clv_fail(err, CLV_EUSAGE, "policy '%s': one of %s is right", name, CLV_POLICY_CHOICES);
}

static clv_status open_peer(clv_server *s, const char *url, clv_peer **out, clv_error *err)
{
    const clv_server_options *o = &s->o;
    return clv_peer_new(s->loop,
                        &(clv_peer_options){.url = url,
                                            .tls = o->peer_tls,
                                            .token = o->peer_token,
                                            .watch_every_us = o->watch_every_us,
                                            .radio = o->radio},
                        out, err);
}

/* The next hop and the detours around it. */
static clv_status open_peers(clv_server *s, clv_error *err)
{
    const clv_server_options *o = &s->o;
    clv_status status = CLV_OK;
    if (o->n_detours > CLV_SPLITTER_DETOURS_MAX) {
        size_t n = o->n_detours;
        s->o.n_detours = 0;
        return clv_fail(err, CLV_EUSAGE, "%zu peers, at most %d are of use", n + 1,
                        CLV_SPLITTER_DETOURS_MAX + 1);
    }
    if (o->peer) status = open_peer(s, o->peer, &s->peer, err);
    for (size_t i = 0; i < o->n_detours && !status; i++)
        status = open_peer(s, o->detours[i], &s->detours[i], err);
    s->o.detours = NULL;
    return status;
}

static void draw_id(char id[CLV_NODE_ID_TEXT])
{
    uint8_t bytes[CLV_NODE_ID_TEXT / 2] = {0};
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        clv_rng rng = clv_rng_seeded((uint64_t)clv_now_us() ^ (uint64_t)getpid() << 40);
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)clv_rng_next(&rng);
    }
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

clv_status clv_server_new(const clv_server_options *options, clv_loop *loop, clv_engine *engine,
                          clv_lane *lane, clv_server **out, clv_error *err)
{
    clv_policy policy;
    if (find_policy(options->policy, &policy, err)) return err->status;
    clv_server *s = clv_alloc(sizeof *s);
    s->o = *options;
    s->policy = policy;
    s->models_dir = clv_strdup(options->models);
    s->profiles_dir = options->profiles ? clv_strdup(options->profiles) : clv_profile_cache_dir();
    s->loop = loop;
    s->engine = engine;
    s->compute = lane;
    pthread_mutex_init(&s->lock, NULL);
    s->build = clv_lane_new("build", CLV_BUILD_QUEUE_MAX, -1);
    if (engine->one_thread) /* else a session's threads would stay in the background */
        s->prepare = clv_lane_new_background("prepare", CLV_BUILD_QUEUE_MAX);
    draw_id(s->node_id);
    clv_status status = open_peers(s, err);
    if (!status) status = load_repository(s, err);
    if (status) {
        clv_server_free(s);
        return status;
    }
    *out = s;
    return CLV_OK;
}

static void model_free(clv_served *m)
{
    clv_splitter_free(m->splitter);
    clv_network_unref(m->network);
    free(m->name);
    free(m->version);
    free(m->path);
    free(m->profile);
    free(m->waiters);
    free(m);
}

void clv_server_free(clv_server *s)
{
    if (!s) return;
    atomic_store(&s->closing, true);
    while (atomic_load(&s->loading)) { /* no model is added or changes its state after this */
        clv_loop_turn(s->loop);
        clv_sleep_us(CLV_CLOSE_GRAIN_US);
    }
    for (size_t i = 0; i < s->n_models; i++)
        if (s->models[i]->splitter) clv_splitter_close(s->models[i]->splitter);
    clv_peer_free(s->peer);
    for (size_t i = 0; i < s->o.n_detours; i++) clv_peer_free(s->detours[i]);
    clv_lane_free(s->prepare);
    clv_lane_free(s->build);
    clv_loop_turn(s->loop); /* what the build lane posted */
    for (size_t i = 0; i < s->n_models; i++) model_free(s->models[i]);
    free(s->models);
    free(s->models_dir);
    free(s->profiles_dir);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

bool clv_server_ready(clv_server *s)
{
    return atomic_load(&s->loading) == 0 && !atomic_load(&s->draining);
}

bool clv_server_settled(clv_server *s)
{
    bool settled = clv_server_ready(s);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; settled && i < s->n_models; i++)
        if (atomic_load(&s->models[i]->state) == CLV_SERVED_READY)
            settled = clv_splitter_settled(s->models[i]->splitter);
    pthread_mutex_unlock(&s->lock);
    return settled;
}

clv_lane_load clv_server_load(const clv_server *s)
{
    return clv_lane_look(s->compute);
}

void clv_server_drain(clv_server *s)
{
    atomic_store(&s->draining, true);
}

void clv_server_submit(clv_server *s, clv_request *take)
{
    clv_served *m;
    clv_error err = {0};
    if (clv_server_find_ready(s, take->model, take->version, &m, &err)) {
        take->error = err;
        clv_request_finish(take);
        return;
    }
    const char *digest = clv_network_digest(m->network);
    if (take->digest && strcmp(take->digest, digest) != 0) {
        clv_fail(&take->error, CLV_EMISMATCH,
                 "model '%s': its digest here is %.12s..., the request expects %.12s...", m->name,
                 digest, take->digest);
        clv_request_finish(take);
        return;
    }
    if (!take->version || !*take->version) {
        free(take->version);
        take->version = clv_strdup(m->version);
    }
    clv_splitter_run(m->splitter, take);
}
