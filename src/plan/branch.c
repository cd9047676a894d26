#include "plan/branch.h"

#include "base/mem.h"
#include "plan/lagrange.h"

enum { HALVES_MAX = 400 };

/* The placements that have one unit more than the parent's fixed. */
typedef struct half {
    int parent, unit; /* -1: the whole */
    uint8_t device;
    int64_t bound;
    int undecided;
    bool open;
} half;

typedef struct tree {
    clv_gadgets *g;
    clv_lagrange *lagrange;
    clv_choice *choice;
    int64_t enough;
    half halves[HALVES_MAX];
    int n;
} tree;

static int64_t target(const tree *t)
{
    return t->choice->found ? CLV_MIN(t->choice->cost.score, t->enough) : t->enough;
}

/* Fixes, or frees, the units of a half and its parents. */
static void fix_all(tree *t, int at, bool fix)
{
    for (; at >= 0 && t->halves[at].unit >= 0; at = t->halves[at].parent)
        clv_gadgets_fix(t->g, (size_t)t->halves[at].unit,
                        fix ? t->halves[at].device : CLV_GADGETS_ANY);
}

/* Bounds a half; it stays open if it may hold something better. */
static void add(tree *t, int parent, int unit, uint8_t device)
{
    half *h = &t->halves[t->n++];
    *h = (half){.parent = parent, .unit = unit, .device = device};
    fix_all(t, t->n - 1, true);
    h->bound = clv_lagrange_bound(t->lagrange, t->enough);
    if (parent >= 0) h->bound = CLV_MAX(h->bound, t->halves[parent].bound);
    h->undecided = clv_lagrange_undecided(t->lagrange);
    h->open = h->bound < target(t) && h->undecided != CLV_NO_UNIT;
    fix_all(t, t->n - 1, false);
}

/* The open half with the lowest bound, if it is below the target; -1: none. */
static int lowest(const tree *t)
{
    int best = -1;
    for (int i = 0; i < t->n; i++) {
        const half *h = &t->halves[i];
        if (h->open && h->bound < target(t) && (best < 0 || h->bound < t->halves[best].bound))
            best = i;
    }
    return best;
}

int64_t clv_branch_search(clv_gadgets *g, size_t codec, int64_t enough, clv_choice *choice)
{
    CLV_AUTO(clv_lagrange_release) clv_lagrange *lagrange = clv_lagrange_new(g, codec, choice);
    CLV_AUTO(clv_free) tree *t = clv_alloc(sizeof *t);
    *t = (tree){.g = g, .lagrange = lagrange, .choice = choice};
    t->enough = CLV_MIN(enough, clv_lagrange_worst(lagrange) + 1);
    add(t, -1, -1, 0);
    if (t->halves[0].open) clv_choice_improve(choice, g, codec);
    for (int at = lowest(t); at >= 0 && t->n + 2 <= HALVES_MAX; at = lowest(t)) {
        if (clv_lagrange_spent(lagrange)) break;
        int unit = t->halves[at].undecided;
        t->halves[at].open = false;
        add(t, at, unit, 0);
        add(t, at, unit, 1);
    }
    int at = lowest(t);
    return at < 0 ? CLV_PLAN_UNKNOWN : t->halves[at].bound;
}
