#include "tensor/codec.h"

#include "base/buf.h"
#include "tensor/codec_pack.h"
#include "tensor/codec_quant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct quant_row {
    const char *text;
    bool lossy;
} quant_row;

static const quant_row quant_rows[CLV_QUANT_COUNT] = {
#define X(name, text, lossy, about) [CLV_QUANT_##name] = {text, lossy},
    CLV_QUANT_MAP(X)
#undef X
};
static const char *const pack_texts[CLV_PACK_COUNT] = {
#define X(name, text, about) [CLV_PACK_##name] = text,
    CLV_PACK_MAP(X)
#undef X
};

clv_codec clv_codec_at(size_t i)
{
    return (clv_codec){(clv_quant)(i / CLV_PACK_COUNT), (clv_pack)(i % CLV_PACK_COUNT)};
}

size_t clv_codec_index(clv_codec c)
{
    return (size_t)c.quant * CLV_PACK_COUNT + (size_t)c.pack;
}

bool clv_codec_lossy(clv_codec c)
{
    return quant_rows[c.quant].lossy;
}

clv_codec_text clv_codec_show(clv_codec c)
{
    clv_codec_text text;
    const char *pack = pack_texts[c.pack];
    snprintf(text.s, sizeof text.s, "%s%s%s", quant_rows[c.quant].text, *pack ? "+" : "", pack);
    return text;
}

clv_status clv_codec_parse(const char *text, clv_codec *out, clv_error *err)
{
    for (size_t i = 0; i < CLV_CODECS; i++)
        if (strcmp(clv_codec_show(clv_codec_at(i)).s, text) == 0) {
            *out = clv_codec_at(i);
            return CLV_OK;
        }
    CLV_AUTO(clv_buf_done) clv_buf known = {0};
    for (size_t i = 0; i < CLV_CODECS; i++)
        clv_buf_printf(&known, "%s%s", i ? ", " : "", clv_codec_show(clv_codec_at(i)).s);
    return clv_fail(err, CLV_EINVAL, "unknown codec '%s': %s", text, known.data);
}

size_t clv_codec_bytes_max(clv_codec c, const clv_tensor *t)
{
    (void)
        c; /* values without a scale are sent raw by every codec, and so is what would take more */
    return CLV_CODEC_HEAD_BYTES + t->bytes;
}

/* --- encode --- */

/* A body with room for its head before it. Owned. */
typedef struct encoding {
    unsigned char *bytes;
    size_t body_bytes;
} encoding;

static clv_status no_memory(size_t bytes, clv_error *err)
{
    return clv_fail(err, CLV_ELIMIT, "no memory for %zu bytes", bytes);
}

/* The body of codec `quant` in `e`, or nothing where it is the tensor's own bytes: no other values
 * have a scale, or it takes no more as it is. */
static clv_status quantise(const clv_codec_kernel *k, clv_quant quant, const clv_tensor *t,
                           encoding *e, clv_error *err)
{
    size_t values;
    clv_status st = clv_shape_count(&t->shape, &values, err);
    if (st || quant == CLV_QUANT_RAW || t->dtype != CLV_F32 || !values) return st;
    clv_codec_layout l = clv_codec_layout_of(quant, t, values);
    if (l.body_bytes >= t->bytes) return CLV_OK;
    unsigned char *bytes = clv_try_alloc(CLV_CODEC_HEAD_BYTES + l.body_bytes);
    if (!bytes) return no_memory(l.body_bytes, err);
    if (clv_codec_quantise(k, &l, t->data, bytes + CLV_CODEC_HEAD_BYTES))
        *e = (encoding){bytes, l.body_bytes};
    else
        free(bytes);
    return CLV_OK;
}

/* The same body packed; NULL where that is not smaller. */
static unsigned char *pack_body(clv_pack pack, const unsigned char *body, size_t bytes, size_t *n)
{
    if (pack == CLV_PACK_NONE || bytes < 2) return NULL;
    unsigned char *out = clv_try_alloc(CLV_CODEC_HEAD_BYTES + bytes);
    *n = out ? clv_codec_pack(pack, body, bytes, out + CLV_CODEC_HEAD_BYTES, bytes - 1) : 0;
    if (*n) return out;
    free(out);
    return NULL;
}

