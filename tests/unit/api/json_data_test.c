/* "data" arrays: exact numbers, shapes, ranges, and messages that say where. */
#include "api/json_data.h"

#include "base/rng.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clv_status parse(const char *text, clv_dtype dtype, clv_shape shape, clv_tensor *out,
                        clv_error *err)
{
    return clv_json_data_parse(&(clv_json_span){text, strlen(text), 1}, "x", dtype, &shape, out,
                               err);
}

static void expect(const char *text, clv_dtype dtype, clv_shape shape, const void *want, size_t n)
{
    clv_tensor t;
    clv_error err = {0};
    assert_ok(parse(text, dtype, shape, &t, &err), err);
    assert_int_equal(t.bytes, n);
    if (n) assert_memory_equal(t.data, want, n);
    clv_tensor_done(&t);
}

static void refuse(const char *text, clv_dtype dtype, clv_shape shape, const char *part)
{
    clv_tensor t;
    clv_error err = {0};
    if (parse(text, dtype, shape, &t, &err) != CLV_EINVAL) fail_msg("'%s' was not refused", text);
    if (!strstr(err.text, part)) fail_msg("'%s': '%s' does not say '%s'", text, err.text, part);
}

static void flat_and_nested_give_the_same(void **state)
{
    (void)state;
    const float want[] = {1, 2.5f, -3, 4e3f, 0, 6};
    clv_shape shape = clv_shape_of(3, 1, 2, 3);
    expect("[1, 2.5, -3, 4e3, 0, 6]", CLV_F32, shape, want, sizeof want);
    expect(" [ [ [1,2.5,-3] ,\n[4E+3,0,6.0]]] ", CLV_F32, shape, want, sizeof want);
    expect("[7]", CLV_U8, clv_shape_of(0), "\7", 1);
    expect("[]", CLV_F32, clv_shape_of(2, 0, 3), NULL, 0);
    expect("[[],[]]", CLV_F32, clv_shape_of(2, 2, 0), NULL, 0);
}

static void every_dtype(void **state)
{
    (void)state;
    expect("[true,false,1,0]", CLV_BOOL, clv_shape_of(1, 4), "\1\0\1\0", 4);
    expect("[0,255]", CLV_U8, clv_shape_of(1, 2), "\0\377", 2);
    expect("[-128,127]", CLV_I8, clv_shape_of(1, 2), "\200\177", 2);
    expect("[-32768,32767]", CLV_I16, clv_shape_of(1, 2), "\0\200\377\177", 4);
    expect("[65535]", CLV_U16, clv_shape_of(1, 1), "\377\377", 2);
    const int32_t i32[] = {INT32_MIN, INT32_MAX};
    expect("[-2147483648,2147483647]", CLV_I32, clv_shape_of(1, 2), i32, sizeof i32);
    const uint32_t u32 = UINT32_MAX;
    expect("[4294967295]", CLV_U32, clv_shape_of(1, 1), &u32, sizeof u32);
    const int64_t i64[] = {INT64_MIN, INT64_MAX};
    expect("[-9223372036854775808,9223372036854775807]", CLV_I64, clv_shape_of(1, 2), i64,
           sizeof i64);
    const uint64_t u64 = UINT64_MAX;
    expect("[18446744073709551615]", CLV_U64, clv_shape_of(1, 1), &u64, sizeof u64);
    const double f64[] = {0.1, 1e-300, 5e-324};
    expect("[0.1,1e-300,5e-324]", CLV_F64, clv_shape_of(1, 3), f64, sizeof f64);
    expect("[\"a\",\"\",\"\\u00e9\\n\\ud83d\\ude00\"]", CLV_TEXT, clv_shape_of(1, 3),
           "\1\0\0\0a\0\0\0\0\7\0\0\0\303\251\n\360\237\230\200", 20);
}

