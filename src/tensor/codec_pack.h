/* Packers: general lossless compressors behind one table.
 *
 *     size_t n = clv_codec_pack(CLV_PACK_ZSTD, in, bytes, out, bytes - 1);   // 0: not smaller
 *     clv_codec_check_packed(CLV_PACK_ZSTD, out, n, bytes, &err);            // then make room for `bytes`
 *     clv_codec_unpack(CLV_PACK_ZSTD, out, n, back, bytes, &err);            // exactly `bytes`, or an error
 *
 * Who unpacks knows the size before, so what packed bytes claim is compared with it, never
 * followed. Source: LZ4's block format (liblz4), Zstandard (RFC 8878, libzstd, level 1).
 *
 * Threads: any. Private to tensor/.
 */
#ifndef CLV_TENSOR_CODEC_PACK_H
#define CLV_TENSOR_CODEC_PACK_H

#include "tensor/codec.h"

/* Bytes written to `out`, at most `room`; 0 when it takes more. `pack` is not NONE. */
size_t clv_codec_pack(clv_pack pack, const void *in, size_t bytes, void *out, size_t room);
/* CLV_EPROTO when `in` cannot be a packing of `bytes` (with NONE: is not as long), as far as its
 * length and its own head tell. To be asked before memory is made for them. */
CLV_MUST
clv_status clv_codec_check_packed(clv_pack pack, const void *in, size_t in_bytes, size_t bytes,
                                  clv_error *err);
/* Of a checked packing, not of NONE. CLV_EPROTO unless it is one whole packing of exactly `bytes`. */
CLV_MUST
clv_status clv_codec_unpack(clv_pack pack, const void *in, size_t in_bytes, void *out, size_t bytes,
                            clv_error *err);

#endif
