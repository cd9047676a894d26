#include "measure/calibrator.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "measure/stopwatch.h"
#include "tensor/random.h"
#include "zoo/random.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_RUNS = 30, VISITS = 4, SEGMENT_CUTS = 2, CUTS_CAP = 3000 };
/* More than this a traced operator costs in no sane machine. */
#define TRACE_COST_MAX_US 6.0

typedef struct work {
    clv_engine *engine;
    const clv_calibrator_options *o;
    clv_calibration *c;
    clv_calibrator_watch watch;
    void *arg;
    char *dir;
    double slowdown;
    double trace_us; /* what tracing adds to each operator */
    clv_rng rng;
    double family_error[CLV_RANDOM_FAMILY_COUNT]; /* of the latest networks */
    clv_predictor *predictor;                     /* NULL: nothing learnt yet */
} work;

static int wanted(const clv_calibrator_options *o)
{
    return o->networks > 0 ? o->networks : CLV_CALIBRATOR_NETWORKS;
}

size_t clv_calibrator_steps(const clv_calibrator_options *o)
{
    return (size_t)wanted(o) + CLV_UNIT_KIND_COUNT;
}

clv_calibration *clv_calibrator_begin(const clv_engine *engine, const clv_calibrator_options *o)
{
    clv_calibration *c = clv_alloc(sizeof *c);
    snprintf(c->device, sizeof c->device, "%s", engine->device);
    snprintf(c->engine, sizeof c->engine, "%s", engine->description);
    c->threads = o->threads;
    c->slowdown = o->slowdown > 0 ? o->slowdown : 1;
    return c;
}

static clv_status check_same(const clv_calibration *c, const clv_engine *engine,
                             const clv_calibrator_options *o, clv_error *err)
{
    if (strcmp(c->device, engine->device) != 0 || strcmp(c->engine, engine->description) != 0)
        return clv_fail(err, CLV_EMISMATCH, "the calibration is of '%s', this is '%s'", c->engine,
                        engine->description);
    double slowdown = o->slowdown > 0 ? o->slowdown : 1;
    if (c->threads != o->threads || fabs(c->slowdown - slowdown) > 1e-9)
        return clv_fail(err, CLV_EMISMATCH,
                        "the calibration is of %d threads, slowed %gx; this is %d, %gx", c->threads,
                        c->slowdown, o->threads, slowdown);
    return CLV_OK;
}

/* Times of another reference network are of no use beside those to come. */
static void take_reference(clv_calibration *c, const clv_speedometer *speedometer)
{
    clv_speed is = clv_speedometer_speed(speedometer, 0);
    if (!speedometer || strcmp(c->reference.network, is.network) == 0) return;
    for (size_t i = 0; i < c->n_networks; i++) c->networks[i].reference_us = 0;
    c->reference = (clv_speed){0};
    memcpy(c->reference.network, is.network, sizeof is.network);
}

/* ---- one network ---- */

typedef struct look {
    work *w;
    clv_network *net;
    clv_tensors inputs;
    clv_stopwatch whole;
    double *us; /* of each unit, traced */
} look;

static void look_done(look *l)
{
    clv_stopwatch_done(&l->whole);
    clv_tensors_done(&l->inputs);
    clv_network_unref(l->net);
    free(l->us);
}

static clv_status open_network(look *l, const char *path, clv_error *err)
{
    clv_status s = clv_network_open(path, l->w->engine,
                                    &(clv_network_options){.cuts_cap = CUTS_CAP}, &l->net, err);
    if (s != CLV_OK) return s;
    const clv_graph *g = clv_network_graph(l->net);
    clv_rng rng = clv_rng_seeded(1);
    size_t n;
    const clv_tensor_spec *specs = clv_network_inputs(l->net, &n);
    for (size_t i = 0; i < n && s == CLV_OK; i++) {
        clv_tensor_spec spec = specs[i];
        int t = clv_graph_tensor_index(g, spec.name);
        if (t >= 0) spec.shape = g->tensors[t].shape;
        s = clv_tensors_random(&spec, 1, 1, &rng, &l->inputs, err);
    }
    l->us = clv_alloc_array(g->n_units, sizeof *l->us);
    if (s != CLV_OK) return s;
    return clv_stopwatch_start(&l->whole, l->net, 0, clv_network_cuts(l->net)->n - 1,
                               l->inputs.items, l->inputs.n, NULL, err);
}

