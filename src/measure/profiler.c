#include "measure/profiler.h"

#include "base/clock.h"
#include "base/mem.h"
#include "measure/codec_meter.h"
#include "measure/complement.h"
#include "measure/cut_choice.h"
#include "measure/mood.h"
#include "measure/stopwatch.h"
#include "measure/unit_times.h"
#include "tensor/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A segment's memory besides the shared weights: bookkeeping of the engine, and an arena. */
#define SEGMENT_BYTES ((size_t)4 << 20)
enum { ROUNDS_LEAST = 3 };

/* One cut of the block that is under the stopwatch. */
typedef struct trial {
    size_t cut;
    clv_tensors at; /* the network's inputs and what the prefix made: the suffix's inputs */
    clv_stopwatch prefix, suffix;
} trial;

typedef struct run {
    clv_network *network;
    const clv_profiler_options *o;
    double precision;
    clv_cut_choice *choice;
    size_t n_wanted; /* cuts to time, a start of choice->order */
    clv_tensors inputs;
    clv_stopwatch whole;
    size_t speed_first; /* the speedometer's runs before ours */
    clv_codec_meter *meter;
    clv_profile *profile;
    double *block_whole_us, *block_whole_error; /* the whole, as each block saw it */
    size_t *block_of;                           /* of each cut */
    size_t n_blocks;
    clv_profiler_progress progress;
    void *arg;
    size_t done, total;
    int64_t end_us;
} run;

/* Of n_cuts cuts, how many are to be timed. */
static size_t wanted_of(size_t n_cuts, const clv_profiler_options *o)
{
    size_t n = o->max_cuts ? CLV_MIN(o->max_cuts, n_cuts) : n_cuts;
    return o->steady ? CLV_MIN(n, (size_t)CLV_PROFILER_STEADY_CUTS) : n;
}

static size_t steps_for(size_t n_cuts, const clv_profiler_options *o)
{
    return wanted_of(n_cuts, o) * (1 + CLV_PROFILER_ROUNDS_MIN) + 1;
}

size_t clv_profiler_steps(const clv_network *network, const clv_profiler_options *options)
{
    return steps_for(clv_network_cuts(network)->n - 2,
                     options); /* cut 0 and the last are the whole */
}

static void step(run *r, size_t n)
{
    r->done = CLV_MIN(r->done + n, r->total);
    if (r->progress) r->progress(r->arg, r->done, r->total);
}

/* Every tensor needs concrete dimensions: the graph has them at batch 1, the model's declaration
 * leaves the free ones open. */
static clv_status make_inputs(run *r, clv_error *err)
{
    const clv_graph *g = clv_network_graph(r->network);
    clv_rng rng = clv_rng_seeded(r->o->seed);
    size_t n_declared;
    const clv_tensor_spec *declared = clv_network_inputs(r->network, &n_declared);
    for (size_t i = 0; i < n_declared; i++) {
        clv_tensor_spec spec = declared[i];
        int t = clv_graph_tensor_index(g, spec.name);
        if (t >= 0 && g->tensors[t].shape.rank >= 0) spec.shape = g->tensors[t].shape;
        clv_status s = clv_tensors_random(&spec, 1, 1, &rng, &r->inputs, err);
        if (s != CLV_OK) return clv_within(err, "input '%s'", spec.name);
    }
    return CLV_OK;
}

static void trial_done(trial *t)
{
    clv_stopwatch_done(&t->prefix);
    clv_stopwatch_done(&t->suffix);
    clv_tensors_done(&t->at);
    *t = (trial){0};
}

/* What codecs make of the tensors at a cut, which are among `made`. */
static clv_status meter_cut(run *r, size_t cut, const clv_tensors *made, clv_error *err)
{
    const clv_profile_cut *c = &r->profile->cuts[cut];
    CLV_AUTO(clv_tensors_done) clv_tensors live = {0};
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_tensor *t = clv_tensors_find(made, c->live[i]);
        if (!t) continue; /* a tensor that no input reaches, at cut 0 */
        clv_tensors_add(&live, clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes));
    }
    return clv_codec_meter_add(r->meter, cut, live.items, live.n, err);
}

