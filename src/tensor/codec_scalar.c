/* The codecs' loops in plain C: what the SIMD ones must equal. */
#include "tensor/codec_kernel.h"

#include <string.h>

static bool present(void)
{
    return true;
}

static uint32_t bits_at(const void *x, size_t i)
{
    uint32_t bits;
    memcpy(&bits, (const unsigned char *)x + 4 * i, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static void range(const void *x, size_t n, clv_codec_range *r)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = bits_at(x, i), magnitude = bits & 0x7fffffff;
        float f = float_of(bits);
        r->lo = f < r->lo ? f : r->lo;
        r->hi = f > r->hi ? f : r->hi;
        r->magnitude = magnitude > r->magnitude ? magnitude : r->magnitude;
    }
}

static size_t outside(const void *x, size_t n, float lo, float hi)
{
    for (size_t i = 0; i < n; i++) {
        float f = float_of(bits_at(x, i));
        if (!(f >= lo && f <= hi)) return i;
    }
    return n;
}

/* Nearest integer, ties to even, of |v| < 2^22: where 1.5 * 2^23 is added, the last bit of a float counts ones. */
static int32_t nearest(float v)
{
    const float shift = 12582912.0f;
    return (int32_t)(bits_of(v + shift) - bits_of(shift));
}

static uint8_t level(float x, const clv_codec_scale *s, float top)
{
    float v = x * s->inverse;
    v = v > s->zero ? v : s->zero;
    v = v < top ? v : top;
    return (uint8_t)(nearest(v) - (int32_t)s->zero);
}

static void to8(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out)
{
    float top = s->zero + 255;
    for (size_t i = 0; i < n; i++) out[i] = level(float_of(bits_at(x, i)), s, top);
}

/* Thresholds do not fall: by halves. */
static uint8_t code_of(uint8_t level, const clv_codec_book *b)
{
    unsigned code = 0;
    for (unsigned half = CLV_CODEC_CODES / 2; half; half /= 2)
        if (level >= b->threshold[code + half - 1]) code += half;
    return (uint8_t)code;
}

static void fold(const uint8_t *levels, size_t n, const clv_codec_book *b, uint8_t *codes)
{
    for (size_t i = 0; i < n; i += 2) {
        uint8_t high = i + 1 < n ? code_of(levels[i + 1], b) : 0;
        codes[i / 2] = (uint8_t)(code_of(levels[i], b) | high << 4);
    }
}

static void unfold(const uint8_t *codes, size_t n, const clv_codec_book *b, uint8_t *levels)
{
    for (size_t i = 0; i < n; i++) levels[i] = b->level[codes[i / 2] >> (i % 2 * 4) & 15];
}

static void put(void *out, size_t i, float f)
{
    memcpy((unsigned char *)out + 4 * i, &f, sizeof f);
}

static void from8(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out)
{
    for (size_t i = 0; i < n; i++) put(out, i, ((float)levels[i] + s->zero) * s->step);
}

enum {
    HALF_INFINITY = 0x7c00,
    HALF_QUIET = 0x200,
    NORMAL_BITS = 0x38800000,   /* of 2^-14, the least normal half */
    OVERFLOW_BITS = 0x47800000, /* of 2^16, above every half */
    INFINITY_BITS = 0x7f800000,
    REBIAS = 112 << 23 /* difference of the biases of the exponents */
};

static uint16_t half_of(uint32_t bits)
{
    uint32_t x = bits & 0x7fffffff, half;
    if (x > INFINITY_BITS)
        half = HALF_INFINITY | HALF_QUIET | (x >> 13 & 0x3ff);
    else if (x >= OVERFLOW_BITS)
        half = HALF_INFINITY;
    else if (x >= NORMAL_BITS)
        half = (x - REBIAS + 0xfff + (x >> 13 & 1)) >> 13;
    else /* the last bit of 0.5 is that of a denormal half */
        half = bits_of(float_of(x) + 0.5f) - bits_of(0.5f);
    return (uint16_t)(half | (bits >> 16 & 0x8000));
}

static uint32_t bits_of_half(uint16_t half)
{
    uint32_t x = half & 0x7fffu, sign = (uint32_t)(half & 0x8000) << 16;
    if (x > HALF_INFINITY) return sign | INFINITY_BITS | (HALF_QUIET | (x & 0x3ff)) << 13;
    if (x == HALF_INFINITY) return sign | INFINITY_BITS;
    if (x < 0x400) return sign | bits_of((float)x * 0x1p-24f);
    return sign | ((x << 13) + REBIAS);
}

static void to16(const void *x, size_t n, void *out)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half = half_of(bits_at(x, i));
        memcpy((unsigned char *)out + 2 * i, &half, sizeof half);
    }
}

static void from16(const void *halves, size_t n, void *out)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, (const unsigned char *)halves + 2 * i, sizeof half);
        put(out, i, float_of(bits_of_half(half)));
    }
}

const clv_codec_kernel clv_codec_scalar = {
    .name = "scalar",
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
