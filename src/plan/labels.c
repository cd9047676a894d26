#include "plan/labels.h"

#include "base/mem.h"
#include "plan/relax.h"

#include <stdlib.h>
#include <string.h>

static void compare(clv_terms *t, clv_axis axis)
{
    for (size_t i = 0; i < t->n_axes; i++)
        if (t->axes[i] == axis) return;
    t->axes[t->n_axes++] = axis;
}

/* The objective: one sum, or what it is made of. */
static void compare_objective(clv_terms *t)
{
    const clv_plan_objective *o = &t->p->objective;
    bool timed = o->goal == CLV_GOAL_LATENCY || (o->goal == CLV_GOAL_WEIGHTED && o->second_weight);
    if (o->goal == CLV_GOAL_THROUGHPUT) {
        compare(t, CLV_AXIS_WORK);
        return;
    }
    t->by_key = !(timed && t->z_ppm);
    if (t->by_key) return;
    compare(t, CLV_AXIS_NS);
    compare(t, CLV_AXIS_VAR);
    if (o->goal == CLV_GOAL_WEIGHTED && o->joule_weight) compare(t, CLV_AXIS_NJ);
    if (o->goal == CLV_GOAL_WEIGHTED && o->money_weight) compare(t, CLV_AXIS_PM);
}

/* The limits, except on what the key is anyway. */
static void compare_limits(clv_terms *t)
{
    const clv_plan_limits *l = &t->p->limits;
    clv_plan_goal key = t->by_key && !t->by_bytes ? t->p->objective.goal : CLV_GOAL_COUNT;
    if (l->deadline_ns != CLV_PLAN_NO_LIMIT) {
        if (t->z_ppm || key != CLV_GOAL_LATENCY) compare(t, CLV_AXIS_NS);
        if (t->z_ppm) compare(t, CLV_AXIS_VAR);
    }
    if (l->energy_nj != CLV_PLAN_NO_LIMIT && key != CLV_GOAL_ENERGY) compare(t, CLV_AXIS_NJ);
    if (l->price_pm != CLV_PLAN_NO_LIMIT && key != CLV_GOAL_PRICE) compare(t, CLV_AXIS_PM);
    if (clv_plan_has_limit(t->p, CLV_LIMIT_DROP)) compare(t, CLV_AXIS_DROP);
}

static clv_terms blank(const clv_plan_problem *p)
{
    return (clv_terms){.p = p,
                       .needs = clv_plan_needs(p),
                       .z_ppm = clv_part_z_ppm(&p->objective),
                       .set_max = CLV_LABEL_SET_MAX,
                       .period_ns_max = INT64_MAX};
}

clv_terms clv_terms_of(const clv_plan_problem *p)
{
    clv_terms t = blank(p);
    compare_objective(&t);
    compare_limits(&t);
    return t;
}

clv_terms clv_terms_within(const clv_plan_problem *p, int64_t period_ns_max)
{
    clv_terms t = blank(p);
    t.by_key = t.by_bytes = true;
    t.period_ns_max = period_ns_max;
    compare(&t, CLV_AXIS_WORK);
    compare_limits(&t);
    return t;
}

static clv_wide objective_of(const clv_plan_objective *o, const clv_plan_amount *a)
{
    switch (o->goal) {
    case CLV_GOAL_LATENCY: return a->ns;
    case CLV_GOAL_ENERGY: return a->nj;
    case CLV_GOAL_PRICE: return a->pm;
    case CLV_GOAL_WEIGHTED:
        return ((clv_wide)o->second_weight * a->ns + (clv_wide)o->joule_weight * a->nj) * 1000 +
               (clv_wide)o->money_weight * a->pm;
    case CLV_GOAL_THROUGHPUT:
    case CLV_GOAL_COUNT: break;
    }
    return 0;
}

/* So far a sum of the tolls of a placement, 39 at most, stays within its bits; a score is at its end
 * long before. */
static const int64_t most_of_an_axis = CLV_PART_MAX / 2;
static const clv_wide most_objective = (clv_wide)1 << (120 - CLV_LABEL_BYTES_BITS);
static const int64_t most_bytes = (int64_t)1 << (CLV_LABEL_BYTES_BITS - 6);

static int64_t capped(int64_t x)
{
    return CLV_MIN(x, most_of_an_axis);
}

void clv_terms_toll(const clv_terms *t, const clv_plan_amount *a, int64_t wire_bytes,
                    int64_t work_ns, clv_label *out)
{
    clv_wide key = CLV_MIN(wire_bytes, most_bytes);
    if (t->by_bytes) {
        key = key * ((clv_wide)1 << 64) + a->ns;
    } else if (t->by_key) {
        clv_wide objective = objective_of(&t->p->objective, a);
        key += CLV_MIN(objective, most_objective) * ((clv_wide)1 << CLV_LABEL_BYTES_BITS);
    }
    *out = (clv_label){.key = key,
                       .v = {capped(a->ns), capped(a->var_us2), capped(a->nj), capped(a->pm),
                             a->drop_ppm, capped(work_ns)}};
}

