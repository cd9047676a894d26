#include "base/mem.h"
#include "base/rng.h"
#include "tensor/codec.h"
#include "tensor/codec_layout.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what the tests are made of --- */

/* As layers give them: cut off at zero, around zero, all of one value, far from zero, of very different channels. */
typedef enum kind { RELU, NORMAL, CONSTANT, FAR, UNEVEN, TINY, KINDS } kind;

static void fill(clv_tensor *t, kind k, clv_rng *r)
{
    float *x = t->data;
    for (size_t i = 0; i < t->bytes / 4; i++) {
        double v = clv_rng_normal(r);
        switch (k) {
        case RELU: v = v > 0 ? v : 0; break;
        case CONSTANT: v = -3.25; break;
        case FAR: v = 1000 + v; break;
        case UNEVEN: v *= pow(10, (double)(i / 300 % 7) - 3); break;
        case TINY: v *= 1e-38; break;
        case NORMAL:
        case KINDS: break;
        }
        x[i] = (float)v;
    }
}

static clv_tensor made(clv_dtype dtype, clv_shape shape)
{
    clv_tensor t;
    clv_error err = {0};
    assert_ok(clv_tensor_new(&t, "x", dtype, shape, &err), err);
    return t;
}

static clv_tensor values(kind k, clv_shape shape, uint64_t seed)
{
    clv_rng r = clv_rng_seeded(seed);
    clv_tensor t = made(CLV_F32, shape);
    fill(&t, k, &r);
    return t;
}

static clv_tensor coded(const char *name, const clv_tensor *t)
{
    clv_error err = {0};
    clv_codec c;
    clv_tensor out;
    assert_ok(clv_codec_parse(name, &c, &err), err);
    assert_ok(clv_codec_encode(c, t, &out, &err), err);
    return out;
}

static clv_tensor decoded(const clv_tensor *t)
{
    clv_error err = {0};
    clv_tensor out;
    assert_ok(clv_codec_decode(t, &out, &err), err);
    assert_ok(clv_tensor_check(&out, &err), err);
    assert_false(out.coded);
    return out;
}

static clv_codec_note note_of(const clv_tensor *t)
{
    clv_error err = {0};
    clv_codec_note note;
    assert_ok(clv_codec_read_note(t, &note, &err), err);
    return note;
}

static clv_shape shape_at(size_t i)
{
    const clv_shape shapes[] = {
        clv_shape_of(0),
        clv_shape_of(1, 1),
        clv_shape_of(1, 7),
        clv_shape_of(1, 2049),
        clv_shape_of(2, 1, 513),
        clv_shape_of(2, 3, 130),
        clv_shape_of(3, 2, 5, 33),
        clv_shape_of(4, 1, 6, 14, 14),
        clv_shape_of(4, 2, 3, 47, 53),
        clv_shape_of(4, 1, 64, 3, 3),
        clv_shape_of(4, 2, 67, 3, 5),
        clv_shape_of(5, 1, 2, 3, 4, 5),
        clv_shape_of(2, 0, 4),
        clv_shape_of(4, 1, 2, 0, 3),
    };
    return i < CLV_COUNT(shapes) ? shapes[i] : (clv_shape){.rank = -1};
}

/* --- names --- */

static void every_codec_has_a_name(void **state)
{
    (void)state;
    clv_error err = {0};
    for (size_t i = 0; i < CLV_CODECS; i++) {
        clv_codec c = clv_codec_at(i), back;
        assert_ok(clv_codec_parse(clv_codec_show(c).s, &back, &err), err);
        assert_int_equal(clv_codec_index(back), i);
        assert_int_equal(clv_codec_lossy(c), i >= CLV_PACK_COUNT);
    }
    assert_string_equal(clv_codec_show(clv_codec_at(0)).s, "raw");
    clv_codec c;
    assert_ok(clv_codec_parse("q4+zstd", &c, &err), err);
    assert_int_equal(c.quant, CLV_QUANT_Q4);
    assert_int_equal(c.pack, CLV_PACK_ZSTD);
    static const char *const bad[] = {"", "q9", "q8+", "+zstd", "zstd", "q8+zstd+lz4", "Q8"};
    for (size_t i = 0; i < CLV_COUNT(bad); i++)
        assert_int_equal(clv_codec_parse(bad[i], &c, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "q8+zstd, q8c"));
}

