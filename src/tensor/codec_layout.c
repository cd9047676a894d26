#include "tensor/codec_layout.h"

#include "base/mem.h"

#include <string.h>

static const unsigned char magic[3] = {'c', 'l', 'v'};

static uint16_t shape_check(const clv_shape *s)
{
    uint32_t hash = 2166136261u;
    for (int i = -1; i < s->rank; i++) {
        uint64_t v = i < 0 ? (uint64_t)s->rank : (uint64_t)s->dim[i];
        for (int k = 0; k < 8; k++, v >>= 8) hash = (hash ^ (v & 255)) * 16777619u;
    }
    return (uint16_t)(hash ^ hash >> 16);
}

static void put(unsigned char *out, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) out[i] = (unsigned char)(value >> 8 * i);
}

static uint32_t get(const unsigned char *in, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++) value |= (uint32_t)in[i] << 8 * i;
    return value;
}

void clv_codec_put_head(clv_codec_head h, const clv_tensor *t, unsigned char *out)
{
    memcpy(out, magic, sizeof magic);
    out[3] = CLV_CODEC_VERSION;
    out[4] = (unsigned char)(h.codec.quant | h.codec.pack << 4);
    out[5] = (unsigned char)clv_dtype_onnx(t->dtype);
    put(out + 6, shape_check(&t->shape), 2);
    put(out + 8, (uint32_t)h.body_bytes, 4);
}

clv_status clv_codec_get_head(const clv_tensor *t, clv_codec_head *out, clv_error *err)
{
    const unsigned char *at = t->data;
    if (t->bytes < sizeof magic + 1 || memcmp(at, magic, sizeof magic) != 0)
        return clv_fail(err, CLV_EPROTO, "%zu bytes that are no encoding", t->bytes);
    if (at[3] != CLV_CODEC_VERSION)
        return clv_fail(err, CLV_EUNSUPPORTED, "encoding of version %d, only %d is known", at[3],
                        CLV_CODEC_VERSION);
    if (t->bytes < CLV_CODEC_HEAD_BYTES)
        return clv_fail(err, CLV_EPROTO, "encoding of %zu bytes: its head has %d", t->bytes,
                        CLV_CODEC_HEAD_BYTES);
    int quant = at[4] & 15, pack = at[4] >> 4;
    if (quant >= CLV_QUANT_COUNT || pack >= CLV_PACK_COUNT)
        return clv_fail(err, CLV_EPROTO, "encoding by unknown codec %d", at[4]);
    if (at[5] != clv_dtype_onnx(t->dtype))
        return clv_fail(err, CLV_EPROTO, "encoding of %s, the tensor is %s",
                        clv_dtype_oip(clv_dtype_from_onnx(at[5])), clv_dtype_oip(t->dtype));
    if (get(at + 6, 2) != shape_check(&t->shape))
        return clv_fail(err, CLV_EPROTO, "encoding of another shape than %s",
                        clv_shape_show(&t->shape).s);
    *out =
        (clv_codec_head){.codec = {(clv_quant)quant, (clv_pack)pack}, .body_bytes = get(at + 8, 4)};
    return CLV_OK;
}

/* Values of a block: a whole number of channels of `of`, all about alike, with the least that a scale is worth. */
static size_t block_values(size_t channels, size_t inner)
{
    size_t blocks = CLV_MIN(channels, channels * inner / CLV_CODEC_BLOCK_MIN);
    if (!blocks) return channels * inner;
    return (channels + blocks - 1) / blocks * inner;
}

clv_codec_layout clv_codec_layout_of(clv_quant quant, const clv_tensor *t, size_t values)
{
    clv_codec_layout l = {.quant = quant, .values = values};
    switch (quant) {
    case CLV_QUANT_RAW:
    case CLV_QUANT_F16:
    case CLV_QUANT_COUNT: l.body_bytes = quant == CLV_QUANT_F16 ? 2 * values : t->bytes; return l;
    case CLV_QUANT_Q8: l.item_values = l.block_values = values; break;
    case CLV_QUANT_Q8C:
    case CLV_QUANT_Q4: {
        bool has_items = t->shape.rank > 1;
        size_t channels = has_items ? (size_t)t->shape.dim[1] : 1;
        l.item_values = has_items ? values / (size_t)t->shape.dim[0] : values;
        l.block_values = block_values(channels, l.item_values / channels);
        break;
    }
    }
    bool nibbles = quant == CLV_QUANT_Q4;
    size_t items = values / l.item_values, full = l.item_values / l.block_values;
    size_t rest = l.item_values % l.block_values;
    l.blocks = items * (full + !!rest);
    l.step_bytes = nibbles ? 2 : 4;
    l.table_bytes = l.blocks * (l.step_bytes + 2);
    size_t level_bytes =
        nibbles ? items * (full * ((l.block_values + 1) / 2) + (rest + 1) / 2) : values;
    l.body_bytes = l.table_bytes + level_bytes;
    return l;
}

bool clv_codec_next_block(const clv_codec_layout *l, clv_codec_block *b)
{
    bool begun = b->n > 0;
    b->index += begun;
    b->first += b->n;
    b->levels_at = begun ? b->levels_at + b->level_bytes : l->table_bytes;
    if (b->index >= l->blocks) return false;
    b->n = CLV_MIN(l->block_values, l->item_values - b->first % l->item_values);
    b->level_bytes = l->quant == CLV_QUANT_Q4 ? (b->n + 1) / 2 : b->n;
    return true;
}

void clv_codec_put_scale(const clv_codec_layout *l, size_t i, clv_codec_scale s,
                         unsigned char *body)
{
    uint32_t step;
    memcpy(&step, &s.step, sizeof step);
    uint16_t zero = (uint16_t)(int16_t)s.zero;
    for (size_t k = 0; k < l->step_bytes; k++)
        body[k * l->blocks + i] = (unsigned char)(step >> 8 * (4 - l->step_bytes + k));
    for (size_t k = 0; k < 2; k++)
        body[(l->step_bytes + k) * l->blocks + i] = (unsigned char)(zero >> 8 * k);
}

clv_codec_scale clv_codec_get_scale(const clv_codec_layout *l, size_t i, const unsigned char *body)
{
    uint32_t step = 0, zero = 0;
    for (size_t k = 0; k < l->step_bytes; k++)
        step |= (uint32_t)body[k * l->blocks + i] << 8 * (4 - l->step_bytes + k);
    for (size_t k = 0; k < 2; k++)
        zero |= (uint32_t)body[(l->step_bytes + k) * l->blocks + i] << 8 * k;
    clv_codec_scale s = {.zero = (float)(int16_t)zero};
    memcpy(&s.step, &step, sizeof step);
    s.inverse = 1 / s.step;
    return s;
}

bool clv_codec_scale_sound(clv_codec_scale s)
{
    return s.step >= CLV_CODEC_STEP_MIN && s.step <= CLV_CODEC_STEP_MAX;
}
