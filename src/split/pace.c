#include "split/pace.h"

#include "base/mem.h"

#include <stdlib.h>

enum { COLD_RUNS = 2 };
#define DOUBT 0.98

static clv_pace_part *parts_new(clv_pace *p)
{
    clv_pace_part *parts = clv_alloc_array(p->n_cuts, sizeof *parts);
    for (size_t i = 0; i < p->n_cuts; i++) {
        parts[i].pace = p;
        atomic_init(&parts[i].mixing, CLV_PACE_UNSEEN);
    }
    return parts;
}

void clv_pace_init(clv_pace *p, size_t n_cuts)
{
    *p = (clv_pace){.n_cuts = n_cuts};
    pthread_mutex_init(&p->lock, NULL);
    p->heads = parts_new(p);
    p->rests = parts_new(p);
    for (size_t i = 0; i < n_cuts; i++) {
        p->heads[i].to = p->rests[i].from = i;
        p->rests[i].to = n_cuts - 1;
    }
}

void clv_pace_done(clv_pace *p)
{
    pthread_mutex_destroy(&p->lock);
    free(p->heads);
    free(p->rests);
}

static void seed(clv_pace_part *part, const clv_time *t)
{
    if (t->n > 0 && part->batch.few_rows <= 0) clv_batch_saw(&part->batch, 1, t->us);
}

void clv_pace_seed(clv_pace *p, const clv_profile *profile)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < CLV_MIN(p->n_cuts, profile->n_cuts); i++) {
        seed(&p->heads[i], &profile->cuts[i].prefix);
        seed(&p->rests[i], &profile->cuts[i].suffix);
    }
    pthread_mutex_unlock(&p->lock);
}

clv_pace_part *clv_pace_of(clv_pace *p, size_t from, size_t to)
{
    if (from == 0) return &p->heads[to];
    return to + 1 == p->n_cuts ? &p->rests[from] : NULL;
}

void clv_pace_saw(clv_pace_part *part, size_t rows, int64_t us)
{
    if (!part) return;
    pthread_mutex_lock(&part->pace->lock);
    if (part->cold < COLD_RUNS)
        part->cold++;
    else
        clv_batch_saw(&part->batch, rows, (double)us);
    pthread_mutex_unlock(&part->pace->lock);
}

int64_t clv_pace_us(clv_pace_part *part, size_t rows)
{
    if (!part) return 0;
    pthread_mutex_lock(&part->pace->lock);
    double us = clv_batch_cost_us(&part->batch, rows);
    pthread_mutex_unlock(&part->pace->lock);
    return (int64_t)us;
}

void clv_pace_doubt(clv_pace_part *part)
{
    if (!part) return;
    pthread_mutex_lock(&part->pace->lock);
    part->batch.few_us *= DOUBT;
    part->batch.many_us *= DOUBT;
    pthread_mutex_unlock(&part->pace->lock);
}

size_t clv_pace_choose(clv_pace_part *part, size_t rows_each, size_t waiting, int64_t slack_us,
                       size_t max)
{
    pthread_mutex_lock(&part->pace->lock);
    size_t n = clv_batch_choose(&part->batch, rows_each, waiting, slack_us, max);
    pthread_mutex_unlock(&part->pace->lock);
    return n;
}
