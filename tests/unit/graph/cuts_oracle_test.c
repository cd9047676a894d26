/* Every ideal of small random graphs, against trying every subset of the units. */
#include "base/rng.h"
#include "graph/cuts.h"
#include "graph_maker.h"
#include "unit.h"

#include <string.h>

enum { GRAPHS = 3000, UNITS_MAX = 12, IDEALS_MAX = 1 << UNITS_MAX };

typedef struct ideal {
    uint32_t units;
    uint64_t live;
} ideal;

typedef struct oracle {
    ideal items[IDEALS_MAX];
    size_t n, n_all; /* after filters; closed subsets */
} oracle;

static clv_graph *random_graph(uint64_t seed)
{
    clv_rng r = clv_rng_seeded(seed);
    clv_graph *g = graph_new();
    size_t n_units = 3 + clv_rng_below(&r, UNITS_MAX - 2), n_inputs = 1 + clv_rng_below(&r, 3);
    uint64_t reach = 1 + clv_rng_below(&r, 16); /* how far back inputs are picked: long or bushy */
    for (size_t i = 0; i < n_inputs; i++) add_input(g, (const char *[]){"x", "y", "z"}[i]);
    for (size_t u = 0; u < n_units; u++) {
        int in[4];
        size_t n = clv_rng_below(&r, 30) ? 1 + clv_rng_below(&r, 4) * clv_rng_below(&r, 2) : 0;
        for (size_t i = 0; i < n; i++)
            in[i] = (int)(g->n_tensors - 1 - clv_rng_below(&r, CLV_MIN(reach, g->n_tensors)));
        add_next(g, in, n);
        for (uint64_t more = clv_rng_below(&r, 6); more > 3; more--) add_output(g, (int)u);
    }
    bool sinks = clv_rng_below(&r, 4) != 0; /* else dead units are likely */
    for (size_t t = 0; t < g->n_tensors; t++) {
        clv_graph_tensor *tensor = &g->tensors[t];
        tensor->is_output = sinks ? !tensor->n_consumers : t + 1 == g->n_tensors;
        if (!clv_rng_below(&r, 12)) tensor->is_output = true;
        if (!clv_rng_below(&r, 25)) tensor->dtype = CLV_DTYPE_NONE;
        if (clv_rng_below(&r, 25)) continue;
        tensor->shape.rank = -1;
        tensor->bytes = 0;
    }
    return g;
}

static uint32_t needs_of(const clv_graph *g, size_t u)
{
    uint32_t needs = 0;
    for (size_t i = 0; i < g->units[u].n_inputs; i++) {
        int p = g->tensors[g->units[u].inputs[i]].producer;
        if (p != CLV_NO_UNIT) needs |= 1u << p;
    }
    return needs;
}

static uint64_t live_of(const clv_graph *g, uint32_t units, bool *silent)
{
    uint64_t live = 0;
    *silent = false;
    for (size_t t = 0; t < g->n_tensors; t++) {
        const clv_graph_tensor *tensor = &g->tensors[t];
        bool inside = tensor->producer == CLV_NO_UNIT || (units >> tensor->producer & 1);
        for (size_t k = 0; inside && k < tensor->n_consumers; k++)
            if (!(units >> tensor->consumers[k] & 1)) live |= (uint64_t)1 << t;
        if (live >> t & 1) *silent |= tensor->shape.rank < 0 || tensor->dtype == CLV_DTYPE_NONE;
    }
    return live;
}

/* Is there a path from an input to an output that avoids `without`? */
static bool flows(const clv_graph *g, int without)
{
    bool wet[MAKER_TENSORS] = {false};
    for (size_t t = 0; t < g->n_tensors; t++) wet[t] = g->tensors[t].is_input;
    for (int u = 0; u < (int)g->n_units; u++) {
        bool in = false;
        for (size_t i = 0; i < g->units[u].n_inputs; i++) in |= wet[g->units[u].inputs[i]];
        for (size_t i = 0; i < g->units[u].n_outputs; i++)
            wet[g->units[u].outputs[i]] = in && u != without;
    }
    for (size_t t = 0; t < g->n_tensors; t++)
        if (g->tensors[t].is_output && wet[t]) return true;
    return false;
}

static bool around_articulation(const clv_graph *g, uint32_t units)
{
    uint32_t full = (1u << g->n_units) - 1;
    if (!flows(g, CLV_NO_UNIT)) return false;
    for (int u = 0; u < (int)g->n_units; u++) {
        uint32_t after = 1u << u;
        if (flows(g, u)) continue;
        for (size_t v = 0; v < g->n_units; v++)
            if (needs_of(g, v) & after) after |= 1u << v;
        if (units == (full & ~after) || units == ((full & ~after) | 1u << u)) return true;
    }
    return false;
}

