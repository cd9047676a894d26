#include "measure/accuracy_study.h"

#include "base/mem.h"
#include "measure/answer.h"
#include "measure/codec_meter.h"
#include "measure/cut_choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESIDENT_BYTES ((size_t)64 << 20) /* of a batch's activations */

/* One cut of the block that is on trial. */
typedef struct trial {
    size_t cut;
    clv_segment *prefix, *suffix; /* prefix NULL at cut 0 */
    bool prefix_stays, suffix_stays;
    bool batched;                       /* its tensors are batches along dimension 0 */
    size_t only_uncut[CLV_QUANT_COUNT]; /* samples that only the uncut network has right, … */
    size_t only_cut[CLV_QUANT_COUNT];   /* … and only the cut one */
} trial;

typedef struct study {
    clv_network *network;
    const clv_graph *graph;
    const clv_samples *samples;
    const clv_accuracy_study *o;
    clv_profile *profile;
    size_t *wanted, n_wanted; /* cuts: 0, then in the order of their use */
    clv_codec_meter *meter;
    const char *output; /* whose largest value is the answer */
    bool *right;        /* [samples] the uncut network's answers */
    size_t batch, done, total, last;
} study;

static void step(study *s)
{
    s->done++;
    if (s->o->progress) s->o->progress(s->o->arg, CLV_MIN(s->done, s->total), s->total);
}

/* ---- what is there to do ---- */

static size_t n_wanted(const clv_network *network, const clv_accuracy_study *o)
{
    size_t n = clv_network_cuts(network)->n - 1; /* the last has nothing to code */
    return o->max_cuts ? CLV_MIN(o->max_cuts + 1, n) : n;
}

/* Fewer where a batch's activations would fill the memory. */
static size_t batch_of(const clv_network *network, const clv_accuracy_study *o)
{
    const clv_graph *g = clv_network_graph(network);
    size_t most = 1, n_inputs;
    const clv_tensor_spec *inputs = clv_network_inputs(network, &n_inputs);
    for (size_t t = 0; t < g->n_tensors; t++) most = CLV_MAX(most, g->tensors[t].bytes);
    if (n_inputs != 1 || inputs[0].shape.rank < 1 || inputs[0].shape.dim[0] != -1) return 1;
    size_t batch = o->batch ? o->batch : CLV_STUDY_BATCH;
    return CLV_MAX(CLV_MIN(batch, RESIDENT_BYTES / most), (size_t)1);
}

size_t clv_accuracy_study_steps(const clv_network *network, const clv_samples *samples,
                                const clv_accuracy_study *o)
{
    size_t batch = batch_of(network, o);
    return ((samples->n + batch - 1) / batch) * (1 + n_wanted(network, o));
}

/* ---- tensors of one sample, and of many ---- */

static clv_tensor slice(const clv_tensor *t, size_t i, size_t n)
{
    clv_shape shape = t->shape;
    if (n > 1) shape.dim[0] = 1;
    size_t bytes = t->bytes / n;
    return clv_tensor_view(t->name, t->dtype, shape, (const char *)t->data + i * bytes, bytes);
}

/* The tensors at a cut among what was made; views. False: one of them is missing, or is no batch of n. */
static bool live_of(const study *s, size_t cut, const clv_tensors *made, size_t n, clv_tensors *out)
{
    const clv_profile_cut *c = &s->profile->cuts[cut];
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_tensor *t = clv_tensors_find(made, c->live[i]);
        if (!t || (n > 1 && (t->shape.rank < 1 || t->shape.dim[0] != (int64_t)n))) return false;
        clv_tensors_add(out, clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes));
    }
    return true;
}

/* Sample i of all of them; views. */
static clv_tensors slices(const clv_tensors *all, size_t i, size_t n)
{
    clv_tensors one = {0};
    for (size_t k = 0; k < all->n; k++) clv_tensors_add(&one, slice(&all->items[k], i, n));
    return one;
}

static clv_status code_slice(clv_quant quant, const clv_tensor *from, void *to, clv_error *err)
{
    clv_tensor coded, back;
    clv_status s = clv_codec_encode((clv_codec){.quant = quant}, from, &coded, err);
    if (s != CLV_OK) return s;
    s = clv_codec_decode(&coded, &back, err);
    clv_tensor_done(&coded);
    if (s != CLV_OK) return s;
    if (back.bytes > 0) memcpy(to, back.data, back.bytes); /* as many as `from`: decode checks */
    clv_tensor_done(&back);
    return CLV_OK;
}