static clv_status visit_whole(look *l, int visits, clv_error *err)
{
    clv_status s = CLV_OK;
    for (int i = 0; i < visits && s == CLV_OK; i++) s = clv_stopwatch_visit(&l->whole, err);
    return s;
}

/* The whole and the reference network in turns: at the speed of these moments the units count. */
static clv_status visit_both(look *l, clv_error *err)
{
    clv_status s = CLV_OK;
    for (int i = 0; i < VISITS && s == CLV_OK; i++) {
        s = visit_whole(l, 1, err);
        if (s == CLV_OK) s = clv_speedometer_visit(l->w->o->speedometer, err);
    }
    return s;
}

/* The whole before, the trace, the whole after. */
static clv_status take_trace(look *l, clv_error *err)
{
    clv_status s = visit_both(l, err);
    if (s == CLV_OK)
        s = clv_network_trace(l->net, l->inputs.items, l->inputs.n, TRACE_RUNS, l->us, err);
    return s == CLV_OK ? visit_both(l, err) : s;
}

static double whole_us(const look *l, size_t first)
{
    return clv_stopwatch_time(&l->whole, first).us / l->w->slowdown;
}

/* Units less what tracing adds, so that they add up to the untraced whole. */
static void scale_units(look *l)
{
    const clv_graph *g = clv_network_graph(l->net);
    double sum = 0;
    for (size_t u = 0; u < g->n_units; u++) {
        double steps = fmax((double)g->units[u].features.steps, 1);
        l->us[u] = fmax(l->us[u] - l->w->trace_us * steps, l->us[u] / 10);
        sum += l->us[u];
    }
    double factor = sum > 0 ? fmin(fmax(whole_us(l, 0) / sum, 0.4), 2.5) : 1;
    for (size_t u = 0; u < g->n_units; u++) l->us[u] *= factor;
}

static void keep_segment(look *l, clv_calibration_network *net, size_t cut, bool prefix, double us)
{
    const clv_graph *g = clv_network_graph(l->net);
    const clv_cut *c = &clv_network_cuts(l->net)->items[cut];
    clv_calibration_segment *s = &net->segments[net->n_segments++];
    *s = (clv_calibration_segment){.us = us / l->w->slowdown,
                                   .has = clv_alloc_array(g->n_units, sizeof *s->has)};
    for (size_t u = 0; u < g->n_units; u++) s->has[u] = clv_cut_has(c, (int)u) == prefix;
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_graph_tensor *t = &g->tensors[c->live[i]];
        if (t->producer < 0) continue;
        *(prefix ? &s->out_bytes : &s->in_bytes) += (double)t->bytes;
    }
}

/* Both sides of a cut alone, interleaved with the whole; scaled to the whole as the trace saw it. */
static clv_status time_cut(look *l, clv_calibration_network *net, size_t cut, clv_error *err)
{
    clv_stopwatch prefix = {0}, suffix = {0};
    clv_tensors at = {0};
    for (size_t i = 0; i < l->inputs.n; i++) {
        const clv_tensor *x = &l->inputs.items[i];
        clv_tensors_add(&at, clv_tensor_view(x->name, x->dtype, x->shape, x->data, x->bytes));
    }
    size_t before = l->whole.n, last = clv_network_cuts(l->net)->n - 1;
    double usual_us = whole_us(l, 0);
    clv_status s =
        clv_stopwatch_start(&prefix, l->net, 0, cut, l->inputs.items, l->inputs.n, &at, err);
    if (s == CLV_OK) s = clv_stopwatch_start(&suffix, l->net, cut, last, at.items, at.n, NULL, err);
    for (int i = 0; i < VISITS && s == CLV_OK; i++) {
        s = visit_whole(l, 1, err);
        if (s == CLV_OK) s = clv_stopwatch_visit(&prefix, err);
        if (s == CLV_OK) s = clv_stopwatch_visit(&suffix, err);
    }
    if (s == CLV_OK) {
        double factor = usual_us / fmax(whole_us(l, before), 1e-3);
        keep_segment(l, net, cut, true, clv_stopwatch_time(&prefix, 0).us * factor);
        keep_segment(l, net, cut, false, clv_stopwatch_time(&suffix, 0).us * factor);
    }
    clv_stopwatch_done(&prefix);
    clv_stopwatch_done(&suffix);
    clv_tensors_done(&at);
    return s;
}

