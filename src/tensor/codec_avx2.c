/* The codecs' loops for AVX2: eight floats at a time, what is left by the scalar ones. Halves are
 * made by integers, since a processor with AVX2 need not have F16C. */
#include "tensor/codec_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
enum { LANES = 8 };

static bool present(void)
{
    return __builtin_cpu_supports("avx2");
}

static inline const unsigned char *byte_at(const void *x, size_t i)
{
    return (const unsigned char *)x + i;
}

AVX2 static inline __m256 load(const void *x, size_t i)
{
    return _mm256_loadu_ps((const float *)(const void *)byte_at(x, 4 * i));
}

AVX2 static inline void store(void *x, size_t i, __m256 v)
{
    _mm256_storeu_ps((float *)(void *)((unsigned char *)x + 4 * i), v);
}

AVX2 static void range(const void *x, size_t n, clv_codec_range *r)
{
    __m256 lo[2], hi[2];
    __m256i magnitude = _mm256_set1_epi32((int)r->magnitude);
    const __m256i unsign = _mm256_set1_epi32(0x7fffffff);
    lo[0] = lo[1] = _mm256_set1_ps(r->lo);
    hi[0] = hi[1] = _mm256_set1_ps(r->hi);
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        for (size_t k = 0; k < 2; k++) {
            __m256 v = load(x, i + k * LANES);
            lo[k] = _mm256_min_ps(v, lo[k]);
            hi[k] = _mm256_max_ps(v, hi[k]);
            magnitude =
                _mm256_max_epu32(magnitude, _mm256_and_si256(_mm256_castps_si256(v), unsign));
        }
    float lows[LANES], highs[LANES];
    uint32_t magnitudes[LANES];
    _mm256_storeu_ps(lows, _mm256_min_ps(lo[0], lo[1]));
    _mm256_storeu_ps(highs, _mm256_max_ps(hi[0], hi[1]));
    _mm256_storeu_si256((__m256i *)(void *)magnitudes, magnitude);
    for (size_t k = 0; k < LANES; k++) {
        r->lo = lows[k] < r->lo ? lows[k] : r->lo;
        r->hi = highs[k] > r->hi ? highs[k] : r->hi;
        r->magnitude = magnitudes[k] > r->magnitude ? magnitudes[k] : r->magnitude;
    }
    clv_codec_scalar.range(byte_at(x, 4 * i), n - i, r);
}

AVX2 static size_t outside(const void *x, size_t n, float lo, float hi)
{
    const __m256 low = _mm256_set1_ps(lo), high = _mm256_set1_ps(hi);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        __m256 v = load(x, i);
        int m = _mm256_movemask_ps(
            _mm256_or_ps(_mm256_cmp_ps(v, low, _CMP_NGE_UQ), _mm256_cmp_ps(v, high, _CMP_NLE_UQ)));
        if (m) return i + (size_t)__builtin_ctz((unsigned)m);
    }
    return i + clv_codec_scalar.outside(byte_at(x, 4 * i), n - i, lo, hi);
}

typedef struct scales {
    __m256 inverse, zero, top;
    __m256i base;
} scales;

AVX2 static inline scales scales_of(const clv_codec_scale *s)
{
    return (scales){_mm256_set1_ps(s->inverse), _mm256_set1_ps(s->zero),
                    _mm256_set1_ps(s->zero + 255), _mm256_set1_epi32((int)s->zero)};
}

AVX2 static inline __m256i levels_of(const void *x, size_t i, const scales *s)
{
    __m256 v = _mm256_mul_ps(load(x, i), s->inverse);
    v = _mm256_min_ps(_mm256_max_ps(v, s->zero), s->top);
    return _mm256_sub_epi32(_mm256_cvtps_epi32(v), s->base);
}

/* 32 of them in a byte each, in order. Packing works in halves of a vector, so pieces of four bytes
 * are put right after it. */
AVX2 static inline __m256i bytes_of_32(const void *x, size_t i, const scales *s)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    __m256i a = _mm256_packs_epi32(levels_of(x, i, s), levels_of(x, i + 8, s));
    __m256i b = _mm256_packs_epi32(levels_of(x, i + 16, s), levels_of(x, i + 24, s));
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
}

AVX2 static void to8(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out)
{
    const scales by = scales_of(s);
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES)
        _mm256_storeu_si256((__m256i *)(void *)(out + i), bytes_of_32(x, i, &by));
    clv_codec_scalar.to8(byte_at(x, 4 * i), n - i, s, out + i);
}

/* The lowest eight bytes of `q` as values. */
AVX2 static inline void put_8(__m128i q, __m256 zero, __m256 step, void *out, size_t i)
{
    __m256 v = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(q));
    store(out, i, _mm256_mul_ps(_mm256_add_ps(v, zero), step));
}

AVX2 static inline void put_16(__m128i q, __m256 zero, __m256 step, void *out, size_t i)
{
    put_8(q, zero, step, out, i);
    put_8(_mm_srli_si128(q, 8), zero, step, out, i + 8);
}

AVX2 static void from8(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out)
{
    const __m256 step = _mm256_set1_ps(s->step), zero = _mm256_set1_ps(s->zero);
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        put_16(_mm_loadu_si128((const __m128i *)(const void *)(levels + i)), zero, step, out, i);
    clv_codec_scalar.from8(levels + i, n - i, s, (unsigned char *)out + 4 * i);
}

