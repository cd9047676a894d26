#include "plan/lattice.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 2000, CUTS_MAX = 1200 };

static clv_cuts *cuts_of(const clv_graph *g)
{
    clv_cuts *cuts;
    clv_error err = {0};
    assert_ok(clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, &err), err);
    return cuts;
}

/* Which cuts can be reached down from each, by steps. */
static void assert_order(const clv_cuts *cuts, const clv_lattice *l)
{
    uint8_t *below = clv_alloc_array(l->n * cuts->n, sizeof *below);
    size_t n_cuts = 0;
    for (size_t i = 0; i < l->n; i++) {
        int at = l->cut[i];
        if (at != CLV_LATTICE_GAP) {
            assert_int_equal(at, n_cuts); /* in the order of the cuts */
            below[i * cuts->n + n_cuts++] = 1;
        }
        for (size_t s = l->first[i]; s < l->first[i + 1]; s++) {
            int from = l->steps[s].from, unit = l->steps[s].unit;
            assert_in_range(from, 0, i - 1);
            for (size_t c = 0; c < cuts->n; c++)
                below[i * cuts->n + c] |= below[(size_t)from * cuts->n + c];
            if (unit == CLV_LATTICE_SEVERAL || at == CLV_LATTICE_GAP) continue;
            assert_true(clv_cut_has(&cuts->items[at], unit));
            if (l->cut[from] != CLV_LATTICE_GAP)
                assert_false(clv_cut_has(&cuts->items[l->cut[from]], unit));
        }
        for (size_t c = 0; at != CLV_LATTICE_GAP && c < cuts->n; c++)
            assert_int_equal(below[i * cuts->n + c], clv_cut_within(cuts, c, (size_t)at));
    }
    assert_int_equal(n_cuts, cuts->n);
    free(below);
}

/* Some of the cuts go, as those do that nobody measured. */
static clv_cuts leave_out(clv_rng *r, const clv_cuts *cuts, clv_cut *items)
{
    clv_cuts few = {.items = items, .words = cuts->words};
    for (size_t i = 0; i < cuts->n; i++)
        if (i == 0 || i + 1 == cuts->n || problem_chance(r, 50)) items[few.n++] = cuts->items[i];
    return few;
}

static void steps_lead_to_all_that_is_within(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    const problem_options o = {0};
    for (int i = 0; i < PROBLEMS; i++) {
        clv_graph *g = problem_graph(&r, &o);
        clv_cuts *cuts = cuts_of(g);
        clv_cut items[CUTS_MAX];
        assert_true(cuts->n < CUTS_MAX);
        clv_cuts few = leave_out(&r, cuts, items);
        const clv_cuts *lists[2] = {cuts, &few};
        for (int k = 0; k < 2; k++) {
            clv_lattice *l = clv_lattice_new(g, lists[k]);
            clv_lattice *wide = clv_lattice_new_within(g, lists[k], 0);
            assert_order(lists[k], l);
            assert_order(lists[k], wide);
            assert_int_equal(wide->n, lists[k]->n);
            clv_lattice_free(l);
            clv_lattice_free(wide);
        }
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
}

static void a_full_list_has_unit_steps_only(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int x = add_input(g, "x"), stem = add_next(g, &x, 1), ends[3];
    for (int i = 0; i < 3; i++) ends[i] = add_chain(g, stem, 4);
    g->tensors[add_next(g, ends, 3)].is_output = true;
    clv_cuts *cuts = cuts_of(g);
    clv_lattice *l = clv_lattice_new(g, cuts);
    assert_int_equal(cuts->n, 1 + 5 * 5 * 5 + 1);
    assert_int_equal(l->n, cuts->n); /* no gaps */
    /* into stem 1, along each of three axes 4 * 25, out of all 1 */
    assert_int_equal(l->first[l->n], 1 + 3 * 4 * 25 + 1);
    for (size_t s = 0; s < l->first[l->n]; s++) assert_true(l->steps[s].unit >= 0);
    assert_order(cuts, l);
    clv_lattice_free(l);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void capped_lists_are_in_order_too(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    const problem_options o = {0};
    for (int i = 0; i < 500; i++) {
        clv_graph *g = problem_graph(&r, &o);
        clv_cuts *cuts;
        clv_error err = {0};
        assert_ok(clv_cuts_enumerate(g, 2, &cuts, &err), err);
        assert_true(cuts->capped);
        clv_lattice *l = clv_lattice_new(g, cuts);
        assert_int_equal(l->n, cuts->n);
        assert_order(cuts, l);
        clv_lattice_free(l);
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_lead_to_all_that_is_within),
        cmocka_unit_test(a_full_list_has_unit_steps_only),
        cmocka_unit_test(capped_lists_are_in_order_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
