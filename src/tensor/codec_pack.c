#include "tensor/codec_pack.h"

#include <lz4.h>
#include <string.h>
#include <zstd.h>

enum { ZSTD_LEVEL = 1 };

typedef struct packer {
    size_t (*pack)(const void *in, size_t bytes, void *out, size_t room);
    bool (*unpack)(const void *in, size_t in_bytes, void *out, size_t bytes);
} packer;

static size_t none_pack(const void *in, size_t bytes, void *out, size_t room)
{
    (void)in, (void)bytes, (void)out, (void)room;
    return 0;
}

static bool none_unpack(const void *in, size_t in_bytes, void *out, size_t bytes)
{
    if (in_bytes != bytes) return false;
    if (bytes) memcpy(out, in, bytes);
    return true;
}

static size_t lz4_pack(const void *in, size_t bytes, void *out, size_t room)
{
    if (bytes > LZ4_MAX_INPUT_SIZE) return 0;
    int n = LZ4_compress_default(in, out, (int)bytes, (int)room);
    return n > 0 ? (size_t)n : 0;
}

static bool lz4_unpack(const void *in, size_t in_bytes, void *out, size_t bytes)
{
    if (in_bytes > LZ4_MAX_INPUT_SIZE || bytes > LZ4_MAX_INPUT_SIZE) return false;
    return LZ4_decompress_safe(in, out, (int)in_bytes, (int)bytes) == (int)bytes;
}

static size_t zstd_pack(const void *in, size_t bytes, void *out, size_t room)
{
    size_t n = ZSTD_compress(out, room, in, bytes, ZSTD_LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

/* One frame, with its size in it: what zstd_pack() writes. Not several, and none of the old formats that the library may know. */
static bool zstd_unpack(const void *in, size_t in_bytes, void *out, size_t bytes)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (in_bytes < sizeof frame || memcmp(in, frame, sizeof frame) != 0) return false;
    if (ZSTD_getFrameContentSize(in, in_bytes) != bytes) return false;
    if (ZSTD_findFrameCompressedSize(in, in_bytes) != in_bytes) return false;
    return ZSTD_decompress(out, bytes, in, in_bytes) == bytes;
}

static const packer packers[CLV_PACK_COUNT] = {
    [CLV_PACK_NONE] = {none_pack, none_unpack},
    [CLV_PACK_LZ4] = {lz4_pack, lz4_unpack},
    [CLV_PACK_ZSTD] = {zstd_pack, zstd_unpack},
};

size_t clv_codec_pack(clv_pack pack, const void *in, size_t bytes, void *out, size_t room)
{
    return bytes && room ? packers[pack].pack(in, bytes, out, room) : 0;
}

clv_status clv_codec_unpack(clv_pack pack, const void *in, size_t in_bytes, void *out, size_t bytes,
                            clv_error *err)
{
    static const char *const names[CLV_PACK_COUNT] = {
#define X(name, text, about) [CLV_PACK_##name] = text,
        CLV_PACK_MAP(X)
#undef X
    };
    if (packers[pack].unpack(in, in_bytes, out, bytes)) return CLV_OK;
    if (pack == CLV_PACK_NONE)
        return clv_fail(err, CLV_EPROTO, "a body of %zu bytes, %zu are said", in_bytes, bytes);
    return clv_fail(err, CLV_EPROTO, "%zu bytes of %s do not give the %zu that are said", in_bytes,
                    names[pack], bytes);
}
