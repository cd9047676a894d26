/* Each kind of loop that this processor has, against the scalar one, to the bit. */
#include "base/mem.h"
#include "base/rng.h"
#include "tensor/codec.h"
#include "tensor/codec_kernel.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_MAX = 150, GUARD = 64 };

/* Bits of any kind: ordinary values, ties between levels, denormals, everything. */
static uint32_t some_bits(clv_rng *r, bool finite)
{
    float f = 0;
    uint32_t bits = (uint32_t)clv_rng_next(r);
    switch (clv_rng_below(r, finite ? 4 : 5)) {
    case 0: f = (float)clv_rng_normal(r); break;
    case 1: f = (float)((double)clv_rng_below(r, 600) - 300) / 2; break;
    case 2:
        bits &= 0x80ffffff;
        memcpy(&f, &bits, 4);
        break;
    case 3: f = (float)(1000 * clv_rng_normal(r)); break;
    default: return bits;
    }
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

/* `n` floats `by` bytes behind an aligned address. */
static unsigned char *some_floats(clv_rng *r, size_t n, size_t by, bool finite)
{
    unsigned char *x = clv_alloc(4 * n + 8 + GUARD);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = some_bits(r, finite);
        memcpy(x + by + 4 * i, &bits, 4);
    }
    return x;
}

static clv_codec_scale some_scale(clv_rng *r)
{
    static const float zeros[] = {0, -7, -128, 100, 32767, -32768};
    clv_codec_scale s = {.step = (float)exp(clv_rng_normal(r)),
                         .zero = zeros[clv_rng_below(r, CLV_COUNT(zeros))]};
    if (clv_rng_below(r, 2)) s.step = 1; /* ties */
    s.inverse = 1 / s.step;
    return s;
}

static void ranges_are_equal(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    for (size_t path = 1; path < clv_codec_paths(); path++)
        for (size_t n = 0; n <= LENGTH_MAX; n++) {
            const clv_codec_kernel *k = clv_codec_kernel_at(path);
            unsigned char *x = some_floats(&r, n, n % 5, n % 2);
            clv_codec_range want = clv_codec_no_range, got = clv_codec_no_range;
            clv_codec_scalar.range(x + n % 5, n, &want);
            k->range(x + n % 5, n, &got);
            assert_int_equal(got.magnitude, want.magnitude);
            if (want.magnitude <= 0x7f800000) assert_true(got.lo == want.lo && got.hi == want.hi);
            float lo = (float)clv_rng_normal(&r) - 1, hi = lo + 800;
            assert_int_equal(k->outside(x + n % 5, n, lo, hi),
                             clv_codec_scalar.outside(x + n % 5, n, lo, hi));
            assert_int_equal(k->outside(x + n % 5, n, got.lo, got.hi),
                             clv_codec_scalar.outside(x + n % 5, n, got.lo, got.hi));
            free(x);
        }
}

static void one_outside_is_found_anywhere(void **state)
{
    (void)state;
    float x[LENGTH_MAX] = {0};
    const float odd[] = {NAN, 2, -2, INFINITY};
    for (size_t path = 0; path < clv_codec_paths(); path++)
        for (size_t i = 0; i < LENGTH_MAX; i++)
            for (size_t k = 0; k < CLV_COUNT(odd); k++) {
                x[i] = odd[k];
                assert_int_equal(clv_codec_kernel_at(path)->outside(x, LENGTH_MAX, -1, 1), i);
                assert_int_equal(clv_codec_kernel_at(path)->outside(x, i, -1, 1), i);
                clv_codec_range r = clv_codec_no_range;
                clv_codec_kernel_at(path)->range(x, LENGTH_MAX, &r);
                assert_true(isnan(odd[k]) ? r.magnitude > 0x7f800000 : r.lo == fminf(odd[k], 0));
                x[i] = 0;
            }
}

typedef void to_levels(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out);
typedef void from_levels(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out);

/* Both write n's bytes, the same, and none behind them. */
static void same_levels(to_levels *want, to_levels *got, from_levels *back, from_levels *got_back,
                        size_t n, clv_rng *r)
{
    clv_codec_scale s = some_scale(r);
    size_t by = n % 7;
    unsigned char *x = some_floats(r, n, by, true);
    unsigned char a[LENGTH_MAX + GUARD], b[LENGTH_MAX + GUARD];
    unsigned char f[4 * LENGTH_MAX + GUARD + 8], g[4 * LENGTH_MAX + GUARD + 8];
    memset(a, 0xa5, sizeof a);
    memset(b, 0xa5, sizeof b);
    memset(f, 0xa5, sizeof f);
    memset(g, 0xa5, sizeof g);
    want(x + by, n, &s, a + by);
    got(x + by, n, &s, b + by);
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = by + n; i < sizeof b; i++) assert_int_equal(b[i], 0xa5);
    for (size_t i = 0; i < n; i++) a[by + i] = (unsigned char)clv_rng_next(r);
    back(a + by, n, &s, f + by);
    got_back(a + by, n, &s, g + by);
    assert_memory_equal(f, g, sizeof f);
    for (size_t i = by + 4 * n; i < sizeof g; i++) assert_int_equal(g[i], 0xa5);
    free(x);
}

static clv_codec_book some_book(clv_rng *r)
{
    clv_codec_book b;
    int at = 0;
    for (int k = 0; k < CLV_CODEC_CODES; k++) b.level[k] = (uint8_t)clv_rng_next(r);
    for (int k = 0; k < CLV_CODEC_CODES - 1; k++)
        b.threshold[k] = (uint8_t)(at += (int)clv_rng_below(r, 17));
    return b;
}