static void wrong_values_are_named(void **state)
{
    (void)state;
    clv_shape two = clv_shape_of(1, 2);
    refuse("[1,256]", CLV_U8, two, "element 1");
    refuse("[1,-1]", CLV_U8, two, "range");
    refuse("[1,-129]", CLV_I8, two, "range");
    refuse("[1,18446744073709551616]", CLV_U64, two, "range");
    refuse("[1,9223372036854775808]", CLV_I64, two, "range");
    refuse("[1,1.0]", CLV_I32, two, "integer");
    refuse("[true,2]", CLV_BOOL, two, "range");
    refuse("[1,\n\n\"a\"]", CLV_F32, two, "line 3");
    refuse("[1,1e39]", CLV_F32, two, "out of range");
    refuse("[1,1e400]", CLV_F64, two, "out of range");
    refuse("[1,2]", CLV_F16, two, "binary");
    refuse("[\"a\",1]", CLV_TEXT, two, "string");
    refuse("[\"a\",\"\\ud800\"]", CLV_TEXT, two, "string");
    refuse("[\"a\",\"\\x\"]", CLV_TEXT, two, "string");
}

static void wrong_forms_are_refused(void **state)
{
    (void)state;
    clv_shape flat = clv_shape_of(1, 2), deep = clv_shape_of(2, 2, 2);
    refuse("[1]", CLV_F32, flat, "fewer");
    refuse("[1,2,3]", CLV_F32, flat, "more");
    refuse("[[1,2]]", CLV_F32, flat, "deeper");
    refuse("[[1,2],[3,4]", CLV_F32, deep, "does not end");
    refuse("[[1,2,3],[4]]", CLV_F32, deep, "length");
    refuse("[[1,2],3,4]", CLV_F32, deep, "expected '['");
    refuse("[[[1,2],[3,4]]]", CLV_F32, deep, "deeper");
    static const char *const bad[] = {"",       "1",       "[1,2",    "[1,,2]", "[1,2,]", "[,1,2]",
                                      "[1 2]",  "[1,2]x",  "[1,02]",  "[1,+2]", "[1,.5]", "[1,5.]",
                                      "[1,1e]", "[1,0x2]", "[1,NaN]", "[1,-]",  "[1,nul", "{}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuse(bad[i], CLV_F32, flat, "x");
    refuse("[1]", CLV_F32, clv_shape_of(2, 1 << 30, 1), "fewer"); /* no memory for a lie */
    refuse("[1]", CLV_F32, clv_shape_of(2, 2, -1), "x");
}

/* Against strtof and strtod, on what other programs print: shortest, long, halfway, tiny, huge. */
static void numbers_are_rounded_as_libc_does(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(7);
    static const char *const formats[] = {"%.6g", "%.9g", "%.17g", "%.20g", "%.3e", "%.12f"};
    for (int i = 0; i < 60000; i++) {
        uint32_t bits = (uint32_t)clv_rng_next(&rng);
        float f;
        memcpy(&f, &bits, sizeof f);
        if (!isfinite(f)) continue;
        double value = f;
        if (i % 3 == 0) value = (value + (double)nextafterf(f, 0)) / 2; /* halfway */
        if (i % 7 == 0) value = clv_rng_normal(&rng);
        char text[600];
        text[0] = '[';
        int n = 1 + snprintf(text + 1, 400, formats[i % 6], value);
        if (n >= 400) continue;
        text[n] = ']';
        text[n + 1] = 0;
        clv_tensor t;
        clv_error err = {0};
        float narrow = strtof(text + 1, NULL);
        double wide = strtod(text + 1, NULL);
        if (isfinite(narrow)) {
            assert_ok(parse(text, CLV_F32, clv_shape_of(1, 1), &t, &err), err);
            if (memcmp(t.data, &narrow, 4) != 0) fail_msg("float %s", text);
            clv_tensor_done(&t);
        }
        assert_ok(parse(text, CLV_F64, clv_shape_of(1, 1), &t, &err), err);
        if (memcmp(t.data, &wide, 8) != 0) fail_msg("double %s", text);
        clv_tensor_done(&t);
    }
}

static void written_data_reads_back(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(3);
    const clv_dtype dtypes[] = {CLV_F32, CLV_F64, CLV_I8,  CLV_U8,  CLV_I16, CLV_U16,
                                CLV_I32, CLV_U32, CLV_I64, CLV_U64, CLV_BOOL};
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        clv_tensor t, back;
        clv_error err = {0};
        clv_shape shape = clv_shape_of(2, 10, 20);
        assert_ok(clv_tensor_new(&t, "x", dtypes[d], shape, &err), err);
        for (size_t i = 0; i < t.bytes; i++)
            ((uint8_t *)t.data)[i] = (uint8_t)(dtypes[d] == CLV_BOOL ? i % 2 : clv_rng_next(&rng));
        for (size_t i = 0; i < 200; i++) { /* no NaN */
            if (dtypes[d] == CLV_F32) ((float *)t.data)[i] = (float)clv_rng_normal(&rng);
            if (dtypes[d] == CLV_F64) ((double *)t.data)[i] = clv_rng_normal(&rng);
        }
        clv_buf b = {0};
        assert_ok(clv_json_data_write(&b, &t, &err), err);
        assert_ok(parse(b.data, dtypes[d], shape, &back, &err), err);
        assert_memory_equal(back.data, t.data, t.bytes);
        clv_tensor_done(&t);
        clv_tensor_done(&back);
        clv_buf_done(&b);
    }
}

