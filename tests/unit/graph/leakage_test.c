/* Which class a tensor is in, by hand-made geometry, and what each word of a policy keeps. The classic networks are in
 * tests/unit/zoo. */
#include "graph/leakage.h"
#include "graph_maker.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static int shaped(clv_graph *g, int t, clv_shape shape)
{
    g->tensors[t].shape = shape;
    return t;
}

static int unit_of(clv_graph *g, const char *op, const int *in, size_t n, clv_shape shape)
{
    int t = shaped(g, add_next(g, in, n), shape);
    clv_unit *u = &g->units[g->n_units - 1];
    free(u->op);
    u->op = clv_strdup(op);
    return t;
}

#define NCHW(c, h, w) clv_shape_of(4, 1, c, h, w)

/* One input of `in`, one tensor of `shape` made by `op` and read by another unit: its class. */
static clv_leakage class_of(clv_shape in, const char *op, clv_shape shape)
{
    clv_graph *g = graph_new();
    int x = shaped(g, add_input(g, "x"), in);
    int hidden = unit_of(g, "Conv", &x, 1, NCHW(9, 2, 2)); /* a map that is no image */
    int t = unit_of(g, op, &hidden, 1, shape);
    int y = unit_of(g, "Gemm", &t, 1, clv_shape_of(2, 1, 10));
    g->tensors[y].is_output = true;
    clv_leakage l = clv_leakage_of(g, (size_t)t);
    assert_int_equal(clv_leakage_of(g, (size_t)x), CLV_LEAKAGE_INPUT);
    assert_int_equal(clv_leakage_of(g, (size_t)y), CLV_LEAKAGE_ANSWER);
    clv_graph_free(g);
    return l;
}

static void geometry_gives_the_class(void **state)
{
    (void)state;
    const clv_shape picture = NCHW(3, 224, 224), nhwc = clv_shape_of(4, 1, 224, 224, 3);
    const clv_shape unknown = {.rank = -1}, tokens = clv_shape_of(3, 1, 128, 64);
    const struct {
        clv_shape in, shape;
        clv_leakage expected;
    } rows[] = {
        {picture, NCHW(64, 112, 112), CLV_LEAKAGE_IMAGE},
        {picture, NCHW(64, 56, 56), CLV_LEAKAGE_IMAGE}, /* exactly a quarter */
        {picture, NCHW(64, 55, 55), CLV_LEAKAGE_IMAGE}, /* without padding */
        {picture, NCHW(16, 54, 56), CLV_LEAKAGE_MAP},
        {picture, NCHW(16, 56, 54), CLV_LEAKAGE_MAP},
        {picture, NCHW(512, 7, 7), CLV_LEAKAGE_MAP},
        {picture, NCHW(512, 1, 2), CLV_LEAKAGE_MAP},
        {picture, NCHW(512, 1, 1), CLV_LEAKAGE_FEATURES},
        {picture, clv_shape_of(2, 1, 1000), CLV_LEAKAGE_FEATURES},
        {picture, clv_shape_of(1, 1000), CLV_LEAKAGE_FEATURES},
        {picture, clv_shape_of(0), CLV_LEAKAGE_FEATURES},
        {picture, clv_shape_of(3, 1, 197, 768), CLV_LEAKAGE_MAP},
        {picture, clv_shape_of(3, 1, 1, 768), CLV_LEAKAGE_FEATURES},
        {picture, clv_shape_of(2, 197, 768), CLV_LEAKAGE_MAP},
        {picture, unknown, CLV_LEAKAGE_IMAGE},
        {nhwc, NCHW(32, 112, 112), CLV_LEAKAGE_IMAGE},
        {nhwc, clv_shape_of(4, 1, 112, 112, 32), CLV_LEAKAGE_IMAGE},
        {nhwc, NCHW(32, 28, 28), CLV_LEAKAGE_MAP},
        {picture, clv_shape_of(5, 1, 8, 224, 14, 16), CLV_LEAKAGE_IMAGE},
        {tokens, clv_shape_of(3, 1, 128, 64), CLV_LEAKAGE_IMAGE},
        {tokens, clv_shape_of(3, 1, 1, 64),
         CLV_LEAKAGE_IMAGE}, /* its 64 may be places, as in N C T */
        {tokens, clv_shape_of(2, 1, 64), CLV_LEAKAGE_FEATURES},
        {clv_shape_of(2, 1, 16), NCHW(4, 4, 4), CLV_LEAKAGE_MAP}, /* no input is a map */
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++)
        if (class_of(rows[i].in, "Conv", rows[i].shape) != rows[i].expected)
            fail_msg("row %zu: %s of %s is '%s'", i, clv_shape_show(&rows[i].shape).s,
                     clv_shape_show(&rows[i].in).s,
                     clv_leakage_name(class_of(rows[i].in, "Conv", rows[i].shape)));
}

