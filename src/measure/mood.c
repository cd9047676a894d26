#include "measure/mood.h"

#include "base/mem.h"
#include "base/stats.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ROUNDS = 3 };
#define DEVIATION_MAX  0.7 /* more than a factor of 2: not a mood, an accident */
#define NEIGHBOURS_FEW 1.0 /* a mood that few neighbours tell of is thought smaller */

static const double memories_us[] = {5e4, 2e5, 1e6, 4e6};

typedef struct work {
    const clv_mood_lap *laps;
    size_t n, n_who;
    double *own;            /* n_who: ln of what each takes in the usual mood */
    double *off;            /* n: deviations from that, within DEVIATION_MAX */
    double *mood;           /* n: of the machine, at each lap */
    double *tried, *weight; /* n */
} work;

/* Medians of ln us - mood, of each. */
static void settle_own(work *w)
{
    CLV_AUTO(clv_free) double *x = clv_alloc_array(w->n, sizeof *x);
    for (size_t who = 0; who < w->n_who; who++) {
        size_t n = 0;
        for (size_t i = 0; i < w->n; i++)
            if (w->laps[i].who == who) x[n++] = log(*w->laps[i].us) - w->mood[i];
        if (n) w->own[who] = clv_median(x, n);
    }
    for (size_t i = 0; i < w->n; i++)
        w->off[i] =
            fmin(fmax(log(*w->laps[i].us) - w->own[w->laps[i].who], -DEVIATION_MAX), DEVIATION_MAX);
}

/* From the laps on one side, the nearest first: what has been heard fades on the way to the next lap. */
static void hear(const work *w, double memory_us, bool before, double *sum, double *weight)
{
    double said = 0, by = 0;
    for (size_t k = 0; k < w->n; k++) {
        size_t i = before ? k : w->n - 1 - k, last = before ? i - 1 : i + 1;
        if (k > 0) {
            double stays = exp(-fabs(w->laps[i].at_us - w->laps[last].at_us) / memory_us);
            said = (said + w->off[last]) * stays;
            by = (by + 1) * stays;
        }
        sum[i] += said;
        weight[i] += by;
    }
}

/* What the neighbours of each lap say, itself left out, into w->tried. */
static void ask_neighbours(work *w, double memory_us)
{
    for (size_t i = 0; i < w->n; i++) {
        w->tried[i] = 0;
        w->weight[i] = NEIGHBOURS_FEW;
    }
    hear(w, memory_us, true, w->tried, w->weight);
    hear(w, memory_us, false, w->tried, w->weight);
    for (size_t i = 0; i < w->n; i++) w->tried[i] /= w->weight[i];
}

/* The moods of the memory that explains most of the deviations, as much of them as does. */
static void settle_moods(work *w)
{
    double most = 0;
    for (size_t i = 0; i < w->n; i++) w->mood[i] = 0;
    for (size_t m = 0; m < CLV_COUNT(memories_us); m++) {
        double both = 0, square = 0;
        ask_neighbours(w, memories_us[m]);
        for (size_t i = 0; i < w->n; i++) {
            both += w->tried[i] * w->off[i];
            square += w->tried[i] * w->tried[i];
        }
        if (!(both > 0) || !(square > 0) || both * both / square <= most) continue;
        most = both * both / square;
        for (size_t i = 0; i < w->n; i++) w->mood[i] = w->tried[i] * both / square;
    }
}

static int by_time(const void *a, const void *b)
{
    const clv_mood_lap *x = a, *y = b;
    return (x->at_us > y->at_us) - (x->at_us < y->at_us);
}

void clv_mood_remove(clv_mood_lap *laps, size_t n, size_t n_who)
{
    if (n == 0) return;
    qsort(laps, n, sizeof *laps, by_time);
    CLV_AUTO(clv_free) double *own = clv_alloc_array(n_who, sizeof *own);
    CLV_AUTO(clv_free) double *off = clv_alloc_array(n, sizeof *off);
    CLV_AUTO(clv_free) double *mood = clv_alloc_array(n, sizeof *mood);
    CLV_AUTO(clv_free) double *tried = clv_alloc_array(n, sizeof *tried);
    CLV_AUTO(clv_free) double *weight = clv_alloc_array(n, sizeof *weight);
    work w = {.laps = laps,
              .n = n,
              .n_who = n_who,
              .own = own,
              .off = off,
              .mood = mood,
              .tried = tried,
              .weight = weight};
    for (int round = 0; round < ROUNDS; round++) {
        settle_own(&w);
        settle_moods(&w);
    }
    for (size_t i = 0; i < n; i++) tried[i] = mood[i];
    double usual = clv_median(tried, n);
    for (size_t i = 0; i < n; i++) *laps[i].us *= exp(usual - mood[i]);
}
