#include "plan/layers.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void clv_layers_init(clv_layers *l, const clv_plan_problem *p, clv_terms terms)
{
    *l = (clv_layers){.p = p, .terms = terms};
    size_t sets = p->cuts->n * p->n_codecs * (p->n_devices - 1);
    l->terms.set_max = CLV_MIN(terms.set_max, CLV_MAX((size_t)CLV_LABELS_MAX / sets, (size_t)4));
    l->unit_devices = clv_alloc_array(p->graph->n_units, sizeof *l->unit_devices);
    l->barred = clv_alloc_array(p->cuts->words, sizeof *l->barred);
    for (size_t u = 0; u < p->graph->n_units; u++) l->unit_devices[u] = clv_plan_unit_devices(p, u);
}

void clv_layers_done(clv_layers *l)
{
    for (size_t k = 0; k < CLV_PLAN_DEVICES_MAX; k++) clv_label_sets_done(&l->arrived[k]);
    clv_label_sets_done(&l->ready);
    clv_label_sets_done(&l->reached);
    clv_labels_done(&l->set);
    free(l->unit_devices);
    free(l->barred);
}

static void bar_units(clv_layers *l, size_t device)
{
    l->any_barred = false;
    memset(l->barred, 0, l->p->cuts->words * sizeof *l->barred);
    for (size_t u = 0; u < l->p->graph->n_units; u++) {
        if (l->unit_devices[u] >> device & 1) continue;
        l->barred[u / 64] |= (uint64_t)1 << u % 64;
        l->any_barred = true;
    }
}

bool clv_layers_may_run(const clv_layers *l, size_t from, size_t to)
{
    const clv_cuts *cuts = l->p->cuts;
    if (!l->any_barred) return true;
    for (size_t w = 0; w < cuts->words; w++)
        if (cuts->items[to].units[w] & ~cuts->items[from].units[w] & l->barred[w]) return false;
    return true;
}

/* Does it break a limit? A period that does is remembered. */
static bool broken(clv_layers *l, const clv_label *label)
{
    int64_t period_ns = label->v[CLV_AXIS_PERIOD];
    if (period_ns > l->terms.period_ns_max && period_ns < l->next_period_ns)
        l->next_period_ns = period_ns;
    return clv_terms_broken(&l->terms, label);
}

void clv_layers_offer(clv_layers *l, const clv_label *label)
{
    int64_t work_ns = label->v[CLV_AXIS_WORK];
    if (work_ns <= l->terms.period_ns_max)
        clv_labels_offer(&l->set, &l->terms, label);
    else if (work_ns < l->next_period_ns)
        l->next_period_ns = work_ns;
}

static bool toll_of(const clv_layers *l, clv_plan_amount a, int64_t bytes, int64_t work_ns,
                    clv_label *out)
{
    if (a.ns == CLV_PLAN_UNKNOWN) return false;
    clv_terms_toll(&l->terms, &a, bytes, work_ns, out);
    return true;
}

bool clv_layers_work(const clv_layers *l, size_t device, const clv_plan_time *time, clv_label *out)
{
    clv_plan_amount a = clv_part_work(l->p, device, *time, l->terms.needs);
    return toll_of(l, a, 0, a.ns, out);
}

void clv_layers_reach(clv_layers *l, clv_label_sets *sets)
{
    clv_label_sets_push(sets, &l->set);
    l->considered += l->set.n;
    l->thinned |= l->set.thinned;
    l->set.n = 0;
}

/* Device 0 has the input as it is. */
static void begin(clv_layers *l)
{
    clv_label start = {0};
    clv_labels_offer(&l->set, &l->terms, &start);
    clv_layers_reach(l, &l->arrived[0]);
    for (size_t s = 1; s < l->p->cuts->n * l->p->n_codecs; s++) clv_layers_reach(l, &l->arrived[0]);
}

static void read_set(clv_layers *l, size_t device, size_t cut, size_t codec)
{
    const clv_label_sets *in = &l->arrived[device];
    size_t s = cut * l->p->n_codecs + codec;
    if (in->first[s] == in->first[s + 1]) return;
    clv_plan_amount a = {0};
    if (device) a = clv_part_decode(l->p, device, cut, codec, l->terms.needs);
    int64_t work_ns = a.ns;
    clv_label toll;
    a = clv_part_add(a, clv_part_wait(l->p, device, l->terms.needs));
    if (!toll_of(l, a, 0, work_ns, &toll)) return;
    for (size_t i = in->first[s]; i < in->first[s + 1]; i++) {
        clv_label label = in->items[i];
        label.from = (int)i;
        clv_label_add(&label, &toll);
        clv_labels_offer(&l->set, &l->terms, &label);
    }
}