/* The batch as it arrives behind a codec: each sample was coded by itself. */
static clv_status code_all(clv_quant quant, const clv_tensors *live, size_t n, clv_tensors *out,
                           clv_error *err)
{
    for (size_t k = 0; k < live->n; k++) {
        const clv_tensor *t = &live->items[k];
        clv_tensor copy;
        clv_status s = t->dtype == CLV_TEXT
                           ? clv_fail(err, CLV_EUNSUPPORTED, "tensor '%s' is text", t->name)
                           : clv_tensor_new(&copy, t->name, t->dtype, t->shape, err);
        if (s != CLV_OK) return s;
        clv_tensors_add(out, copy);
        for (size_t i = 0; i < n && s == CLV_OK; i++) {
            clv_tensor one = slice(t, i, n);
            s = code_slice(quant, &one, (char *)copy.data + i * one.bytes, err);
            clv_tensor_done(&one);
        }
        if (s != CLV_OK) return clv_within(err, "tensor '%s'", t->name);
    }
    return CLV_OK;
}

/* ---- one cut ---- */

/* Runs the rest behind a quantisation and compares its answers with the uncut network's. */
static clv_status try_quant(study *s, trial *t, clv_quant quant, const clv_tensors *live,
                            const clv_tensors *made, size_t first, size_t n, clv_error *err)
{
    CLV_AUTO(clv_tensors_done) clv_tensors coded = {0};
    CLV_AUTO(clv_tensors_done) clv_tensors outputs = {0};
    clv_status st = code_all(quant, live, n, &coded, err);
    if (st == CLV_OK) st = clv_segment_run(t->suffix, coded.items, coded.n, &outputs, err);
    if (st != CLV_OK) return st;
    const clv_tensor *y = clv_tensors_find(&outputs, s->output);
    if (!y) y = clv_tensors_find(made, s->output); /* an early exit: made before the cut */
    for (size_t i = 0; i < n; i++) {
        int answer;
        st = clv_answer_class(y, i, n, &answer, NULL, err);
        if (st != CLV_OK) return st;
        bool right = answer == s->samples->labels[first + i];
        t->only_uncut[quant] += s->right[first + i] && !right;
        t->only_cut[quant] += !s->right[first + i] && right;
    }
    return CLV_OK;
}

static clv_status try_group(study *s, trial *t, const clv_tensors *inputs, size_t first, size_t n,
                            bool *no_batch, clv_error *err)
{
    CLV_AUTO(clv_tensors_done) clv_tensors made = {0};
    CLV_AUTO(clv_tensors_done) clv_tensors live = {0};
    clv_status st = CLV_OK;
    for (size_t i = 0; i < inputs->n; i++) clv_tensors_add(&made, slice(&inputs->items[i], 0, 1));
    if (t->prefix) st = clv_segment_run(t->prefix, inputs->items, inputs->n, &made, err);
    if (st != CLV_OK) return st;
    if (!live_of(s, t->cut, &made, n, &live)) {
        *no_batch = n > 1;
        return n > 1 ? CLV_OK : clv_fail(err, CLV_EINTERNAL, "its tensors were not made");
    }
    for (size_t i = 0; i < n && first + i < CLV_STUDY_BYTES_SAMPLES && st == CLV_OK; i++) {
        CLV_AUTO(clv_tensors_done) clv_tensors one = slices(&live, i, n);
        st = clv_codec_meter_add(s->meter, t->cut, one.items, one.n, err);
    }
    for (int q = 0; q < CLV_QUANT_COUNT && st == CLV_OK; q++)
        if (clv_codec_lossy((clv_codec){.quant = (clv_quant)q}))
            st = try_quant(s, t, (clv_quant)q, &live, &made, first, n, err);
    return st;
}

static clv_status try_cut(study *s, trial *t, const clv_tensors *inputs, size_t first, size_t n,
                          clv_error *err)
{
    clv_status st = CLV_OK;
    bool no_batch = n > 1 && !t->batched;
    if (!no_batch) st = try_group(s, t, inputs, first, n, &no_batch, err);
    if (no_batch) t->batched = false;
    for (size_t i = 0; no_batch && i < n && st == CLV_OK; i++) {
        CLV_AUTO(clv_tensors_done) clv_tensors one = slices(inputs, i, n);
        bool unused;
        st = try_group(s, t, &one, first + i, 1, &unused, err);
    }
    step(s);
    return st == CLV_OK ? CLV_OK
                        : clv_within(err, "cut '%.200s', samples from %zu on",
                                     s->profile->cuts[t->cut].label, first);
}

static void let_go(study *s, clv_segment *segment, size_t from, size_t to, bool stays)
{
    clv_segment_unref(segment);
    if (segment && !stays) clv_network_evict(s->network, from, to);
}

static void trial_done(study *s, trial *t)
{
    let_go(s, t->prefix, 0, t->cut, t->prefix_stays);
    let_go(s, t->suffix, t->cut, s->last, t->suffix_stays);
}

