/* Learning from a calibration's rows: which causes, which process, how slow the machine was. */
#include "base/mem.h"
#include "base/stats.h"
#include "cost/predictor_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES_MIN = 6, SETTLE_SAMPLES_MAX = 250, ROUNDS = 3 };
#define MOOD_QUANTILE 0.5
#define MOOD_OWN      0.5 /* what a network itself shows, beside what the reference tells */
#define CLOCK_US      0.7 /* how unsure a short time is, whatever it is */

void clv_predictor_causes(const clv_unit_features *f, double causes[CLV_CAUSES])
{
    causes[0] = f->steps > 0 ? (double)f->steps : 1;
    causes[1] = (double)f->macs / 1e6;
    causes[2] = (double)(f->in_bytes + f->out_bytes) / 1e6;
    causes[3] = (double)f->weight_bytes / 1e6;
}

double clv_predictor_base(const clv_calibration_kind *k, const double causes[CLV_CAUSES])
{
    double us = 0;
    for (int i = 0; i < CLV_CAUSES; i++) us += k->cause_us[i] * causes[i];
    return fmax(us, CLV_PREDICTOR_US_MIN);
}

/* ---- samples ---- */

static bool counts(const clv_calibration_row *r, clv_unit_kind kind)
{
    return r->us >= CLV_CALIBRATION_US_MIN &&
           (kind == CLV_UNIT_OTHER || clv_unit_place_kind(&r->place) == kind);
}

/* Sample `at` of its network, if that has the same numbers already, else -1. */
static int twin(const clv_samples *s, size_t first)
{
    const double *x = s->x + s->n * CLV_PLACE_NUMBERS;
    for (size_t i = first; i < s->n; i++)
        if (memcmp(s->x + i * CLV_PLACE_NUMBERS, x, CLV_PLACE_NUMBERS * sizeof *x) == 0)
            return (int)i;
    return -1;
}

/* Blocks that a network repeats are one sample, the geometric mean of their times. */
static void add_network(clv_samples *s, const clv_calibration *c, size_t net, clv_unit_kind kind)
{
    const clv_calibration_network *from = &c->networks[net];
    CLV_AUTO(clv_free) int *times = clv_alloc_array(from->n_rows + 1, sizeof *times);
    size_t first = s->n;
    for (size_t k = 0; k < from->n_rows; k++) {
        const clv_calibration_row *r = &from->rows[k];
        if (!counts(r, kind)) continue;
        double us = log(fmax(r->us * exp(-from->mood), CLV_PREDICTOR_US_MIN));
        clv_unit_place_numbers(&r->place, s->x + s->n * CLV_PLACE_NUMBERS);
        int same = twin(s, first);
        if (same >= 0) {
            int n = ++times[same - (int)first];
            s->us[same] += (us - s->us[same]) / n;
            continue;
        }
        clv_predictor_causes(&r->place.features, s->causes + s->n * CLV_CAUSES);
        s->us[s->n] = us;
        s->network[s->n] = (int)net;
        times[s->n++ - first] = 1;
    }
    for (size_t i = first; i < s->n; i++) {
        s->us[i] = exp(s->us[i]);
        s->extra[i] = CLOCK_US * CLOCK_US / (s->us[i] * s->us[i]);
    }
}

/* Keeps `max`, spread evenly. */
static void thin(clv_samples *s, size_t max)
{
    size_t all = s->n;
    if (all <= max) return;
    for (size_t i = s->n = 0; i < all; i++) {
        if ((i + 1) * max / all == i * max / all) continue;
        size_t at = s->n++;
        memmove(s->x + at * CLV_PLACE_NUMBERS, s->x + i * CLV_PLACE_NUMBERS,
                CLV_PLACE_NUMBERS * sizeof *s->x);
        memmove(s->causes + at * CLV_CAUSES, s->causes + i * CLV_CAUSES,
                CLV_CAUSES * sizeof *s->causes);
        s->us[at] = s->us[i];
        s->extra[at] = s->extra[i];
        s->network[at] = s->network[i];
    }
}

