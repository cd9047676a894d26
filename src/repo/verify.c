#include "repo/verify.h"
#include "base/mem.h"
#include "tensor/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a cut's tensors came through the codec. */
typedef struct passage {
    double share;     /* largest error over the stated one */
    bool broken;      /* more values than may be are off by more */
    clv_tensors kept; /* what came out, where it is not what went in */
} passage;

typedef struct verifying {
    clv_network *net;
    const clv_verify_options *o;
    clv_tensors inputs, expected;
    clv_verify_report report;
    double worst_so_far;
} verifying;

/* Tensors made so far, as views: what a later segment reads. */
static void add_views(clv_tensors *to, const clv_tensors *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const clv_tensor *t = &from->items[i];
        clv_tensors_add(to, clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes));
    }
}

/* Compile, run and forget one segment. CLV_EUNAVAIL: it cannot run at this batch. */
static clv_status run_once(verifying *v, size_t from, size_t to, const clv_tensors *in,
                           clv_tensors *out, clv_error *err)
{
    clv_segment *s;
    clv_status status = clv_network_segment(v->net, from, to, &s, err);
    if (status) return status;
    clv_network_evict(v->net, from, to);
    if (v->o->batch > 1 && !clv_segment_any_batch(s))
        status = clv_fail(err, CLV_EUNAVAIL, "runs at batch 1 only");
    else
        status = clv_segment_run(s, in->items, in->n, out, err);
    clv_segment_unref(s);
    return status;
}

/* Does every value come back within the stated error, but for those that were clipped? */
static void judge_passage(const clv_tensor *before, const clv_tensor *after,
                          const clv_codec_note *note, passage *p)
{
    if (before->dtype != CLV_F32) {
        p->broken |=
            before->bytes != after->bytes || memcmp(before->data, after->data, before->bytes) != 0;
        return;
    }
    const float *x = before->data, *y = after->data;
    size_t n = before->bytes / sizeof *x, off = 0;
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)x[i] - (double)y[i]);
        if (x[i] == y[i] || (isnan(x[i]) && isnan(y[i]))) continue;
        bool within = error <= note->error_max;
        off += !within;
        if (within && note->error_max > 0) p->share = fmax(p->share, error / note->error_max);
    }
    double may = note->codec.quant == CLV_QUANT_Q4 ? CLV_VERIFY_CLIPPED * (double)n : 0;
    p->broken |= (double)off > may;
}

/* Write and read the tensors at a cut. */
static clv_status pass(verifying *v, size_t cut, const clv_tensors *from, passage *p,
                       clv_error *err)
{
    const clv_cut *c = &clv_network_cuts(v->net)->items[cut];
    const clv_graph *g = clv_network_graph(v->net);
    clv_status status = CLV_OK;
    for (size_t i = 0; i < c->n_live && !status; i++) {
        const clv_tensor *t = clv_tensors_find(from, g->tensors[c->live[i]].name);
        clv_tensor coded = {0}, back = {0};
        clv_codec_note note;
        if (!t) continue;
        status = clv_codec_encode(v->o->codec, t, &coded, err);
        if (!status) status = clv_codec_read_note(&coded, &note, err);
        if (!status) status = clv_codec_decode(&coded, &back, err);
        if (!status) {
            judge_passage(t, &back, &note, p);
            v->report.raw_bytes += t->bytes;
            v->report.coded_bytes += coded.bytes;
            clv_tensors_add(&p->kept, back);
        }
        clv_tensor_done(&coded);
    }
    return status;
}

/* The rest of the network, from what is there at the cut or what came out of the codec. */
static clv_status run_rest(verifying *v, size_t cut, const clv_tensors *prefix, clv_tensors *made,
                           passage *p, clv_error *err)
{
    clv_tensors middle = {0};
    size_t last = clv_network_cuts(v->net)->n - 1;
    clv_status status = CLV_OK;
    clv_tensors plain = {0};
    add_views(&plain, &v->inputs);
    add_views(&plain, prefix);
    if (clv_codec_index(v->o->codec)) status = pass(v, cut, &plain, p, err);
    add_views(&middle, &p->kept); /* the first of a name is taken */
    for (size_t i = 0; i < plain.n; i++) {
        const clv_tensor *t = &plain.items[i];
        if (clv_tensors_find(&middle, t->name)) continue;
        clv_tensors_add(&middle, clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes));
    }
    if (!status) status = run_once(v, cut, last, &middle, made, err);
    clv_tensors_done(&middle);
    clv_tensors_done(&plain);
    return status;
}