static void floats_are_written_short(void **state)
{
    (void)state;
    const float values[] = {0,     -0.0f, 1,    -2.5f, 0.1f,          1e-5f,    123456.75f,
                            1e-6f, 3e38f, 1e9f, 1e8f,  0.3333333433f, 16777216, 1e-45f};
    clv_buf b = {0};
    clv_error err = {0};
    clv_tensor t = clv_tensor_view("y", CLV_F32, clv_shape_of(1, 14), values, sizeof values);
    assert_ok(clv_json_data_write(&b, &t, &err), err);
    assert_string_equal(b.data, "[0,-0,1,-2.5,0.1,1e-05,123456.75,1e-06,3e+38,1e+09,100000000,"
                                "0.333333343,16777216,1.401298e-45]");
    clv_tensor_done(&t);
    clv_buf_done(&b);
}

/* Every magnitude a float can have, written and read. */
static void any_float_reads_back(void **state)
{
    (void)state;
    clv_rng rng = clv_rng_seeded(11);
    enum { COUNT = 50000 };
    static float values[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t bits = (uint32_t)clv_rng_next(&rng);
        memcpy(&values[i], &bits, sizeof bits);
        if (!isfinite(values[i]) || i % 2) values[i] = (float)clv_rng_normal(&rng);
    }
    clv_shape shape = clv_shape_of(1, COUNT);
    clv_tensor t = clv_tensor_view("y", CLV_F32, shape, values, sizeof values), back;
    clv_buf b = {0};
    clv_error err = {0};
    assert_ok(clv_json_data_write(&b, &t, &err), err);
    assert_ok(parse(b.data, CLV_F32, shape, &back, &err), err);
    assert_memory_equal(back.data, values, sizeof values);
    clv_tensor_done(&t);
    clv_tensor_done(&back);
    clv_buf_done(&b);
}

static void what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    const float bad[] = {1, NAN}, worse[] = {1, INFINITY};
    clv_error err = {0};
    clv_buf b = {0};
    clv_tensor t = clv_tensor_view("y", CLV_F32, clv_shape_of(1, 2), bad, 8);
    assert_int_equal(clv_json_data_write(&b, &t, &err), CLV_EUNSUPPORTED);
    assert_string_equal(err.text,
                        "tensor 'y': element 1 is NaN, which JSON cannot say: ask for binary data");
    clv_tensor_done(&t);
    t = clv_tensor_view("y", CLV_F32, clv_shape_of(1, 2), worse, 8);
    assert_int_equal(clv_json_data_write(&b, &t, &err), CLV_EUNSUPPORTED);
    clv_tensor_done(&t);
    t = clv_tensor_view("y", CLV_TEXT, clv_shape_of(1, 1), "\2\0\0\0\303(", 6);
    assert_int_equal(clv_json_data_write(&b, &t, &err), CLV_EUNSUPPORTED);
    clv_tensor_done(&t);
    clv_buf_clear(&b);
    t = clv_tensor_view("y", CLV_TEXT, clv_shape_of(1, 2), "\3\0\0\0a\"\n\2\0\0\0\303\251", 13);
    assert_ok(clv_json_data_write(&b, &t, &err), err);
    assert_string_equal(b.data, "[\"a\\\"\\u000a\",\"\303\251\"]");
    clv_tensor_done(&t);
    clv_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_and_nested_give_the_same),
        cmocka_unit_test(every_dtype),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(wrong_forms_are_refused),
        cmocka_unit_test(numbers_are_rounded_as_libc_does),
        cmocka_unit_test(written_data_reads_back),
        cmocka_unit_test(floats_are_written_short),
        cmocka_unit_test(any_float_reads_back),
        cmocka_unit_test(what_json_cannot_say_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