/* --- round trips --- */

static float value_at(const clv_tensor *t, size_t i)
{
    float f;
    memcpy(&f, (const unsigned char *)t->data + 4 * i, sizeof f);
    return f;
}

static void check_bounds(const clv_tensor *t, const clv_tensor *back, const clv_codec_note *note)
{
    size_t over = 0, n = t->bytes / 4;
    for (size_t i = 0; i < n; i++)
        over += !(fabs((double)value_at(t, i) - value_at(back, i)) <= note->error_max);
    /* of a block of n values q4 may clip n / 2000 at each end */
    size_t may = note->codec.quant == CLV_QUANT_Q4 ? n / 1000 : 0;
    if (over > may)
        fail_msg("%s %s: %zu of %zu values are off by more than %g", clv_codec_show(note->codec).s,
                 clv_shape_show(&t->shape).s, over, n, note->error_max);
}

static void round_trip(size_t codec, const clv_tensor *t)
{
    clv_error err = {0};
    clv_tensor first = {0};
    for (size_t path = 0; path < clv_codec_paths(); path++) {
        clv_tensor e, back;
        assert_ok(clv_codec_encode_by(path, clv_codec_at(codec), t, &e, &err), err);
        assert_true(e.coded && e.dtype == t->dtype && clv_shape_equal(&e.shape, &t->shape));
        assert_string_equal(e.name, t->name);
        assert_ok(clv_tensor_check(&e, &err), err);
        assert_true(e.bytes <= clv_codec_bytes_max(clv_codec_at(codec), t));
        for (size_t by = 0; by < clv_codec_paths(); by++) {
            assert_ok(clv_codec_decode_by(by, &e, &back, &err), err);
            assert_true(back.bytes == t->bytes && clv_shape_equal(&back.shape, &t->shape));
            clv_codec_note note = note_of(&e);
            if (note.codec.quant == CLV_QUANT_RAW) {
                if (t->bytes) assert_memory_equal(back.data, t->data, t->bytes);
                assert_true(note.error_max == 0);
            } else {
                check_bounds(t, &back, &note);
            }
            if (!first.data && back.bytes) {
                first = back;
                continue;
            }
            if (back.bytes) assert_memory_equal(back.data, first.data, back.bytes);
            clv_tensor_done(&back);
        }
        clv_tensor_done(&e);
    }
    clv_tensor_done(&first);
}

static void floats_come_back_within_the_bound(void **state)
{
    (void)state;
    for (size_t s = 0; shape_at(s).rank >= 0; s++)
        for (kind k = RELU; k < KINDS; k++) {
            clv_tensor t = values(k, shape_at(s), s * KINDS + k);
            for (size_t c = 0; c < CLV_CODECS; c++) round_trip(c, &t);
            clv_tensor_done(&t);
        }
}

static void other_types_come_back_as_they_were(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    for (int d = CLV_DTYPE_NONE + 1; d < CLV_DTYPE_COUNT; d++) {
        if (d == CLV_F32 || d == CLV_TEXT) continue;
        for (size_t s = 0; shape_at(s).rank >= 0; s++) {
            clv_tensor t = made((clv_dtype)d, shape_at(s));
            unsigned char *x = t.data;
            for (size_t i = 0; i < t.bytes; i++)
                x[i] = (unsigned char)(i % 8 > 1 ? 0 : clv_rng_below(&r, 256));
            for (size_t c = 0; c < CLV_CODECS; c++) round_trip(c, &t);
            clv_tensor_done(&t);
        }
    }
    static const char texts[] = "\3\0\0\0abc\0\0\0\0\1\0\0\0z";
    clv_tensor t = clv_tensor_view("t", CLV_TEXT, clv_shape_of(1, 3), texts, sizeof texts - 1);
    for (size_t c = 0; c < CLV_CODECS; c++) round_trip(c, &t);
    clv_tensor_done(&t);
}

