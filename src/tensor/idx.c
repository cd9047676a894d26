#include "tensor/idx.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Two zero bytes, the element type, the rank; a big-endian 32-bit size for each dimension. */
enum { MAGIC_BYTES = 4, SIZE_BYTES = 4 };
enum { GZIP_WINDOW = 15 + 16 }; /* zlib: the largest window, with gzip's header and checksum */
enum { DEFLATE_RATIO = 1032 };  /* no deflate stream makes more of a byte */

static const struct {
    unsigned char code;
    clv_dtype dtype;
} known_types[] = {{0x08, CLV_U8},  {0x09, CLV_I8},  {0x0B, CLV_I16},
                   {0x0C, CLV_I32}, {0x0D, CLV_F32}, {0x0E, CLV_F64}};

/* Where the bytes come from: memory, or what zlib makes of it. */
typedef struct source {
    const unsigned char *at;
    size_t left;
    bool gzip;
    z_stream z;
} source;

static bool is_gzip(const unsigned char *b, size_t n)
{
    return n >= 2 && b[0] == 0x1F && b[1] == 0x8B;
}

bool clv_idx_looks_like(const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    if (is_gzip(b, n)) return true;
    for (size_t i = 0; n >= MAGIC_BYTES && i < CLV_COUNT(known_types); i++)
        if (b[0] == 0 && b[1] == 0 && b[2] == known_types[i].code) return true;
    return false;
}

static void source_done(source *s)
{
    if (s->gzip) inflateEnd(&s->z);
}

static clv_status source_start(source *s, const void *bytes, size_t n, clv_error *err)
{
    s->at = bytes;
    s->left = n;
    if (!is_gzip(s->at, n)) return CLV_OK;
    if (inflateInit2(&s->z, GZIP_WINDOW) != Z_OK)
        return clv_fail(err, CLV_ELIMIT, "no memory to unpack gzip");
    s->gzip = true;
    return CLV_OK;
}

/* zlib counts in 32 bits. */
static uInt piece(size_t n)
{
    return (uInt)CLV_MIN(n, (size_t)1 << 30);
}

static clv_status inflate_bytes(source *s, void *out, size_t n, clv_error *err)
{
    unsigned char *to = out;
    while (n > 0) {
        uInt in = piece(s->left), room = piece(n);
        memcpy(&s->z.next_in, &s->at, sizeof s->at); /* zlib does not write there */
        s->z.avail_in = in;
        s->z.next_out = to;
        s->z.avail_out = room;
        int code = inflate(&s->z, Z_NO_FLUSH);
        size_t made = room - s->z.avail_out;
        s->at += in - s->z.avail_in;
        s->left -= in - s->z.avail_in;
        to += made;
        n -= made;
        if (code == Z_STREAM_END && n > 0)
            return clv_fail(err, CLV_EINVAL, "truncated: %zu bytes are missing", n);
        if (code != Z_OK && code != Z_STREAM_END)
            return clv_fail(err, CLV_EINVAL, "%s",
                            code == Z_BUF_ERROR ? "truncated gzip" : "damaged gzip");
    }
    return CLV_OK;
}

static clv_status take(source *s, void *out, size_t n, clv_error *err)
{
    if (s->gzip) return inflate_bytes(s, out, n, err);
    if (n > s->left)
        return clv_fail(err, CLV_EINVAL, "truncated: %zu bytes are missing", n - s->left);
    if (n > 0) memcpy(out, s->at, n);
    s->at += n;
    s->left -= n;
    return CLV_OK;
}

/* Nothing follows the elements; of gzip also its checksum is right. */
static clv_status expect_end(source *s, clv_error *err)
{
    if (!s->gzip)
        return s->left ? clv_fail(err, CLV_EINVAL, "%zu bytes behind the last element", s->left)
                       : CLV_OK;
    unsigned char more;
    memcpy(&s->z.next_in, &s->at, sizeof s->at);
    s->z.avail_in = piece(s->left);
    s->z.next_out = &more;
    s->z.avail_out = 1;
    int code = inflate(&s->z, Z_FINISH);
    if (s->z.avail_out == 0) return clv_fail(err, CLV_EINVAL, "unpacks to more than its elements");
    if (code != Z_STREAM_END)
        return clv_fail(err, CLV_EINVAL, "gzip ends early or its checksum is wrong");
    size_t behind = s->left - (piece(s->left) - s->z.avail_in);
    return behind ? clv_fail(err, CLV_EINVAL, "%zu bytes behind the gzip stream", behind) : CLV_OK;
}