static int lexicographic(const void *a, const void *b)
{
    uint32_t x = ((const ideal *)a)->units, y = ((const ideal *)b)->units;
    int nx = __builtin_popcount(x), ny = __builtin_popcount(y);
    if (nx != ny) return nx < ny ? -1 : 1;
    for (; x || y; x >>= 1, y >>= 1)
        if ((x & 1) != (y & 1)) return x & 1 ? -1 : 1;
    return 0;
}

static void ask_oracle(const clv_graph *g, bool few, oracle *o)
{
    uint32_t full = (1u << g->n_units) - 1;
    ideal all[IDEALS_MAX];
    size_t n = 0;
    o->n = o->n_all = 0;
    for (uint32_t s = 0; s <= full; s++) {
        bool closed = true, silent;
        for (size_t u = 0; u < g->n_units; u++)
            if ((s >> u & 1) && (needs_of(g, u) & ~s)) closed = false;
        if (!closed) continue;
        o->n_all++;
        uint64_t live = live_of(g, s, &silent);
        bool end = s == 0 || s == full;
        if (silent && !end) continue;
        if (few && !end && __builtin_popcountll(live) != 1 && !around_articulation(g, s)) continue;
        all[n++] = (ideal){s, live};
    }
    qsort(all, n, sizeof *all, lexicographic);
    for (size_t i = 0; i < n; i++) {
        bool keep = true, end = all[i].units == 0 || all[i].units == full;
        for (size_t k = 0; k < n && !end; k++) {
            if (k == i || all[k].live != all[i].live) continue;
            int ni = __builtin_popcount(all[i].units), nk = __builtin_popcount(all[k].units);
            if (all[k].units == 0 || nk > ni || (nk == ni && k < i)) keep = false;
        }
        if (keep) o->items[o->n++] = all[i];
    }
}

static void compare(const clv_graph *g, const clv_cuts *cuts, const oracle *o, uint64_t seed)
{
    if (cuts->n != o->n)
        fail_msg("graph %llu: %zu cuts, %zu by brute force", (unsigned long long)seed, cuts->n,
                 o->n);
    for (size_t i = 0; i < cuts->n; i++) {
        const clv_cut *cut = &cuts->items[i];
        uint64_t live = 0;
        size_t bytes = 0;
        for (size_t k = 0; k < cut->n_live; k++) {
            live |= (uint64_t)1 << cut->live[k];
            bytes += g->tensors[cut->live[k]].bytes;
            if (k) assert_true(cut->live[k] > cut->live[k - 1]);
        }
        if (cut->units[0] != o->items[i].units || live != o->items[i].live)
            fail_msg("graph %llu: cut %zu differs from brute force", (unsigned long long)seed, i);
        assert_int_equal(cut->n_units, __builtin_popcountll(cut->units[0]));
        assert_int_equal(cut->bytes, bytes);
    }
}

static void check_queries(const clv_graph *g, const clv_cuts *cuts)
{
    const char *names[64];
    for (size_t i = 0; i < cuts->n; i++) {
        const clv_cut *cut = &cuts->items[i];
        for (size_t k = 0; k < cut->n_live; k++)
            names[k] = g->tensors[cut->live[cut->n_live - 1 - k]].name; /* in any order */
        size_t want = cut->n_live ? i : cuts->n - 1;
        assert_int_equal(clv_cuts_find(cuts, g, names, cut->n_live), want);
        size_t other = (i * 7 + 3) % cuts->n;
        assert_int_equal(clv_cut_within(cuts, i, other),
                         !(cut->units[0] & ~cuts->items[other].units[0]));
        assert_int_equal(clv_cut_has(cut, 1), cut->units[0] >> 1 & 1);
    }
}

static void every_ideal_of_random_graphs(void **state)
{
    (void)state;
    static oracle o;
    size_t widest = 0;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        clv_error err = {0};
        clv_cuts *cuts = NULL;
        clv_graph *g = random_graph(seed);
        assert_ok(clv_graph_check(g, &err), err);
        ask_oracle(g, false, &o);
        widest = CLV_MAX(widest, o.n);
        assert_ok(clv_cuts_enumerate(g, o.n_all, &cuts, &err), err); /* the cap is not exceeded */
        assert_false(cuts->capped);
        compare(g, cuts, &o, seed);
        check_queries(g, cuts);
        clv_cuts_free(cuts);

        ask_oracle(g, true, &o);
        assert_ok(clv_cuts_enumerate(g, o.n_all - 1, &cuts, &err), err); /* but here by one */
        assert_true(cuts->capped);
        compare(g, cuts, &o, seed);
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
    assert_true(widest > 100); /* the graphs are not all thin */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_ideal_of_random_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
