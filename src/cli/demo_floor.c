#include "cli/demo_floor.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "lab/flow.h"
#include "split/coding.h"

#include <stdlib.h>

typedef struct times {
    double *us;
    size_t n, cap;
} times;

struct clv_demo_floor {
    clv_segment *head, *tail; /* NULL where there is nothing to run */
    clv_codec codec;
    const clv_tensors *inputs;
    double slowdown;
    clv_demo_visit visit;
    times head_us, coding_us, tail_us;
    size_t up_bytes, down_bytes;
};

clv_status clv_demo_floor_new(clv_network *network, size_t cut, clv_codec codec,
                              const clv_tensors *inputs, double slowdown, clv_demo_visit visit,
                              clv_demo_floor **out, clv_error *err)
{
    size_t last = clv_network_cuts(network)->n - 1;
    clv_demo_floor *f = clv_alloc(sizeof *f);
    *f = (clv_demo_floor){
        .codec = codec, .inputs = inputs, .slowdown = CLV_MAX(slowdown, 1.0), .visit = visit};
    clv_status status = CLV_OK;
    if (cut > 0) status = clv_network_segment(network, 0, cut, &f->head, err);
    if (!status && cut < last) status = clv_network_segment(network, cut, last, &f->tail, err);
    if (status)
        clv_demo_floor_free(f);
    else
        *out = f;
    return status;
}

void clv_demo_floor_free(clv_demo_floor *f)
{
    if (!f) return;
    clv_segment_unref(f->head);
    clv_segment_unref(f->tail);
    free(f->head_us.us);
    free(f->coding_us.us);
    free(f->tail_us.us);
    free(f);
}

static void add_time(times *t, double us)
{
    clv_grow(&t->us, &t->cap, t->n + 1, sizeof *t->us);
    t->us[t->n++] = us;
}

static clv_status run(clv_segment *s, const clv_tensors *in, double speedup, bool counts,
                      clv_tensors *out, times *t, clv_error *err)
{
    int64_t start = clv_now_ns();
    if (clv_segment_run(s, in->items, in->n, out, err)) return err->status;
    if (counts) add_time(t, (double)(clv_now_ns() - start) / 1000 / speedup);
    return CLV_OK;
}

/* What crosses in the codec, and what is read of it: `plain`. */
static clv_status code(clv_demo_floor *f, const clv_tensors *in, bool counts, clv_tensors *coded,
                       clv_tensors *plain, clv_error *err)
{
    size_t n;
    const clv_tensor_spec *specs = clv_segment_inputs(f->tail, &n);
    int64_t start = clv_now_ns();
    clv_status status = clv_coding_write(f->codec, in->items, in->n, coded, err);
    if (!status) status = clv_coding_read(coded, specs, n, plain, err);
    if (!status && counts) add_time(&f->coding_us, (double)(clv_now_ns() - start) / 1000);
    return status;
}

static clv_status run_tail(clv_demo_floor *f, const clv_tensors *crossing, bool counts,
                           clv_tensors *out, clv_error *err)
{
    clv_tensors coded = {0}, plain = {0};
    bool raw = clv_codec_index(f->codec) == 0;
    clv_status status = raw ? CLV_OK : code(f, crossing, counts, &coded, &plain, err);
    if (!status)
        status = run(f->tail, raw ? crossing : &plain, f->slowdown, counts, out, &f->tail_us, err);
    f->up_bytes = clv_tensors_bytes(raw ? crossing : &coded);
    f->down_bytes = clv_tensors_bytes(out);
    clv_tensors_done(&coded);
    clv_tensors_done(&plain);
    return status;
}

/* Head, then tail, as in a request: neither finds its weights in the caches that it just left. */
static clv_status run_both(clv_demo_floor *f, bool counts, clv_error *err)
{
    clv_tensors at_cut = {0}, out = {0};
    clv_status status = CLV_OK;
    if (f->head) status = run(f->head, f->inputs, 1, counts, &at_cut, &f->head_us, err);
    const clv_tensors *crossing = f->head ? &at_cut : f->inputs;
    if (!status && f->tail) status = run_tail(f, crossing, counts, &out, err);
    clv_tensors_done(&at_cut);
    clv_tensors_done(&out);
    return status;
}

clv_status clv_demo_floor_visit(clv_demo_floor *f, clv_error *err)
{
    clv_status status = CLV_OK;
    for (int i = 0; !status && i < f->visit.runs; i++)
        status = run_both(f, i >= f->visit.uncounted, err);
    return status;
}

static double bare_us(clv_demo_floor *f)
{
    return clv_median(f->head_us.us, f->head_us.n) + clv_median(f->coding_us.us, f->coding_us.n) +
           clv_median(f->tail_us.us, f->tail_us.n);
}

double clv_demo_floor_us(clv_demo_floor *f, const clv_link *link)
{
    double link_us = f->tail ? clv_link_exchange_us(link, f->up_bytes, f->down_bytes) : 0;
    return bare_us(f) + link_us;
}

double clv_demo_floor_wire_us(clv_demo_floor *f, const clv_link *link)
{
    if (!f->tail) return bare_us(f);
    return bare_us(f) + clv_link_exchange_us(link, clv_flow_wire_bytes(f->up_bytes),
                                             clv_flow_wire_bytes(f->down_bytes));
}
