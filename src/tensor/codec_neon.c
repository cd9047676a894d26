/* The codecs' loops for NEON of 64-bit ARM: four floats at a time, what is left by the scalar ones. */
#include "tensor/codec_kernel.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <string.h>

static bool present(void)
{
    return true;
}

static inline const unsigned char *byte_at(const void *x, size_t i)
{
    return (const unsigned char *)x + i;
}

/* At any address: vld1q_f32 asks for a float's. */
static inline float32x4_t load(const void *x, size_t i)
{
    return vreinterpretq_f32_u8(vld1q_u8(byte_at(x, 4 * i)));
}

static inline void store(void *x, size_t i, float32x4_t v)
{
    vst1q_u8((unsigned char *)x + 4 * i, vreinterpretq_u8_f32(v));
}

static void range(const void *x, size_t n, clv_codec_range *r)
{
    float32x4_t lo[2], hi[2];
    uint32x4_t magnitude = vdupq_n_u32(r->magnitude);
    lo[0] = lo[1] = vdupq_n_f32(r->lo);
    hi[0] = hi[1] = vdupq_n_f32(r->hi);
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 2; k++) {
            float32x4_t v = load(x, i + 4 * k);
            lo[k] = vminq_f32(v, lo[k]);
            hi[k] = vmaxq_f32(v, hi[k]);
            magnitude = vmaxq_u32(magnitude, vreinterpretq_u32_f32(vabsq_f32(v)));
        }
    r->lo = vminvq_f32(vminq_f32(lo[0], lo[1]));
    r->hi = vmaxvq_f32(vmaxq_f32(hi[0], hi[1]));
    r->magnitude = vmaxvq_u32(magnitude);
    clv_codec_scalar.range(byte_at(x, 4 * i), n - i, r);
}

static size_t outside(const void *x, size_t n, float lo, float hi)
{
    const float32x4_t low = vdupq_n_f32(lo), high = vdupq_n_f32(hi);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        float32x4_t a = load(x, i), b = load(x, i + 4);
        uint32x4_t within = vandq_u32(vandq_u32(vcgeq_f32(a, low), vcleq_f32(a, high)),
                                      vandq_u32(vcgeq_f32(b, low), vcleq_f32(b, high)));
        if (vminvq_u32(within) == 0) break;
    }
    return i + clv_codec_scalar.outside(byte_at(x, 4 * i), n - i, lo, hi);
}

typedef struct scales {
    float32x4_t inverse, zero, top;
    int32x4_t base;
} scales;

static inline scales scales_of(const clv_codec_scale *s)
{
    return (scales){vdupq_n_f32(s->inverse), vdupq_n_f32(s->zero), vdupq_n_f32(s->zero + 255),
                    vdupq_n_s32((int)s->zero)};
}

static inline uint16x4_t levels_of(const void *x, size_t i, const scales *s)
{
    float32x4_t v = vmulq_f32(load(x, i), s->inverse);
    v = vminq_f32(vmaxq_f32(v, s->zero), s->top);
    return vmovn_u32(vreinterpretq_u32_s32(vsubq_s32(vcvtnq_s32_f32(v), s->base)));
}

static inline uint8x16_t bytes_of_16(const void *x, size_t i, const scales *s)
{
    uint16x8_t a = vcombine_u16(levels_of(x, i, s), levels_of(x, i + 4, s));
    uint16x8_t b = vcombine_u16(levels_of(x, i + 8, s), levels_of(x, i + 12, s));
    return vcombine_u8(vmovn_u16(a), vmovn_u16(b));
}

static void to8(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out)
{
    const scales by = scales_of(s);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) vst1q_u8(out + i, bytes_of_16(x, i, &by));
    clv_codec_scalar.to8(byte_at(x, 4 * i), n - i, s, out + i);
}

static inline void put_4(uint16x4_t q, const clv_codec_scale *s, void *out, size_t i)
{
    float32x4_t v = vcvtq_f32_u32(vmovl_u16(q));
    store(out, i, vmulq_n_f32(vaddq_f32(v, vdupq_n_f32(s->zero)), s->step));
}

static inline void put_8(uint8x8_t q, const clv_codec_scale *s, void *out, size_t i)
{
    uint16x8_t wide = vmovl_u8(q);
    put_4(vget_low_u16(wide), s, out, i);
    put_4(vget_high_u16(wide), s, out, i + 4);
}

static void from8(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) put_8(vld1_u8(levels + i), s, out, i);
    clv_codec_scalar.from8(levels + i, n - i, s, (unsigned char *)out + 4 * i);
}

static void fold(const uint8_t *levels, size_t n, const clv_codec_book *b, uint8_t *codes)
{
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint8x16_t q = vld1q_u8(levels + i), code = vdupq_n_u8(0);
        for (int k = 0; k < CLV_CODEC_CODES - 1; k++)
            code = vsubq_u8(code, vcgeq_u8(q, vdupq_n_u8(b->threshold[k])));
        uint8x16_t pairs = vorrq_u8(vuzp1q_u8(code, code), vshlq_n_u8(vuzp2q_u8(code, code), 4));
        vst1_u8(codes + i / 2, vget_low_u8(pairs));
    }
    clv_codec_scalar.fold(levels + i, n - i, b, codes + i / 2);
}

static void unfold(const uint8_t *codes, size_t n, const clv_codec_book *b, uint8_t *levels)
{
    const uint8x16_t level = vld1q_u8(b->level);
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        uint8x8_t c = vld1_u8(codes + i / 2);
        uint8x8_t first = vand_u8(c, vdup_n_u8(15)), second = vshr_n_u8(c, 4);
        uint8x16_t both = vcombine_u8(vzip1_u8(first, second), vzip2_u8(first, second));
        vst1q_u8(levels + i, vqtbl1q_u8(level, both));
    }
    clv_codec_scalar.unfold(codes + i / 2, n - i, b, levels + i);
}

static void to16(const void *x, size_t n, void *out)
{
    unsigned char *to = out;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) vst1_u8(to + 2 * i, vreinterpret_u8_f16(vcvt_f16_f32(load(x, i))));
    clv_codec_scalar.to16(byte_at(x, 4 * i), n - i, to + 2 * i);
}

static void from16(const void *halves, size_t n, void *out)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        store(out, i, vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(byte_at(halves, 2 * i)))));
    clv_codec_scalar.from16(byte_at(halves, 2 * i), n - i, (unsigned char *)out + 4 * i);
}

const clv_codec_kernel clv_codec_neon = {
    .name = "neon",
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
typedef int clv_codec_neon_is_for_arm;
#endif
