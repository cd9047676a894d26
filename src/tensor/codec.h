/* How a tensor is written for the wire: fewer bytes, for some time and, where it is lossy, some accuracy.
 *
 *     clv_codec codec;
 *     clv_codec_parse("q8+zstd", &codec, &err);
 *     clv_tensor coded, back;
 *     clv_codec_encode(codec, &t, &coded, &err);       // coded.coded; same name, dtype and shape
 *     clv_codec_decode(&coded, &back, &err);           // believes nothing
 *
 * A codec is a quantisation and a packer. Quantisations are of F32; other types go as they are, so a
 * codec fits every tensor, and integers are lossless in all of them:
 *
 *   | name | bytes of 4 | what |
 *   | raw  | 4          | as it is |
 *   | f16  | 2          | IEEE half, rounded to nearest even; what overflows is infinite |
 *   | q8   | 1          | 8 bits, one scale and zero for the tensor |
 *   | q8c  | 1          | 8 bits, a scale and zero for each channel (dimension 1) of each item (dimension 0) |
 *   | q4   | 1/2        | 4 bits for each channel of each item, the range clipped to that of 99.9 % of the values; finer near 0 where none is below it |
 *
 * and packers: none, lz4, zstd (level 1). A packed payload that is not smaller is sent unpacked. A tensor
 * with NaN, infinity or magnitudes above 2^114 is sent raw by q8, q8c and q4: it has no scale; and so is a tensor
 * of so few values that a scale would take more than it saves. Channels of fewer than 128 values share a scale with
 * their neighbours. Rank 0 and 1 are one channel.
 *
 * The encoding describes itself, so a codec is an agreement about cost, not about reading: any reader of
 * this version decodes whatever comes, and another version refuses it by the first bytes. Layout:
 * tensor/codec_layout.h and docs/codecs.md.
 *
 * Results are the same to the bit whichever of the scalar and SIMD paths ran (AVX2, AVX-512, NEON; chosen
 * once at run time).
 *
 * Ownership: encode and decode make fresh memory, released with the tensor. Threads: any.
 * Errors: CLV_EPROTO: an encoding that lies (magic, shape, dtype, counts, scales, sizes);
 * CLV_EUNSUPPORTED: of another version; CLV_ELIMIT: decodes to more than CLV_TENSOR_BYTES_MAX.
 *
 * Source: feature codecs of split computing (BottleNet++, Shao and Zhang 2020; Cohen et al. 2020) use learned
 * or entropy-coded quantisers; affine quantisation with a general packer comes within some per cent of
 * their size without training (docs/codecs.md).
 */
#ifndef CLV_TENSOR_CODEC_H
#define CLV_TENSOR_CODEC_H

#include "tensor/tensor.h"

/* name, is it lossy for F32, about */
#define CLV_QUANT_MAP(X)                                                                           \
    X(RAW, "raw", false, "as it is")                                                               \
    X(F16, "f16", true, "half precision")                                                          \
    X(Q8, "q8", true, "8 bits, one scale for the tensor")                                          \
    X(Q8C, "q8c", true, "8 bits, a scale for each channel")                                        \
    X(Q4, "q4", true, "4 bits, a clipped scale for each channel")
typedef enum clv_quant {
#define X(name, text, lossy, about) CLV_QUANT_##name,
    CLV_QUANT_MAP(X)
#undef X
        CLV_QUANT_COUNT
} clv_quant;

#define CLV_PACK_MAP(X)                                                                            \
    X(NONE, "", "not packed")                                                                      \
    X(LZ4, "lz4", "fast")                                                                          \
    X(ZSTD, "zstd", "small")
typedef enum clv_pack {
#define X(name, text, about) CLV_PACK_##name,
    CLV_PACK_MAP(X)
#undef X
        CLV_PACK_COUNT
} clv_pack;

typedef struct clv_codec {
    clv_quant quant;
    clv_pack pack;
} clv_codec;

/* All of them, raw first: codec number i of this table is what plans and profiles call by its name. */
enum { CLV_CODECS = CLV_QUANT_COUNT * CLV_PACK_COUNT };
clv_codec clv_codec_at(size_t i);
size_t clv_codec_index(clv_codec c);
bool clv_codec_lossy(clv_codec c);
typedef struct clv_codec_text {
    char s[16];
} clv_codec_text;
clv_codec_text clv_codec_show(clv_codec c); /* "raw", "q8", "q8+zstd" */
CLV_MUST
clv_status clv_codec_parse(const char *text, clv_codec *out, clv_error *err);

/* Bytes that an encoding may take at the most. */
size_t clv_codec_bytes_max(clv_codec c, const clv_tensor *t);
/* `t` is plain, sound (clv_tensor_check()) and stays the caller's. */
CLV_MUST
clv_status clv_codec_encode(clv_codec c, const clv_tensor *t, clv_tensor *out, clv_error *err);
/* `t` is coded. Checks everything that the encoding says against the tensor's dtype and shape
 * before it allocates; so check dtype and shape against what is expected first, as with any tensor
 * of a peer: a short encoding may rightly be a large tensor of zeros. A plain tensor in, a view of
 * it out. */
CLV_MUST
clv_status clv_codec_decode(const clv_tensor *t, clv_tensor *out, clv_error *err);
/* In which codec an encoding is, by its head alone: of a tensor that may still be a lie behind it. */
CLV_MUST
clv_status clv_codec_of(const clv_tensor *coded, clv_codec *out, clv_error *err);
/* How the encoding was really written (raw where values had no scale, unpacked where packing did
 * not help), and the largest absolute error that any element may have come to; clipped ones aside
 * for q4, infinite where f16 overflowed. Unpacks the whole. */
typedef struct clv_codec_note {
    clv_codec codec;
    double error_max;
} clv_codec_note;
CLV_MUST
clv_status clv_codec_read_note(const clv_tensor *coded, clv_codec_note *out, clv_error *err);

/* The paths that this processor has, for tests and benches: 0 is the scalar one, the last the one in use. */
size_t clv_codec_paths(void);
const char *clv_codec_path_name(size_t path);
/* As above, with a path of one's choice. */
CLV_MUST
clv_status clv_codec_encode_by(size_t path, clv_codec c, const clv_tensor *t, clv_tensor *out,
                               clv_error *err);
CLV_MUST
clv_status clv_codec_decode_by(size_t path, const clv_tensor *t, clv_tensor *out, clv_error *err);

#endif
