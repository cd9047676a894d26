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
    clv_correction_init(&l->there, n_cuts);
}

void clv_learning_done(clv_learning *l)
{
    pthread_mutex_destroy(&l->lock);
    clv_correction_done(&l->here);
    clv_correction_done(&l->there);
}

void clv_learning_saw(clv_learning *l, size_t cut, const clv_timing *t)
{
    pthread_mutex_lock(&l->lock);
    if (l->n_seen < CLV_SIGHTINGS_MAX)
        l->seen[l->n_seen++] = (clv_sighting){cut, t->edge_us, t->cloud_us, clv_now_us()};
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

static void observe(clv_correction *c, const clv_plan_time *predicted, size_t cut, int64_t took_us,
                    int64_t now_us)
{
    if (predicted->ns != CLV_PLAN_UNKNOWN)
        clv_correction_observe(c, cut, (double)predicted->ns / 1000, (double)took_us, now_us);
}

void clv_learning_apply(clv_learning *l, clv_plan_tables *tables)
{
    clv_sighting seen[CLV_SIGHTINGS_MAX];
    size_t n = take(l, seen), n_cuts = tables->problem.cuts->n;
    int64_t now = clv_now_us();
    if (n == 0 && now - l->applied_us < CLV_FADE_STEP_US) return;
    l->applied_us = now;
    const clv_plan_time *prefixes = tables->measured[0], *suffixes = tables->measured[1] + n_cuts;
    for (size_t i = 0; i < n; i++) {
        size_t cut = seen[i].cut;
        observe(&l->here, &prefixes[cut], cut, seen[i].edge_us, seen[i].at_us);
        observe(&l->there, &suffixes[cut], cut, seen[i].cloud_us, seen[i].at_us);
    }
    clv_plan_tables_correct(tables, 0, &l->here, now);
    clv_plan_tables_correct(tables, 1, &l->there, now);
}
