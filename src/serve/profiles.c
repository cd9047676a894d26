/* Profiles of this node's models: measured once in the background, kept on disk by digest and device. */
#include "serve/served.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "measure/profile_cache.h"

#include <stdlib.h>
#include <string.h>

enum { CLV_YIELD_US = 2000 };
#define CLV_PROFILE_BUDGET_US 15000000 /* of one model, a slowdown aside */

/* Between two measurements: let waiting requests go first. */
static void yield_to_requests(void *arg, size_t done, size_t total)
{
    (void)done;
    (void)total;
    clv_server *s = arg;
    while (clv_lane_depth(s->compute) > 0 && !atomic_load(&s->closing)) clv_sleep_us(CLV_YIELD_US);
}

static void tell(clv_served *m, const char *json, const clv_error *error)
{
    pthread_mutex_lock(&m->server->lock);
    clv_profile_waiter *waiters = m->waiters;
    size_t n = m->n_waiters;
    m->waiters = NULL;
    m->n_waiters = m->cap_waiters = 0;
    m->profiling = false;
    if (json) m->profile = clv_strdup(json);
    pthread_mutex_unlock(&m->server->lock);
    for (size_t i = 0; i < n; i++) waiters[i].done(waiters[i].arg, json, error);
    free(waiters);
}

typedef struct adopt_job {
    clv_served *m;
    clv_profile *profile;
} adopt_job;

/* On the loop's thread: the splitter may plan now. */
static void adopt(void *arg)
{
    CLV_AUTO(clv_free) adopt_job *job = arg;
    if (atomic_load(&job->m->server->closing))
        clv_profile_free(job->profile);
    else
        clv_splitter_set_profile(job->m->splitter, job->profile);
}

static void profile_run(void *arg, int64_t queue_us)
{
    (void)queue_us;
    clv_served *m = arg;
    clv_server *s = m->server;
    clv_error err = {0};
    clv_profile *profile = NULL;
    int64_t start = clv_now_us();
    clv_profiler_options options = {.model = m->name,
                                    .threads = s->o.threads,
                                    .slowdown = s->o.slowdown,
                                    .budget_us = CLV_PROFILE_BUDGET_US};
    if (atomic_load(&s->closing)) {
        clv_fail(&err, CLV_ECANCELED, "model '%s': the node is shutting down", m->name);
        tell(m, NULL, &err);
        return;
    }
    if (clv_profile_cache_get(s->profiles_dir, m->network, s->engine, &options, yield_to_requests,
                              s, &profile, &err)) {
        clv_log(CLV_LOG_ERROR, "serve", "no profile", "model=%s error=\"%s\"", m->name, err.text);
        tell(m, NULL, &err);
        return;
    }
    if (clv_power_known(&s->o.power)) profile->power = s->o.power;
    if (s->o.price_per_s > 0) profile->price_per_s = s->o.price_per_s;
    clv_log(CLV_LOG_INFO, "serve", "profile ready", "model=%s cuts=%zu took_ms=%lld", m->name,
            profile->n_cuts, (long long)(clv_now_us() - start) / 1000);
    CLV_AUTO(clv_text_free) char *json = clv_profile_json(profile);
    tell(m, json, NULL);
    adopt_job *job = clv_alloc(sizeof *job);
    *job = (adopt_job){m, profile};
    clv_loop_post(s->loop, adopt, job);
}

/* Under the lock: is a measurement to be started? */
static bool start_profiling(clv_served *m)
{
    bool start = !m->profile && !m->profiling;
    m->profiling |= start;
    return start;
}

static void begin(clv_served *m)
{
    clv_error err = {0};
    if (clv_lane_submit(m->server->build, &(clv_job){.run = profile_run, .arg = m}, &err))
        tell(m, NULL, &err);
}

void clv_served_profile(clv_served *m)
{
    pthread_mutex_lock(&m->server->lock);
    bool start = start_profiling(m);
    pthread_mutex_unlock(&m->server->lock);
    if (start) begin(m);
}

void clv_server_profile(clv_server *s, const char *model, const char *version,
                        clv_server_text_fn done, void *arg)
{
    clv_served *m;
    clv_error err = {0};
    if (clv_server_find_ready(s, model, version, &m, &err)) {
        done(arg, NULL, &err);
        return;
    }
    pthread_mutex_lock(&s->lock);
    const char *known = m->profile; /* never changes once it is set */
    bool start = start_profiling(m);
    if (!known) {
        clv_grow(&m->waiters, &m->cap_waiters, m->n_waiters + 1, sizeof *m->waiters);
        m->waiters[m->n_waiters++] = (clv_profile_waiter){done, arg};
    }
    pthread_mutex_unlock(&s->lock);
    if (known) done(arg, known, NULL);
    if (start) begin(m);
}