/* Compile both sides of a cut. The prefix runs once in any case: the suffix wants real inputs. */
static clv_status trial_start(run *r, size_t cut, trial *t, clv_error *err)
{
    t->cut = cut;
    for (size_t i = 0; i < r->inputs.n; i++) {
        const clv_tensor *x = &r->inputs.items[i];
        clv_tensors_add(&t->at, clv_tensor_view(x->name, x->dtype, x->shape, x->data, x->bytes));
    }
    size_t last = clv_network_cuts(r->network)->n - 1;
    clv_status s = clv_stopwatch_start(&t->prefix, r->network, 0, cut, r->inputs.items, r->inputs.n,
                                       &t->at, err);
    if (s == CLV_OK && r->o->no_prefixes) clv_stopwatch_done(&t->prefix);
    if (s == CLV_OK) s = meter_cut(r, cut, &t->at, err);
    if (s == CLV_OK && !r->o->no_suffixes)
        s = clv_stopwatch_start(&t->suffix, r->network, cut, last, t->at.items, t->at.n, NULL, err);
    if (s != CLV_OK) {
        trial_done(t);
        return clv_within(err, "cut '%.200s'", r->profile->cuts[cut].label);
    }
    return CLV_OK;
}

static bool settled(const run *r, const clv_stopwatch *w)
{
    if (!w->segment) return true;
    if (r->o->steady) return false;
    if (w->visits < CLV_PROFILER_ROUNDS_MIN) return false;
    clv_time t = clv_stopwatch_time(w, 0);
    return clv_time_error_us(&t) <= r->precision * fmax(t.us, 1e-3);
}

/* One visit to everything that is not precise enough yet; `open` counts what was not. */
static clv_status visit_all(run *r, trial *trials, size_t n, size_t *open, clv_error *err)
{
    *open = 0;
    clv_status s = clv_stopwatch_visit(&r->whole, err);
    for (size_t i = 0; i < n && s == CLV_OK; i++) {
        s = clv_speedometer_look(r->o->speedometer, err);
        clv_stopwatch *both[] = {&trials[i].prefix, &trials[i].suffix};
        for (size_t k = 0; k < CLV_COUNT(both) && s == CLV_OK; k++) {
            if (settled(r, both[k])) continue;
            s = clv_stopwatch_visit(both[k], err);
            *open += !settled(r, both[k]);
        }
    }
    return s;
}

/* Every undisturbed run of a block. */
typedef struct block_laps {
    clv_mood_lap *items;
    size_t n, cap, n_who;
} block_laps;

static void block_laps_done(block_laps *b)
{
    free(b->items);
}

static void add_laps(block_laps *b, clv_stopwatch *w, size_t first)
{
    for (size_t i = first; w && i < w->n; i++) {
        if (w->laps[i].disturbed || !(w->laps[i].us > 0)) continue;
        clv_grow(&b->items, &b->cap, b->n + 1, sizeof *b->items);
        b->items[b->n++] =
            (clv_mood_lap){.who = b->n_who, .at_us = w->laps[i].at_us, .us = &w->laps[i].us};
    }
    b->n_who++;
}

/* The times of the block into the profile, and how the whole ran meanwhile. */
static void take_times(run *r, trial *trials, size_t n, size_t whole_before, size_t speed_before)
{
    CLV_AUTO(block_laps_done) block_laps laps = {0};
    add_laps(&laps, &r->whole, whole_before);
    add_laps(&laps, clv_speedometer_watch(r->o->speedometer), speed_before);
    for (size_t i = 0; i < n; i++) {
        add_laps(&laps, &trials[i].prefix, 0);
        add_laps(&laps, &trials[i].suffix, 0);
    }
    clv_mood_remove(laps.items, laps.n, laps.n_who);
    clv_time whole = clv_stopwatch_time(&r->whole, whole_before);
    r->block_whole_us[r->n_blocks] = whole.us;
    r->block_whole_error[r->n_blocks] = clv_time_error_us(&whole);
    for (size_t i = 0; i < n; i++) {
        clv_profile_cut *c = &r->profile->cuts[trials[i].cut];
        c->prefix = clv_stopwatch_time(&trials[i].prefix, 0);
        c->suffix = clv_stopwatch_time(&trials[i].suffix, 0);
        r->block_of[trials[i].cut] = r->n_blocks;
    }
    r->n_blocks++;
}

