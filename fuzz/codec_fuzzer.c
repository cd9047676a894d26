/* A tensor from anywhere: a byte for its type, one for its rank, one for each dimension, one that
 * chooses, then bytes. The bytes are decoded as they are and, so that more get past the head, with
 * a head that fits; then taken as elements and encoded. Whatever they are: an error, or a sound
 * tensor of the stated type and shape, within the stated error, the same on every path. */
#include "base/mem.h"
#include "tensor/codec.h"
#include "tensor/codec_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 1 << 16, FITTING = 0x80 };

static void need(bool fact)
{
    if (!fact) abort();
}

static void decode(const clv_tensor *coded)
{
    clv_error err = {0};
    clv_tensor first = {0};
    clv_codec_note note;
    for (size_t path = 0; path < clv_codec_paths(); path++) {
        clv_tensor t;
        clv_status st = clv_codec_decode_by(path, coded, &t, &err);
        if (st) {
            need(!path && err.text[0]);
            return;
        }
        need(!t.coded && t.dtype == coded->dtype && clv_shape_equal(&t.shape, &coded->shape));
        need(!clv_tensor_check(&t, &err) && !clv_codec_read_note(coded, &note, &err));
        if (path) {
            need(t.bytes == first.bytes && !memcmp(t.data, first.data, t.bytes));
            clv_tensor_done(&t);
        } else {
            first = t;
        }
    }
    clv_tensor_done(&first);
}

static float value_at(const clv_tensor *t, size_t i)
{
    float f;
    memcpy(&f, (const char *)t->data + 4 * i, sizeof f);
    return f;
}

static void check_error(const clv_tensor *t, const clv_tensor *back, clv_codec_note note)
{
    if (note.codec.quant == CLV_QUANT_RAW) {
        need(t->bytes == back->bytes && !memcmp(t->data, back->data, t->bytes));
        return;
    }
    size_t n = t->bytes / 4, over = 0;
    for (size_t i = 0; i < n; i++) {
        float from = value_at(t, i), to = value_at(back, i);
        if (isfinite(from) || note.codec.quant != CLV_QUANT_F16)
            over += !(fabs((double)from - to) <= note.error_max);
    }
    need(over <= (note.codec.quant == CLV_QUANT_Q4 ? n / 1000 : 0));
}

static void encode(const clv_tensor *t, clv_codec c)
{
    clv_error err = {0};
    clv_tensor first = {0}, back;
    clv_codec_note note;
    for (size_t path = 0; path < clv_codec_paths(); path++) {
        clv_tensor e;
        need(!clv_codec_encode_by(path, c, t, &e, &err));
        if (path) {
            need(e.bytes == first.bytes && !memcmp(e.data, first.data, e.bytes));
            clv_tensor_done(&e);
        } else {
            first = e;
        }
    }
    need(first.bytes <= clv_codec_bytes_max(c, t) && !clv_codec_decode(&first, &back, &err));
    need(!clv_codec_read_note(&first, &note, &err));
    check_error(t, &back, note);
    decode(&first);
    clv_tensor_done(&back);
    clv_tensor_done(&first);
}

/* The bytes behind a head that fits `t`: a body of the right size before packing, packed as the first of them says. */
static void decode_fitting(clv_tensor t, clv_codec c, size_t values, const uint8_t *data,
                           size_t size)
{
    if (t.dtype != CLV_F32 || !values) c.quant = CLV_QUANT_RAW;
    size_t plain = clv_dtype_bytes(t.dtype) * values;
    t.bytes = t.dtype == CLV_TEXT ? size : plain;
    clv_codec_layout l = clv_codec_layout_of(c.quant, &t, values);
    t.bytes = CLV_CODEC_HEAD_BYTES + size;
    t.coded = true;
    CLV_AUTO(clv_free) unsigned char *bytes = clv_alloc(t.bytes);
    if (size) memcpy(bytes + CLV_CODEC_HEAD_BYTES, data, size);
    clv_codec_put_head((clv_codec_head){c, l.body_bytes}, &t, bytes);
    t.data = bytes;
    decode(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    clv_tensor t = {.name = (char[]){"x"}};
    if (size < 3 + CLV_RANK_MAX) return 0;
    t.dtype = (clv_dtype)(*data++ % (CLV_DTYPE_COUNT + 1));
    t.shape.rank = *data++ % (CLV_RANK_MAX + 1);
    for (int i = 0; i < t.shape.rank; i++) t.shape.dim[i] = (int8_t)*data++;
    uint8_t choice = *data++;
    size = (size_t)(end - data);
    clv_codec c = clv_codec_at((choice & 0x7f) % CLV_CODECS);
    clv_error err = {0};
    CLV_AUTO(clv_free) void *copy = clv_alloc(size + 1); /* ends where it ends */
    if (size) memcpy(copy, data, size);
    t.data = copy;
    t.bytes = size;
    t.coded = true;
    decode(&t);
    size_t values, each = clv_dtype_bytes(t.dtype);
    if (clv_shape_count(&t.shape, &values, &err) || values > ELEMENTS_MAX) return 0;
    if (t.dtype == CLV_DTYPE_NONE || t.dtype >= CLV_DTYPE_COUNT) return 0;
    if (choice & FITTING) decode_fitting(t, c, values, data, size);
    t.coded = false;
    if (t.dtype != CLV_TEXT && size > each * values) t.bytes = each * values;
    if (!clv_tensor_check(&t, &err)) encode(&t, c);
    return 0;
}
