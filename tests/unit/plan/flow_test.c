#include "base/rng.h"
#include "plan/flow.h"
#include "unit.h"

enum { NODES_MAX = 9, ARCS_MAX = 40 };

typedef struct network {
    int n, n_arcs, from[ARCS_MAX], to[ARCS_MAX], index[ARCS_MAX];
    int64_t capacity[ARCS_MAX];
    clv_flow *flow;
} network; /* source 0, sink n - 1 */

static int64_t random_capacity(clv_rng *r)
{
    if (clv_rng_below(r, 6) == 0) return CLV_FLOW_INFINITE;
    return (int64_t)clv_rng_below(r, 8);
}

static network random_network(clv_rng *r)
{
    network w = {.n = 2 + (int)clv_rng_below(r, NODES_MAX - 1), .flow = clv_flow_new()};
    w.n_arcs = (int)clv_rng_below(r, ARCS_MAX);
    for (int i = 0; i < w.n; i++) assert_int_equal(clv_flow_add_node(w.flow), i);
    for (int a = 0; a < w.n_arcs; a++) {
        w.from[a] = (int)clv_rng_below(r, (uint64_t)w.n);
        w.to[a] = (int)clv_rng_below(r, (uint64_t)w.n); /* loops and repeats too */
        w.capacity[a] = random_capacity(r);
        w.index[a] = clv_flow_add_arc(w.flow, w.from[a], w.to[a], w.capacity[a]);
    }
    return w;
}

/* The value of every cut; the least, and the union of the least ones' source sides, which is itself
 * a least cut. CLV_FLOW_INFINITE when all are infinite. */
static int64_t brute_force(const network *w, unsigned *side)
{
    int64_t best = CLV_FLOW_INFINITE;
    for (unsigned s = 1; s < 1u << (w->n - 1); s += 2) {
        int64_t value = 0;
        for (int a = 0; a < w->n_arcs && value < CLV_FLOW_INFINITE; a++)
            if (s >> w->from[a] & 1 && !(s >> w->to[a] & 1))
                value = w->capacity[a] == CLV_FLOW_INFINITE ? CLV_FLOW_INFINITE
                                                            : value + w->capacity[a];
        if (value == CLV_FLOW_INFINITE || value > best) continue;
        *side = value < best ? s : *side | s;
        best = value;
    }
    return best;
}

static void assert_same(const network *w)
{
    unsigned side = 0;
    int64_t best = brute_force(w, &side);
    assert_int_equal(clv_flow_max(w->flow, 0, w->n - 1), best);
    if (best == CLV_FLOW_INFINITE) return;
    for (int i = 0; i < w->n; i++)
        assert_int_equal(clv_flow_source_side(w->flow, i), side >> i & 1);
}

static void equals_brute_force_and_cuts_as_late_as_it_can(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(20);
    for (int i = 0; i < 20000; i++) {
        network w = random_network(&r);
        assert_same(&w);
        for (int a = 0; a < w.n_arcs; a++) { /* again with other weights */
            w.capacity[a] = random_capacity(&r);
            clv_flow_set(w.flow, w.index[a], w.capacity[a]);
        }
        assert_same(&w);
        clv_flow_free(w.flow);
    }
}

static void a_deep_network_costs_no_stack(void **state)
{
    (void)state;
    enum { N = 200000 };
    clv_flow *f = clv_flow_new();
    int last = clv_flow_add_node(f), source = last;
    for (int i = 1; i < N; i++) {
        int next = clv_flow_add_node(f);
        clv_flow_add_arc(f, last, next, i == N / 2 ? 7 : CLV_FLOW_INFINITE);
        last = next;
    }
    assert_int_equal(clv_flow_max(f, source, last), 7);
    assert_true(clv_flow_source_side(f, N / 2 - 1));
    assert_false(clv_flow_source_side(f, N / 2));
    assert_int_equal(clv_flow_augmentations(f), 1);
    clv_flow_free(f);
}

static void large_capacities_do_not_overflow(void **state)
{
    (void)state;
    const int64_t big = CLV_FLOW_INFINITE / 4;
    clv_flow *f = clv_flow_new();
    int s = clv_flow_add_node(f), a = clv_flow_add_node(f), b = clv_flow_add_node(f);
    int t = clv_flow_add_node(f);
    clv_flow_add_arc(f, s, a, big);
    clv_flow_add_arc(f, s, b, big - 1);
    clv_flow_add_arc(f, a, b, CLV_FLOW_INFINITE);
    int out = clv_flow_add_arc(f, b, t, CLV_FLOW_INFINITE);
    assert_true(clv_flow_max(f, s, t) == 2 * big - 1);
    clv_flow_set(f, out, big);
    assert_true(clv_flow_max(f, s, t) == big);
    clv_flow_release(&f);
    assert_null(f);
    clv_flow_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_brute_force_and_cuts_as_late_as_it_can),
        cmocka_unit_test(a_deep_network_costs_no_stack),
        cmocka_unit_test(large_capacities_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