static clv_status encode(const clv_codec_kernel *k, clv_codec c, const clv_tensor *t,
                         clv_tensor *out, clv_error *err)
{
    encoding e = {0};
    clv_status st = quantise(k, c.quant, t, &e, err);
    if (st) return st;
    if (!e.bytes) c.quant = CLV_QUANT_RAW;
    const unsigned char *body = e.bytes ? e.bytes + CLV_CODEC_HEAD_BYTES : t->data;
    size_t body_bytes = e.bytes ? e.body_bytes : t->bytes, n = body_bytes;
    unsigned char *data = pack_body(c.pack, body, body_bytes, &n);
    if (!data) {
        c.pack = CLV_PACK_NONE;
        n = body_bytes;
        data = clv_steal(&e.bytes);
    }
    free(e.bytes);
    if (!data) {
        data = clv_try_alloc(CLV_CODEC_HEAD_BYTES + n);
        if (!data) return no_memory(n, err);
        if (n) memcpy(data + CLV_CODEC_HEAD_BYTES, t->data, n);
    }
    clv_codec_put_head((clv_codec_head){c, body_bytes}, t, data);
    *out = (clv_tensor){.name = clv_strdup(t->name),
                        .dtype = t->dtype,
                        .shape = t->shape,
                        .data = data,
                        .bytes = CLV_CODEC_HEAD_BYTES + n,
                        .coded = true,
                        .release = free,
                        .owner = data};
    return CLV_OK;
}

/* --- decode --- */

/* What a coded tensor turns out to be, before anything is allocated. */
typedef struct plan {
    clv_codec_head head;
    clv_codec_layout layout;
    const unsigned char *packed;
    size_t packed_bytes, plain_bytes;
} plan;

static clv_status look(const clv_tensor *t, plan *p, clv_error *err)
{
    clv_status st = clv_codec_get_head(t, &p->head, err);
    if (st) return st;
    size_t values, size = clv_dtype_bytes(t->dtype);
    st = clv_shape_count(&t->shape, &values, err);
    if (st) return st;
    p->packed = (const unsigned char *)t->data + CLV_CODEC_HEAD_BYTES;
    p->packed_bytes = t->bytes - CLV_CODEC_HEAD_BYTES;
    p->plain_bytes = size ? values * size : p->head.body_bytes; /* of TEXT: as it says */
    if ((size && values > CLV_TENSOR_BYTES_MAX / size) || p->plain_bytes > CLV_TENSOR_BYTES_MAX)
        return clv_fail(err, CLV_ELIMIT, "%s %s decodes to more than %zu bytes",
                        clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s, CLV_TENSOR_BYTES_MAX);
    clv_quant quant = p->head.codec.quant;
    if (quant != CLV_QUANT_RAW && (t->dtype != CLV_F32 || !values))
        return clv_fail(err, CLV_EPROTO, "encoding of %s %s by %s", clv_dtype_oip(t->dtype),
                        clv_shape_show(&t->shape).s, quant_rows[quant].text);
    clv_tensor plain = {.dtype = t->dtype, .shape = t->shape, .bytes = p->plain_bytes};
    p->layout = clv_codec_layout_of(quant, &plain, values);
    if (p->layout.body_bytes != p->head.body_bytes)
        return clv_fail(err, CLV_EPROTO,
                        "encoding of %zu bytes before packing, %s %s by %s has %zu",
                        p->head.body_bytes, clv_dtype_oip(t->dtype), clv_shape_show(&t->shape).s,
                        quant_rows[quant].text, p->layout.body_bytes);
    return CLV_OK;
}

/* The checked body: where it lies in the encoding, or unpacked into *own. */
static clv_status unpack(const plan *p, unsigned char **own, const unsigned char **body,
                         clv_error *err)
{
    size_t bytes = p->head.body_bytes;
    clv_pack pack = p->head.codec.pack;
    clv_status st = clv_codec_check_packed(pack, p->packed, p->packed_bytes, bytes, err);
    if (st) return st;
    if (pack != CLV_PACK_NONE) {
        *own = clv_try_alloc(bytes);
        if (!*own) return no_memory(bytes, err);
        st = clv_codec_unpack(pack, p->packed, p->packed_bytes, *own, bytes, err);
        if (st) return st;
    }
    *body = *own ? *own : p->packed;
    return clv_codec_check_body(&p->layout, *body, err);
}