static void what_only_rewrites_hides_nothing(void **state)
{
    (void)state;
    const clv_shape picture = NCHW(3, 224, 224), flat = clv_shape_of(2, 1, 36);
    assert_int_equal(class_of(picture, "Gemm", flat), CLV_LEAKAGE_FEATURES);
    assert_int_equal(class_of(picture, "Flatten", flat), CLV_LEAKAGE_MAP);
    assert_int_equal(class_of(picture, "Flatten+Relu", flat), CLV_LEAKAGE_FEATURES); /* not only */
    clv_graph *g = graph_new();
    int x = shaped(g, add_input(g, "x"), clv_shape_of(4, 1, 224, 224, 3));
    int swapped = unit_of(g, "Transpose", &x, 1, NCHW(3, 224, 224));
    int flattened = unit_of(g, "Reshape", &swapped, 1, clv_shape_of(2, 1, 150528));
    int vector = unit_of(g, "Gemm", &flattened, 1, clv_shape_of(2, 1, 5));
    int joined = unit_of(g, "Concat", (int[]){vector, flattened}, 2, clv_shape_of(2, 1, 150533));
    int parts = unit_of(g, "Gemm", &joined, 1, clv_shape_of(2, 1, 4));
    int answer = unit_of(g, "Concat", (int[]){vector, parts}, 2, clv_shape_of(2, 1, 9));
    g->tensors[answer].is_output = g->tensors[vector].is_output = true;
    const clv_leakage expected[] = {CLV_LEAKAGE_INPUT,    CLV_LEAKAGE_INPUT, CLV_LEAKAGE_INPUT,
                                    CLV_LEAKAGE_FEATURES, CLV_LEAKAGE_INPUT, CLV_LEAKAGE_FEATURES,
                                    CLV_LEAKAGE_ANSWER};
    clv_leakage of[7];
    clv_leakage_all(g, of); /* `vector` is an output that is read on: by its geometry */
    assert_memory_equal(of, expected, sizeof of);
    clv_graph_free(g);
}

static void the_smallest_map_among_the_inputs_decides(void **state)
{
    (void)state;
    clv_graph *g = graph_new();
    int big = shaped(g, add_input(g, "photo"), NCHW(3, 256, 256));
    int small = shaped(g, add_input(g, "depth"), NCHW(1, 64, 64));
    int number = shaped(g, add_input(g, "speed"), clv_shape_of(2, 1, 1));
    int t = unit_of(g, "Conv", (int[]){big, small, number}, 3, NCHW(8, 16, 16));
    int u = unit_of(g, "Conv", &t, 1, NCHW(8, 14, 14));
    g->tensors[unit_of(g, "Gemm", &u, 1, clv_shape_of(2, 1, 2))].is_output = true;
    assert_int_equal(clv_leakage_of(g, (size_t)t), CLV_LEAKAGE_IMAGE);
    assert_int_equal(clv_leakage_of(g, (size_t)u), CLV_LEAKAGE_MAP);
    assert_int_equal(clv_leakage_of(g, (size_t)number), CLV_LEAKAGE_INPUT);
    clv_graph_free(g);
}

/* input x -> image a -> map b -> features c -> answer y; d: features from a and b */
static clv_graph *ladder(void)
{
    clv_graph *g = graph_new();
    int x = shaped(g, add_input(g, "x"), NCHW(3, 32, 32));
    int a = unit_of(g, "Conv", &x, 1, NCHW(8, 16, 16));
    int b = unit_of(g, "Conv", &a, 1, NCHW(8, 4, 4));
    int d = unit_of(g, "GlobalAveragePool", (int[]){a, b}, 2, NCHW(8, 1, 1));
    g->tensors[unit_of(g, "Gemm", &d, 1, clv_shape_of(2, 1, 2))].is_output = true;
    return g;
}

/* '#' at each tensor x a b d y that stays. */
static void expect_stays(const char *policy, const char *expected)
{
    clv_error err = {0};
    clv_privacy p;
    clv_graph *g = ladder();
    bool stays[5] = {true, true, true, true, true};
    assert_ok(clv_privacy_parse(policy, &p, &err), err);
    assert_ok(clv_privacy_tensors(&p, g, stays, &err), err);
    char got[6] = {0};
    for (int i = 0; i < 5; i++) got[i] = stays[i] ? '#' : '.';
    if (strcmp(got, expected) != 0) fail_msg("'%s': %s, expected %s", policy, got, expected);
    assert_int_equal(clv_privacy_any(&p), strchr(expected, '#') != NULL);
    clv_graph_free(g);
}