AVX2 static void fold(const uint8_t *levels, size_t n, const clv_codec_book *b, uint8_t *codes)
{
    const __m256i weights = _mm256_set1_epi16(1 | 16 << 8);
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        __m256i q = _mm256_loadu_si256((const __m256i *)(const void *)(levels + i));
        __m256i code = _mm256_setzero_si256();
        for (int k = 0; k < CLV_CODEC_CODES - 1; k++) {
            __m256i most = _mm256_max_epu8(q, _mm256_set1_epi8((char)b->threshold[k]));
            code = _mm256_sub_epi8(code, _mm256_cmpeq_epi8(most, q));
        }
        __m256i pairs = _mm256_maddubs_epi16(code, weights);
        __m128i out =
            _mm_packus_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        _mm_storeu_si128((__m128i *)(void *)(codes + i / 2), out);
    }
    clv_codec_scalar.fold(levels + i, n - i, b, codes + i / 2);
}

AVX2 static void unfold(const uint8_t *codes, size_t n, const clv_codec_book *b, uint8_t *levels)
{
    const __m128i low = _mm_set1_epi8(15);
    const __m128i level = _mm_loadu_si128((const __m128i *)(const void *)b->level);
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(codes + i / 2));
        __m128i first = _mm_shuffle_epi8(level, _mm_and_si128(c, low));
        __m128i second = _mm_shuffle_epi8(level, _mm_and_si128(_mm_srli_epi16(c, 4), low));
        __m128i *out = (__m128i *)(void *)(levels + i);
        _mm_storeu_si128(out, _mm_unpacklo_epi8(first, second));
        _mm_storeu_si128(out + 1, _mm_unpackhi_epi8(first, second));
    }
    clv_codec_scalar.unfold(codes + i / 2, n - i, b, levels + i);
}

/* As in codec_scalar.c, the cases side by side. */
AVX2 static inline __m256i halves_of(__m256i bits)
{
    const __m256i infinite = _mm256_set1_epi32(0x7c00), half = _mm256_set1_epi32(0x3f000000);
    __m256i x = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(x, 13), _mm256_set1_epi32(1));
    __m256i h = _mm256_add_epi32(x, _mm256_set1_epi32(0xfff - (112 << 23)));
    h = _mm256_srli_epi32(_mm256_add_epi32(h, odd), 13);
    __m256 sum = _mm256_add_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(half));
    __m256i denormal = _mm256_sub_epi32(_mm256_castps_si256(sum), half);
    __m256i nan = _mm256_and_si256(_mm256_srli_epi32(x, 13), _mm256_set1_epi32(0x3ff));
    nan = _mm256_or_si256(nan, _mm256_set1_epi32(0x7e00));
    h = _mm256_blendv_epi8(h, denormal, _mm256_cmpgt_epi32(_mm256_set1_epi32(0x38800000), x));
    h = _mm256_blendv_epi8(h, infinite, _mm256_cmpgt_epi32(x, _mm256_set1_epi32(0x477fffff)));
    h = _mm256_blendv_epi8(h, nan, _mm256_cmpgt_epi32(x, _mm256_set1_epi32(0x7f800000)));
    __m256i sign = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(0x8000));
    return _mm256_or_si256(h, sign);
}

AVX2 static void to16(const void *x, size_t n, void *out)
{
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        __m256i a = halves_of(_mm256_castps_si256(load(x, i)));
        __m256i b = halves_of(_mm256_castps_si256(load(x, i + LANES)));
        __m256i h = _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)((unsigned char *)out + 2 * i), h);
    }
    clv_codec_scalar.to16(byte_at(x, 4 * i), n - i, (unsigned char *)out + 2 * i);
}

AVX2 static inline __m256 floats_of(__m256i h)
{
    const __m256i rebias = _mm256_set1_epi32(112 << 23);
    __m256i x = _mm256_and_si256(h, _mm256_set1_epi32(0x7fff));
    __m256i sign = _mm256_slli_epi32(_mm256_and_si256(h, _mm256_set1_epi32(0x8000)), 16);
    __m256i v = _mm256_add_epi32(_mm256_slli_epi32(x, 13), rebias);
    __m256 denormal = _mm256_mul_ps(_mm256_cvtepi32_ps(x), _mm256_set1_ps(0x1p-24f));
    v = _mm256_blendv_epi8(v, _mm256_castps_si256(denormal),
                           _mm256_cmpgt_epi32(_mm256_set1_epi32(0x400), x));
    __m256i special = _mm256_cmpgt_epi32(x, _mm256_set1_epi32(0x7bff));
    __m256i quiet = _mm256_and_si256(_mm256_cmpgt_epi32(x, _mm256_set1_epi32(0x7c00)),
                                     _mm256_set1_epi32(1 << 22));
    v = _mm256_add_epi32(v, _mm256_and_si256(special, rebias));
    return _mm256_castsi256_ps(_mm256_or_si256(_mm256_or_si256(v, quiet), sign));
}

AVX2 static void from16(const void *halves, size_t n, void *out)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        __m128i h = _mm_loadu_si128((const __m128i *)(const void *)byte_at(halves, 2 * i));
        store(out, i, floats_of(_mm256_cvtepu16_epi32(h)));
    }
    clv_codec_scalar.from16(byte_at(halves, 2 * i), n - i, (unsigned char *)out + 4 * i);
}

const clv_codec_kernel clv_codec_avx2 = {
    .name = "avx2",
    .present = present,
    .range = range,
    .outside = outside,
    .to8 = to8,
    .from8 = from8,
    .fold = fold,
    .unfold = unfold,
    .to16 = to16,
    .from16 = from16,
};
#else
typedef int clv_codec_avx2_is_for_x86;
#endif