static void encodings_are_as_small_as_said(void **state)
{
    (void)state;
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 8, 28, 28), 1);
    const size_t n = 8 * 28 * 28;
    static const struct {
        const char *name;
        size_t per_values, more;
    } rows[] = {{"raw", 4, 0}, {"f16", 2, 0}, {"q8", 1, 6}, {"q8c", 1, 8 * 6}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_tensor e = coded(rows[i].name, &t);
        assert_int_equal(e.bytes, CLV_CODEC_HEAD_BYTES + n * rows[i].per_values + rows[i].more);
        clv_tensor_done(&e);
    }
    clv_tensor q4 = coded("q4", &t);
    assert_int_equal(q4.bytes, CLV_CODEC_HEAD_BYTES + n / 2 + 8 * 4);
    clv_tensor_done(&q4);
    static const char *const packed[] = {"raw+lz4",  "f16+lz4", "q8+lz4",   "q4+lz4", "raw+zstd",
                                         "f16+zstd", "q8+zstd", "q8c+zstd", "q4+zstd"};
    memset(t.data, 0, t.bytes); /* packs well: nothing comes out longer than a bare minimum */
    for (size_t i = 0; i < CLV_COUNT(packed); i++) {
        clv_tensor e = coded(packed[i], &t);
        assert_true(e.bytes < 150);
        assert_string_equal(clv_codec_show(note_of(&e).codec).s, packed[i]);
        clv_tensor_done(&e);
    }
    clv_tensor_done(&t);
}

static void what_does_not_shrink_is_not_packed(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    clv_tensor t = made(CLV_U8, clv_shape_of(1, 4096));
    for (size_t i = 0; i < t.bytes; i++)
        ((unsigned char *)t.data)[i] = (unsigned char)clv_rng_below(&r, 256);
    static const char *const packed[] = {"raw+lz4", "q8+zstd"};
    for (size_t i = 0; i < CLV_COUNT(packed); i++) {
        clv_tensor e = coded(packed[i], &t);
        assert_string_equal(clv_codec_show(note_of(&e).codec).s, "raw");
        assert_int_equal(e.bytes, clv_codec_bytes_max(clv_codec_at(0), &t));
        clv_tensor_done(&e);
    }
    clv_tensor_done(&t);
}

/* --- quantising --- */

