#include "split/learning.h"

#include "base/clock.h"

#include <string.h>

/* What was learnt fades slowly: no need to follow it more often. */
#define CLV_FADE_STEP_US 1000000

void clv_learning_init(clv_learning *l, size_t n_cuts)
{
    *l = (clv_learning){0};
    pthread_mutex_init(&l->lock, NULL);
    clv_correction_init(&l->here, n_cuts);
    l->n_cuts = n_cuts;
}

void clv_learning_done(clv_learning *l)
{
    pthread_mutex_destroy(&l->lock);
    clv_correction_done(&l->here);
    clv_learning_forget(l);
}

void clv_learning_forget(clv_learning *l)
{
    while (l->n_there > 0) clv_correction_done(&l->there[--l->n_there]);
}

void clv_learning_saw(clv_learning *l, const clv_route *route, const clv_timing *t,
                      const clv_trip *behind)
{
    clv_sighting s = {.route = *route, .us = {t->edge_us}, .at_us = clv_now_us()};
    if (route->n == 2) s.us[1] = t->cloud_us;
    for (size_t k = 1; route->n > 2 && k < route->n && k <= behind->n; k++)
        s.us[k] = behind->nodes[k - 1].compute_us;
    pthread_mutex_lock(&l->lock);
    if (l->n_seen < CLV_SIGHTINGS_MAX) l->seen[l->n_seen++] = s;
    pthread_mutex_unlock(&l->lock);
}

static size_t take(clv_learning *l, clv_sighting *seen)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->n_seen;
    memcpy(seen, l->seen, n * sizeof *seen);
    l->n_seen = 0;
    pthread_mutex_unlock(&l->lock);
    return n;
}

static int64_t between(const clv_plan_time *progress, size_t from, size_t to)
{
    bool known =
        progress && progress[from].ns != CLV_PLAN_UNKNOWN && progress[to].ns != CLV_PLAN_UNKNOWN;
    return known ? progress[to].ns - progress[from].ns : CLV_PLAN_UNKNOWN;
}

/* What the profile says of device k's part of the route, in ns; 0: nothing, or not known. */
static int64_t predicted_ns(const clv_plan_tables *t, const clv_route *r, size_t k)
{
    size_t n = t->problem.cuts->n, from = k > 0 ? r->cut[k - 1] : 0, to = r->cut[k];
    const clv_plan_time *prefix = t->measured[k], *suffix = prefix + n, *progress = suffix + n;
    int64_t ns;
    if (from == to) return 0;
    if (from == 0)
        ns = prefix[to].ns;
    else if (to + 1 == n)
        ns = suffix[from].ns;
    else
        ns = between(t->problem.devices[k].progress ? progress : NULL, from, to);
    return ns != CLV_PLAN_UNKNOWN ? ns : 0;
}

/* And of the whole network on device k. */
static int64_t whole_ns(const clv_plan_tables *t, size_t k)
{
    int64_t ns = t->measured[k][t->problem.cuts->n - 1].ns;
    return ns != CLV_PLAN_UNKNOWN ? ns : 0;
}

static void observe(clv_learning *l, const clv_plan_tables *t, const clv_sighting *s)
{
    for (size_t k = 0; k < s->route.n && k <= l->n_there; k++) {
        size_t cut = k > 0 ? s->route.cut[k - 1] : s->route.cut[0];
        const clv_correction_run run = {.predicted_us =
                                            (double)predicted_ns(t, &s->route, k) / 1000,
                                        .whole_us = (double)whole_ns(t, k) / 1000,
                                        .measured_us = (double)s->us[k]};
        clv_correction_observe(k > 0 ? &l->there[k - 1] : &l->here, cut, &run, s->at_us);
    }
}

void clv_learning_apply(clv_learning *l, clv_plan_tables *tables)
{
    clv_sighting seen[CLV_SIGHTINGS_MAX];
    size_t n = take(l, seen);
    int64_t now = clv_now_us();
    bool grown = l->n_there + 1 < tables->problem.n_devices;
    while (l->n_there + 1 < tables->problem.n_devices)
        clv_correction_init(&l->there[l->n_there++], l->n_cuts);
    if (n == 0 && !grown && now - l->applied_us < CLV_FADE_STEP_US) return;
    l->applied_us = now;
    for (size_t i = 0; i < n; i++) observe(l, tables, &seen[i]);
    clv_plan_tables_correct(tables, 0, &l->here, now);
    for (size_t k = 1; k < tables->problem.n_devices; k++)
        clv_plan_tables_correct(tables, k, &l->there[k - 1], now);
}
