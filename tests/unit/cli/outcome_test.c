#include "base/file.h"
#include "cli/element.h"
#include "cli/outcome.h"
#include "tensor/npy.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static clv_tensor floats(const char *name, const float *values, clv_shape shape)
{
    clv_error err = {0};
    clv_tensor t;
    assert_ok(clv_tensor_new(&t, name, CLV_F32, shape, &err), err);
    memcpy(t.data, values, t.bytes);
    return t;
}

static void elements_of_every_type_are_read(void **state)
{
    (void)state;
    const int16_t i16[] = {-2, 300};
    const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555}, brain[] = {0x4049};
    const uint64_t u64[] = {1ull << 53};
    clv_tensor t = clv_tensor_view("t", CLV_I16, clv_shape_of(1, 2), i16, sizeof i16);
    assert_true(clv_element(&t, 0) == -2 && clv_element(&t, 1) == 300);
    clv_tensor_done(&t);
    t = clv_tensor_view("t", CLV_F16, clv_shape_of(1, 5), half, sizeof half);
    assert_true(clv_element(&t, 0) == 1 && clv_element(&t, 1) == -2);
    assert_true(clv_element(&t, 2) == ldexp(1, -24) && isinf(clv_element(&t, 3)));
    assert_true(fabs(clv_element(&t, 4) - 1.0 / 3) < 1e-3);
    clv_tensor_done(&t);
    t = clv_tensor_view("t", CLV_BF16, clv_shape_of(1, 1), brain, sizeof brain);
    assert_true(clv_element(&t, 0) == 3.140625);
    clv_tensor_done(&t);
    t = clv_tensor_view("t", CLV_U64, clv_shape_of(1, 1), u64, sizeof u64);
    assert_true(clv_element(&t, 0) == 9007199254740992.0);
    clv_tensor_done(&t);
    const char text[] = "\2\0\0\0ab\0\0\0\0\1\0\0\0c";
    t = clv_tensor_view("t", CLV_TEXT, clv_shape_of(1, 3), text, sizeof text - 1);
    size_t at = 0, n;
    const char *s;
    assert_true(clv_element_text(&t, &at, &s, &n) && n == 2 && memcmp(s, "ab", 2) == 0);
    assert_true(clv_element_text(&t, &at, &s, &n) && n == 0);
    assert_true(clv_element_text(&t, &at, &s, &n) && n == 1 && *s == 'c');
    assert_false(clv_element_text(&t, &at, &s, &n));
    clv_tensor_done(&t);
}

static void the_best_classes_come_first(void **state)
{
    (void)state;
    const float scores[] = {0, 1, 2, 3, 2, 1, -1, /* second row */ 5, NAN, 7, 5, 6, 1, 0};
    clv_tensor t = floats("scores", scores, clv_shape_of(2, 2, 7));
    size_t rows, columns;
    assert_true(clv_outcome_classes(&t, &rows, &columns) && rows == 2 && columns == 7);
    clv_class top[CLV_OUTCOME_TOP];
    clv_outcome_top(&t, 0, columns, top);
    const size_t wanted[] = {3, 2, 4, 1, 5};
    double sum = 0;
    for (int i = 0; i < 7; i++) sum += exp((double)scores[i]);
    for (int k = 0; k < CLV_OUTCOME_TOP; k++) {
        assert_int_equal(top[k].index, wanted[k]);
        assert_true(fabs(top[k].probability - exp(top[k].score) / sum) < 1e-9);
    }
    clv_outcome_top(&t, 1, columns, top);
    const size_t second[] = {2, 4, 0, 3, 5};
    for (int k = 0; k < CLV_OUTCOME_TOP; k++) assert_int_equal(top[k].index, second[k]);
    clv_tensor_done(&t);
}

static void probabilities_stay_what_they_are(void **state)
{
    (void)state;
    const float p[] = {0.1f, 0.5f, 0.2f, 0.15f, 0.05f};
    clv_tensor t = floats("p", p, clv_shape_of(1, 5));
    clv_class top[CLV_OUTCOME_TOP];
    clv_outcome_top(&t, 0, 5, top);
    assert_true(top[0].index == 1 && top[0].probability == top[0].score);
    clv_tensor_done(&t);
}

static void only_score_tables_are_classes(void **state)
{
    (void)state;
    const float x[16] = {0};
    size_t rows, columns;
    clv_shape shapes[] = {clv_shape_of(2, 4, 4), clv_shape_of(3, 1, 2, 8), clv_shape_of(0)};
    for (size_t i = 0; i < CLV_COUNT(shapes); i++) {
        clv_tensor t = floats("x", x, shapes[i]);
        assert_false(clv_outcome_classes(&t, &rows, &columns));
        clv_tensor_done(&t);
    }
    clv_tensor t = clv_tensor_view("i", CLV_I32, clv_shape_of(1, 16), x, sizeof x);
    assert_false(clv_outcome_classes(&t, &rows, &columns));
    clv_tensor_done(&t);
}