static clv_status run_cut(verifying *v, size_t cut, clv_tensors *made, passage *p, clv_error *err)
{
    size_t last = clv_network_cuts(v->net)->n - 1;
    if (cut == last) return run_once(v, 0, last, &v->inputs, made, err);
    clv_status status = cut ? run_once(v, 0, cut, &v->inputs, made, err) : CLV_OK;
    clv_tensors prefix = {0};
    add_views(&prefix, made);
    if (!status) status = run_rest(v, cut, &prefix, made, p, err);
    clv_tensors_done(&prefix);
    return status;
}

static void judge(verifying *v, const clv_tensors *made, const passage *p, const char *label)
{
    clv_difference worst = {.exact = true};
    for (size_t i = 0; i < v->expected.n; i++) {
        const clv_tensor *got = clv_tensors_find(made, v->expected.items[i].name);
        clv_difference d = got ? clv_tensor_difference(got, &v->expected.items[i])
                               : (clv_difference){.absolute = INFINITY, .relative = INFINITY};
        worst.exact = worst.exact && d.exact;
        worst.absolute = fmax(worst.absolute, d.absolute);
        worst.relative = fmax(worst.relative, d.relative);
    }
    clv_verify_report *r = &v->report;
    bool lossy = clv_codec_lossy(v->o->codec);
    bool mismatch = p->broken || (!lossy && !(worst.relative <= CLV_VERIFY_TOLERANCE));
    r->coded_err = fmax(r->coded_err, p->share);
    r->cuts++;
    r->exact += worst.exact;
    bool notable =
        mismatch ? r->mismatches == 0 : r->mismatches == 0 && worst.relative > v->worst_so_far;
    r->mismatches += mismatch;
    r->max_abs_err = fmax(r->max_abs_err, worst.absolute);
    r->max_rel_err = fmax(r->max_rel_err, worst.relative);
    if (!notable) return;
    v->worst_so_far = worst.relative;
    free(r->worst);
    r->worst = clv_strdup(label);
}

static clv_status verify_cut(verifying *v, size_t cut, size_t done, size_t total, clv_error *err)
{
    const clv_cuts *cuts = clv_network_cuts(v->net);
    CLV_AUTO(clv_text_free) char *label = clv_cut_label(cuts, clv_network_graph(v->net), cut);
    if (v->o->progress) v->o->progress(v->o->arg, done, total, label);
    clv_tensors made = {0};
    clv_error why = {0};
    passage p = {0};
    clv_status status = run_cut(v, cut, &made, &p, &why);
    if (!status) judge(v, &made, &p, label);
    clv_tensors_done(&made);
    clv_tensors_done(&p.kept);
    if (status == CLV_EUNAVAIL) {
        v->report.skipped++;
        return CLV_OK;
    }
    return status ? clv_fail(err, status, "cut %zu '%s': %s", cut, label, why.text) : CLV_OK;
}

static clv_status prepare(verifying *v, clv_error *err)
{
    size_t last = clv_network_cuts(v->net)->n - 1, n;
    clv_segment *whole;
    clv_status status = clv_network_segment(v->net, 0, last, &whole, err);
    if (status) return status;
    const clv_tensor_spec *specs = clv_segment_inputs(whole, &n);
    clv_rng rng = clv_rng_seeded(v->o->seed);
    status = clv_tensors_random(specs, n, v->o->batch > 0 ? v->o->batch : 1, &rng, &v->inputs, err);
    clv_segment_unref(whole);
    return status ? status : run_once(v, 0, last, &v->inputs, &v->expected, err);
}

static size_t last_cut(const clv_network *net, const clv_verify_options *o)
{
    return o->last ? o->last : clv_network_cuts(net)->n - 1;
}

size_t clv_verify_cuts(const clv_network *net, const clv_verify_options *options)
{
    size_t n = last_cut(net, options) - options->first + 1;
    return options->cuts_max && options->cuts_max < n ? options->cuts_max : n;
}

clv_status clv_verify(clv_network *net, const clv_verify_options *options, clv_verify_report *out,
                      clv_error *err)
{
    verifying v = {.net = net, .o = options};
    size_t all = clv_network_cuts(net)->n, first = options->first, last = last_cut(net, options);
    if (first > last || last >= all)
        return clv_fail(err, CLV_EUSAGE, "cuts %zu-%zu: the network's are 0 to %zu", first, last,
                        all - 1);
    size_t n = last - first + 1, total = clv_verify_cuts(net, options);
    clv_status status = prepare(&v, err);
    for (size_t i = 0; i < total && !status; i++) {
        size_t at = total > 1 ? i * (n - 1) / (total - 1) : n / 2;
        status = verify_cut(&v, first + at, i, total, err);
    }
    clv_tensors_done(&v.inputs);
    clv_tensors_done(&v.expected);
    if (status)
        free(v.report.worst);
    else
        *out = v.report;
    return status;
}