static void read_arrived(clv_layers *l, size_t device)
{
    clv_label_sets_clear(&l->ready);
    for (size_t cut = 0; cut < l->p->cuts->n; cut++) {
        for (size_t c = 0; c < l->p->n_codecs; c++) read_set(l, device, cut, c);
        clv_layers_reach(l, &l->ready);
    }
}

static int64_t score_of(const clv_terms *t, const clv_label *label)
{
    clv_plan_amount a = clv_label_amount(label);
    if (t->p->objective.goal == CLV_GOAL_THROUGHPUT) return label->v[CLV_AXIS_PERIOD];
    return clv_part_score(&t->p->objective, clv_part_latency_ns(t->z_ppm, &a), &a);
}

/* The label is whole: does it beat the best that ends here? */
static void offer_end(clv_layers *l, clv_layer_end *end, clv_label *label)
{
    label->v[CLV_AXIS_PERIOD] = CLV_MAX(label->v[CLV_AXIS_PERIOD], label->v[CLV_AXIS_WORK]);
    if (broken(l, label)) return;
    int64_t score = l->terms.by_bytes ? 0 : score_of(&l->terms, label);
    if (end->found && (score > end->score || (score == end->score && label->key >= end->label.key)))
        return;
    *end = (clv_layer_end){.found = true, .label = *label, .score = score};
}

static void end_here(clv_layers *l, size_t device)
{
    const clv_plan_problem *p = l->p;
    const clv_plan_device *d = &p->devices[device];
    size_t all = p->cuts->n - 1;
    clv_label toll;
    for (size_t cut = 0; cut < all; cut++) {
        size_t first = l->ready.first[cut], behind = l->ready.first[cut + 1];
        if (first == behind || !clv_layers_may_run(l, cut, all) ||
            !clv_layers_work(l, device, cut ? &d->suffix[cut] : &d->prefix[all], &toll))
            continue;
        if (d->memory_bytes_max != CLV_PLAN_NO_LIMIT &&
            clv_plan_memory(p, cut, all) > d->memory_bytes_max)
            continue;
        for (size_t i = first; i < behind; i++) {
            clv_label label = l->ready.items[i];
            clv_label_add(&label, &toll);
            offer_end(l, &l->ends[device], &label);
        }
    }
}

/* One label over a hop. */
static void send(clv_layers *l, clv_label *label, const clv_label *toll,
                 const clv_plan_transfer *bytes)
{
    int64_t longest = CLV_MAX(bytes->up_ns, bytes->down_ns);
    clv_label_add(label, toll);
    longest = CLV_MAX(longest, label->v[CLV_AXIS_WORK]);
    label->v[CLV_AXIS_PERIOD] = CLV_MAX(label->v[CLV_AXIS_PERIOD], longest);
    label->v[CLV_AXIS_WORK] = 0;
    if (!broken(l, label)) clv_labels_offer(&l->set, &l->terms, label);
}

/* The labels of one set over a hop. */
static void send_all(clv_layers *l, const clv_label_sets *from, size_t set, bool passed_on,
                     size_t state, const clv_label *toll, const clv_plan_transfer *bytes)
{
    for (size_t i = from->first[set]; i < from->first[set + 1]; i++) {
        clv_label label = from->items[i];
        if (passed_on) label.from = (int)i;
        label.state = (int)state;
        send(l, &label, toll, bytes);
    }
}

/* What ran here is written and sent; what arrived is passed on as it came. */
static void send_cut(clv_layers *l, size_t device, size_t cut, size_t codec)
{
    const clv_plan_problem *p = l->p;
    const clv_label_sets *in = &l->arrived[device], *out = &l->reached;
    size_t state = cut * p->n_codecs + codec;
    size_t s = device ? state : cut * p->n_codecs; /* the input itself goes in any codec */
    bool ran = out->first[cut] < out->first[cut + 1], came = in->first[s] < in->first[s + 1];
    if ((!ran && !came) || !clv_part_offered(p, cut, codec)) return;
    clv_plan_transfer bytes = clv_part_transfer(p, device, cut, codec);
    clv_plan_amount cross = clv_part_cross_of(p, device, &bytes, l->terms.needs);
    clv_plan_amount write = clv_part_encode(p, device, cut, codec, l->terms.needs);
    int64_t on_wire = bytes.up_bytes + bytes.down_bytes;
    clv_label over, both;
    bool writes = toll_of(l, clv_part_add(cross, write), on_wire, write.ns, &both);
    if (writes) send_all(l, out, cut, false, state, &both, &bytes);
    if (writes && !device) send_all(l, in, s, true, state, &both, &bytes);
    if (device && toll_of(l, cross, on_wire, 0, &over))
        send_all(l, in, s, true, state, &over, &bytes);
}

