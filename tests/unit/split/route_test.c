#include "split/route.h"

#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const clv_codec raw = {CLV_QUANT_RAW, CLV_PACK_NONE};
static const clv_codec q8 = {CLV_QUANT_Q8, CLV_PACK_NONE};
static const clv_codec q8_zstd = {CLV_QUANT_Q8, CLV_PACK_ZSTD};

/* A network of three units in a row and its four cuts. */
typedef struct row {
    clv_graph_tensor tensors[4];
    clv_unit units[3];
    clv_graph g;
    uint64_t bits[4];
    int live[3];
    clv_cut items[4];
    clv_cuts cuts;
    int ends[4];
} row;

static void make_row(row *r)
{
    static char names[][8] = {"x", "conv1", "conv2", "fc"};
    *r = (row){.bits = {0, 1, 3, 7}, .live = {0, 1, 2}, .ends = {0, 1, 2, 3}};
    for (int t = 0; t < 4; t++)
        r->tensors[t] = (clv_graph_tensor){.name = names[t], .producer = t - 1};
    for (int u = 0; u < 3; u++)
        r->units[u] = (clv_unit){.name = names[u + 1],
                                 .inputs = &r->ends[u],
                                 .n_inputs = 1,
                                 .outputs = &r->ends[u + 1],
                                 .n_outputs = 1};
    r->g = (clv_graph){.tensors = r->tensors, .n_tensors = 4, .units = r->units, .n_units = 3};
    for (size_t i = 0; i < 4; i++)
        r->items[i] = (clv_cut){.units = &r->bits[i],
                                .n_units = i,
                                .live = i < 3 ? &r->live[i] : NULL,
                                .n_live = i < 3};
    r->cuts = (clv_cuts){.items = r->items, .n = 4, .words = 1};
}

static void expect_label(const row *r, clv_route route, const char *text)
{
    CLV_AUTO(clv_text_free) char *label = clv_route_label(&route, &r->cuts, &r->g);
    assert_string_equal(label, text);
}

static void labels_say_where_and_how(void **state)
{
    (void)state;
    row r;
    make_row(&r);
    expect_label(&r, clv_route_local(3), "local");
    expect_label(&r, clv_route_at(3, q8, 3), "local");
    expect_label(&r, clv_route_at(0, raw, 3), "remote");
    expect_label(&r, clv_route_at(0, q8_zstd, 3), "remote q8+zstd");
    expect_label(&r, clv_route_at(1, raw, 3), "conv1");
    expect_label(&r, clv_route_at(2, q8, 3), "conv2 q8");
    expect_label(&r, (clv_route){.n = 3, .cut = {1, 2, 3}, .codec = {q8_zstd, raw}},
                 "conv1 q8+zstd > conv2");
}

static void routes_are_equal_when_all_of_them_is(void **state)
{
    (void)state;
    clv_route a = {.n = 3, .cut = {1, 2, 3}, .codec = {q8, raw}}, b = a;
    assert_true(clv_route_equal(&a, &b));
    b.cut[3] = 9; /* behind the last node: not part of it */
    b.codec[2] = q8;
    assert_true(clv_route_equal(&a, &b));
    b.codec[1] = q8_zstd;
    assert_false(clv_route_equal(&a, &b));
    b = a;
    b.cut[1] = 1;
    assert_false(clv_route_equal(&a, &b));
    b = clv_route_at(1, q8, 3);
    assert_false(clv_route_equal(&a, &b));
    a = clv_route_at(1, q8_zstd, 3);
    assert_false(clv_route_equal(&a, &b)); /* as large, packed otherwise */
}

static void a_plan_is_a_route_up_to_the_last_that_runs(void **state)
{
    (void)state;
    const clv_codec codecs[] = {raw, q8, q8_zstd};
    clv_plan_chain chain = {.cut = {3, 3, 3}, .codec = {2, 2}};
    clv_route r = clv_route_of(&chain, codecs, 3), want = clv_route_local(3);
    assert_true(clv_route_equal(&r, &want));
    chain = (clv_plan_chain){.cut = {1, 3, 3}, .codec = {2, 0}};
    r = clv_route_of(&chain, codecs, 3);
    want = clv_route_at(1, q8_zstd, 3);
    assert_true(clv_route_equal(&r, &want));
    chain = (clv_plan_chain){.cut = {0, 0, 3}, .codec = {1, 1}};
    r = clv_route_of(&chain, codecs, 3);
    want = (clv_route){.n = 3, .cut = {0, 0, 3}, .codec = {q8, q8}};
    assert_true(clv_route_equal(&r, &want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_say_where_and_how),
        cmocka_unit_test(routes_are_equal_when_all_of_them_is),
        cmocka_unit_test(a_plan_is_a_route_up_to_the_last_that_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