clv_plan_amount clv_label_amount(const clv_label *l)
{
    return (clv_plan_amount){.ns = l->v[CLV_AXIS_NS],
                             .var_us2 = l->v[CLV_AXIS_VAR],
                             .nj = l->v[CLV_AXIS_NJ],
                             .pm = l->v[CLV_AXIS_PM],
                             .drop_ppm = l->v[CLV_AXIS_DROP]};
}

bool clv_terms_broken(const clv_terms *t, const clv_label *l)
{
    const clv_plan_limits *limits = &t->p->limits;
    if (l->v[CLV_AXIS_PERIOD] > t->period_ns_max || l->v[CLV_AXIS_NJ] > limits->energy_nj ||
        l->v[CLV_AXIS_PM] > limits->price_pm || l->v[CLV_AXIS_DROP] > limits->drop_ppm)
        return true;
    if (limits->deadline_ns == CLV_PLAN_NO_LIMIT) return false;
    clv_plan_amount a = clv_label_amount(l);
    return clv_part_latency_ns(t->z_ppm, &a) > limits->deadline_ns;
}

/* Is `a` no worse than `b` in anything? */
static bool covers(const clv_terms *t, const clv_label *a, const clv_label *b)
{
    bool less = false;
    if (t->by_key) {
        if (a->key > b->key) return false;
        less = a->key < b->key;
    }
    for (size_t i = 0; i < t->n_axes; i++) {
        int64_t x = a->v[t->axes[i]], y = b->v[t->axes[i]];
        if (x > y) return false;
        less |= x < y;
    }
    return less || a->key <= b->key;
}

bool clv_labels_want(const clv_labels *set, const clv_terms *t, const clv_label *l)
{
    for (size_t i = 0; i < set->n; i++)
        if (covers(t, &set->items[i], l)) return false;
    return true;
}

static bool before(const clv_terms *t, const clv_label *a, const clv_label *b)
{
    if (t->by_key) return a->key < b->key;
    return a->v[t->axes[0]] < b->v[t->axes[0]];
}

static void swap(clv_label *a, clv_label *b)
{
    clv_label c = *a;
    *a = *b;
    *b = c;
}

/* To the front what is least in each number, then every second of the rest in order of the first. */
static void thin(clv_labels *set, const clv_terms *t)
{
    size_t kept = 1;
    for (size_t i = 1; i < set->n; i++) /* nearly sorted after the first time */
        for (size_t k = i; k > 0 && before(t, &set->items[k], &set->items[k - 1]); k--)
            swap(&set->items[k], &set->items[k - 1]);
    for (size_t a = 0; a < t->n_axes; a++) {
        size_t least = 0;
        for (size_t i = 1; i < set->n; i++)
            if (set->items[i].v[t->axes[a]] < set->items[least].v[t->axes[a]]) least = i;
        if (least >= kept) swap(&set->items[least], &set->items[kept++]);
    }
    for (size_t i = kept; i < set->n; i += 2) set->items[kept++] = set->items[i];
    set->thinned |= kept < set->n;
    set->n = kept;
}

void clv_labels_offer(clv_labels *set, const clv_terms *t, const clv_label *l)
{
    if (set->n == 1 && t->by_key && !t->n_axes) { /* one number: the quick way, to the same end */
        if (l->key < set->items[0].key) set->items[0] = *l;
        return;
    }
    if (!clv_labels_want(set, t, l)) return;
    size_t kept = 0;
    for (size_t i = 0; i < set->n; i++)
        if (!covers(t, l, &set->items[i])) set->items[kept++] = set->items[i];
    set->n = kept;
    clv_grow(&set->items, &set->cap, set->n + 1, sizeof *set->items);
    set->items[set->n++] = *l;
    if (set->n > t->set_max) thin(set, t);
}

void clv_labels_done(clv_labels *set)
{
    free(set->items);
}

void clv_label_sets_clear(clv_label_sets *s)
{
    s->n = s->n_sets = 0;
}

void clv_label_sets_push(clv_label_sets *s, const clv_labels *set)
{
    clv_grow(&s->first, &s->first_cap, s->n_sets + 2, sizeof *s->first);
    clv_grow(&s->items, &s->cap, s->n + set->n, sizeof *s->items);
    if (set->n) memcpy(s->items + s->n, set->items, set->n * sizeof *set->items);
    s->first[s->n_sets] = s->n;
    s->n += set->n;
    s->first[++s->n_sets] = s->n;
}

void clv_label_sets_done(clv_label_sets *s)
{
    free(s->items);
    free(s->first);
}