static void each_word_keeps_what_it_says(void **state)
{
    (void)state;
    const struct {
        const char *policy, *stays;
    } rows[] = {
        {"none", "....."},
        {"input", "#...."},
        {"class:input", "#...."},
        {"class:image", "##..."},
        {"class:map", "###.."},
        {"class:features", "####."},
        {"class:answer", "#####"},
        {"first:1", "#...."},
        {"first:2", "##..."},
        {"first:3", "###.."},
        {"first:4", "####."},
        {"tensor:u1.0", "..#.."},
        {"tensor:x", "#...."},
        {"input,tensor:u2.0", "#..#."},
        {"first:1,class:image", "##..."},
        {"first:3,first:1,input,class:input", "###.."},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) expect_stays(rows[i].policy, rows[i].stays);
    clv_privacy zeroed = {0};
    assert_false(clv_privacy_any(&zeroed));
}

/* A policy that keeps more never lets a tensor go that a weaker one keeps. */
static void stronger_classes_keep_more(void **state)
{
    (void)state;
    clv_graph *g = ladder();
    bool last[5] = {0}, now[5];
    for (int c = 0; c <= CLV_LEAKAGE_COUNT; c++) {
        clv_privacy p = {.classes = c};
        assert_int_equal(clv_privacy_tensors(&p, g, now, NULL), CLV_OK);
        for (int t = 0; t < 5; t++) assert_true(now[t] || !last[t]);
        memcpy(last, now, sizeof last);
    }
    for (int t = 0; t < 5; t++) assert_true(last[t]);
    clv_graph_free(g);
}

static void expect_error(const char *policy, clv_status status, const char *part)
{
    clv_error err = {0};
    clv_privacy p = {.classes = 77};
    assert_int_equal(clv_privacy_parse(policy, &p, &err), status);
    assert_int_equal(p.classes, 77);
    if (!strstr(err.text, part)) fail_msg("'%s': '%s' lacks '%s'", policy, err.text, part);
}

static void bad_policies_are_named(void **state)
{
    (void)state;
    const char *const words[] = {
        "",      ",",     "inputs",    "none,input", "input,", "input, class:map",
        "Input", "class", "class=map", "image",      "first",  "tensor"};
    for (size_t i = 0; i < CLV_COUNT(words); i++)
        expect_error(words[i], CLV_EINVAL, "a policy is none, or input");
    expect_error("class:", CLV_EINVAL, "no such leakage class");
    expect_error("class:secret", CLV_EINVAL, "'secret': no such leakage class");
    expect_error("first:", CLV_EINVAL, "first:");
    expect_error("first:two", CLV_EINVAL, "first:two");
    expect_error("first:-1", CLV_EINVAL, "first:-1");
    expect_error("first:0", CLV_EINVAL, "1 to 4096");
    expect_error("first:4097", CLV_EINVAL, "1 to 4096");
    expect_error("tensor:", CLV_EINVAL, "name is missing");
}

static void limits_hold_at_the_limit_and_one_past_it(void **state)
{
    (void)state;
    clv_privacy p;
    char name[CLV_PRIVACY_NAME_MAX + 16] = "tensor:", many[CLV_PRIVACY_TENSORS_MAX * 10 + 20] = "";
    memset(name + 7, 'n', CLV_PRIVACY_NAME_MAX);
    assert_int_equal(clv_privacy_parse(name, &p, NULL), CLV_OK);
    assert_int_equal(strlen(p.tensors[0]), CLV_PRIVACY_NAME_MAX);
    name[7 + CLV_PRIVACY_NAME_MAX] = 'n';
    expect_error(name, CLV_ELIMIT, "at most 255");
    size_t n = 0;
    for (int i = 0; i < CLV_PRIVACY_TENSORS_MAX; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "%stensor:t", i ? "," : "");
    assert_int_equal(clv_privacy_parse(many, &p, NULL), CLV_OK);
    assert_int_equal(p.n_tensors, CLV_PRIVACY_TENSORS_MAX);
    snprintf(many + n, sizeof many - n, ",tensor:t");
    expect_error(many, CLV_ELIMIT, "more than 32");
    assert_int_equal(clv_privacy_parse("first:4096", &p, NULL), CLV_OK);
}

static void a_policy_about_another_network_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_privacy p;
    clv_graph *g = ladder();
    bool stays[5];
    assert_int_equal(clv_privacy_parse("first:5", &p, NULL), CLV_OK);
    assert_int_equal(clv_privacy_tensors(&p, g, stays, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "the network has 4 units"));
    assert_int_equal(clv_privacy_parse("input,tensor:nobody", &p, NULL), CLV_OK);
    assert_int_equal(clv_privacy_tensors(&p, g, stays, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "'tensor:nobody'"));
    clv_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_gives_the_class),
        cmocka_unit_test(what_only_rewrites_hides_nothing),
        cmocka_unit_test(the_smallest_map_among_the_inputs_decides),
        cmocka_unit_test(each_word_keeps_what_it_says),
        cmocka_unit_test(stronger_classes_keep_more),
        cmocka_unit_test(bad_policies_are_named),
        cmocka_unit_test(limits_hold_at_the_limit_and_one_past_it),
        cmocka_unit_test(a_policy_about_another_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