clv_samples clv_samples_of(const clv_calibration *c, clv_unit_kind kind, size_t max)
{
    size_t all = 1; /* room to try one more in */
    for (size_t i = 0; i < c->n_networks; i++)
        for (size_t k = 0; k < c->networks[i].n_rows; k++)
            all += counts(&c->networks[i].rows[k], kind);
    clv_samples s = {.x = clv_alloc_array(all * CLV_PLACE_NUMBERS, sizeof *s.x),
                     .us = clv_alloc_array(all, sizeof *s.us),
                     .causes = clv_alloc_array(all * CLV_CAUSES, sizeof *s.causes),
                     .extra = clv_alloc_array(all, sizeof *s.extra),
                     .network = clv_alloc_array(all, sizeof *s.network)};
    for (size_t i = 0; i < c->n_networks; i++) add_network(&s, c, i, kind);
    thin(&s, max);
    return s;
}

void clv_samples_done(clv_samples *s)
{
    free(s->x);
    free(s->us);
    free(s->causes);
    free(s->extra);
    free(s->network);
}

/* ---- causes: least squares of relative errors, nothing below 0 ---- */

static void learn_causes(const clv_samples *s, double out[CLV_CAUSES])
{
    double square[CLV_CAUSES][CLV_CAUSES] = {{0}}, right[CLV_CAUSES] = {0};
    for (size_t i = 0; i < s->n; i++)
        for (int a = 0; a < CLV_CAUSES; a++) {
            double va = s->causes[i * CLV_CAUSES + (size_t)a] / s->us[i];
            right[a] += va;
            for (int b = 0; b < CLV_CAUSES; b++)
                square[a][b] += va * s->causes[i * CLV_CAUSES + (size_t)b] / s->us[i];
        }
    memset(out, 0, CLV_CAUSES * sizeof *out);
    for (int round = 0; round < 500; round++)
        for (int a = 0; a < CLV_CAUSES; a++) {
            double rest = right[a];
            for (int b = 0; b < CLV_CAUSES; b++) rest -= square[a][b] * out[b];
            if (square[a][a] > 0) out[a] = fmax(0, out[a] + rest / square[a][a]);
        }
}

/* ---- one kind ---- */

/* ln(us / base) - level, and the level. */
static double *bends(const clv_samples *s, const clv_calibration_kind *k, double *level)
{
    double *y = clv_alloc_array(s->n + 1, sizeof *y);
    for (size_t i = 0; i < s->n; i++)
        y[i] = log(s->us[i] / clv_predictor_base(k, s->causes + i * CLV_CAUSES));
    if (level) {
        CLV_AUTO(clv_free) double *sorted = clv_alloc_array(s->n + 1, sizeof *sorted);
        memcpy(sorted, y, s->n * sizeof *y);
        *level = s->n ? clv_median(sorted, s->n) : 0;
    }
    double off = level ? *level : k->level;
    for (size_t i = 0; i < s->n; i++) y[i] -= off;
    return y;
}

static clv_gaussian_samples for_process(const clv_samples *s, const double *y)
{
    return (clv_gaussian_samples){.x = s->x,
                                  .y = y,
                                  .extra = s->extra,
                                  .group = s->network,
                                  .n = s->n,
                                  .dims = CLV_PLACE_NUMBERS};
}

static void settle_process(clv_calibration_kind *k, const clv_samples *s, const double *y)
{
    double var = 0;
    for (size_t i = 0; i < s->n; i++) var += y[i] * y[i] / (double)s->n;
    clv_gaussian_settings start = k->settings;
    if (!k->known) {
        start = (clv_gaussian_settings){
            .signal = fmin(fmax(var, 0.02), 1), .noise = 0.01, .shared = 0.005};
        for (int i = 0; i < CLV_PLACE_NUMBERS; i++) start.scale[i] = 0.2;
    }
    clv_gaussian_samples samples = for_process(s, y);
    k->settings = clv_gaussian_settle(&samples, &start);
    CLV_AUTO(clv_free) double *error = clv_alloc_array(s->n, sizeof *error);
    clv_gaussian_leave_out(&samples, &k->settings, error);
    for (size_t i = 0; i < s->n; i++) error[i] = fabs(error[i]);
    k->error = clv_median(error, s->n);
}

