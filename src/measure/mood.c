#include "measure/mood.h"

#include "base/mem.h"
#include "base/stats.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 3, REACH = 4 }; /* REACH: memories after which a neighbour does not count */
#define DEVIATION_MAX  0.7      /* more than a factor of 2: not a mood, an accident */
#define NEIGHBOURS_FEW 1.0      /* a mood that few neighbours tell of is thought smaller */

static const double memories_us[] = {5e4, 2e5, 1e6, 4e6};

typedef struct work {
    const clv_mood_lap *laps;
    size_t n, n_who;
    double *own;   /* n_who: ln of what each takes in the usual mood */
    double *off;   /* n: deviations from that, within DEVIATION_MAX */
    double *mood;  /* n: of the machine, at each lap */
    double *tried; /* n */
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

/* What the neighbours of lap `at` say, itself left out. */
static double heard(const work *w, size_t at, double memory_us)
{
    double sum = 0, weight = NEIGHBOURS_FEW;
    for (int side = -1; side <= 1; side += 2)
        for (size_t i = at + (size_t)side; i < w->n; i += (size_t)side) {
            double apart = fabs(w->laps[i].at_us - w->laps[at].at_us) / memory_us;
            if (apart > REACH) break;
            sum += exp(-apart) * w->off[i];
            weight += exp(-apart);
        }
    return sum / weight;
}

/* The moods of the memory that explains most of the deviations, as much of them as does. */
static void settle_moods(work *w)
{
    double most = 0;
    for (size_t i = 0; i < w->n; i++) w->mood[i] = 0;
    for (size_t m = 0; m < CLV_COUNT(memories_us); m++) {
        double both = 0, square = 0;
        for (size_t i = 0; i < w->n; i++) {
            w->tried[i] = heard(w, i, memories_us[m]);
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
    work w = {
        .laps = laps, .n = n, .n_who = n_who, .own = own, .off = off, .mood = mood, .tried = tried};
    for (int round = 0; round < ROUNDS; round++) {
        settle_own(&w);
        settle_moods(&w);
    }
    for (size_t i = 0; i < n; i++) tried[i] = mood[i];
    double usual = clv_median(tried, n);
    for (size_t i = 0; i < n; i++) *laps[i].us *= exp(usual - mood[i]);
}
