#include "tensor/npy.h"

#include "base/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* File: "\x93NUMPY", version major and minor, length of the header (2 bytes, from 2.0 on 4 bytes,
 * little-endian), a Python dictionary as text, the elements. Source: numpy.lib.format. */
#define NPY_MAGIC "\x93NUMPY"
enum { MAGIC_BYTES = 6, PREFIX_V1 = 10, PREFIX_V2 = 12, HEADER_MAX = 65536, DESCR_MAX = 16 };

typedef struct npy_header {
    char descr[DESCR_MAX];
    bool has_descr, has_order, has_shape, fortran;
    clv_shape shape;
    size_t data_at; /* offset of the elements in the file */
} npy_header;

typedef struct scanner {
    const char *at, *end;
} scanner;

static bool skip(scanner *s, char c)
{
    while (s->at < s->end && isspace((unsigned char)*s->at)) s->at++;
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

/* A quoted word into `out`; false when it is none or too long. */
static bool scan_text(scanner *s, char *out, size_t cap)
{
    char quote = skip(s, '\'') ? '\'' : skip(s, '"') ? '"' : 0;
    if (!quote) return false;
    size_t n = 0;
    while (s->at < s->end && *s->at != quote && n + 1 < cap) out[n++] = *s->at++;
    out[n] = 0;
    return s->at < s->end && *s->at++ == quote;
}

static bool scan_word(scanner *s, const char *word)
{
    while (s->at < s->end && isspace((unsigned char)*s->at)) s->at++;
    size_t n = strlen(word);
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0) return false;
    s->at += n;
    return true;
}

static bool scan_shape(scanner *s, clv_shape *shape)
{
    if (!skip(s, '(')) return false;
    shape->rank = 0;
    while (!skip(s, ')')) {
        int64_t value = 0;
        const char *start = s->at;
        if (shape->rank == CLV_RANK_MAX) return false;
        while (s->at < s->end && isdigit((unsigned char)*s->at))
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, *s->at++ - '0', &value))
                return false;
        if (s->at == start) return false;
        shape->dim[shape->rank++] = value;
        skip(s, 'L'); /* Python 2 wrote long integers so */
        if (!skip(s, ',')) return skip(s, ')');
        while (s->at < s->end && isspace((unsigned char)*s->at)) s->at++;
    }
    return true;
}

static clv_status scan_dictionary(scanner *s, npy_header *h, clv_error *err)
{
    char key[32];
    if (!skip(s, '{')) return clv_fail(err, CLV_EINVAL, "header is no dictionary");
    while (!skip(s, '}')) {
        if (!scan_text(s, key, sizeof key) || !skip(s, ':'))
            return clv_fail(err, CLV_EINVAL, "header is no dictionary of known keys");
        if (strcmp(key, "descr") == 0) {
            if (!scan_text(s, h->descr, sizeof h->descr))
                return clv_fail(err, CLV_EUNSUPPORTED,
                                "structured or long dtype: only plain numbers");
            h->has_descr = true;
        } else if (strcmp(key, "fortran_order") == 0) {
            h->fortran = scan_word(s, "True");
            if (!h->fortran && !scan_word(s, "False"))
                return clv_fail(err, CLV_EINVAL, "fortran_order is neither True nor False");
            h->has_order = true;
        } else if (strcmp(key, "shape") == 0) {
            if (!scan_shape(s, &h->shape))
                return clv_fail(err, CLV_EINVAL, "shape is no tuple of at most %d sizes",
                                CLV_RANK_MAX);
            h->has_shape = true;
        } else {
            return clv_fail(err, CLV_EINVAL, "unknown key '%s' in the header", key);
        }
        if (!skip(s, ',') && !(s->at < s->end && *s->at == '}'))
            return clv_fail(err, CLV_EINVAL, "header is no dictionary");
    }
    if (!h->has_descr || !h->has_order || !h->has_shape)
        return clv_fail(err, CLV_EINVAL, "header lacks one of descr, fortran_order, shape");
    return CLV_OK;
}