static void halves_are_those_of_ieee(void **state)
{
    (void)state;
    clv_tensor all = made(CLV_F32, clv_shape_of(1, 1 << 16));
    float *x = all.data;
    for (size_t i = 0; i < 1 << 16;
         i++) { /* every half and, but for the ends, halfway to the next */
        int exponent = (int)(i >> 10 & 31), mantissa = (int)(i & 1023);
        double v = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
        if (exponent == 31) v = mantissa ? NAN : INFINITY;
        x[i] = (float)(i & 0x8000 ? -v : v);
    }
    clv_tensor e = coded("f16", &all), back = decoded(&e);
    const unsigned char *half = (const unsigned char *)e.data + CLV_CODEC_HEAD_BYTES;
    for (size_t i = 0; i < 1 << 16; i++) {
        if (isnan(x[i])) {
            assert_true(isnan(((float *)back.data)[i]));
            continue;
        }
        assert_int_equal(half[2 * i] | half[2 * i + 1] << 8, i);
        assert_memory_equal((float *)back.data + i, x + i, 4);
    }
    assert_true(isinf(note_of(&e).error_max));
    clv_tensor_done(&e);
    clv_tensor_done(&back);
    clv_tensor_done(&all);
    static const struct {
        float from, to;
    } rows[] = {
        {1 + 0x1p-11f, 1},
        {1 + 3 * 0x1p-11f, 1 + 0x1p-9f},
        {65519, 65504},
        {65520, INFINITY},
        {-1e30f, -INFINITY},
        {0x1p-25f, 0},
        {0x1.8p-25f, 0x1p-24f},
        {3 * 0x1p-25f, 0x1p-23f},
        {1e-40f, 0},
        {0x1.ff8p-15f, 0x1.ff8p-15f},
        {0x1.fffp-15f, 0x1p-14f},
    };
    clv_tensor t = made(CLV_F32, clv_shape_of(1, (int)CLV_COUNT(rows)));
    for (size_t i = 0; i < CLV_COUNT(rows); i++) ((float *)t.data)[i] = rows[i].from;
    e = coded("f16", &t);
    back = decoded(&e);
    for (size_t i = 0; i < CLV_COUNT(rows); i++) assert_true(((float *)back.data)[i] == rows[i].to);
    clv_tensor_done(&e);
    clv_tensor_done(&back);
    clv_tensor_done(&t);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The bound that the note gives is not larger than the range asks for: sorted, cut, divided. The
 * widest gap between the codes of values from 0 on is 25 of 255 levels. */
static void steps_are_the_least(void **state)
{
    (void)state;
    static const char *const codecs[] = {"q8", "q8c", "q4"};
    for (size_t i = 0; i < CLV_COUNT(codecs); i++)
        for (kind k = RELU; k <= FAR; k++) {
            clv_tensor t = values(k, clv_shape_of(4, 1, 1, 101, 103), k); /* one block */
            clv_tensor e = coded(codecs[i], &t);
            float *x = t.data;
            bool q4 = note_of(&e).codec.quant == CLV_QUANT_Q4;
            size_t n = t.bytes / 4, out = q4 ? n / 2000 : 0;
            qsort(x, n, sizeof *x, by_value);
            bool even = q4 && x[out] < 0;
            double range = (double)x[n - 1 - out] - x[out], off = q4 && !even ? 12 : 0;
            double step = fmax(range / (even ? 15 : 255), fabs((double)x[0]) / 32000);
            double bound = note_of(&e).error_max / CLV_MAX(step, 1e-30);
            if (!(bound >= off + 0.5 && bound <= (off + 0.51) * 1.02))
                fail_msg("%s, kind %d: %g steps", codecs[i], (int)k, bound);
            clv_tensor_done(&e);
            clv_tensor_done(&t);
        }
}

/* Sixteen values of each kind are kept as they are. */
static void codes_of_q4_are_their_levels(void **state)
{
    (void)state;
    static const int dense[] = {0,  4,   12,  23,  35,  49,  65,  81,
                                99, 119, 139, 160, 182, 206, 230, 255};
    clv_tensor t = made(CLV_F32, clv_shape_of(4, 1, 2, 8, 16));
    for (int i = 0; i < 128; i++) {
        ((float *)t.data)[i] = (float)dense[i % 16] / 64;
        ((float *)t.data)[128 + i] = (float)(i % 16 - 5) / 64;
    }
    clv_tensor e = coded("q4", &t), back = decoded(&e);
    assert_memory_equal(back.data, t.data, t.bytes);
    clv_tensor_done(&e);
    clv_tensor_done(&back);
    clv_tensor_done(&t);
}

static void zeros_and_pixels_stay_exact(void **state)
{
    (void)state;
    static const char *const codecs[] = {"q8", "q8c", "q4"};
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 4, 30, 30), 9);
    for (size_t i = 0; i < CLV_COUNT(codecs); i++) {
        clv_tensor e = coded(codecs[i], &t), back = decoded(&e);
        for (size_t k = 0; k < t.bytes / 4; k++)
            if (((float *)t.data)[k] == 0) assert_true(((float *)back.data)[k] == 0);
        clv_tensor_done(&e);
        clv_tensor_done(&back);
    }
    clv_tensor_done(&t);
    t = made(CLV_F32, clv_shape_of(4, 1, 1, 16, 16)); /* an image: levels are its bytes */
    for (int i = 0; i < 256; i++) ((float *)t.data)[i] = (float)i / 255;
    clv_tensor e = coded("q8", &t), back = decoded(&e);
    for (int i = 0; i < 256; i++) assert_true(fabs(((float *)back.data)[i] - i / 255.0) < 1e-7);
    clv_tensor_done(&e);
    clv_tensor_done(&back);
    clv_tensor_done(&t);
}

/* An item is coded as it would be alone: who shares a batch does not matter. */
static void channels_of_items_are_apart(void **state)
{
    (void)state;
    static const char *const codecs[] = {"q8c", "q4"};
    clv_tensor both = values(UNEVEN, clv_shape_of(4, 2, 5, 12, 13), 4);
    size_t half = both.bytes / 2;
    for (size_t i = 0; i < CLV_COUNT(codecs); i++) {
        clv_tensor one = clv_tensor_view("x", CLV_F32, clv_shape_of(4, 1, 5, 12, 13),
                                         (char *)both.data + half, half);
        clv_tensor e = coded(codecs[i], &both), back = decoded(&e);
        clv_tensor alone = coded(codecs[i], &one), alone_back = decoded(&alone);
        assert_memory_equal((char *)back.data + half, alone_back.data, half);
        clv_tensor_done(&e);
        clv_tensor_done(&back);
        clv_tensor_done(&alone);
        clv_tensor_done(&alone_back);
        clv_tensor_done(&one);
    }
    clv_tensor_done(&both);
}