static clv_status time_block(run *r, trial *trials, size_t n, int64_t until_us, clv_error *err)
{
    size_t whole_before = r->whole.n, open = 1;
    size_t speed_before = clv_speedometer_runs(r->o->speedometer);
    clv_status s = CLV_OK;
    int most = r->o->steady ? CLV_PROFILER_STEADY_ROUNDS : CLV_PROFILER_ROUNDS_MAX;
    for (int round = 0; round < most && open > 0 && s == CLV_OK; round++) {
        /* Late, three rounds must do: a median of three is a measurement, of one it is not. */
        if (round >= ROUNDS_LEAST && clv_now_us() > until_us) break;
        s = visit_all(r, trials, n, &open, err);
        if (round < CLV_PROFILER_ROUNDS_MIN) step(r, n);
    }
    if (s == CLV_OK) take_times(r, trials, n, whole_before, speed_before);
    return s;
}

/* What one more cut will hold in memory: twice the largest working set of a unit, on each side. */
static size_t cut_memory(const run *r)
{
    const clv_graph *g = clv_network_graph(r->network);
    size_t most = 0;
    for (size_t u = 0; u < g->n_units; u++) {
        size_t bytes = 0;
        for (size_t i = 0; i < g->units[u].n_inputs; i++)
            bytes += g->tensors[g->units[u].inputs[i]].bytes;
        for (size_t i = 0; i < g->units[u].n_outputs; i++)
            bytes += g->tensors[g->units[u].outputs[i]].bytes;
        most = CLV_MAX(most, bytes);
    }
    return 2 * (SEGMENT_BYTES + 2 * most);
}

/* How many cuts the time that is left allows a few rounds: both sides of a cut take about as long as
 * the whole, once to warm up and twice a round. */
static size_t cuts_in_time(const run *r, int64_t left_us)
{
    int rounds = r->o->steady ? CLV_PROFILER_ROUNDS_MIN : ROUNDS_LEAST;
    double one_us = (2 + rounds * 2) * fmax(clv_stopwatch_time(&r->whole, 0).us, 1);
    return left_us > 0 ? (size_t)((double)left_us / one_us) : 0;
}

/* The next cuts of the order, as many as may be resident together and as there is time for; each
 * gets its share of the time that is left. */
static clv_status next_block(run *r, size_t at, size_t *n, clv_error *err)
{
    size_t room = CLV_MIN(CLV_PROFILER_MEMORY_MAX / cut_memory(r), CLV_PROFILER_RESIDENT_MAX / 2);
    size_t left = r->n_wanted - at;
    int64_t now_us = clv_now_us();
    if (r->o->steady) room = left;
    if (!r->o->all) room = CLV_MIN(room, cuts_in_time(r, r->end_us - now_us));
    *n = CLV_MIN(CLV_MAX(room, (size_t)1), left);
    int64_t share_us = (int64_t)((double)(r->end_us - now_us) * (double)*n / (double)left);
    CLV_AUTO(clv_free) trial *trials = clv_alloc_array(*n, sizeof *trials);
    clv_status s = CLV_OK;
    size_t started = 0;
    while (started < *n && s == CLV_OK) {
        if (!r->o->all && clv_now_us() > r->end_us) break; /* compiling takes its time too */
        s = trial_start(r, r->choice->order[at + started], &trials[started], err);
        started += s == CLV_OK;
        step(r, 1);
    }
    if (s == CLV_OK && started > 0) s = time_block(r, trials, started, now_us + share_us, err);
    for (size_t i = 0; i < started; i++) trial_done(&trials[i]);
    return s;
}

static clv_time scaled(clv_time t, double factor)
{
    return (clv_time){t.us * factor, t.sigma_us * factor, t.n};
}

/* Blocks ran at different times; the whole ran in all of them. */
static void remove_drift(run *r, double whole_us)
{
    for (size_t i = 0; i < r->n_wanted; i++) {
        size_t cut = r->choice->order[i], b = r->block_of[cut];
        clv_profile_cut *c = &r->profile->cuts[cut];
        if (c->prefix.n + c->suffix.n == 0 ||
            fabs(r->block_whole_us[b] - whole_us) < 2 * r->block_whole_error[b])
            continue;
        c->prefix = scaled(c->prefix, whole_us / r->block_whole_us[b]);
        c->suffix = scaled(c->suffix, whole_us / r->block_whole_us[b]);
    }
}