static clv_status take_segment(study *s, size_t from, size_t to, clv_segment **out, bool *stays,
                               clv_error *err)
{
    *out = clv_network_resident(s->network, from, to);
    *stays = *out != NULL;
    return *out ? CLV_OK : clv_network_segment(s->network, from, to, out, err);
}

/* Do the tensors at a cut have a first dimension of 1 at batch 1? Where another one stands first, what looks
 * like a batch may be something else. */
static bool batch_first(const study *s, size_t cut)
{
    const clv_cut *c = &clv_network_cuts(s->network)->items[cut];
    for (size_t i = 0; i < c->n_live; i++) {
        const clv_shape *shape = &s->graph->tensors[c->live[i]].shape;
        if (shape->rank < 1 || shape->dim[0] != 1) return false;
    }
    return true;
}

static clv_status trial_start(study *s, trial *t, size_t cut, clv_error *err)
{
    clv_status st = CLV_OK;
    t->cut = cut;
    if (cut > 0) st = take_segment(s, 0, cut, &t->prefix, &t->prefix_stays, err);
    if (st == CLV_OK) st = take_segment(s, cut, s->last, &t->suffix, &t->suffix_stays, err);
    if (st != CLV_OK) return clv_within(err, "cut '%.200s'", s->profile->cuts[cut].label);
    t->batched = batch_first(s, cut) && clv_segment_any_batch(t->suffix) &&
                 (!t->prefix || clv_segment_any_batch(t->prefix));
    return CLV_OK;
}

/* ---- the result ---- */

static void set_accuracy(study *s, const trial *t)
{
    double n = (double)s->samples->n;
    for (size_t i = 0; i < s->profile->n_codecs; i++) {
        clv_profile_codec *c = &s->profile->codecs[i];
        clv_codec codec;
        if (clv_codec_parse(c->name, &codec, NULL) != CLV_OK || !clv_codec_lossy(codec)) continue;
        double w = (double)t->only_uncut[codec.quant], r = (double)t->only_cut[codec.quant];
        double lost = (w - r) / n;
        double variance = n > 1 ? fmax(0, (w + r) / n - lost * lost) / (n - 1) : 0;
        c->cut_drop[t->cut] = fmin(1, fmax(0, lost + sqrt(variance)));
        c->cut_accuracy[t->cut] = s->profile->accuracy - lost;
    }
}

/* Every lossy codec gets its columns: nothing known of any cut, and nothing lost at the last. */
static void add_columns(study *s)
{
    clv_profile *p = s->profile;
    for (size_t i = 0; i < CLV_CODECS; i++) {
        clv_codec codec = clv_codec_at(i);
        if (codec.quant == CLV_QUANT_RAW && codec.pack == CLV_PACK_NONE) continue;
        clv_profile_codec *c = clv_profile_codec_add(p, clv_codec_show(codec).s);
        memset(c->cut_bytes, 0, p->n_cuts * sizeof *c->cut_bytes);
        free(c->cut_drop);
        free(c->cut_accuracy);
        c->cut_drop = c->cut_accuracy = NULL;
        if (!clv_codec_lossy(codec)) continue;
        c->cut_drop = clv_alloc_array(p->n_cuts, sizeof *c->cut_drop);
        c->cut_accuracy = clv_alloc_array(p->n_cuts, sizeof *c->cut_accuracy);
        for (size_t k = 0; k + 1 < p->n_cuts; k++) c->cut_drop[k] = 1;
        c->cut_accuracy[s->last] = p->accuracy;
    }
}

/* ---- all ---- */

static clv_status read_batch(study *s, size_t first, size_t n, clv_tensors *out, clv_error *err)
{
    clv_tensor t;
    clv_status st = s->samples->read(s->samples->arg, first, n, &t, err);
    if (st == CLV_OK) clv_tensors_add(out, t);
    return st;
}

/* The uncut network's answers, in batches or, where it takes none, one by one. */
static clv_status judge_batch(study *s, clv_segment *whole, const clv_tensors *inputs, size_t first,
                              size_t n, clv_error *err)
{
    CLV_AUTO(clv_tensors_done) clv_tensors outputs = {0};
    clv_status st = clv_segment_run(whole, inputs->items, inputs->n, &outputs, err);
    for (size_t i = 0; i < n && st == CLV_OK; i++) {
        int answer, label = s->samples->labels[first + i];
        size_t classes;
        st = clv_answer_class(clv_tensors_find(&outputs, s->output), i, n, &answer, &classes, err);
        if (st == CLV_OK && (label < 0 || (size_t)label >= classes))
            st = clv_fail(err, CLV_EINVAL,
                          "sample %zu of %s has label %d, the network has the classes 0 to %zu",
                          first + i, s->samples->name, label, classes - 1);
        s->right[first + i] = st == CLV_OK && answer == label;
    }
    return st;
}

