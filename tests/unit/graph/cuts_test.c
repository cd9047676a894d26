#include "graph/cuts.h"
#include "graph_maker.h"
#include "unit.h"

#include <string.h>

/* x -> source -> `k` chains of `m` units -> sink */
static clv_graph *parallel_chains(int k, int m)
{
    clv_graph *g = graph_new();
    int ends[32], x = add_input(g, "x");
    int source = add_next(g, &x, 1);
    for (int i = 0; i < k; i++) ends[i] = add_chain(g, source, m);
    g->tensors[add_next(g, ends, (size_t)k)].is_output = true;
    return g;
}

static clv_cuts *enumerate(const clv_graph *g, size_t cap)
{
    clv_error err = {0};
    clv_cuts *cuts = NULL;
    assert_ok(clv_cuts_enumerate(g, cap, &cuts, &err), err);
    return cuts;
}

static void known_shapes_have_known_counts(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int last = add_chain(g, add_input(g, "x"), 500);
    g->tensors[last].is_output = true;
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    assert_int_equal(cuts->n, 501);
    assert_int_equal(cuts->items[0].n_units, 0);
    assert_int_equal(cuts->items[0].n_live, 1);
    assert_int_equal(cuts->items[500].n_units, 500);
    assert_int_equal(cuts->items[500].n_live, 0);
    assert_int_equal(cuts->items[500].bytes, 0);
    clv_cuts_free(cuts);
    clv_graph_free(g);

    static const int shapes[][3] = {
        {2, 1, 6}, {1, 5, 8}, {3, 4, 127}, {4, 3, 258}, {2, 100, 10203}};
    for (size_t i = 0; i < CLV_COUNT(shapes); i++) { /* (m + 1)^k, the empty and the full one */
        g = parallel_chains(shapes[i][0], shapes[i][1]);
        cuts = enumerate(g, CLV_CUTS_CAP);
        assert_int_equal(cuts->n, shapes[i][2]);
        assert_false(cuts->capped);
        clv_cuts_free(cuts);
        clv_graph_free(g);
    }
}

