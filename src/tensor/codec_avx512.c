/* The codecs' loops for AVX-512 (F, BW, VL): sixteen floats at a time, what is left by masks. */
#include "tensor/codec_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl")))
enum { LANES = 16 };

static bool present(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

static inline __mmask16 first_lanes(size_t n)
{
    return (__mmask16)(n >= LANES ? 0xffff : (1u << n) - 1);
}

static inline const unsigned char *float_at(const void *x, size_t i)
{
    return (const unsigned char *)x + 4 * i;
}

AVX512 static void range(const void *x, size_t n, clv_codec_range *r)
{
    __m512 lo[2], hi[2];
    __m512i magnitude = _mm512_set1_epi32((int)r->magnitude);
    const __m512i unsign = _mm512_set1_epi32(0x7fffffff);
    lo[0] = lo[1] = _mm512_set1_ps(r->lo);
    hi[0] = hi[1] = _mm512_set1_ps(r->hi);
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES)
        for (size_t k = 0; k < 2; k++) {
            __m512 v = _mm512_loadu_ps(float_at(x, i + k * LANES));
            lo[k] = _mm512_min_ps(v, lo[k]);
            hi[k] = _mm512_max_ps(v, hi[k]);
            magnitude =
                _mm512_max_epu32(magnitude, _mm512_and_si512(_mm512_castps_si512(v), unsign));
        }
    for (; i < n; i += LANES) {
        __mmask16 m = first_lanes(n - i);
        __m512 v = _mm512_maskz_loadu_ps(m, float_at(x, i));
        lo[0] = _mm512_mask_min_ps(lo[0], m, v, lo[0]);
        hi[0] = _mm512_mask_max_ps(hi[0], m, v, hi[0]);
        magnitude = _mm512_max_epu32(magnitude, _mm512_and_si512(_mm512_castps_si512(v), unsign));
    }
    r->lo = _mm512_reduce_min_ps(_mm512_min_ps(lo[0], lo[1]));
    r->hi = _mm512_reduce_max_ps(_mm512_max_ps(hi[0], hi[1]));
    r->magnitude = _mm512_reduce_max_epu32(magnitude);
}

AVX512 static size_t outside(const void *x, size_t n, float lo, float hi)
{
    const __m512 low = _mm512_set1_ps(lo), high = _mm512_set1_ps(hi);
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = first_lanes(n - i);
        __m512 v = _mm512_maskz_loadu_ps(m, float_at(x, i));
        m &= (__mmask16)(_mm512_cmp_ps_mask(v, low, _CMP_NGE_UQ) |
                         _mm512_cmp_ps_mask(v, high, _CMP_NLE_UQ));
        if (m) return i + (size_t)__builtin_ctz(m);
    }
    return n;
}

typedef struct scales {
    __m512 inverse, zero, top;
    __m512i base;
} scales;

AVX512 static inline scales scales_of(const clv_codec_scale *s)
{
    return (scales){_mm512_set1_ps(s->inverse), _mm512_set1_ps(s->zero),
                    _mm512_set1_ps(s->zero + 255), _mm512_set1_epi32((int)s->zero)};
}

AVX512 static inline __m512i levels_of(__m512 v, const scales *s)
{
    v = _mm512_mul_ps(v, s->inverse);
    v = _mm512_min_ps(_mm512_max_ps(v, s->zero), s->top);
    return _mm512_sub_epi32(_mm512_cvtps_epi32(v), s->base);
}

AVX512 static void to8(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out)
{
    const scales by = scales_of(s);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        __m512i q = levels_of(_mm512_loadu_ps(float_at(x, i)), &by);
        _mm_storeu_si128((__m128i *)(void *)(out + i), _mm512_cvtepi32_epi8(q));
    }
    if (i < n) {
        __mmask16 m = first_lanes(n - i);
        __m512i q = levels_of(_mm512_maskz_loadu_ps(m, float_at(x, i)), &by);
        _mm512_mask_cvtepi32_storeu_epi8(out + i, m, q);
    }
}

AVX512 static void from8(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out)
{
    const __m512 step = _mm512_set1_ps(s->step), zero = _mm512_set1_ps(s->zero);
    unsigned char *to = out;
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = first_lanes(n - i);
        __m512 q = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(m, levels + i)));
        _mm512_mask_storeu_ps(to + 4 * i, m, _mm512_mul_ps(_mm512_add_ps(q, zero), step));
    }
}

static inline __mmask64 first_bytes(size_t n)
{
    return n >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << n) - 1;
}

AVX512 static void fold(const uint8_t *levels, size_t n, const clv_codec_book *b, uint8_t *codes)
{
    const __m512i weights = _mm512_set1_epi16(1 | 16 << 8), one = _mm512_set1_epi8(1);
    for (size_t i = 0; i < n; i += 64) {
        __mmask64 m = first_bytes(n - i);
        __m512i q = _mm512_maskz_loadu_epi8(m, levels + i), code = _mm512_setzero_si512();
        for (int k = 0; k < CLV_CODEC_CODES - 1; k++) {
            __m512i least = _mm512_set1_epi8((char)b->threshold[k]);
            code = _mm512_mask_add_epi8(code, _mm512_mask_cmpge_epu8_mask(m, q, least), code, one);
        }
        __m512i pairs = _mm512_maddubs_epi16(code, weights);
        _mm512_mask_cvtepi16_storeu_epi8(codes + i / 2, (__mmask32)first_bytes((n - i + 1) / 2),
                                         pairs);
    }
}

AVX512 static void unfold(const uint8_t *codes, size_t n, const clv_codec_book *b, uint8_t *levels)
{
    const __m512i level =
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)b->level));
    for (size_t i = 0; i < n; i += 64) {
        __mmask32 bytes = (__mmask32)first_bytes((n - i + 1) / 2);
        __m512i c = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(bytes, codes + i / 2));
        c = _mm512_or_si512(c, _mm512_slli_epi16(c, 4)); /* the second into the high byte */
        c = _mm512_and_si512(c, _mm512_set1_epi8(15));
        _mm512_mask_storeu_epi8(levels + i, first_bytes(n - i), _mm512_shuffle_epi8(level, c));
    }
}

AVX512 static void to16(const void *x, size_t n, void *out)
{
    unsigned char *to = out;
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = first_lanes(n - i);
        __m512 v = _mm512_maskz_loadu_ps(m, float_at(x, i));
        _mm256_mask_storeu_epi16(to + 2 * i, m, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
}

AVX512 static void from16(const void *halves, size_t n, void *out)
{
    const unsigned char *from = halves;
    unsigned char *to = out;
    for (size_t i = 0; i < n; i += LANES) {
        __mmask16 m = first_lanes(n - i);
        __m512 v = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(m, from + 2 * i));
        _mm512_mask_storeu_ps(to + 4 * i, m, v);
    }
}

const clv_codec_kernel clv_codec_avx512 = {
    .name = "avx512",
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
typedef int clv_codec_avx512_is_for_x86;
#endif
