/* Quantising: the body of an encoding (tensor/codec_layout.h) from values, and back.
 *
 *     if (clv_codec_quantise(k, &layout, t->data, body)) ...;   // false: the values have no scale, send them raw
 *
 * A block of values from lo to hi gets the smallest step that its levels can span, so an error of half a step:
 *
 *     step >= (hi - lo) / levels,   zero = nearest(lo / step),   level = nearest(x / step) - zero,
 *     value = (level + zero) * step
 *
 * 0 is always a level or beyond the range, so what a ReLU has cut off stays 0.
 *
 * q4 writes codes, each of which stands for a level. Of a block without values below 0, as a ReLU
 * leaves it, there are 256 levels, and code k is level 255 (k / 15)^1.5: most values are small
 * there, and a code then stands for a narrow range of them. Of any other block the codes are its 16
 * levels. Which of both it is, its zero says: one below 0 is of the other kind. (A lo that is within half
 * a step of 0, of 16 levels, counts as 0.) lo and hi leave out the floor(n / 2000) lowest and as many of
 * the highest of the block's n values (0.05 % at each end, exactly, found in one pass with two small heaps);
 * these come out as the lowest and highest levels.
 *
 * Sources: affine quantisation as of Jacob et al., "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference", 2018. Differences: the range is not widened to hold
 * 0 (the zero has 16 bits, not 8), and channels of few values share a scale. Companding: the least
 * mean squared error has codes as dense as the cube root of the values (Panter and Dite,
 * "Quantization distortion in pulse-count modulation with nonuniform spacing of levels", 1951); the
 * power of 1.5 is near to that for values that fall off exponentially, and needs no table of its own in the encoding.
 *
 * Threads: any. Private to tensor/.
 */
#ifndef CLV_TENSOR_CODEC_QUANT_H
#define CLV_TENSOR_CODEC_QUANT_H

#include "tensor/codec_layout.h"

/* A larger magnitude than this has no scale; nor have NaN, infinity. */
#define CLV_CODEC_VALUE_MAX 0x1p114f
/* Of an element's error, in steps: a half, and what two rounded products may add to it at 16 bits of zero. And
 * as many as its level is from that of its code. */
#define CLV_CODEC_ERROR_STEPS 0.51

/* The scale of values from lo to hi (both finite, at most CLV_CODEC_VALUE_MAX). `coarse`: the
 * step's lower half is 0. */
clv_codec_scale clv_codec_scale_of(float lo, float hi, int levels, bool coarse);

/* Writes the whole body. False when values have no scale, or memory for sorting out q4's extremes
 * is short; then `body` holds nothing of use. */
bool clv_codec_quantise(const clv_codec_kernel *k, const clv_codec_layout *l, const void *values,
                        unsigned char *body);
/* CLV_EPROTO for a scale or a level that no encoder writes. `body` has l->body_bytes. */
CLV_MUST
clv_status clv_codec_check_body(const clv_codec_layout *l, const unsigned char *body,
                                clv_error *err);
/* Of a checked body. */
void clv_codec_dequantise(const clv_codec_kernel *k, const clv_codec_layout *l,
                          const unsigned char *body, void *values);
/* The largest error of a checked body's elements, as in clv_codec_note. */
double clv_codec_error_max(const clv_codec_layout *l, const unsigned char *body);

#endif