/* `*dtype` is CLV_DTYPE_NONE before. */
static clv_status read_header(source *s, clv_dtype *dtype, clv_shape *shape, clv_error *err)
{
    unsigned char magic[MAGIC_BYTES];
    clv_status st = take(s, magic, sizeof magic, err);
    if (st) return st;
    if (magic[0] || magic[1])
        return clv_fail(err, CLV_EINVAL, "begins with %02x%02x, an idx file with 0000", magic[0],
                        magic[1]);
    for (size_t i = 0; i < CLV_COUNT(known_types); i++)
        if (known_types[i].code == magic[2]) *dtype = known_types[i].dtype;
    if (*dtype == CLV_DTYPE_NONE)
        return clv_fail(err, CLV_EINVAL, "element type %02x: idx files have 08, 09 and 0b to 0e",
                        magic[2]);
    if (magic[3] > CLV_RANK_MAX)
        return clv_fail(err, CLV_ELIMIT, "%d dimensions, at most %d are allowed", magic[3],
                        CLV_RANK_MAX);
    shape->rank = magic[3];
    for (int i = 0; i < shape->rank; i++) {
        unsigned char b[SIZE_BYTES];
        st = take(s, b, sizeof b, err);
        if (st) return st;
        shape->dim[i] =
            (int64_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
    }
    return CLV_OK;
}

/* What the header claims must be there, or possible, before memory is taken for it. */
static clv_status check_claim(const source *s, clv_dtype dtype, const clv_shape *shape,
                              clv_error *err)
{
    size_t count, size = clv_dtype_bytes(dtype);
    clv_status st = clv_shape_count(shape, &count, err);
    if (st) return st;
    if (count > CLV_TENSOR_BYTES_MAX / size)
        return clv_fail(err, CLV_ELIMIT, "%s: more than %zu bytes", clv_shape_show(shape).s,
                        CLV_TENSOR_BYTES_MAX);
    if (!s->gzip && count * size > s->left)
        return clv_fail(err, CLV_EINVAL, "truncated: %s needs %zu bytes, %zu are there",
                        clv_shape_show(shape).s, count * size, s->left);
    /* A byte of the stream may have gone into the header's bytes already, and some wait inside zlib. */
    if (s->gzip && count * size / DEFLATE_RATIO > s->left + 65536)
        return clv_fail(err, CLV_ELIMIT, "%s needs %zu bytes, more than %zu of gzip can hold",
                        clv_shape_show(shape).s, count * size, s->left);
    return CLV_OK;
}

static void swap_bytes(clv_tensor *t)
{
    size_t size = clv_dtype_bytes(t->dtype);
    unsigned char *at = t->data;
    for (size_t i = 0; size > 1 && i < t->bytes; i += size)
        for (size_t k = 0; k < size / 2; k++) {
            unsigned char low = at[i + k];
            at[i + k] = at[i + size - 1 - k];
            at[i + size - 1 - k] = low;
        }
}

clv_status clv_idx_parse(const void *bytes, size_t n, const char *name, clv_tensor *out,
                         clv_error *err)
{
    CLV_AUTO(source_done) source s = {0};
    clv_dtype dtype = CLV_DTYPE_NONE;
    clv_shape shape = {0};
    clv_tensor t;
    clv_status st = source_start(&s, bytes, n, err);
    if (!st) st = read_header(&s, &dtype, &shape, err);
    if (!st) st = check_claim(&s, dtype, &shape, err);
    if (!st) st = clv_tensor_new(&t, name, dtype, shape, err);
    if (st) return st;
    st = take(&s, t.data, t.bytes, err);
    if (!st) st = expect_end(&s, err);
    if (st) {
        clv_tensor_done(&t);
        return st;
    }
    swap_bytes(&t);
    *out = t;
    return CLV_OK;
}

clv_status clv_idx_read(const char *path, const char *name, clv_tensor *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status st = clv_file_read(path, CLV_TENSOR_BYTES_MAX, &file, err);
    if (st) return st;
    if (clv_idx_parse(file.data, file.len, name, out, err)) return clv_within(err, "%s", path);
    return CLV_OK;
}