static void keep_rows(look *l, clv_calibration_network *net)
{
    const clv_graph *g = clv_network_graph(l->net);
    net->rows = clv_alloc_array(g->n_units, sizeof *net->rows);
    for (size_t u = 0; u < g->n_units; u++)
        net->rows[net->n_rows++] =
            (clv_calibration_row){.place = clv_unit_place_of(g, u), .us = l->us[u]};
}

/* How badly this network is predicted: the share of its time that goes to the wrong units. */
static void judge(work *w, clv_random_family family, const clv_calibration_network *net)
{
    if (!w->predictor) return;
    double sum = 0, predicted = 0, wrong = 0;
    CLV_AUTO(clv_free) double *us = clv_alloc_array(net->n_rows + 1, sizeof *us);
    for (size_t i = 0; i < net->n_rows; i++) {
        us[i] = clv_predictor_unit(w->predictor, &net->rows[i].place).us / w->slowdown;
        predicted += us[i];
        sum += net->rows[i].us;
    }
    if (!(sum > 0)) return;
    for (size_t i = 0; i < net->n_rows; i++)
        wrong += fabs(us[i] * sum / predicted - net->rows[i].us) / sum;
    w->family_error[family] = 0.6 * w->family_error[family] + 0.4 * wrong;
}

static clv_status look_at(work *w, clv_random_family family, int64_t seed, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf model = {0};
    CLV_AUTO(clv_text_free) char *path = clv_path_join(w->dir, "network.onnx");
    CLV_AUTO(look_done) look l = {.w = w};
    size_t speed_first = clv_speedometer_runs(w->o->speedometer);
    clv_random_network(family, (uint64_t)seed, &model);
    clv_status s = clv_file_write(path, model.data, model.len, err);
    if (s == CLV_OK) s = open_network(&l, path, err);
    if (s == CLV_OK) s = take_trace(&l, err);
    if (s != CLV_OK) return s;
    scale_units(&l);
    clv_calibration_network net = {
        .seed = seed,
        .reference_us = clv_speedometer_speed(w->o->speedometer, speed_first).us,
        .segments = clv_alloc_array(2 * SEGMENT_CUTS, sizeof *net.segments)};
    snprintf(net.family, sizeof net.family, "%s", clv_random_family_name(family));
    keep_rows(&l, &net);
    size_t n_cuts = clv_network_cuts(l.net)->n;
    for (int i = 0; i < SEGMENT_CUTS && n_cuts > 2 && s == CLV_OK; i++)
        s = time_cut(&l, &net, 1 + clv_rng_below(&w->rng, n_cuts - 2), err);
    if (s != CLV_OK) {
        clv_calibration_network_done(&net);
        return s;
    }
    judge(w, family, &net);
    clv_grow(&w->c->networks, &w->c->cap_networks, w->c->n_networks + 1, sizeof *w->c->networks);
    w->c->networks[w->c->n_networks++] = net;
    clv_calibration_refer(w->c);
    return CLV_OK;
}

/* ---- what tracing costs: a network of small layers, traced and not ---- */

static clv_status learn_trace_cost(work *w, clv_error *err)
{
    const clv_zoo_network *lenet;
    clv_zoo_facts facts = {0};
    clv_status s = clv_zoo_find("lenet", &lenet, err);
    if (s == CLV_OK) s = clv_zoo_write(lenet, 1, w->dir, &facts, err);
    CLV_AUTO(look_done) look l = {.w = w};
    if (s == CLV_OK) s = open_network(&l, facts.path, err);
    if (s == CLV_OK) s = take_trace(&l, err);
    clv_zoo_facts_done(&facts);
    if (s != CLV_OK) return s;
    const clv_graph *g = clv_network_graph(l.net);
    double sum = 0, steps = 0;
    for (size_t u = 0; u < g->n_units; u++) {
        sum += l.us[u];
        steps += fmax((double)g->units[u].features.steps, 1);
    }
    w->trace_us = fmin(fmax((sum - whole_us(&l, 0)) / steps, 0), TRACE_COST_MAX_US);
    return CLV_OK;
}

