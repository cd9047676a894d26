/* Where what is in an encoding: its head, and the body that is quantised values with their scales.
 *
 *   | bytes | of the head |
 *   | 0-2   | "clv" |
 *   | 3     | version, 2 |
 *   | 4     | quantisation (low half), packer (high half), numbers of the maps in codec.h |
 *   | 5     | element type, its ONNX number |
 *   | 6-7   | check of the shape: FNV-1a over rank and dimensions, folded to 16 bits |
 *   | 8-11  | bytes of the body before packing |
 *
 * Then the body, packed or not, to the end. The body of raw is the elements; of f16, halves. That
 * of q8, q8c and q4 is the scales of all blocks, then the levels. A block is what shares a scale:
 * for q8 the tensor; for q8c and q4 a channel (dimension 1 of one item of dimension 0), or as many
 * neighbouring ones as come to CLV_CODEC_BLOCK_MIN values. Scales are stored by byte planes, all
 * first bytes, all second ones, and so on, since equal bytes side by side pack well: the step as a
 * float (q4: its upper half), and the zero, 16 bits with sign. Levels: a byte each; q4 codes
 * for them, two a byte, the first in the low half, each block from a new byte on. All little-endian.
 *
 *     clv_codec_layout l = clv_codec_layout_of(CLV_QUANT_Q4, &t, values);
 *     for (clv_codec_block b = {0}; clv_codec_next_block(&l, &b);)
 *         ... b.n values from b.first on, their levels from byte b.levels_at of the body on, scale number b.index ...
 *
 * Values, no memory. Threads: any. Private to tensor/.
 */
#ifndef CLV_TENSOR_CODEC_LAYOUT_H
#define CLV_TENSOR_CODEC_LAYOUT_H

#include "tensor/codec.h"
#include "tensor/codec_kernel.h"

enum {
    CLV_CODEC_HEAD_BYTES = 12,
    CLV_CODEC_VERSION = 2,
    CLV_CODEC_BLOCK_MIN = 128,
    CLV_CODEC_ZERO_MAX = 32767
};
/* Steps outside these are a lie; within, no level is denormal or infinite. */
#define CLV_CODEC_STEP_MIN 0x1p-100f
#define CLV_CODEC_STEP_MAX 0x1p112f

typedef struct clv_codec_head {
    clv_codec codec;
    size_t body_bytes;
} clv_codec_head;

/* Of a tensor with dtype and shape of `t`. */
void clv_codec_put_head(clv_codec_head h, const clv_tensor *t, unsigned char *out);
/* EPROTO, EUNSUPPORTED: as clv_codec_decode(). That the body has the right size is still to be checked. */
CLV_MUST
clv_status clv_codec_get_head(const clv_tensor *t, clv_codec_head *out, clv_error *err);

typedef struct clv_codec_layout {
    clv_quant quant;
    size_t values;
    size_t item_values, block_values; /* of one item, of its blocks (the last one may have fewer) */
    size_t blocks;                    /* with a scale of their own; 0 for raw and f16 */
    size_t step_bytes, table_bytes;   /* of a stored step; of all scales */
    size_t body_bytes;
} clv_codec_layout;

/* `values` is the number of elements of `t`, which are F32 unless `quant` is RAW. */
clv_codec_layout clv_codec_layout_of(clv_quant quant, const clv_tensor *t, size_t values);

typedef struct clv_codec_block {
    size_t index, first, n, levels_at, level_bytes;
} clv_codec_block;
/* The next one, the first of a zeroed `b`; false behind the last. */
bool clv_codec_next_block(const clv_codec_layout *l, clv_codec_block *b);

/* Scale number i. Reading checks nothing; clv_codec_scale_sound() tells whether it may be used. */
void clv_codec_put_scale(const clv_codec_layout *l, size_t i, clv_codec_scale s,
                         unsigned char *body);
clv_codec_scale clv_codec_get_scale(const clv_codec_layout *l, size_t i, const unsigned char *body);
bool clv_codec_scale_sound(clv_codec_scale s);

#endif