/* An answer with class scores and a map of values of which one is no number. */
static clv_outcome sample(void)
{
    const float scores[] = {1, 5, 2, 4, 3, 0}, map[] = {-1, 2, NAN, 5, 0, 0, 0, 0, 0};
    clv_outcome a = {.model = clv_strdup("net"), .plan = "conv3", .timed = true, .network_us = 100};
    a.timing = (clv_timing){.edge_us = 600, .link_us = 300, .total_us = 1000};
    clv_tensors_add(&a.outputs, floats("scores", scores, clv_shape_of(2, 1, 6)));
    clv_tensors_add(&a.outputs, floats("a/map", map, clv_shape_of(3, 1, 3, 3)));
    return a;
}

static clv_text_list sample_labels(void)
{
    clv_text_list labels = {0};
    clv_text_list_add(&labels, "zero", 4);
    clv_text_list_add(&labels, "one", 3);
    return labels;
}

static void every_node_has_a_row(void **state)
{
    (void)state;
    clv_outcome a = {.model = clv_strdup("m"), .timed = true, .timing = {.total_us = 9000}};
    a.trip = (clv_trip){.nodes = {{.compute_us = 1000, .link_us = 2000},
                                  {.compute_us = 3000, .link_us = 400},
                                  {.wait_us = 5, .compute_us = 600}},
                        .n = 3};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    clv_outcome_print(&a, NULL, out);
    fclose(out);
    assert_non_null(strstr(text, "to the next"));
    assert_non_null(strstr(text, "600"));
    free(text);
    json_t *j = clv_outcome_json(&a, NULL), *nodes = json_object_get(j, "nodes");
    assert_int_equal(json_array_size(nodes), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(nodes, 1), "compute_us")),
                     3000);
    json_decref(j);
    clv_outcome_done(&a);
}

static void every_link_tells_what_crossed_it(void **state)
{
    (void)state;
    clv_outcome a = {.model = clv_strdup("m"), .timed = true, .timing = {.total_us = 9000}};
    a.write_us = 40;
    a.crossed = (clv_crossings){
        .hops = {{"raw", 3136, 3136, 3333, 200}, {"q8+zstd", 1600, 311, 555, 222}}, .n = 2};
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    clv_outcome_print(&a, NULL, out);
    fclose(out);
    static const char *const wanted[] = {"here > node 0", "node 0 > node 1", "q8+zstd",    "311 B",
                                         "3333 B",        "222 B",           "their codec"};
    for (size_t i = 0; i < CLV_COUNT(wanted); i++)
        if (!strstr(text, wanted[i])) fail_msg("'%s' is missing in:\n%s", wanted[i], text);
    free(text);
    json_t *j = clv_outcome_json(&a, NULL), *crossed = json_object_get(j, "crossed");
    assert_int_equal(json_array_size(crossed), 2);
    const json_t *second = json_array_get(crossed, 1);
    assert_string_equal(json_string_value(json_object_get(second, "codec")), "q8+zstd");
    assert_int_equal(json_integer_value(json_object_get(second, "tensor_bytes")), 1600);
    assert_int_equal(json_integer_value(json_object_get(second, "coded_bytes")), 311);
    assert_int_equal(json_integer_value(json_object_get(second, "up_bytes")), 555);
    assert_int_equal(json_integer_value(json_object_get(second, "down_bytes")), 222);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "timing"), "write_us")),
                     40);
    json_decref(j);
    clv_outcome_done(&a);
}

static void json_has_the_documented_fields(void **state)
{
    (void)state;
    clv_outcome a = sample();
    clv_text_list labels = sample_labels();
    json_t *j = clv_outcome_json(&a, &labels);
    json_t *output = json_array_get(json_object_get(j, "outputs"), 0);
    json_t *first = json_array_get(json_object_get(output, "top"), 0);
    assert_int_equal(json_integer_value(json_object_get(first, "index")), 1);
    assert_string_equal(json_string_value(json_object_get(first, "label")), "one");
    json_t *second = json_array_get(json_object_get(output, "top"), 1);
    assert_true(json_is_null(json_object_get(second, "label"))); /* there is no fourth label */
    assert_true(json_is_null(json_object_get(j, "version")));
    json_t *other = json_array_get(json_object_get(j, "outputs"), 1);
    assert_true(json_real_value(json_object_get(other, "max")) == 5);
    assert_true(json_is_null(json_array_get(json_object_get(other, "first"), 2))); /* NaN */
    json_t *timing = json_object_get(j, "timing");
    assert_int_equal(json_integer_value(json_object_get(timing, "edge_us")), 600);
    assert_int_equal(json_integer_value(json_object_get(timing, "network_us")), 100);
    json_decref(j);
    a.timed = false;
    a.send_us = 7;
    j = clv_outcome_json(&a, NULL);
    timing = json_object_get(j, "timing");
    assert_null(json_object_get(timing, "edge_us"));
    assert_int_equal(json_integer_value(json_object_get(timing, "send_us")), 7);
    json_decref(j);
    clv_text_list_done(&labels);
    clv_outcome_done(&a);
}