static void no_units_is_one_cut(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    add_input(g, "x");
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    assert_int_equal(cuts->n, 1);
    assert_int_equal(cuts->items[0].n_live, 0); /* an unused input is not live */
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void a_tensor_crosses_once_however_often_it_is_used(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int x = add_input(g, "x"), a = add_unit(g, "a", &x, 1);
    int b = add_unit(g, "b", &a, 1), c = add_unit(g, "c", (int[]){a, a, b}, 3);
    int d = add_unit(g, "d", (int[]){a, c}, 2); /* a skips over every cut up to here */
    g->tensors[d].is_output = true;
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    assert_int_equal(cuts->n, 5);
    assert_int_equal(cuts->items[1].bytes, g->tensors[a].bytes);
    assert_int_equal(cuts->items[3].bytes, g->tensors[a].bytes + g->tensors[c].bytes);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

/* A graph output that is used inside is live for its user's sake; a head's output never is. */
static void heads_stay_with_the_side_that_made_them(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int x = add_input(g, "x"), a = add_unit(g, "a", &x, 1);
    int head = add_unit(g, "head", &a, 1), b = add_unit(g, "b", &a, 1);
    g->tensors[a].is_output = g->tensors[head].is_output = g->tensors[b].is_output = true;
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    /* {}, {a, head} for {a}, and {a, head, b}; {a} and {a, b} have the same live set */
    assert_int_equal(cuts->n, 3);
    assert_int_equal(cuts->items[1].n_units, 2);
    assert_int_equal(cuts->items[1].n_live, 1);
    assert_int_equal(cuts->items[1].live[0], a);
    assert_true(clv_cut_has(&cuts->items[1], 1));
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void wide_graphs_fall_back(void **state)
{
    (void)state;
    clv_graph *g = parallel_chains(20, 20); /* 21^20 ideals: only an early stop ends this */
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    assert_true(cuts->capped);
    /* input, behind the source, before the sink, output */
    assert_int_equal(cuts->n, 4);
    assert_int_equal(cuts->items[1].n_live, 1);
    assert_int_equal(cuts->items[2].n_live, 20);
    assert_int_equal(cuts->items[2].n_units, 401);
    clv_cuts_free(cuts);
    clv_graph_free(g);

    g = parallel_chains(1, 3);
    cuts = enumerate(g, 0);
    assert_true(cuts->capped);
    assert_int_equal(cuts->n, 6); /* of a chain nothing is lost */
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void a_broken_graph_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_cuts *cuts = NULL;
    clv_graph *g = parallel_chains(2, 2);
    g->tensors[1].n_consumers = 1;
    assert_int_equal(clv_cuts_enumerate(g, CLV_CUTS_CAP, &cuts, &err), CLV_EINVAL);
    assert_null(cuts);
    clv_graph_free(g);
}

static void unknown_names_find_nothing(void **state)
{
    (void)state;
    clv_graph *g = parallel_chains(2, 1);
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    const char *both[] = {"u2.0", "u1.0", "u2.0"}, *unknown[] = {"u2.0", "no"}, *sink[] = {"u3.0"};
    assert_int_equal(clv_cuts_find(cuts, g, both, 3), 4); /* a name given twice counts once */
    assert_int_equal(clv_cuts_find(cuts, g, unknown, 2), -1);
    assert_int_equal(clv_cuts_find(cuts, g, sink, 1), -1);
    assert_int_equal(clv_cuts_find(cuts, g, NULL, 0), 5);
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

static void assert_label(const clv_cuts *cuts, const clv_graph *g, size_t cut, const char *want)
{
    char *label = clv_cut_label(cuts, g, cut);
    assert_string_equal(label, want);
    free(label);
}

static void labels_are_short_and_tell_cuts_apart(void **state)
{
    (void)state;
    clv_graph *g = parallel_chains(2, 1);
    clv_cuts *cuts = enumerate(g, CLV_CUTS_CAP);
    assert_label(cuts, g, 0, "input");
    assert_label(cuts, g, 1, "u0.0");
    assert_label(cuts, g, 4, "u1.0+u2.0");
    assert_label(cuts, g, 5, "output");
    clv_cuts_free(cuts);

    char *old = g->tensors[2].name, name[CLV_NAME_MAX + 1];
    memset(name, 'n', CLV_NAME_MAX);
    name[CLV_CUT_LABEL_MAX] = 0;
    g->tensors[2].name = name;
    cuts = enumerate(g, CLV_CUTS_CAP);
    /* at the limit whole, one more is cut */
    size_t alone = (size_t)clv_cuts_find(cuts, g, (const char *[]){"u0.0", name}, 2);
    name[CLV_CUT_LABEL_MAX - 5] = 0;
    char *whole = clv_cut_label(cuts, g, alone);
    assert_int_equal(strlen(whole), CLV_CUT_LABEL_MAX);
    assert_null(strchr(whole, '#'));
    free(whole);
    name[CLV_CUT_LABEL_MAX - 5] = 'n';
    whole = clv_cut_label(cuts, g, alone);
    assert_memory_equal(whole, "u0.0+1 more#", 12);
    free(whole);
    g->tensors[2].name = old;
    clv_cuts_free(cuts);
    clv_graph_free(g);

    g = parallel_chains(30, 1);
    cuts = enumerate(g, 10); /* the cut before the sink has 30 tensors */
    char *a = clv_cut_label(cuts, g, 2);
    assert_true(strlen(a) <= CLV_CUT_LABEL_MAX);
    assert_memory_equal(a, "u1.0+29 more#", 13);
    g->tensors[31].name[1] = '9';
    char *b = clv_cut_label(cuts, g, 2);
    assert_string_not_equal(a, b);
    free(a);
    free(b);

    for (size_t i = 0; i < CLV_NAME_MAX; i += 2) memcpy(name + i, "\xc3\xa9", 2); /* é */
    name[CLV_NAME_MAX] = 0;
    old = g->tensors[2].name;
    g->tensors[2].name = name;
    a = clv_cut_label(cuts, g, 2);
    assert_true(strlen(a) <= CLV_CUT_LABEL_MAX);
    assert_memory_equal(a, "...\xc3\xa9", 5);
    free(a);
    g->tensors[2].name = old;
    clv_cuts_free(cuts);
    clv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_shapes_have_known_counts),
        cmocka_unit_test(no_units_is_one_cut),
        cmocka_unit_test(a_tensor_crosses_once_however_often_it_is_used),
        cmocka_unit_test(heads_stay_with_the_side_that_made_them),
        cmocka_unit_test(wide_graphs_fall_back),
        cmocka_unit_test(a_broken_graph_is_refused),
        cmocka_unit_test(unknown_names_find_nothing),
        cmocka_unit_test(labels_are_short_and_tell_cuts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