static void send_on(clv_layers *l, size_t device)
{
    const clv_plan_problem *p = l->p;
    clv_label_sets *next = &l->arrived[device + 1];
    for (size_t cut = 0; cut < p->cuts->n; cut++)
        for (size_t c = 0; c < p->n_codecs; c++) {
            if (cut + 1 < p->cuts->n) send_cut(l, device, cut, c);
            clv_layers_reach(l, next);
        }
}

void clv_layers_search(clv_layers *l, clv_layer_run *run, void *context)
{
    for (size_t k = 0; k < CLV_PLAN_DEVICES_MAX; k++) clv_label_sets_clear(&l->arrived[k]);
    memset(l->ends, 0, sizeof l->ends);
    l->next_period_ns = INT64_MAX;
    begin(l);
    for (size_t k = 0; k < l->p->n_devices; k++) {
        bar_units(l, k);
        read_arrived(l, k);
        end_here(l, k);
        if (k + 1 == l->p->n_devices || !l->p->hops[k].up) break;
        clv_label_sets_clear(&l->reached);
        run(l, k, context);
        clv_layers_reach(l, &l->reached); /* the last cut does not leave */
        send_on(l, k);
    }
}

static bool end_before(const clv_layer_end *a, const clv_layer_end *b)
{
    if (a->found != b->found) return a->found;
    return a->score != b->score ? a->score < b->score : a->label.key < b->label.key;
}

int clv_layers_best(const clv_layers *l)
{
    int best = 0;
    for (int k = 1; k < CLV_PLAN_DEVICES_MAX; k++)
        if (end_before(&l->ends[k], &l->ends[best])) best = k;
    return l->ends[best].found ? best : -1;
}

clv_plan_chain clv_layers_chain(const clv_layers *l, size_t device)
{
    clv_plan_chain chain = {0};
    int codecs = (int)l->p->n_codecs, at = l->ends[device].label.from;
    for (size_t k = device; k < l->p->n_devices; k++) chain.cut[k] = (int)l->p->cuts->n - 1;
    for (size_t k = device; k > 0; k--) {
        const clv_label *label = &l->arrived[k].items[at];
        chain.cut[k - 1] = label->state / codecs;
        chain.codec[k - 1] = label->state % codecs;
        at = label->from;
    }
    return chain;
}

/* In its place, the best first. */
static void rank(clv_plan_rival *ranked, size_t n, const clv_plan_rival *r)
{
    for (; n > 0 && clv_plan_better(&r->cost, &ranked[n - 1].cost); n--) ranked[n] = ranked[n - 1];
    ranked[n] = *r;
}

clv_status clv_layers_rank(const clv_layers *l, const clv_plan_chain *const *chains, size_t n,
                           clv_planner_answer *out, clv_error *err)
{
    clv_plan_rival ranked[CLV_PLAN_DEVICES_MAX];
    if (!n && l->thinned)
        return clv_fail(err, CLV_ELIMIT,
                        "no placement was found among %zu; a limit that is further away, or fewer "
                        "limits at once, would be decided",
                        l->considered);
    if (!n) return clv_fail(err, CLV_EINFEASIBLE, "no placement keeps all limits");
    for (size_t i = 0; i < n; i++) {
        clv_plan_rival r = {.chain = *chains[i]};
        clv_status st = clv_plan_weigh(l->p, &r.chain, &r.cost, err);
        if (st) return st;
        rank(ranked, i, &r);
    }
    clv_planner_answer a = {.chain = ranked[0].chain,
                            .cost = ranked[0].cost,
                            .bound = INT64_MIN,
                            .n_rivals = CLV_MIN(n - 1, (size_t)CLV_PLAN_RIVALS_MAX),
                            .considered = l->considered};
    memcpy(a.rivals, ranked + 1, a.n_rivals * sizeof *a.rivals);
    *out = a;
    return CLV_OK;
}

clv_status clv_layers_answer(const clv_layers *l, clv_planner_answer *out, clv_error *err)
{
    clv_plan_chain chains[CLV_PLAN_DEVICES_MAX];
    const clv_plan_chain *found[CLV_PLAN_DEVICES_MAX];
    size_t n = 0;
    for (size_t k = 0; k < l->p->n_devices; k++) {
        if (!l->ends[k].found) continue;
        chains[n] = clv_layers_chain(l, k);
        found[n] = &chains[n];
        n++;
    }
    return clv_layers_rank(l, found, n, out, err);
}
