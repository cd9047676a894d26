#include "split/splitter_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CLV_CLOSE_GRAIN_US = 200 };

clv_status clv_splitter_new(const clv_splitter_options *options, clv_splitter **out, clv_error *err)
{
    clv_deployment *local;
    size_t last = clv_network_cuts(options->network)->n - 1;
    const clv_route all = clv_route_local(last);
    if (clv_deployment_new(options->network, &all, &local, err))
        return clv_within(err, "model '%s'", options->model);
    clv_splitter *s = clv_alloc(sizeof *s);
    s->o = *options;
    s->o.model = s->model = clv_strdup(options->model);
    s->o.version = s->version = clv_strdup(options->version ? options->version : "");
    s->network = clv_network_ref(options->network);
    s->last = last;
    clv_guard_init(&s->guard, s->network, options->privacy);
    s->o.privacy = NULL;
    if (s->guard.misfit[0])
        clv_log(CLV_LOG_WARN, "split", "runs here only", "model=%s text=\"%s\"", s->model,
                s->guard.misfit);
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; options->peer && i <= options->n_detours; i++)
        clv_way_init(&s->ways[s->n_ways++], s, i ? options->detours[i - 1] : options->peer);
    s->o.detours = NULL;
    s->local = local;
    s->live = clv_deployment_ref(local);
    for (int i = 0; i < CLV_PREPARED_MAX; i++) s->prepared[i] = -1;
    *out = s;
    return CLV_OK;
}

void clv_splitter_close(clv_splitter *s)
{
    while (atomic_load(&s->unanswered)) {
        clv_loop_turn(s->o.loop);
        clv_sleep_us(CLV_CLOSE_GRAIN_US);
    }
    s->closing = true;
    clv_adapt_unpin(s, "the node is shutting down");
}

void clv_splitter_free(clv_splitter *s)
{
    if (!s) return;
    while (atomic_load(&s->busy)) {
        clv_loop_turn(s->o.loop);
        clv_sleep_us(CLV_CLOSE_GRAIN_US);
    }
    clv_adapt_done(s);
    clv_deployment_unref(s->live);
    clv_deployment_unref(s->warm);
    clv_deployment_unref(s->local);
    clv_guard_done(&s->guard);
    clv_network_unref(s->network);
    pthread_mutex_destroy(&s->lock);
    free(s->model);
    free(s->version);
    free(s);
}

void clv_splitter_follow(clv_splitter *s)
{
    for (size_t i = 0; i < s->n_ways; i++) clv_peer_watch(s->ways[i].peer, clv_adapt_step, s);
    clv_adapt_step(s);
}

clv_deployment *clv_splitter_live(clv_splitter *s)
{
    pthread_mutex_lock(&s->lock);
    clv_deployment *d = clv_deployment_ref(s->live);
    pthread_mutex_unlock(&s->lock);
    return d;
}

/* Give up an old deployment's segments, unless a cut in use has them too. */
static void evict(clv_splitter *s, const clv_deployment *old)
{
    size_t cut = clv_deployment_cut(old);
    bool used = cut == clv_deployment_cut(s->live) ||
                (s->warm && cut == clv_deployment_cut(s->warm)) || cut == 0 || cut == s->last;
    if (used || s->o.keep_segments) return;
    clv_network_evict(s->network, 0, cut);
    clv_network_evict(s->network, cut, s->last);
}

void clv_splitter_deploy(clv_splitter *s, clv_deployment *take)
{
    pthread_mutex_lock(&s->lock);
    clv_deployment *out = s->live;
    if (!clv_route_equal(&take->route, &s->live->route)) { /* else only its expectation is new */
        out = s->warm;
        s->warm = s->live;
    }
    s->live = take;
    if (out) evict(s, out);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(out);
}

void clv_splitter_drop(clv_splitter *s, clv_deployment *take)
{
    if (!take) return;
    pthread_mutex_lock(&s->lock);
    evict(s, take);
    pthread_mutex_unlock(&s->lock);
    clv_deployment_unref(take);
}

size_t clv_splitter_withheld(const clv_splitter *s)
{
    return atomic_load(&s->guard.withheld);
}

char *clv_splitter_plan(clv_splitter *s)
{
    clv_deployment *d = clv_splitter_live(s);
    char *label = clv_strdup(d->label);
    clv_deployment_unref(d);
    return label;
}

typedef struct prepare_job {
    clv_splitter *s;
    size_t cut;
    clv_splitter_done_fn done;
    void *arg;
} prepare_job;

/* Note that a peer wants this suffix; forget the one that was wanted the longest ago. */
static void remember(clv_splitter *s, int cut)
{
    pthread_mutex_lock(&s->lock);
    int at = 0;
    while (at + 1 < CLV_PREPARED_MAX && s->prepared[at] != cut) at++;
    int out = s->prepared[at] == cut ? -1 : s->prepared[at];
    for (; at > 0; at--) s->prepared[at] = s->prepared[at - 1];
    s->prepared[0] = cut;
    bool used = out >= 0 && ((size_t)out == clv_deployment_cut(s->live) ||
                             (s->warm && (size_t)out == clv_deployment_cut(s->warm)));
    if (out > 0 && !used && !s->o.keep_segments)
        clv_network_evict(s->network, (size_t)out, s->last);
    pthread_mutex_unlock(&s->lock);
}

static void prepare_run(void *arg, int64_t queue_us)
{
    (void)queue_us;
    CLV_AUTO(clv_free) prepare_job *job = arg;
    clv_segment *segment = NULL;
    clv_error err = {0};
    clv_status status =
        clv_network_segment(job->s->network, job->cut, job->s->last, &segment, &err);
    clv_segment_unref(segment);
    if (!status) remember(job->s, (int)job->cut);
    job->done(job->arg, status ? &err : NULL);
    atomic_fetch_sub(&job->s->busy, 1);
}

/* The cut that starts at these tensors; the network's own inputs are cut 0. */
static int find_cut(clv_splitter *s, const char *const *names, size_t n)
{
    return clv_cuts_find(clv_network_cuts(s->network), clv_network_graph(s->network), names, n);
}

void clv_splitter_prepare(clv_splitter *s, const char *const *names, size_t n,
                          clv_splitter_done_fn done, void *arg)
{
    clv_error err = {0};
    int cut = find_cut(s, names, n);
    if (cut < 0) {
        clv_fail(&err, CLV_EINVAL,
                 "model '%s': %zu tensors ('%s'%s) are no legal cut; 'cleave inspect' lists them",
                 s->model, n, n ? names[0] : "", n > 1 ? ", ..." : "");
        done(arg, &err);
        return;
    }
    prepare_job *job = clv_alloc(sizeof *job);
    *job = (prepare_job){s, (size_t)cut, done, arg};
    atomic_fetch_add(&s->busy, 1);
    if (clv_lane_submit(s->o.build, &(clv_job){.run = prepare_run, .arg = job}, &err)) {
        free(job);
        atomic_fetch_sub(&s->busy, 1);
        done(arg, &err);
    }
}
