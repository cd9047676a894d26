/* Planner B: the shortest path over (device, ideal, codec).
 *
 * Within a device the way from cut I to cut J costs progress[J] - progress[I], so what counts of the
 * cuts within J is the least of (cost at I) - progress[I]: it is handed up along the lattice, one
 * step at a time, and no pair of cuts is looked at. O(devices × (ideals × (width + codecs))) labels'
 * work. Segments from nothing and to the end have their own times and are tried one by one.
 *
 * Source: Tarnawski et al., NeurIPS 2020, whose dynamic programme over ideals tries all pairs of
 * them. Our difference: differences of measured progress, which is what makes pairs needless.
 */
#include "plan/layers.h"

#include "base/mem.h"
#include "plan/lattice.h"

typedef struct climb {
    const clv_lattice *lattice;
    clv_label_sets held; /* [node] cost at a cut within it, less its progress */
    clv_labels below;
} climb;

static void climb_done(climb *c)
{
    clv_label_sets_done(&c->held);
    clv_labels_done(&c->below);
}

static bool may_step(const clv_layers *l, const climb *c, size_t node, clv_lattice_step step)
{
    if (!l->any_barred) return true;
    if (step.unit != CLV_LATTICE_SEVERAL)
        return !(l->barred[step.unit / 64] >> (step.unit % 64) & 1);
    return clv_layers_may_run(l, (size_t)c->lattice->cut[step.from], (size_t)c->lattice->cut[node]);
}

/* Into `below`: what is held by the nodes just before this one. */
static void gather(clv_layers *l, climb *c, size_t node)
{
    const clv_lattice *lattice = c->lattice;
    c->below.n = 0;
    for (size_t s = lattice->first[node]; s < lattice->first[node + 1]; s++) {
        clv_lattice_step step = lattice->steps[s];
        size_t from = (size_t)step.from;
        if (c->held.first[from] == c->held.first[from + 1] || !may_step(l, c, node, step)) continue;
        for (size_t i = c->held.first[from]; i < c->held.first[from + 1]; i++)
            clv_labels_offer(&c->below, &l->terms, &c->held.items[i]);
    }
}

/* What reaches `cut` on this device: from nothing, or from a cut below. */
static void arrive(clv_layers *l, const climb *c, size_t device, size_t cut,
                   const clv_label *progress)
{
    clv_label whole;
    if (cut && l->ready.first[1] && clv_layers_may_run(l, 0, cut) &&
        clv_layers_work(l, device, &l->p->devices[device].prefix[cut], &whole))
        for (size_t i = 0; i < l->ready.first[1]; i++) {
            clv_label label = l->ready.items[i];
            clv_label_add(&label, &whole);
            clv_labels_offer(&l->set, &l->terms, &label);
        }
    for (size_t i = 0; progress && i < c->below.n; i++) {
        clv_label label = c->below.items[i];
        clv_label_add(&label, progress);
        clv_labels_offer(&l->set, &l->terms, &label);
    }
    clv_layers_reach(l, &l->reached);
}

static void run(clv_layers *l, size_t device, void *context)
{
    climb *c = context;
    const clv_plan_time *times = l->p->devices[device].progress;
    size_t all = l->p->cuts->n - 1;
    clv_label_sets_clear(&c->held);
    for (size_t node = 0; node < c->lattice->n; node++) {
        int at = c->lattice->cut[node];
        size_t cut = (size_t)at;
        clv_label progress;
        if (at == (int)all) break;
        gather(l, c, node);
        if (at != CLV_LATTICE_GAP) {
            bool known = times && clv_layers_work(l, device, &times[cut], &progress);
            arrive(l, c, device, cut, known ? &progress : NULL);
            for (size_t i = l->ready.first[cut]; known && cut && i < l->ready.first[cut + 1]; i++) {
                clv_label label = l->ready.items[i];
                clv_label_subtract(&label, &progress);
                clv_labels_offer(&c->below, &l->terms, &label);
            }
        }
        l->thinned |= c->below.thinned;
        clv_label_sets_push(&c->held, &c->below);
    }
}

clv_status clv_plan_hops(const clv_plan_problem *p, clv_planner_answer *out, clv_error *err)
{
    CLV_AUTO(clv_free) clv_lattice *made = NULL;
    CLV_AUTO(clv_layers_done) clv_layers layers;
    CLV_AUTO(climb_done) climb c = {.lattice = p->lattice};
    clv_planner_answer answer;
    if (!c.lattice) c.lattice = made = clv_lattice_new(p->graph, p->cuts);
    clv_layers_init(&layers, p, clv_terms_of(p));
    clv_layers_search(&layers, run, &c);
    clv_status st = clv_layers_answer(&layers, &answer, err);
    if (st) return st;
    if (layers.thinned) answer.bound = clv_layers_bound(p);
    *out = answer;
    return CLV_OK;
}
