#include "tensor/codec_pack.h"

#include <lz4.h>
#include <string.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1, LZ4_RATIO_MAX = 255 };

typedef struct packer {
    size_t (*pack)(const void *in, size_t bytes, void *out, size_t room);
    bool (*may_be)(const void *in, size_t in_bytes, size_t bytes);
    bool (*unpack)(const void *in, size_t in_bytes, void *out, size_t bytes);
} packer;

static bool none_may_be(const void *in, size_t in_bytes, size_t bytes)
{
    (void)in;
    return in_bytes == bytes;
}

static size_t lz4_pack(const void *in, size_t bytes, void *out, size_t room)
{
    if (bytes > LZ4_MAX_INPUT_SIZE) return 0;
    int n = LZ4_compress_default(in, out, (int)bytes, (int)room);
    return n > 0 ? (size_t)n : 0;
}

static bool lz4_may_be(const void *in, size_t in_bytes, size_t bytes)
{
    (void)in;
    return in_bytes <= LZ4_MAX_INPUT_SIZE && bytes <= LZ4_MAX_INPUT_SIZE &&
           bytes / LZ4_RATIO_MAX <= in_bytes;
}

static bool lz4_unpack(const void *in, size_t in_bytes, void *out, size_t bytes)
{
    return LZ4_decompress_safe(in, out, (int)in_bytes, (int)bytes) == (int)bytes;
}

static size_t zstd_pack(const void *in, size_t bytes, void *out, size_t room)
{
    size_t n = ZSTD_compress(out, room, in, bytes, ZSTD_LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

/* One frame, with its size in it: what zstd_pack() writes. Not several, and none of the old formats
 * that the library may know. */
static bool zstd_may_be(const void *in, size_t in_bytes, size_t bytes)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd};
    return in_bytes >= sizeof frame && memcmp(in, frame, sizeof frame) == 0 &&
           ZSTD_getFrameContentSize(in, in_bytes) == bytes &&
           ZSTD_findFrameCompressedSize(in, in_bytes) == in_bytes;
}

static bool zstd_unpack(const void *in, size_t in_bytes, void *out, size_t bytes)
{
    return ZSTD_decompress(out, bytes, in, in_bytes) == bytes;
}

static const packer packers[CLV_PACK_COUNT] = {
    [CLV_PACK_NONE] = {.may_be = none_may_be},
    [CLV_PACK_LZ4] = {lz4_pack, lz4_may_be, lz4_unpack},
    [CLV_PACK_ZSTD] = {zstd_pack, zstd_may_be, zstd_unpack},
};

static clv_status not_that(clv_pack pack, size_t in_bytes, size_t bytes, clv_error *err)
{
    static const char *const names[CLV_PACK_COUNT] = {
#define X(name, text, about) [CLV_PACK_##name] = text,
        CLV_PACK_MAP(X)
#undef X
    };
    return clv_fail(err, CLV_EPROTO,
                    "encoding with %zu%s%s bytes, they do not give the %zu that it says", in_bytes,
                    pack ? " " : "", names[pack], bytes);
}

size_t clv_codec_pack(clv_pack pack, const void *in, size_t bytes, void *out, size_t room)
{
    return packers[pack].pack(in, bytes, out, room);
}

clv_status clv_codec_check_packed(clv_pack pack, const void *in, size_t in_bytes, size_t bytes,
                                  clv_error *err)
{
    return packers[pack].may_be(in, in_bytes, bytes) ? CLV_OK
                                                     : not_that(pack, in_bytes, bytes, err);
}

clv_status clv_codec_unpack(clv_pack pack, const void *in, size_t in_bytes, void *out, size_t bytes,
                            clv_error *err)
{
    return packers[pack].unpack(in, in_bytes, out, bytes) ? CLV_OK
                                                          : not_that(pack, in_bytes, bytes, err);
}