static void learn_merged(clv_calibration *c, clv_unit_kind kind)
{
    double n[CLV_PLACE_MARKS] = {0}, merged[CLV_PLACE_MARKS] = {0};
    for (size_t i = 0; i < c->n_networks; i++)
        for (size_t k = 0; k < c->networks[i].n_rows; k++) {
            const clv_calibration_row *r = &c->networks[i].rows[k];
            if (clv_unit_place_kind(&r->place) != kind) continue;
            int mark = clv_unit_place_mark(&r->place);
            n[mark]++;
            merged[mark] += r->us < CLV_CALIBRATION_US_MIN;
        }
    for (int m = 0; m < CLV_PLACE_MARKS; m++)
        c->kinds[kind].merged[m] = n[m] > 0 ? merged[m] / n[m] : 0;
}

static void settle_kind(clv_calibration *c, clv_unit_kind kind)
{
    clv_calibration_kind *k = &c->kinds[kind];
    if (kind != CLV_UNIT_OTHER) learn_merged(c, kind);
    clv_samples all = clv_samples_of(c, kind, CLV_CALIBRATION_ROWS_MAX);
    k->n = (int)all.n;
    if (all.n >= SAMPLES_MIN) {
        learn_causes(&all, k->cause_us);
        free(bends(&all, k, &k->level));
    }
    clv_samples_done(&all);
    if (k->n < SAMPLES_MIN) return;
    clv_samples some = clv_samples_of(c, kind, SETTLE_SAMPLES_MAX);
    CLV_AUTO(clv_free) double *y = bends(&some, k, NULL);
    if (kind != CLV_UNIT_OTHER) {
        settle_process(k, &some, y);
    } else if (!k->known) { /* what stands for all: no process */
        k->settings.signal = 1;
        k->settings.noise = 1;
    }
    k->known = true;
    clv_samples_done(&some);
}

clv_gaussian *clv_predictor_process(const clv_calibration *c, clv_unit_kind kind)
{
    const clv_calibration_kind *k = &c->kinds[kind];
    if (kind == CLV_UNIT_OTHER) return NULL;
    clv_samples s = clv_samples_of(c, kind, CLV_PREDICTOR_SAMPLES_MAX);
    CLV_AUTO(clv_free) double *y = bends(&s, k, NULL);
    clv_gaussian_samples samples = for_process(&s, y);
    clv_gaussian *g = s.n ? clv_gaussian_new(&samples, &k->settings) : NULL;
    clv_samples_done(&s);
    return g;
}

/* ---- moods: how slow the machine was, by all rows of a network ---- */

typedef struct opinion {
    double z, weight;
} opinion;

static int by_z(const void *a, const void *b)
{
    const opinion *x = a, *y = b;
    return (x->z > y->z) - (x->z < y->z);
}

static double weighted_median(opinion *o, size_t n)
{
    double sum = 0, so_far = 0;
    qsort(o, n, sizeof *o, by_z);
    for (size_t i = 0; i < n; i++) sum += o[i].weight;
    for (size_t i = 0; i < n; i++) {
        so_far += o[i].weight;
        if (so_far >= sum / 2) return o[i].z;
    }
    return 0;
}

static double mood_of(const clv_predictor *p, const clv_calibration_network *net, double slowdown)
{
    CLV_AUTO(clv_free) opinion *o = clv_alloc_array(net->n_rows + 1, sizeof *o);
    size_t n = 0;
    for (size_t i = 0; i < net->n_rows; i++) {
        const clv_calibration_row *r = &net->rows[i];
        if (r->us < 2) continue;
        double us = clv_predictor_us(p, &r->place) / slowdown;
        o[n++] = (opinion){.z = log(r->us / us), .weight = sqrt(r->us)};
    }
    return fmin(fmax(weighted_median(o, n), -2), 2);
}

/* Of what is learnt so far, NULL: nothing. */
static clv_predictor *so_far(clv_calibration *c)
{
    clv_error ignored;
    clv_predictor *p = NULL;
    bool complete = c->complete;
    c->complete = true; /* as far as it goes */
    clv_status s = clv_predictor_new(c, &p, &ignored);
    c->complete = complete;
    return s == CLV_OK ? p : NULL;
}

/* How slow the reference network says it was, 0 where it was not asked: against its usual time. */
static double mood_by_reference(const clv_calibration_network *net, double usual_us)
{
    bool known = net->reference_us > 0 && usual_us > 0;
    return known ? fmin(fmax(log(net->reference_us / usual_us), -2), 2) : 0;
}