static void what_has_no_scale_goes_raw(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, 0x1.1p114f, -3e38f};
    const size_t at[] = {0, 1, 131, 4500, 8998, 8999};
    static const char *const codecs[] = {"q8", "q8c", "q4", "q4+zstd", "q8+lz4"};
    clv_error err = {0};
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 2, 75, 60), 2);
    for (size_t i = 0; i < CLV_COUNT(bad) * CLV_COUNT(at); i++) {
        float *x = (float *)t.data + at[i % CLV_COUNT(at)], was = *x;
        *x = bad[i / CLV_COUNT(at)];
        for (size_t path = 0; path < clv_codec_paths(); path++)
            for (size_t k = 0; k < CLV_COUNT(codecs); k++) {
                clv_codec c;
                clv_tensor e, back;
                assert_ok(clv_codec_parse(codecs[k], &c, &err), err);
                assert_ok(clv_codec_encode_by(path, c, &t, &e, &err), err);
                assert_int_equal(note_of(&e).codec.quant, CLV_QUANT_RAW);
                back = decoded(&e);
                assert_memory_equal(back.data, t.data, t.bytes);
                clv_tensor_done(&e);
                clv_tensor_done(&back);
            }
        *x = was;
    }
    ((float *)t.data)[77] = 0x1p114f; /* the largest that has one */
    clv_tensor e = coded("q4", &t), back = decoded(&e);
    assert_int_equal(note_of(&e).codec.quant, CLV_QUANT_Q4);
    for (size_t i = 0; i < t.bytes / 4; i++) assert_true(isfinite(((float *)back.data)[i]));
    clv_tensor_done(&e);
    clv_tensor_done(&back);
    clv_tensor_done(&t);
}

static void unaligned_values_are_no_matter(void **state)
{
    (void)state;
    clv_tensor t = values(NORMAL, clv_shape_of(3, 1, 3, 71), 6);
    unsigned char *moved = clv_alloc(t.bytes + 8);
    for (size_t by = 1; by < 8; by++) {
        memcpy(moved + by, t.data, t.bytes);
        clv_tensor view = clv_tensor_view("x", CLV_F32, t.shape, moved + by, t.bytes);
        for (size_t c = 0; c < CLV_CODECS; c += CLV_PACK_COUNT) round_trip(c, &view);
        clv_tensor_done(&view);
    }
    free(moved);
    clv_tensor_done(&t);
}

/* --- lies --- */

static void expect(const clv_tensor *e, clv_status want, const char *text)
{
    clv_error err = {0};
    clv_tensor back = {0};
    clv_status st = clv_codec_decode(e, &back, &err);
    if (st != want || !strstr(err.text, text))
        fail_msg("%s (%s), not %s with '%s'", clv_status_name(st), err.text, clv_status_name(want),
                 text);
    assert_null(back.data);
    clv_codec_note note;
    if (!strstr(text, "not sound"))
        assert_int_not_equal(clv_codec_read_note(e, &note, &err), CLV_OK);
}

static void heads_that_lie_are_refused(void **state)
{
    (void)state;
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 4, 12, 12), 1), e = coded("q4", &t);
    static const struct {
        size_t at;
        unsigned char value;
        clv_status want;
        const char *text;
    } rows[] = {
        {0, 'x', CLV_EPROTO, "no encoding"},    {3, 1, CLV_EUNSUPPORTED, "version 1"},
        {3, 0, CLV_EUNSUPPORTED, "version 0"},  {4, 5, CLV_EPROTO, "unknown codec"},
        {4, 0x34, CLV_EPROTO, "unknown codec"}, {4, 0, CLV_EPROTO, "before packing"},
        {4, 1, CLV_EPROTO, "before packing"},   {4, 2, CLV_EPROTO, "before packing"},
        {4, 3, CLV_EPROTO, "before packing"},   {4, 0x14, CLV_EPROTO, "lz4"},
        {4, 0x24, CLV_EPROTO, "zstd"},          {5, 7, CLV_EPROTO, "encoding of INT64"},
        {5, 99, CLV_EPROTO, "encoding of ?"},   {6, 0xff, CLV_EPROTO, "another shape"},
        {8, 0, CLV_EPROTO, "before packing"},   {11, 255, CLV_EPROTO, "before packing"},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        unsigned char *byte = (unsigned char *)e.data + rows[i].at, was = *byte;
        assert_int_not_equal(was, rows[i].value);
        *byte = rows[i].value;
        expect(&e, rows[i].want, rows[i].text);
        *byte = was;
    }
    size_t bytes = e.bytes;
    for (e.bytes = 0; e.bytes < bytes; e.bytes++) expect(&e, CLV_EPROTO, "encod");
    e.bytes = bytes;
    e.shape = clv_shape_of(4, 4, 1, 12, 12);
    expect(&e, CLV_EPROTO, "another shape");
    e.shape = t.shape;
    e.dtype = CLV_I32;
    expect(&e, CLV_EPROTO, "the tensor is INT32");
    clv_tensor_done(&e);
    clv_tensor_done(&t);
}