static void people_see_classes_values_and_times(void **state)
{
    (void)state;
    clv_outcome a = sample();
    clv_text_list labels = sample_labels();
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    clv_outcome_print(&a, &labels, out);
    fclose(out);
    static const char *const wanted[] = {
        "scores  FP32 [1,6]\n", "63.37 %", "one",    "(1 not finite)",
        "plan: conv3\n",        "edge",    "60.0 %", "between here and the node"};
    for (size_t i = 0; i < CLV_COUNT(wanted); i++)
        if (!strstr(text, wanted[i])) fail_msg("'%s' is missing in:\n%s", wanted[i], text);
    assert_null(strstr(text, "cloud")); /* a part that is 0 */
    free(text);
    clv_text_list_done(&labels);
    clv_outcome_done(&a);
}

static void scores_that_are_not_finite_are_told(void **state)
{
    (void)state;
    const float x[] = {1, -NAN, 3, 0, 2, 1};
    clv_outcome a = {.model = clv_strdup("m"), .plan = "local"};
    clv_tensors_add(&a.outputs, floats("scores", x, clv_shape_of(2, 1, 6)));
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    clv_outcome_print(&a, NULL, out);
    fclose(out);
    assert_non_null(strstr(text, "1 of 6 scores are not finite\n"));
    assert_null(strstr(text, "-nan"));
    free(text);
    clv_outcome_done(&a);
}

/* What a node says is not trusted with the terminal, nor with the document. */
static void hostile_names_are_harmless(void **state)
{
    (void)state;
    const float x[] = {1};
    clv_outcome a = {.model = clv_strdup("m\xff"), .plan = "\x1b[2Jcut"};
    clv_tensors_add(&a.outputs, floats("out\x1b[31m\xc0", x, clv_shape_of(1, 1)));
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    clv_outcome_print(&a, NULL, out);
    fclose(out);
    assert_null(strchr(text, 0x1b));
    free(text);
    json_t *j = clv_outcome_json(&a, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "model")), "m?");
    json_decref(j);
    clv_outcome_done(&a);
}

static void outputs_are_written_as_files(void **state)
{
    (void)state;
    clv_outcome a = sample();
    clv_error err = {0};
    CLV_AUTO(clv_text_free) char *dir = NULL;
    assert_ok(clv_dir_temp("outcome_test", &dir, &err), err);
    CLV_AUTO(clv_text_free) char *into = clv_path_join(dir, "new/dir");
    assert_ok(clv_outcome_write(&a, into, &err), err);
    CLV_AUTO(clv_text_free) char *path = clv_path_join(into, "a_map.npy");
    clv_tensor t;
    assert_ok(clv_npy_read(path, "x", &t, &err), err);
    assert_memory_equal(t.data, a.outputs.items[1].data, t.bytes);
    clv_tensor_done(&t);
    const float x[] = {0};
    clv_tensors_add(&a.outputs, floats("a?map", x, clv_shape_of(1, 1)));
    assert_int_equal(clv_outcome_write(&a, into, &err), CLV_EEXIST);
    assert_string_equal(err.text, "outputs 'a/map' and 'a?map' would both be a_map.npy");
    clv_dir_remove(dir);
    clv_outcome_done(&a);
}

static void labels_are_lines(void **state)
{
    (void)state;
    clv_error err = {0};
    CLV_AUTO(clv_text_free) char *dir = NULL;
    assert_ok(clv_dir_temp("outcome_test", &dir, &err), err);
    CLV_AUTO(clv_text_free) char *path = clv_path_join(dir, "labels");
    assert_ok(clv_file_write(path, "cat\r\n\ndog, brown", 16, &err), err);
    clv_text_list labels = {0};
    assert_ok(clv_labels_read(path, &labels, &err), err);
    assert_int_equal(labels.n, 3);
    assert_string_equal(labels.items[0], "cat");
    assert_string_equal(labels.items[1], "");
    assert_string_equal(labels.items[2], "dog, brown");
    clv_text_list_done(&labels);
    assert_ok(clv_file_write(path, "a\0b", 3, &err), err);
    assert_int_equal(clv_labels_read(path, &labels, &err), CLV_EINVAL);
    clv_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_every_type_are_read),
        cmocka_unit_test(the_best_classes_come_first),
        cmocka_unit_test(probabilities_stay_what_they_are),
        cmocka_unit_test(only_score_tables_are_classes),
        cmocka_unit_test(every_node_has_a_row),
        cmocka_unit_test(every_link_tells_what_crossed_it),
        cmocka_unit_test(json_has_the_documented_fields),
        cmocka_unit_test(people_see_classes_values_and_times),
        cmocka_unit_test(scores_that_are_not_finite_are_told),
        cmocka_unit_test(hostile_names_are_harmless),
        cmocka_unit_test(outputs_are_written_as_files),
        cmocka_unit_test(labels_are_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
