/* What clv_plan_report knows of a plan's rivals: who they are, and what takes how long. */
#include "base/mem.h"
#include "cli/plan_report.h"

#include <stdlib.h>
#include <string.h>

void clv_plan_report_done(clv_plan_report *r)
{
    clv_plan_done(&r->plan);
    if (r->policies) clv_policy_rows_done(r->policies);
    free(r->candidates);
    free(r->policies);
    free(r->spans);
    *r = (clv_plan_report){0};
}

static const clv_plan_problem *problem_of(const clv_plan_report *r)
{
    return &r->devices->tables->problem;
}

char *clv_plan_report_label(const clv_plan_report *r, int cut)
{
    if (cut < 0) return clv_strdup("(a set of units)");
    return clv_cut_label(r->devices->files.cuts, r->devices->files.graph, (size_t)cut);
}

bool clv_plan_report_has_watts(const clv_plan_report *r)
{
    const clv_plan_problem *p = problem_of(r);
    bool watts = false;
    for (size_t k = 0; k < p->n_devices; k++) {
        const clv_plan_hop *h = &p->hops[k];
        watts |= p->devices[k].active_mw || p->devices[k].idle_mw;
        if (k + 1 < p->n_devices)
            watts |= h->tx_mw || h->rx_mw || h->up_pj_per_byte || h->down_pj_per_byte;
    }
    return watts;
}

static int by_rank(const void *a, const void *b)
{
    const clv_plan_candidate *x = a, *y = b;
    if (!x->violated != !y->violated) return x->violated ? 1 : -1;
    if (clv_plan_better(&x->cost, &y->cost)) return -1;
    if (clv_plan_better(&y->cost, &x->cost)) return 1;
    return y->chain.cut[0] - x->chain.cut[0]; /* ties: the later cut */
}

static void add(clv_plan_report *r, const clv_plan_chain *chain)
{
    const clv_plan_problem *p = problem_of(r);
    clv_plan_candidate c = {.chain = *chain};
    if (clv_plan_weigh(p, chain, &c.cost, NULL)) return;
    c.violated = clv_plan_violated(p, chain, &c.cost);
    r->candidates[r->n_candidates++] = c;
}

void clv_plan_report_rank(clv_plan_report *r)
{
    const clv_plan_problem *p = problem_of(r);
    size_t last = p->cuts->n - 1, room = p->n_devices == 2 ? p->cuts->n * p->n_codecs : 0;
    r->candidates = clv_alloc_array(room + r->plan.n_rivals + 1, sizeof *r->candidates);
    if (p->n_devices == 2) {
        for (size_t i = 0; i <= last; i++)
            for (size_t c = 0; c < (i == last ? 1 : p->n_codecs); c++)
                add(r, &(clv_plan_chain){.cut = {(int)i, (int)last}, .codec = {(int)c}});
    } else {
        add(r, &r->plan.chain);
        for (size_t i = 0; i < r->plan.n_rivals; i++) add(r, &r->plan.rivals[i].chain);
    }
    qsort(r->candidates, r->n_candidates, sizeof *r->candidates, by_rank);
}

static double us(int64_t ns)
{
    return (double)ns / 1e3;
}

static double joules(int64_t nj)
{
    return (double)nj / 1e9;
}

/* What device k does: waits, decodes what came, computes, encodes what goes on. */
static void add_device(const clv_plan_problem *p, const clv_plan_chain *chain, size_t k,
                       bool crosses, clv_plan_parts *parts)
{
    size_t from = k ? (size_t)chain->cut[k - 1] : 0, to = (size_t)chain->cut[k];
    clv_plan_amount decode = {0}, encode = {0}, wait = {0}, compute = {0};
    if (from != to) {
        wait = clv_plan_wait(p, k);
        compute = clv_plan_segment(p, k, from, to);
        if (k) decode = clv_plan_decode(p, k, from, (size_t)chain->codec[k - 1]);
    }
    if (crosses && (from != to || k == 0))
        encode = clv_plan_encode(p, k, to, (size_t)chain->codec[k]);
    parts->queue_us += us(wait.ns);
    parts->coding_us += us(decode.ns) + us(encode.ns);
    *(k ? &parts->cloud_us : &parts->edge_us) += us(compute.ns);
    *(k ? &parts->cloud_j : &parts->edge_j) +=
        joules(wait.nj) + joules(decode.nj) + joules(compute.nj) + joules(encode.nj);
}

clv_plan_parts clv_plan_parts_of(const clv_plan_problem *p, const clv_plan_chain *chain)
{
    clv_plan_parts parts = {0};
    for (size_t k = 0; k < p->n_devices; k++) {
        size_t to = (size_t)chain->cut[k];
        bool crosses = k + 1 < p->n_devices && to + 1 < p->cuts->n;
        add_device(p, chain, k, crosses, &parts);
        if (!crosses) continue;
        clv_plan_transfer t = clv_plan_transfer_of(p, k, to, (size_t)chain->codec[k]);
        clv_plan_amount cross = clv_plan_cross(p, k, to, (size_t)chain->codec[k]);
        parts.overhead_us += us(p->hops[k].overhead_ns);
        parts.link_us += us(cross.ns - p->hops[k].overhead_ns);
        parts.link_j += joules(cross.nj);
        parts.up_bytes += t.up_bytes;
        parts.down_bytes += t.down_bytes;
    }
    return parts;
}

clv_plan_parts clv_plan_parts_of_plan(const clv_plan_report *r)
{
    if (r->plan.chain.cut[0] >= 0) return clv_plan_parts_of(problem_of(r), &r->plan.chain);
    clv_plan_parts parts = {0};
    for (size_t k = 0; k < r->plan.n_stages; k++) {
        const clv_plan_stage *s = &r->plan.stages[k];
        *(k ? &parts.cloud_us : &parts.edge_us) += us(s->compute_ns);
        *(k ? &parts.cloud_j : &parts.edge_j) += joules(s->nj);
        parts.link_us += us(s->rtt_ns + s->up_ns + s->down_ns);
        parts.queue_us += us(s->wait_ns);
        parts.overhead_us += us(s->overhead_ns);
        parts.coding_us += us(s->encode_ns + s->decode_ns);
        parts.up_bytes += s->up_bytes;
        parts.down_bytes += s->down_bytes;
    }
    return parts;
}