static double usual_reference_us(const clv_calibration *c)
{
    CLV_AUTO(clv_free) double *us = clv_alloc_array(c->n_networks + 1, sizeof *us);
    size_t n = 0;
    for (size_t i = 0; i < c->n_networks; i++)
        if (c->networks[i].reference_us > 0) us[n++] = c->networks[i].reference_us;
    return n ? clv_median(us, n) : 0;
}

static void settle_moods(clv_calibration *c)
{
    clv_predictor *p = so_far(c);
    if (!p) return;
    double usual_us = usual_reference_us(c);
    CLV_AUTO(clv_free) double *moods = clv_alloc_array(c->n_networks + 1, sizeof *moods);
    for (size_t i = 0; i < c->n_networks; i++) {
        clv_calibration_network *net = &c->networks[i];
        double told = mood_by_reference(net, usual_us), seen = mood_of(p, net, c->slowdown);
        moods[i] = net->mood = net->reference_us > 0 ? told + MOOD_OWN * (seen - told) : seen;
    }
    clv_predictor_free(p);
    double usual = clv_quantile(moods, c->n_networks, MOOD_QUANTILE);
    for (size_t i = 0; i < c->n_networks; i++) c->networks[i].mood -= usual;
}

/* ---- the border: least squares of relative errors, ridge towards 0 ---- */

enum { BORDER_NUMBERS = 4 };

/* What the segment's units take in it, from what they took in the network: with its own caches. */
static double units_us(const clv_predictor *p, const clv_calibration_network *net,
                       const clv_calibration_segment *s, double *n_units)
{
    double bytes = 0, us = 0;
    for (size_t i = 0; i < net->n_rows; i++)
        if (s->has[i])
            bytes += (double)(net->rows[i].place.features.weight_bytes +
                              net->rows[i].place.features.out_bytes);
    for (size_t i = 0; i < net->n_rows; i++) {
        if (!s->has[i]) continue;
        clv_unit_place there = net->rows[i].place;
        double whole_us = clv_predictor_us(p, &there);
        there.beside_bytes = (int64_t)fmin(bytes, (double)there.beside_bytes);
        us += net->rows[i].us * clv_predictor_us(p, &there) / whole_us;
        ++*n_units;
    }
    return us;
}

static void settle_border(clv_calibration *c)
{
    enum { N = BORDER_NUMBERS };
    double a[N][N + 1] = {{0}}, out[N] = {0};
    clv_predictor *p = so_far(c);
    for (size_t i = 0; i < c->n_networks && p; i++)
        for (size_t k = 0; k < c->networks[i].n_segments; k++) {
            const clv_calibration_segment *s = &c->networks[i].segments[k];
            double x[N] = {1, 0, s->in_bytes / 1e6, s->out_bytes / 1e6};
            double y = s->us - units_us(p, &c->networks[i], s, &x[1]);
            if (fabs(y) > 0.35 * s->us && s->us > 500) continue; /* a disturbed measurement */
            double w = 1 / (s->us * s->us);
            for (int r = 0; r < N; r++) {
                a[r][N] += w * x[r] * y;
                for (int q = 0; q < N; q++) a[r][q] += w * x[r] * x[q];
            }
        }
    clv_predictor_free(p);
    for (int r = 0; r < N; r++) a[r][r] = a[r][r] * 1.001 + 1e-12;
    for (int round = 0; round < 1000; round++)
        for (int r = 0; r < N; r++) {
            double rest = a[r][N];
            for (int q = 0; q < N; q++) rest -= a[r][q] * out[q];
            out[r] = fmax(0, out[r] + rest / a[r][r]);
        }
    c->border = (clv_calibration_border){
        .run_us = out[0], .unit_us = out[1], .in_us = out[2], .out_us = out[3]};
}

void clv_predictor_settle(clv_calibration *c,
                          void (*progress)(void *arg, size_t done, size_t total), void *arg)
{
    size_t done = 0, total = ROUNDS * CLV_UNIT_KIND_COUNT;
    double usual_us = usual_reference_us(c);
    for (size_t i = 0; i < c->n_networks; i++)
        c->networks[i].mood = mood_by_reference(&c->networks[i], usual_us);
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < CLV_UNIT_KIND_COUNT; k++) {
            settle_kind(c, (clv_unit_kind)k);
            if (progress) progress(arg, ++done, total);
        }
        if (round + 1 < ROUNDS) settle_moods(c);
    }
    settle_border(c);
    clv_calibration_refer(c);
}
