#include "repo/verify.h"
#include "base/mem.h"
#include "tensor/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static clv_status run_cut(verifying *v, size_t cut, clv_tensors *made, clv_error *err)
{
    size_t last = clv_network_cuts(v->net)->n - 1;
    if (cut == 0 || cut == last) return run_once(v, 0, last, &v->inputs, made, err);
    clv_tensors middle = {0};
    clv_status status = run_once(v, 0, cut, &v->inputs, made, err);
    add_views(&middle, &v->inputs);
    add_views(&middle, made);
    if (!status) status = run_once(v, cut, last, &middle, made, err);
    clv_tensors_done(&middle);
    return status;
}

static void judge(verifying *v, size_t cut, const clv_tensors *made, const char *label)
{
    (void)cut;
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
    bool mismatch = !(worst.relative <= CLV_VERIFY_TOLERANCE);
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
    clv_status status = run_cut(v, cut, &made, &why);
    if (!status) judge(v, cut, &made, label);
    clv_tensors_done(&made);
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

clv_status clv_verify(clv_network *net, const clv_verify_options *options, clv_verify_report *out,
                      clv_error *err)
{
    verifying v = {.net = net, .o = options};
    size_t n = clv_network_cuts(net)->n;
    size_t total = options->cuts_max && options->cuts_max < n ? options->cuts_max : n;
    clv_status status = prepare(&v, err);
    for (size_t i = 0; i < total && !status; i++)
        status = verify_cut(&v, total > 1 ? i * (n - 1) / (total - 1) : n / 2, i, total, err);
    clv_tensors_done(&v.inputs);
    clv_tensors_done(&v.expected);
    if (status)
        free(v.report.worst);
    else
        *out = v.report;
    return status;
}
