#include "plan/choice.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    STEPS_MAX = 2000000, /* units and tensors looked at while improving */
    PREFIXES_MAX = 128
};

clv_choice clv_choice_new(const clv_plan_problem *p)
{
    return (clv_choice){.unit_device = clv_alloc_array(p->graph->n_units + 1, 1),
                        .excess = INFINITY};
}

void clv_choice_done(clv_choice *c)
{
    clv_free(&c->unit_device);
}

bool clv_choice_offer(clv_choice *c, const clv_gadgets *g, size_t codec, const uint8_t *unit_device)
{
    if (!clv_gadgets_legal(g, unit_device)) return false;
    clv_plan_cost cost = clv_gadgets_weigh(g, unit_device);
    double excess = clv_gadgets_excess(g, unit_device, &cost);
    bool better = excess < c->excess || (excess == c->excess && clv_plan_better(&cost, &c->cost));
    if (!better) return false;
    size_t n = clv_gadgets_problem(g)->graph->n_units;
    memcpy(c->unit_device, unit_device, n);
    c->cost = cost;
    c->excess = excess;
    c->codec = codec;
    c->found = excess == 0;
    return true;
}

/* One or two units on the other device; a == b: one. Undone when it is no better. */
static bool move(clv_choice *c, const clv_gadgets *g, uint8_t *at, size_t a, size_t b)
{
    at[a] ^= 1;
    if (b != a) at[b] ^= 1;
    if (clv_choice_offer(c, g, c->codec, at)) return true;
    at[a] ^= 1;
    if (b != a) at[b] ^= 1;
    return false;
}

static bool move_any(clv_choice *c, const clv_gadgets *g, uint8_t *at, size_t n, size_t *tries)
{
    for (size_t a = 0; a < n && *tries; a++, --*tries)
        if (move(c, g, at, a, a)) return true;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n && *tries; b++, --*tries)
            if (move(c, g, at, a, b)) return true;
    return false;
}

void clv_choice_improve(clv_choice *c, const clv_gadgets *g, size_t codec)
{
    const clv_graph *graph = clv_gadgets_problem(g)->graph;
    size_t n = graph->n_units, step = 1 + n / PREFIXES_MAX;
    size_t tries = STEPS_MAX / (n + graph->n_tensors + 1);
    CLV_AUTO(clv_free) uint8_t *at = clv_alloc_array(n + 1, 1);
    for (size_t k = 0; k < n; k += step) {
        memset(at, 0, k);
        memset(at + k, 1, n - k);
        clv_choice_offer(c, g, codec, at);
    }
    if (isinf(c->excess)) return;
    memcpy(at, c->unit_device, n);
    while (tries && move_any(c, g, at, n, &tries)) continue;
}