static clv_status judge_uncut(study *s, clv_error *err)
{
    clv_segment *whole = NULL;
    bool stays;
    clv_status st = take_segment(s, 0, s->last, &whole, &stays, err);
    if (st == CLV_OK && !clv_segment_any_batch(whole)) s->batch = 1;
    size_t right = 0;
    for (size_t at = 0; at < s->samples->n && st == CLV_OK; at += s->batch) {
        CLV_AUTO(clv_tensors_done) clv_tensors inputs = {0};
        size_t n = CLV_MIN(s->batch, s->samples->n - at);
        st = read_batch(s, at, n, &inputs, err);
        if (st == CLV_OK) st = judge_batch(s, whole, &inputs, at, n, err);
        for (size_t i = 0; i < n; i++) right += s->right[at + i];
        step(s);
    }
    let_go(s, whole, 0, s->last, stays);
    s->profile->accuracy = (double)right / (double)s->samples->n;
    return st;
}

/* Cuts whose segments are resident together: each batch is read, and runs, once for all of them. */
static clv_status try_block(study *s, const size_t *cuts, size_t n_cuts, clv_error *err)
{
    CLV_AUTO(clv_free) trial *trials = clv_alloc_array(n_cuts, sizeof *trials);
    clv_status st = CLV_OK;
    for (size_t i = 0; i < n_cuts && st == CLV_OK; i++)
        st = trial_start(s, &trials[i], cuts[i], err);
    for (size_t at = 0; at < s->samples->n && st == CLV_OK; at += s->batch) {
        CLV_AUTO(clv_tensors_done) clv_tensors inputs = {0};
        size_t n = CLV_MIN(s->batch, s->samples->n - at);
        st = read_batch(s, at, n, &inputs, err);
        for (size_t i = 0; i < n_cuts && st == CLV_OK; i++)
            st = try_cut(s, &trials[i], &inputs, at, n, err);
    }
    for (size_t i = 0; i < n_cuts; i++) {
        if (st == CLV_OK) set_accuracy(s, &trials[i]);
        trial_done(s, &trials[i]);
    }
    return st;
}

static clv_status try_all(study *s, clv_error *err)
{
    clv_status st = judge_uncut(s, err);
    if (st != CLV_OK) return st;
    snprintf(s->profile->data, sizeof s->profile->data, "%s", s->samples->name);
    s->profile->samples = (int)s->samples->n;
    add_columns(s);
    for (size_t at = 0, n; at < s->n_wanted && st == CLV_OK; at += n) {
        n = CLV_MIN(s->n_wanted - at, (size_t)CLV_PROFILER_RESIDENT_MAX / 2);
        st = try_block(s, s->wanted + at, n, err);
    }
    if (st == CLV_OK) clv_codec_meter_fill(s->meter, s->profile);
    s->done = s->total - 1;
    step(s);
    return st;
}

static clv_status check(const clv_network *network, const clv_samples *samples, clv_error *err)
{
    size_t n_inputs, n_outputs;
    clv_network_inputs(network, &n_inputs);
    clv_network_outputs(network, &n_outputs);
    if (n_inputs != 1)
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "the network has %zu inputs, labelled data is for one", n_inputs);
    if (n_outputs == 0) return clv_fail(err, CLV_EUNSUPPORTED, "the network has no output");
    if (samples->n == 0 || samples->n > INT32_MAX)
        return clv_fail(err, CLV_EINVAL, "%s has %zu samples", samples->name, samples->n);
    return CLV_OK;
}

clv_status clv_accuracy_study_run(clv_network *network, const clv_samples *samples,
                                  const clv_accuracy_study *o, clv_profile *p, clv_error *err)
{
    clv_status st = check(network, samples, err);
    if (st != CLV_OK) return st;
    size_t n_outputs;
    study s = {.network = network,
               .graph = clv_network_graph(network),
               .samples = samples,
               .o = o,
               .profile = p,
               .n_wanted = n_wanted(network, o),
               .output = clv_network_outputs(network, &n_outputs)[0].name,
               .batch = batch_of(network, o),
               .total = clv_accuracy_study_steps(network, samples, o),
               .last = clv_network_cuts(network)->n - 1};
    clv_cut_choice *choice = clv_cut_choice_new(s.graph, clv_network_cuts(network));
    s.wanted = clv_alloc_array(s.last + 1, sizeof *s.wanted);
    for (size_t i = 0; i < choice->n && i < s.last; i++) s.wanted[1 + i] = choice->order[i];
    clv_cut_choice_free(choice);
    s.right = clv_alloc_array(samples->n, sizeof *s.right);
    s.meter = clv_codec_meter_new(p->n_cuts, true);
    st = try_all(&s, err);
    clv_codec_meter_free(s.meter);
    free(s.right);
    free(s.wanted);
    return st;
}