static clv_status time_whole(run *r, clv_error *err)
{
    size_t last = r->profile->n_cuts - 1;
    clv_status s = clv_stopwatch_start(&r->whole, r->network, 0, last, r->inputs.items, r->inputs.n,
                                       NULL, err);
    /* A start; every round of every block times it again. */
    for (int i = 0; i < CLV_PROFILER_ROUNDS_MIN && s == CLV_OK; i++) {
        s = clv_stopwatch_visit(&r->whole, err);
        if (s == CLV_OK) s = clv_speedometer_visit(r->o->speedometer, err);
    }
    return s == CLV_OK ? CLV_OK : clv_within(err, "whole network");
}

/* A network without cuts has no blocks in which the whole would be timed along. */
static clv_status settle_whole(run *r, clv_error *err)
{
    clv_status s = CLV_OK;
    for (int i = 0; i < CLV_PROFILER_ROUNDS_MAX && s == CLV_OK && !settled(r, &r->whole); i++) {
        if (clv_now_us() > r->end_us) break;
        s = clv_stopwatch_visit(&r->whole, err);
        if (s == CLV_OK) s = clv_speedometer_look(r->o->speedometer, err);
    }
    return s;
}

static clv_status time_all(run *r, clv_error *err)
{
    clv_status s = make_inputs(r, err);
    if (s == CLV_OK) s = meter_cut(r, 0, &r->inputs, err);
    if (s == CLV_OK) s = time_whole(r, err);
    for (size_t at = 0, n = 0; at < r->n_wanted && s == CLV_OK; at += n) {
        if (!r->o->all && clv_now_us() > r->end_us) break;
        s = next_block(r, at, &n, err);
    }
    if (r->n_wanted == 0 && s == CLV_OK) s = settle_whole(r, err);
    if (s != CLV_OK) return s;
    r->profile->reference = clv_speedometer_speed(r->o->speedometer, r->speed_first);
    clv_time whole = clv_stopwatch_time(&r->whole, 0);
    r->profile->cuts[0].suffix = r->profile->cuts[r->profile->n_cuts - 1].prefix = whole;
    remove_drift(r, whole.us);
    clv_complement_settle(r->profile);
    clv_unit_times(clv_network_graph(r->network), clv_network_cuts(r->network), r->choice->chain,
                   r->choice->n_chain, r->profile);
    clv_codec_meter_fill(r->meter, r->profile);
    step(r, r->total);
    return CLV_OK;
}

static void run_done(run *r)
{
    clv_stopwatch_done(&r->whole);
    clv_tensors_done(&r->inputs);
    clv_codec_meter_free(r->meter);
    clv_cut_choice_free(r->choice);
    clv_profile_free(r->profile);
    free(r->block_of);
    free(r->block_whole_us);
    free(r->block_whole_error);
}

static void name_profile(clv_profile *p, const clv_engine *engine, const clv_profiler_options *o)
{
    if (o->model) snprintf(p->model, sizeof p->model, "%s", o->model);
    snprintf(p->device, sizeof p->device, "%s", engine->device);
    snprintf(p->engine, sizeof p->engine, "%s", engine->description);
    p->threads = o->threads;
    p->slowdown = o->slowdown > 0 ? o->slowdown : 1;
}

clv_status clv_profiler_run(clv_network *network, const clv_engine *engine,
                            const clv_profiler_options *options, clv_profiler_progress progress,
                            void *arg, clv_profile **out, clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(network);
    CLV_AUTO(run_done)
    run r = {.network = network, .o = options, .progress = progress, .arg = arg};
    r.speed_first = clv_speedometer_runs(options->speedometer);
    r.precision = options->precision > 0 ? options->precision : CLV_PROFILER_PRECISION;
    r.choice = clv_cut_choice_new(clv_network_graph(network), cuts);
    r.n_wanted = wanted_of(r.choice->n, options);
    r.total = steps_for(r.choice->n, options);
    r.block_of = clv_alloc_array(cuts->n, sizeof *r.block_of);
    r.block_whole_us = clv_alloc_array(r.n_wanted + 1, sizeof *r.block_whole_us);
    r.block_whole_error = clv_alloc_array(r.n_wanted + 1, sizeof *r.block_whole_error);
    r.end_us = clv_now_us() + (options->budget_us ? options->budget_us : CLV_PROFILER_BUDGET_US);
    r.profile = clv_profiler_blank(network);
    r.meter = clv_codec_meter_new(r.profile->n_cuts, false);
    name_profile(r.profile, engine, options);
    step(&r, 0);
    clv_status s = time_all(&r, err);
    if (s == CLV_OK) *out = clv_steal(&r.profile);
    return s;
}
