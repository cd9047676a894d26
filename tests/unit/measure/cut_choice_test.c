#include "measure/cut_choice.h"

#include "../graph/graph_maker.h"
#include "base/rng.h"
#include "unit.h"

static clv_cuts *cuts_of(const clv_graph *g)
{
    clv_cuts *cuts = NULL;
    clv_error err = {0};
    assert_ok(clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, &err), err);
    return cuts;
}

/* A chain whose tensors have these sizes; the last is the output. */
static clv_graph *chain_of(const size_t *bytes, size_t n)
{
    clv_graph *g = graph_new();
    int t = add_input(g, "x");
    g->tensors[t].bytes = bytes[0];
    for (size_t i = 1; i < n; i++) {
        t = add_next(g, &t, 1);
        g->tensors[t].bytes = bytes[i];
    }
    g->tensors[t].is_output = true;
    return g;
}

static void a_cut_that_sends_more_than_an_earlier_one_is_useless(void **state)
{
    (void)state;
    clv_graph *g = chain_of((const size_t[]){600, 800, 600, 300, 400, 43, 43, 4}, 8);
    clv_cuts *cuts = cuts_of(g);
    clv_cut_choice *c = clv_cut_choice_new(g, cuts);
    assert_int_equal(c->n, cuts->n - 2);
    assert_int_equal(c->n_useful, 2); /* 300 and the first 43 */
    assert_true((c->order[0] == 3 && c->order[1] == 5) || (c->order[0] == 5 && c->order[1] == 3));
    assert_int_equal(c->n_chain, cuts->n);
    clv_cut_choice_free(c);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void a_network_that_cannot_be_cut_has_nothing_to_choose(void **state)
{
    (void)state;
    clv_graph *g = chain_of((const size_t[]){600, 4}, 2);
    clv_cuts *cuts = cuts_of(g);
    clv_cut_choice *c = clv_cut_choice_new(g, cuts);
    assert_int_equal(cuts->n, 2);
    assert_int_equal(c->n, 0);
    assert_int_equal(c->n_useful, 0);
    assert_int_equal(c->n_chain, 2);
    clv_cut_choice_free(c);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

/* Random networks of two branches that meet again, with random sizes. */
static clv_graph *random_graph(clv_rng *r)
{
    clv_graph *g = graph_new();
    int at = add_input(g, "x");
    for (int block = 0; block < 3; block++) {
        int a = at, b = at;
        for (uint64_t k = clv_rng_below(r, 4); k > 0; k--) a = add_next(g, &a, 1);
        for (uint64_t k = 1 + clv_rng_below(r, 3); k > 0; k--) b = add_next(g, &b, 1);
        at = add_next(g, (const int[]){a, b}, 2);
    }
    g->tensors[at].is_output = true;
    for (size_t t = 0; t < g->n_tensors; t++) g->tensors[t].bytes = 1 + clv_rng_below(r, 50);
    return g;
}

/* The promise of the header: with one speed ratio, no cut outside of the useful ones, cut 0 and the
 * last is ever better than all of them. */
static void with_one_speed_ratio_a_useful_cut_always_wins(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(21);
    for (int k = 0; k < 300; k++) {
        clv_graph *g = random_graph(&r);
        clv_cuts *cuts = cuts_of(g);
        clv_cut_choice *c = clv_cut_choice_new(g, cuts);
        double unit_us[64], whole = 0, ratio = 0.3 + 10 * clv_rng_unit(&r);
        for (size_t u = 0; u < g->n_units; u++)
            whole += unit_us[u] = 1 + (double)clv_rng_below(&r, 40);
        for (int rate = 0; rate < 10; rate++) {
            double us_a_byte = clv_rng_exponential(&r), rtt = 20 * clv_rng_unit(&r);
            double best_all = whole, best_useful = whole;
            for (size_t i = 0; i + 1 < cuts->n; i++) {
                double front = 0;
                for (size_t u = 0; u < g->n_units; u++)
                    if (clv_cut_has(&cuts->items[i], (int)u)) front += unit_us[u];
                double down = (double)clv_cut_down_bytes(g, &cuts->items[i]);
                double cost = front + (whole - front) / ratio + rtt +
                              us_a_byte * ((double)cuts->items[i].bytes + down);
                bool useful = i == 0;
                for (size_t n = 0; n < c->n_useful; n++) useful = useful || c->order[n] == i;
                if (cost < best_all) best_all = cost;
                if (useful && cost < best_useful) best_useful = cost;
            }
            assert_float_equal(best_all, best_useful, 1e-9);
        }
        clv_cut_choice_free(c);
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
}

static void the_order_holds_every_cut_once_and_the_chain_is_nested(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(22);
    for (int k = 0; k < 200; k++) {
        clv_graph *g = random_graph(&r);
        clv_cuts *cuts = cuts_of(g);
        clv_cut_choice *c = clv_cut_choice_new(g, cuts);
        assert_int_equal(c->n, cuts->n - 2);
        bool seen[4096] = {0};
        for (size_t i = 0; i < c->n; i++) {
            assert_true(c->order[i] > 0 && c->order[i] + 1 < cuts->n && !seen[c->order[i]]);
            seen[c->order[i]] = true;
        }
        assert_int_equal(c->chain[0], 0);
        assert_int_equal(c->chain[c->n_chain - 1], cuts->n - 1);
        for (size_t i = 1; i < c->n_chain; i++)
            assert_true(clv_cut_within(cuts, c->chain[i - 1], c->chain[i]));
        clv_cut_choice_free(c);
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
}

static void an_answer_that_is_already_here_is_not_sent_back(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int x = add_input(g, "x");
    int a = add_next(g, &x, 1), b = add_next(g, &a, 1);
    g->tensors[a].is_output = g->tensors[b].is_output = true;
    g->tensors[a].bytes = 10;
    g->tensors[b].bytes = 7;
    clv_cuts *cuts = cuts_of(g);
    assert_int_equal(clv_cut_down_bytes(g, &cuts->items[0]), 17);
    assert_int_equal(clv_cut_down_bytes(g, &cuts->items[1]), 7);
    assert_int_equal(clv_cut_down_bytes(g, &cuts->items[2]), 0);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_that_sends_more_than_an_earlier_one_is_useless),
        cmocka_unit_test(a_network_that_cannot_be_cut_has_nothing_to_choose),
        cmocka_unit_test(with_one_speed_ratio_a_useful_cut_always_wins),
        cmocka_unit_test(the_order_holds_every_cut_once_and_the_chain_is_nested),
        cmocka_unit_test(an_answer_that_is_already_here_is_not_sent_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