/* ---- which next ---- */

static clv_random_family next_family(work *w)
{
    double sum = 0;
    for (int f = 0; f < CLV_RANDOM_FAMILY_COUNT; f++) sum += w->family_error[f];
    double at = clv_rng_unit(&w->rng) * sum;
    /* Every other one in turn, so that none is ever left out. */
    if (!w->predictor || w->c->n_networks % 2 == 0 || sum <= 0)
        return (clv_random_family)(w->c->n_networks / (w->predictor ? 2 : 1) %
                                   CLV_RANDOM_FAMILY_COUNT);
    for (int f = 0; f < CLV_RANDOM_FAMILY_COUNT; f++) {
        at -= w->family_error[f];
        if (at <= 0) return (clv_random_family)f;
    }
    return CLV_RANDOM_PLAIN;
}

static void learn_so_far(work *w)
{
    clv_error ignored;
    clv_predictor_free(w->predictor);
    w->predictor = NULL;
    clv_predictor_settle(w->c, NULL, NULL);
    w->c->complete = true; /* for the predictor; run() says when it is for good */
    clv_status s = clv_predictor_new(w->c, &w->predictor, &ignored);
    w->c->complete = false;
    for (int f = 0; f < CLV_RANDOM_FAMILY_COUNT && s == CLV_OK; f++)
        if (w->family_error[f] <= 0) w->family_error[f] = 0.3;
}

static clv_status measure(work *w, clv_error *err)
{
    int64_t end_us = clv_now_us() + w->o->budget_us;
    size_t total = clv_calibrator_steps(w->o);
    clv_status s = learn_trace_cost(w, err);
    while (s == CLV_OK && w->c->n_networks < (size_t)wanted(w->o)) {
        bool late = w->o->budget_us > 0 && clv_now_us() > end_us;
        if (late && w->c->n_networks >= CLV_RANDOM_FAMILY_COUNT) break;
        size_t n = w->c->n_networks;
        if (n > 0 && n % CLV_CALIBRATOR_LEARN_EVERY == 0) learn_so_far(w);
        w->rng = clv_rng_seeded(w->o->seed + n);
        clv_random_family family = next_family(w);
        s = look_at(w, family, (int64_t)((w->o->seed << 20) + n), err);
        if (s != CLV_OK)
            return clv_within(err, "%s network %zu", clv_random_family_name(family), n);
        if (w->watch) w->watch(w->arg, w->c, w->c->n_networks, total);
    }
    return s;
}

static void show_learning(void *arg, size_t done, size_t total)
{
    work *w = arg;
    size_t steps = clv_calibrator_steps(w->o);
    if (w->watch)
        w->watch(w->arg, w->c, steps - CLV_UNIT_KIND_COUNT + done * CLV_UNIT_KIND_COUNT / total,
                 steps);
}

clv_status clv_calibrator_run(clv_engine *engine, const clv_calibrator_options *o,
                              clv_calibration *c, clv_calibrator_watch watch, void *arg,
                              clv_error *err)
{
    clv_status s = check_same(c, engine, o, err);
    if (s != CLV_OK) return s;
    work w = {
        .engine = engine, .o = o, .c = c, .watch = watch, .arg = arg, .slowdown = c->slowdown};
    s = clv_dir_temp("calibrate", &w.dir, err);
    if (s != CLV_OK) return s;
    c->complete = false;
    take_reference(c, o->speedometer);
    s = measure(&w, err);
    if (s == CLV_OK) {
        clv_predictor_settle(c, show_learning, &w);
        c->complete = true;
    }
    clv_predictor_free(w.predictor);
    clv_dir_remove(w.dir);
    free(w.dir);
    return s;
}