typedef void recode(const uint8_t *from, size_t n, const clv_codec_book *b, uint8_t *to);

/* Both write the same `bytes` for n levels or codes of any kind, and none behind them. */
static void same_recoding(recode *want, recode *got, size_t n, size_t bytes, clv_rng *r)
{
    const clv_codec_book book = some_book(r);
    size_t by = n % 7;
    unsigned char from[LENGTH_MAX + GUARD], a[LENGTH_MAX + GUARD], b[LENGTH_MAX + GUARD];
    for (size_t i = 0; i < sizeof from; i++) from[i] = (unsigned char)clv_rng_next(r);
    memset(a, 0xa5, sizeof a);
    memset(b, 0xa5, sizeof b);
    want(from + by, n, &book, a + by);
    got(from + by, n, &book, b + by);
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = by + bytes; i < sizeof b; i++) assert_int_equal(b[i], 0xa5);
}

static void levels_are_equal(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    for (size_t path = 1; path < clv_codec_paths(); path++)
        for (size_t round = 0; round < 12; round++)
            for (size_t n = 0; n <= LENGTH_MAX; n++) {
                const clv_codec_kernel *k = clv_codec_kernel_at(path), *s = &clv_codec_scalar;
                same_levels(s->to8, k->to8, s->from8, k->from8, n, &r);
                same_recoding(s->fold, k->fold, n, (n + 1) / 2, &r);
                same_recoding(s->unfold, k->unfold, n, n, &r);
            }
}

/* The scalar loop against arithmetic in another way. */
static void scalar_levels_are_right(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    for (size_t i = 0; i < 20000; i++) {
        clv_codec_scale s = some_scale(&r);
        uint32_t bits = some_bits(&r, true);
        float x, back;
        memcpy(&x, &bits, 4);
        float product = x * s.inverse;
        double whole = nearbyint(product), zero = s.zero;
        uint8_t q8;
        clv_codec_scalar.to8(&x, 1, &s, &q8);
        assert_true(q8 == CLV_MIN(CLV_MAX(whole - zero, 0), 255));
        clv_codec_scalar.from8(&q8, 1, &s, &back);
        assert_true(back == (float)((q8 + zero) * (double)s.step));
    }
}

static void scalar_codes_are_right(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(5);
    for (size_t i = 0; i < 20000; i++) {
        const clv_codec_book book = some_book(&r);
        uint8_t levels[3] = {(uint8_t)clv_rng_next(&r), (uint8_t)clv_rng_next(&r), 200}, back[3];
        uint8_t codes[2], want[3] = {0};
        for (int k = 0; k < 3; k++)
            while (want[k] < 15 && book.threshold[want[k]] <= levels[k]) want[k]++;
        clv_codec_scalar.fold(levels, 3, &book, codes);
        assert_true(codes[0] == (want[0] | want[1] << 4) && codes[1] == want[2]);
        clv_codec_scalar.unfold(codes, 3, &book, back);
        for (int k = 0; k < 3; k++) assert_int_equal(back[k], book.level[want[k]]);
    }
}

static void halves_are_equal(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(4);
    enum { N = 1 << 18 };
    uint32_t *x = clv_alloc_array(N, sizeof *x), *f = clv_alloc_array(N, sizeof *f);
    uint16_t *a = clv_alloc_array(N, sizeof *a), *b = clv_alloc_array(N, sizeof *b);
    uint32_t *g = clv_alloc_array(N, sizeof *g);
    for (size_t i = 0; i < N; i++) { /* near every half, and anything */
        uint16_t half = (uint16_t)(i >> 2);
        clv_codec_scalar.from16(&half, 1, x + i);
        x[i] += i & 1 ? 0x1000 : 0;
        x[i] = i % 4 == 3 ? (uint32_t)clv_rng_next(&r) : x[i] + (i % 4 == 2);
    }
    for (size_t path = 1; path < clv_codec_paths(); path++) {
        const clv_codec_kernel *k = clv_codec_kernel_at(path);
        clv_codec_scalar.to16(x, N, a);
        k->to16(x, N, b);
        assert_memory_equal(a, b, N * sizeof *a);
        for (size_t i = 0; i < N; i++) a[i] = (uint16_t)i;
        clv_codec_scalar.from16(a, N, f);
        k->from16(a, N, g);
        assert_memory_equal(f, g, N * sizeof *f);
        for (size_t n = 0; n < 40; n++) { /* ends */
            memset(b, 0xa5, 2 * 64);
            memset(g, 0xa5, 4 * 64);
            k->to16(f + 7, n, (unsigned char *)b + 1);
            k->from16((unsigned char *)b + 1, n, (unsigned char *)g + 1);
            assert_memory_equal((unsigned char *)b + 1, a + 7, 2 * n);
            if (n) assert_memory_equal((unsigned char *)g + 1, f + 7, 4 * n);
            assert_int_equal(((unsigned char *)b)[1 + 2 * n], 0xa5);
            assert_int_equal(((unsigned char *)g)[1 + 4 * n], 0xa5);
        }
    }
    free(x);
    free(f);
    free(a);
    free(b);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_equal),       cmocka_unit_test(one_outside_is_found_anywhere),
        cmocka_unit_test(levels_are_equal),       cmocka_unit_test(scalar_levels_are_right),
        cmocka_unit_test(scalar_codes_are_right), cmocka_unit_test(halves_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