static clv_status parse_header(const unsigned char *bytes, size_t n, npy_header *h, clv_error *err)
{
    if (n < PREFIX_V2 || memcmp(bytes, NPY_MAGIC, MAGIC_BYTES) != 0)
        return clv_fail(err, CLV_EINVAL, "not a .npy file");
    int major = bytes[6];
    if (major < 1 || major > 3)
        return clv_fail(err, CLV_EUNSUPPORTED, ".npy format %d.%d: 1.0 to 3.0 are known", major,
                        bytes[7]);
    size_t prefix = major == 1 ? PREFIX_V1 : PREFIX_V2;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > HEADER_MAX)
        return clv_fail(err, CLV_ELIMIT, "header of %zu bytes, at most %d", length, HEADER_MAX);
    if (length > n - prefix) return clv_fail(err, CLV_EINVAL, "ends within the header");
    const char *text = (const char *)bytes + prefix;
    h->data_at = prefix + length;
    return scan_dictionary(&(scanner){text, text + length}, h, err);
}

/* Header and size are sound; `*view` borrows `bytes`. */
static clv_status parse_view(const void *bytes, size_t n, const char *name, clv_tensor *view,
                             clv_error *err)
{
    npy_header h = {0};
    clv_status st = parse_header(bytes, n, &h, err);
    if (st) return st;
    clv_dtype dtype = clv_dtype_from_npy(h.descr);
    if (dtype == CLV_DTYPE_NONE)
        return clv_fail(err, CLV_EUNSUPPORTED, "dtype '%s': little-endian numbers and bool only",
                        h.descr);
    if (h.fortran)
        return clv_fail(err, CLV_EUNSUPPORTED, "Fortran order: save np.ascontiguousarray(x)");
    clv_tensor t =
        clv_tensor_view(name, dtype, h.shape, (const char *)bytes + h.data_at, n - h.data_at);
    st = clv_tensor_check(&t, err);
    if (st) {
        clv_tensor_done(&t);
        return st;
    }
    *view = t;
    return CLV_OK;
}

clv_status clv_npy_parse(const void *bytes, size_t n, const char *name, clv_tensor *out,
                         clv_error *err)
{
    clv_tensor view = {0};
    clv_status st = parse_view(bytes, n, name, &view, err);
    if (!st) st = clv_tensor_new(out, name, view.dtype, view.shape, err);
    if (!st && view.bytes) memcpy(out->data, view.data, view.bytes);
    clv_tensor_done(&view);
    return st;
}

clv_status clv_npy_read(const char *path, const char *name, clv_tensor *out, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf file = {0};
    clv_status st = clv_file_read(path, CLV_TENSOR_BYTES_MAX + HEADER_MAX, &file, err);
    if (st) return st;
    clv_tensor t = {0};
    if (parse_view(file.data, file.len, name, &t, err)) return clv_within(err, "%s", path);
    size_t data_at = file.len - t.bytes;
    t.release = free; /* the elements stay where the file was read to */
    t.owner = clv_buf_take(&file);
    t.data = (char *)t.owner + data_at;
    *out = t;
    return CLV_OK;
}

clv_status clv_npy_write(const char *path, const clv_tensor *t, clv_error *err)
{
    if (clv_tensor_check(t, err)) return clv_within(err, "%s", path);
    const char *descr = clv_dtype_npy(t->dtype);
    if (!descr)
        return clv_fail(err, CLV_EUNSUPPORTED, "%s: numpy has no dtype for %s", path,
                        clv_dtype_oip(t->dtype));
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    clv_buf_add(&b, NPY_MAGIC "\1\0\0\0", PREFIX_V1);
    clv_buf_printf(&b, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int i = 0; i < t->shape.rank; i++)
        clv_buf_printf(&b, i ? ", %lld" : "%lld", (long long)t->shape.dim[i]);
    clv_buf_text(&b, t->shape.rank == 1 ? ",), }" : "), }");
    while ((b.len + 1) % 64) clv_buf_char(&b, ' ');
    clv_buf_char(&b, '\n');
    size_t length = b.len - PREFIX_V1;
    b.data[8] = (char)(length & 255);
    b.data[9] = (char)(length >> 8);
    clv_buf_add(&b, t->data, t->bytes);
    return clv_file_write(path, b.data, b.len, err);
}