static clv_status decode(const clv_codec_kernel *k, const clv_tensor *t, clv_tensor *out,
                         clv_error *err)
{
    plan p;
    CLV_AUTO(clv_free) unsigned char *own = NULL;
    CLV_AUTO(clv_free) unsigned char *data = NULL;
    const unsigned char *body;
    clv_status st = look(t, &p, err);
    if (!st) st = unpack(&p, &own, &body, err);
    if (st) return st;
    if (p.layout.quant == CLV_QUANT_RAW && own) {
        data = clv_steal(&own);
    } else {
        data = clv_try_alloc(p.plain_bytes);
        if (!data) return no_memory(p.plain_bytes, err);
        if (p.layout.quant != CLV_QUANT_RAW)
            clv_codec_dequantise(k, &p.layout, body, data);
        else if (p.plain_bytes)
            memcpy(data, body, p.plain_bytes);
    }
    clv_tensor plain = clv_tensor_view(t->name, t->dtype, t->shape, data, p.plain_bytes);
    st = clv_tensor_check(&plain, err); /* TEXT may be unsound; others are what was made */
    if (st) {
        clv_tensor_done(&plain);
        return clv_fail(err, CLV_EPROTO, "encoding of BYTES that are not sound");
    }
    plain.release = free;
    plain.owner = clv_steal(&data);
    *out = plain;
    return CLV_OK;
}

/* --- the way in --- */

static clv_status kernel_of(size_t path, const clv_codec_kernel **k, clv_error *err)
{
    *k = clv_codec_kernel_at(path);
    if (*k) return CLV_OK;
    return clv_fail(err, CLV_EINVAL, "codec path %zu: this processor has %zu", path,
                    clv_codec_paths());
}

clv_status clv_codec_encode_by(size_t path, clv_codec c, const clv_tensor *t, clv_tensor *out,
                               clv_error *err)
{
    const clv_codec_kernel *k = NULL;
    clv_status st = kernel_of(path, &k, err);
    if (st) return st;
    if (t->coded) return clv_fail(err, CLV_EINVAL, "tensor '%s' is coded already", t->name);
    st = clv_tensor_check(t, err);
    if (st) return st;
    st = encode(k, c, t, out, err);
    return st ? clv_within(err, "tensor '%s'", t->name) : CLV_OK;
}

clv_status clv_codec_decode_by(size_t path, const clv_tensor *t, clv_tensor *out, clv_error *err)
{
    const clv_codec_kernel *k = NULL;
    clv_status st = kernel_of(path, &k, err);
    if (!st) st = clv_tensor_check(t, err);
    if (st) return st;
    if (!t->coded) {
        *out = clv_tensor_view(t->name, t->dtype, t->shape, t->data, t->bytes);
        return CLV_OK;
    }
    st = decode(k, t, out, err);
    return st ? clv_within(err, "tensor '%s'", t->name) : CLV_OK;
}

clv_status clv_codec_encode(clv_codec c, const clv_tensor *t, clv_tensor *out, clv_error *err)
{
    return clv_codec_encode_by(clv_codec_paths() - 1, c, t, out, err);
}

clv_status clv_codec_decode(const clv_tensor *t, clv_tensor *out, clv_error *err)
{
    return clv_codec_decode_by(clv_codec_paths() - 1, t, out, err);
}

clv_status clv_codec_of(const clv_tensor *coded, clv_codec *out, clv_error *err)
{
    clv_codec_head head;
    if (!coded->coded) return clv_fail(err, CLV_EINVAL, "tensor '%s' is not coded", coded->name);
    clv_status st = clv_codec_get_head(coded, &head, err);
    if (st) return clv_within(err, "tensor '%s'", coded->name);
    *out = head.codec;
    return CLV_OK;
}

clv_status clv_codec_read_note(const clv_tensor *coded, clv_codec_note *out, clv_error *err)
{
    plan p;
    CLV_AUTO(clv_free) unsigned char *own = NULL;
    const unsigned char *body;
    clv_status st = clv_tensor_check(coded, err);
    if (st) return st;
    if (!coded->coded) return clv_fail(err, CLV_EINVAL, "tensor '%s' is not coded", coded->name);
    st = look(coded, &p, err);
    if (!st) st = unpack(&p, &own, &body, err);
    if (st) return clv_within(err, "tensor '%s'", coded->name);
    *out = (clv_codec_note){p.head.codec, clv_codec_error_max(&p.layout, body)};
    return CLV_OK;
}