static void put_f32(clv_tensor *e, size_t at, float f)
{
    memcpy((unsigned char *)e->data + CLV_CODEC_HEAD_BYTES + at, &f, sizeof f);
}

static void bodies_that_lie_are_refused(void **state)
{
    (void)state;
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 1, 13, 13), 1), e = coded("q8", &t);
    const float steps[] = {NAN, INFINITY, -INFINITY, 0, -1, 1e-31f, 0x1.01p112f, 1e-45f};
    for (size_t i = 0; i < CLV_COUNT(steps); i++) {
        put_f32(&e, 0, steps[i]);
        expect(&e, CLV_EPROTO, "scale 0 of 1");
    }
    put_f32(&e, 0, 0x1p112f); /* the largest step at the farthest zero is still finite */
    memcpy((unsigned char *)e.data + CLV_CODEC_HEAD_BYTES + 4, "\xff\x7f", 2);
    clv_tensor back = decoded(&e);
    for (size_t i = 0; i < t.bytes / 4; i++) assert_true(isfinite(((float *)back.data)[i]));
    clv_tensor_done(&back);
    clv_tensor_done(&e);
    e = coded("q4", &t);
    ((unsigned char *)e.data)[e.bytes - 1] |= 0x10;
    expect(&e, CLV_EPROTO, "a level too many");
    clv_tensor_done(&e);
    clv_tensor_done(&t);
}

static clv_tensor copy_with(const clv_tensor *e, size_t bytes)
{
    clv_tensor t = made(CLV_U8, clv_shape_of(1, (int)bytes));
    memset(t.data, 0, bytes);
    memcpy(t.data, e->data, CLV_MIN(bytes, e->bytes));
    t.dtype = e->dtype;
    t.shape = e->shape;
    t.coded = true;
    return t;
}

static void packed_bodies_that_lie_are_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    static const char *const codecs[] = {"raw+lz4",  "q8+lz4",  "q4+lz4",
                                         "raw+zstd", "q8+zstd", "q4+zstd"};
    clv_tensor t = values(RELU, clv_shape_of(4, 1, 2, 20, 20), 1);
    memset(t.data, 0, t.bytes / 2);
    for (size_t i = 0; i < CLV_COUNT(codecs); i++) {
        clv_tensor e = coded(codecs[i], &t);
        assert_int_not_equal(note_of(&e).codec.pack, CLV_PACK_NONE);
        for (size_t n = CLV_CODEC_HEAD_BYTES; n <= e.bytes + 1; n++) {
            if (n == e.bytes) continue;
            clv_tensor cut = copy_with(&e, n);
            expect(&cut, CLV_EPROTO, "do not give");
            clv_tensor_done(&cut);
        }
        for (size_t at = 0; at < e.bytes;
             at++) { /* damage may go unseen; it never breaks anything */
            clv_tensor bad = copy_with(&e, e.bytes), back;
            ((unsigned char *)bad.data)[at] ^= (unsigned char)(1 << at % 8);
            if (!clv_codec_decode(&bad, &back, &err)) {
                assert_int_equal(back.bytes, t.bytes);
                clv_tensor_done(&back);
            }
            clv_tensor_done(&bad);
        }
        clv_tensor_done(&e);
    }
    clv_tensor_done(&t);
}

