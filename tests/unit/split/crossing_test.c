/* What crossed a link: told by the encodings, written and read, and nonsense refused. */
#include "split/crossing.h"

#include "base/mem.h"
#include "tensor/codec.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 2048 };

/* A ramp, at one end `odd`. */
static clv_tensor ramp(float odd)
{
    clv_error err = {0};
    clv_tensor t;
    assert_ok(clv_tensor_new(&t, "t", CLV_F32, clv_shape_of(2, 1, VALUES), &err), err);
    float *x = t.data;
    for (int i = 0; i < VALUES; i++) x[i] = (float)(i % 100);
    x[0] = odd;
    return t;
}

static clv_tensor coded(const char *codec, float odd)
{
    clv_error err = {0};
    clv_codec c;
    clv_tensor t = ramp(odd), out;
    assert_ok(clv_codec_parse(codec, &c, &err), err);
    assert_ok(clv_codec_encode(c, &t, &out, &err), err);
    clv_tensor_done(&t);
    return out;
}

static void plain_tensors_are_raw(void **state)
{
    (void)state;
    clv_tensor t = ramp(0);
    clv_crossing c = clv_crossing_of(&t, 1);
    assert_string_equal(c.codec, "raw");
    assert_int_equal(c.tensor_bytes, 4 * VALUES);
    assert_int_equal(c.coded_bytes, 4 * VALUES);
    clv_tensor_done(&t);
    assert_string_equal(clv_crossing_of(NULL, 0).codec, "raw");
}

/* Not what was asked for, but what the encodings are: a NaN has no scale. */
static void encodings_say_what_they_are(void **state)
{
    (void)state;
    clv_tensor t[] = {coded("q8+zstd", 0), coded("q8+zstd", NAN), coded("q8+zstd", 1)};
    clv_crossing c = clv_crossing_of(t, 1);
    assert_string_equal(c.codec, "q8+zstd");
    assert_int_equal(c.tensor_bytes, 4 * VALUES);
    assert_int_equal(c.coded_bytes, t[0].bytes);
    assert_true(c.coded_bytes < VALUES);
    c = clv_crossing_of(t, CLV_COUNT(t));
    assert_string_equal(c.codec, "q8+zstd/raw+zstd");
    assert_int_equal(c.tensor_bytes, 3 * 4 * VALUES);
    ((unsigned char *)t[0].data)[3] = 99; /* of another version */
    assert_string_equal(clv_crossing_of(t, 1).codec, "?");
    for (size_t i = 0; i < CLV_COUNT(t); i++) clv_tensor_done(&t[i]);
}

/* Of every codec at once only as many names are kept as there is room for. */
static void a_mixture_is_bounded(void **state)
{
    (void)state;
    clv_tensor t[CLV_CODECS];
    for (size_t i = 0; i < CLV_CODECS; i++) t[i] = coded(clv_codec_show(clv_codec_at(i)).s, 0);
    t[0].shape.dim[1] = INT64_MAX; /* whatever a shape says */
    clv_crossing c = clv_crossing_of(t, CLV_CODECS);
    assert_true(strlen(c.codec) < CLV_CROSSING_CODEC_MAX);
    assert_true(c.tensor_bytes <= CLV_CROSSING_BYTES_MAX);
    for (size_t i = 0; i < CLV_CODECS; i++) clv_tensor_done(&t[i]);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_crossings behind = {.hops = {{"raw", 80, 80, 301, 233}}, .n = 1}, back;
    clv_crossings c =
        clv_crossings_of(&(clv_crossing){"q8+zstd/raw", 3136, 468, 702, 233}, &behind);
    CLV_AUTO(clv_text_free) char *text = clv_crossings_text(&c);
    assert_string_equal(text, "q8+zstd/raw,3136,468,702,233;raw,80,80,301,233");
    assert_ok(clv_crossings_parse(text, &back, &err), err);
    assert_int_equal(back.n, 2);
    for (size_t k = 0; k < 2; k++) {
        assert_string_equal(back.hops[k].codec, c.hops[k].codec);
        assert_int_equal(back.hops[k].tensor_bytes, c.hops[k].tensor_bytes);
        assert_int_equal(back.hops[k].coded_bytes, c.hops[k].coded_bytes);
        assert_int_equal(back.hops[k].up_bytes, c.hops[k].up_bytes);
        assert_int_equal(back.hops[k].down_bytes, c.hops[k].down_bytes);
    }
    assert_ok(clv_crossings_parse("", &back, &err), err);
    assert_int_equal(back.n, 0);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_crossings back;
    static const char *const bad[] = {"raw",          "raw,1,2,3",  "raw,1,2,3,4,5", "raw,1,2,3,4;",
                                      "raw,-1,2,3,4", ",1,2,3,4",   "RAW,1,2,3,4",   "raw,1,,3,4",
                                      "raw,1,2,3,x",  "raw 1 2 3 4"};
    for (size_t i = 0; i < CLV_COUNT(bad); i++)
        assert_int_equal(clv_crossings_parse(bad[i], &back, &err), CLV_EINVAL);
    assert_int_equal(clv_crossings_parse("raw,1125899906842625,0,0,0", &back, &err), CLV_ELIMIT);
    assert_ok(clv_crossings_parse("raw,1125899906842624,0,0,0", &back, &err), err);
    char long_name[CLV_CROSSING_CODEC_MAX + 1];
    memset(long_name, 'q', CLV_CROSSING_CODEC_MAX);
    long_name[CLV_CROSSING_CODEC_MAX] = 0;
    CLV_AUTO(clv_text_free) char *longest = clv_format("%s,1,1,1,1", long_name + 1);
    CLV_AUTO(clv_text_free) char *longer = clv_format("%s,1,1,1,1", long_name);
    assert_ok(clv_crossings_parse(longest, &back, &err), err);
    assert_int_equal(clv_crossings_parse(longer, &back, &err), CLV_ELIMIT);
}

static void hops_are_bounded(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_crossings full = {0}, back;
    clv_crossing widest = {.tensor_bytes = CLV_CROSSING_BYTES_MAX,
                           .coded_bytes = CLV_CROSSING_BYTES_MAX,
                           .up_bytes = CLV_CROSSING_BYTES_MAX,
                           .down_bytes = CLV_CROSSING_BYTES_MAX};
    memset(widest.codec, 'q', CLV_CROSSING_CODEC_MAX - 1);
    for (int k = 0; k < CLV_CROSSINGS_MAX + 2; k++) full = clv_crossings_of(&widest, &full);
    assert_int_equal(full.n, CLV_CROSSINGS_MAX);
    CLV_AUTO(clv_text_free) char *text = clv_crossings_text(&full);
    assert_true(strlen(text) < CLV_CROSSINGS_TEXT_MAX);
    assert_ok(clv_crossings_parse(text, &back, &err), err);
    CLV_AUTO(clv_text_free) char *more = clv_format("%s;raw,1,1,1,1", text);
    assert_int_equal(clv_crossings_parse(more, &back, &err), CLV_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_tensors_are_raw), cmocka_unit_test(encodings_say_what_they_are),
        cmocka_unit_test(a_mixture_is_bounded),  cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(nonsense_is_refused),   cmocka_unit_test(hops_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
