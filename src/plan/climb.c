#include "plan/climb.h"

#include "base/mem.h"

void clv_climb_init(clv_climb *c, const clv_plan_problem *p)
{
    *c = (clv_climb){.lattice = p->lattice};
    if (!c->lattice) c->lattice = c->made = clv_lattice_new(p->graph, p->cuts);
}

void clv_climb_done(clv_climb *c)
{
    clv_lattice_free(c->made);
    clv_label_sets_done(&c->held);
    clv_labels_done(&c->below);
}

static bool rises(const clv_lattice *l, const clv_plan_time *progress, size_t last_cut)
{
    CLV_AUTO(clv_free) clv_plan_time *top = clv_alloc_array(l->n, sizeof *top);
    for (size_t node = 0; node < l->n && l->cut[node] != (int)last_cut; node++) {
        clv_plan_time most = {0};
        for (size_t s = l->first[node]; s < l->first[node + 1]; s++) {
            const clv_plan_time *below = &top[l->steps[s].from];
            most.ns = CLV_MAX(most.ns, below->ns);
            most.var_us2 = CLV_MAX(most.var_us2, below->var_us2);
        }
        int cut = l->cut[node];
        if (cut > 0 && progress[cut].ns != CLV_PLAN_UNKNOWN) {
            if (progress[cut].ns < most.ns || progress[cut].var_us2 < most.var_us2) return false;
            most = progress[cut];
        }
        top[node] = most;
    }
    return true;
}

bool clv_climb_holds(const clv_climb *c, const clv_plan_problem *p)
{
    for (size_t k = 1; k + 1 < p->n_devices;
         k++) /* the first begins at nothing, the last ends at all */
        if (p->devices[k].progress && !rises(c->lattice, p->devices[k].progress, p->cuts->n - 1))
            return false;
    return true;
}

static bool may_step(const clv_layers *l, const clv_climb *c, size_t node, clv_lattice_step step)
{
    if (!l->any_barred) return true;
    if (step.unit != CLV_LATTICE_SEVERAL)
        return !(l->barred[step.unit / 64] >> (step.unit % 64) & 1);
    return clv_layers_may_run(l, (size_t)c->lattice->cut[step.from], (size_t)c->lattice->cut[node]);
}

/* Into `below`: what is held by the nodes just before this one. */
static void gather(clv_layers *l, clv_climb *c, size_t node)
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
static void arrive(clv_layers *l, const clv_climb *c, size_t device, size_t cut,
                   const clv_label *progress)
{
    clv_label whole;
    if (cut && l->ready.first[1] && clv_layers_may_run(l, 0, cut) &&
        clv_layers_work(l, device, &l->p->devices[device].prefix[cut], &whole))
        for (size_t i = 0; i < l->ready.first[1]; i++) {
            clv_label label = l->ready.items[i];
            clv_label_add(&label, &whole);
            clv_layers_offer(l, &label);
        }
    for (size_t i = 0; progress && i < c->below.n; i++) {
        clv_label label = c->below.items[i];
        clv_label_add(&label, progress);
        clv_layers_offer(l, &label);
    }
    clv_layers_reach(l, &l->reached);
}

void clv_climb_run(clv_layers *l, size_t device, void *context)
{
    clv_climb *c = context;
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

/* A problem whose optimum is no worse. */
static clv_plan_problem easier(const clv_plan_problem *p)
{
    clv_plan_problem easy = *p;
    bool pipeline = p->objective.goal == CLV_GOAL_THROUGHPUT;
    easy.objective.quantile_ppm = 0;
    easy.limits.deadline_ns = easy.limits.energy_nj = CLV_PLAN_NO_LIMIT;
    easy.limits.price_pm = easy.limits.drop_ppm = CLV_PLAN_NO_LIMIT;
    if (pipeline) easy.objective.goal = CLV_GOAL_LATENCY;
    for (size_t k = 0; k < p->n_devices; k++) {
        easy.devices[k].memory_bytes_max = CLV_PLAN_NO_LIMIT;
        if (pipeline) easy.devices[k].queue_ns = 0;
    }
    for (size_t k = 0; pipeline && k + 1 < p->n_devices; k++)
        easy.hops[k] = (clv_plan_hop){.up = p->hops[k].up};
    return easy;
}

int64_t clv_climb_bound(const clv_plan_problem *p)
{
    CLV_AUTO(clv_layers_done) clv_layers layers;
    CLV_AUTO(clv_climb_done) clv_climb climb;
    clv_plan_problem easy = easier(p);
    clv_climb_init(&climb, &easy);
    clv_layers_init(&layers, &easy, clv_terms_of(&easy));
    clv_layers_search(&layers, clv_climb_run, &climb);
    int last = clv_layers_best(&layers);
    int64_t score = last < 0 ? 0 : CLV_MAX(layers.ends[last].score, 0);
    return p->objective.goal == CLV_GOAL_THROUGHPUT ? score / (int64_t)p->n_devices : score;
}