/* A packed body may claim anything: only what the shape allows is made. */
static void bombs_do_not_go_off(void **state)
{
    (void)state;
    clv_tensor zeros = made(CLV_U8, clv_shape_of(1, 1 << 22));
    memset(zeros.data, 0, zeros.bytes);
    static const char *const codecs[] = {"raw+lz4", "raw+zstd"};
    for (size_t i = 0; i < CLV_COUNT(codecs); i++) {
        clv_tensor e = coded(codecs[i], &zeros), bomb = copy_with(&e, e.bytes), small;
        small = made(CLV_U8, clv_shape_of(1, 64));
        bomb.shape = small.shape;
        clv_codec_put_head((clv_codec_head){note_of(&e).codec, 64}, &bomb, bomb.data);
        expect(&bomb, CLV_EPROTO, "do not give");
        clv_codec_put_head((clv_codec_head){note_of(&e).codec, 1 << 22}, &bomb, bomb.data);
        expect(&bomb, CLV_EPROTO, "before packing");
        bomb.dtype = CLV_TEXT;
        clv_codec_put_head((clv_codec_head){note_of(&e).codec, 0xffffffff}, &bomb, bomb.data);
        expect(&bomb, CLV_ELIMIT, "decodes to more than");
        clv_codec_put_head((clv_codec_head){note_of(&e).codec, 1 << 22}, &bomb, bomb.data);
        expect(&bomb, CLV_EPROTO, "not sound"); /* 64 texts, then bytes behind them */
        clv_tensor_done(&e);
        clv_tensor_done(&bomb);
        clv_tensor_done(&small);
    }
    clv_tensor_done(&zeros);
    clv_tensor huge = {.dtype = CLV_F32, .shape = clv_shape_of(2, 1 << 20, 1 << 20)};
    unsigned char head[CLV_CODEC_HEAD_BYTES];
    huge.name = clv_strdup("huge");
    huge.data = head;
    huge.bytes = sizeof head;
    huge.coded = true;
    clv_codec_put_head((clv_codec_head){{CLV_QUANT_Q8, CLV_PACK_ZSTD}, 0}, &huge, head);
    expect(&huge, CLV_ELIMIT, "huge");
    huge.shape = clv_shape_of(2, 0, 1 << 20);
    clv_codec_put_head((clv_codec_head){{CLV_QUANT_Q8, CLV_PACK_NONE}, 0}, &huge, head);
    expect(&huge, CLV_EPROTO, "by q8");
    free(huge.name);
}

static void plain_and_coded_are_not_mixed_up(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t = values(RELU, clv_shape_of(1, 40), 1), e = coded("q8", &t), out;
    assert_int_equal(clv_codec_encode(clv_codec_at(0), &e, &out, &err), CLV_EINVAL);
    assert_ok(clv_codec_decode(&t, &out, &err), err);
    assert_ptr_equal(out.data, t.data);
    clv_tensor_done(&out);
    clv_codec_note note;
    assert_int_equal(clv_codec_read_note(&t, &note, &err), CLV_EINVAL);
    assert_int_equal(clv_codec_encode_by(99, clv_codec_at(0), &t, &out, &err), CLV_EINVAL);
    assert_int_equal(clv_codec_decode_by(99, &e, &out, &err), CLV_EINVAL);
    assert_string_equal(clv_codec_path_name(0), "scalar");
    assert_null(clv_codec_path_name(clv_codec_paths()));
    clv_tensor_done(&e);
    clv_tensor_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_has_a_name),
        cmocka_unit_test(floats_come_back_within_the_bound),
        cmocka_unit_test(other_types_come_back_as_they_were),
        cmocka_unit_test(encodings_are_as_small_as_said),
        cmocka_unit_test(what_does_not_shrink_is_not_packed),
        cmocka_unit_test(halves_are_those_of_ieee),
        cmocka_unit_test(steps_are_the_least),
        cmocka_unit_test(codes_of_q4_are_their_levels),
        cmocka_unit_test(zeros_and_pixels_stay_exact),
        cmocka_unit_test(channels_of_items_are_apart),
        cmocka_unit_test(what_has_no_scale_goes_raw),
        cmocka_unit_test(unaligned_values_are_no_matter),
        cmocka_unit_test(heads_that_lie_are_refused),
        cmocka_unit_test(bodies_that_lie_are_refused),
        cmocka_unit_test(packed_bodies_that_lie_are_refused),
        cmocka_unit_test(bombs_do_not_go_off),
        cmocka_unit_test(plain_and_coded_are_not_mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
