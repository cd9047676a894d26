/* Packers: general lossless compressors behind one table.
 *
 *     size_t n = clv_codec_pack(CLV_PACK_ZSTD, in, bytes, out, bytes - 1);   // 0: not smaller
 *     clv_codec_unpack(CLV_PACK_ZSTD, out, n, back, bytes, &err);            // exactly `bytes`, or an error
 *
 * Who unpacks knows the size before: nothing is allocated or believed for a size that packed bytes claim. Source: LZ4's block format
 * (liblz4), Zstandard (RFC 8878, libzstd, level 1).
 *
 * Threads: any. Private to tensor/.
 */
#ifndef CLV_TENSOR_CODEC_PACK_H
#define CLV_TENSOR_CODEC_PACK_H

#include "tensor/codec.h"

/* Bytes written to `out`, at most `room`; 0 when it takes more, or the packer is NONE. */
size_t clv_codec_pack(clv_pack pack, const void *in, size_t bytes, void *out, size_t room);
/* CLV_EPROTO unless `in` is one whole packing of exactly `bytes`. */
CLV_MUST
clv_status clv_codec_unpack(clv_pack pack, const void *in, size_t in_bytes, void *out, size_t bytes,
                            clv_error *err);

#endif
