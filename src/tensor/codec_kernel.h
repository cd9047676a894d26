/* The loops of the codecs, once for each kind of processor: the scalar ones say what is right, the
 * others give the same to the bit.
 *
 *     const clv_codec_kernel *k = clv_codec_kernel_at(clv_codec_paths() - 1);     // the best of this processor
 *     clv_codec_range r = clv_codec_no_range;
 *     k->range(x, n, &r);
 *     k->to8(x, n, &scale, levels);
 *
 * Why they agree: a level is one rounded product, two comparisons and one rounding to the nearest
 * integer, ties to even; a value is one exact sum and one rounded product. No sum of rounded things
 * is formed anywhere, so neither the width of a vector nor a fused multiply-add can show, and steps
 * keep so far from the ends of the exponent that flushing of denormals cannot either. All of it
 * supposes the default direction of rounding.
 *
 * Values and floats may lie at any address. Threads: any. Private to tensor/.
 */
#ifndef CLV_TENSOR_CODEC_KERNEL_H
#define CLV_TENSOR_CODEC_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What n values span. `magnitude` is the largest of their bits without sign: above those of
 * infinity there is a NaN, and then lo and hi mean nothing. */
typedef struct clv_codec_range {
    float lo, hi;
    uint32_t magnitude;
} clv_codec_range;
extern const clv_codec_range clv_codec_no_range; /* of no values */

/* Level q stands for (q + zero) * step. */
typedef struct clv_codec_scale {
    float step, inverse; /* inverse: 1 / step */
    float zero;          /* an integer of 16 bits */
} clv_codec_scale;

/* Sixteen of the levels, each with the code that is its place; a level that is none of them is
 * written as the nearest. */
enum { CLV_CODEC_CODES = 16 };
typedef struct clv_codec_book {
    uint8_t level[CLV_CODEC_CODES];
    uint8_t threshold[CLV_CODEC_CODES - 1]; /* the least level that has code k + 1; none falls */
} clv_codec_book;

typedef struct clv_codec_kernel {
    const char *name;
    bool (*present)(void); /* does this processor have it? */

    /* Widens *r by n floats at x. */
    void (*range)(const void *x, size_t n, clv_codec_range *r);
    /* Index of the first that is not within lo and hi (so is NaN), n if all are. */
    size_t (*outside)(const void *x, size_t n, float lo, float hi);

    /* Levels of n finite floats: nearest(x * inverse), kept between zero and zero + 255, less zero. */
    void (*to8)(const void *x, size_t n, const clv_codec_scale *s, uint8_t *out);
    /* n floats of their levels. */
    void (*from8)(const uint8_t *levels, size_t n, const clv_codec_scale *s, void *out);
    /* The codes of n levels: how many of the thresholds each has reached. Two a byte, the first in
     * the low half; an odd one leaves the last high half 0. */
    void (*fold)(const uint8_t *levels, size_t n, const clv_codec_book *b, uint8_t *codes);
    /* n levels of their codes. */
    void (*unfold)(const uint8_t *codes, size_t n, const clv_codec_book *b, uint8_t *levels);
    /* IEEE half: to nearest even, too large becomes infinite, a NaN stays one, quiet, with its upper bits. */
    void (*to16)(const void *x, size_t n, void *out);
    void (*from16)(const void *halves, size_t n, void *out);
} clv_codec_kernel;

extern const clv_codec_kernel clv_codec_scalar;
#if defined(__x86_64__)
extern const clv_codec_kernel clv_codec_avx2, clv_codec_avx512;
#elif defined(__aarch64__)
extern const clv_codec_kernel clv_codec_neon;
#endif

/* Of clv_codec_paths(); NULL behind the last. */
const clv_codec_kernel *clv_codec_kernel_at(size_t path);

#endif
