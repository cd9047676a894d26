/* The file, front to back, in one pass over the weights:
 *
 *     version, producer, operator set | graph: nodes, inputs, outputs | initialiser, initialiser, …
 *
 * protobuf wants lengths before contents. All of them are known beforehand but for the padding, and
 * that follows from the place in the file; so the heads of all initialisers are laid out first. A
 * field may stand anywhere in its message, so doc_string (12) may come before raw_data (9). */
#include "zoo/builder_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little-endian");

enum { /* field number * 8 + 2 for what has a length, + 0 for a number */
       MODEL_GRAPH = 7 * 8 + 2,
       GRAPH_INITIALISER = 5 * 8 + 2,
       TENSOR_DIMS = 1 * 8,
       TENSOR_TYPE = 2 * 8,
       TENSOR_NAME = 8 * 8 + 2,
       TENSOR_RAW = 9 * 8 + 2,
       TENSOR_DOC = 12 * 8 + 2,
       VARINT_MAX = 5 /* bytes of a length below 32 GiB */
};
enum { FILE_BUFFER = 1 << 20 };

static size_t varint_bytes(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

/* In `width` bytes, which may be more than needed: readers accept that. */
static void put_varint(clv_buf *b, uint64_t v, size_t width)
{
    for (; width > 1; width--, v >>= 7) clv_buf_char(b, (char)(v | 0x80));
    clv_buf_char(b, (char)v);
}

static void put_number(clv_buf *b, int tag, uint64_t v)
{
    clv_buf_char(b, (char)tag);
    put_varint(b, v, varint_bytes(v));
}

static uint64_t data_bytes(const clv_initialiser *init)
{
    uint64_t n = sizeof(float);
    for (int i = 0; i < init->shape.rank; i++) n *= (uint64_t)init->shape.dim[i];
    return n;
}

/* Everything of an initialiser up to its raw data, which then start at a multiple of the alignment
 * when `out` continues a file at `offset`. */
static void put_head(clv_buf *out, const clv_initialiser *init, uint64_t offset)
{
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    uint64_t bytes = data_bytes(init), length = 0;
    for (int i = 0; i < init->shape.rank; i++)
        put_number(&b, TENSOR_DIMS, (uint64_t)init->shape.dim[i]);
    put_number(&b, TENSOR_TYPE, (uint64_t)clv_dtype_onnx(CLV_F32));
    put_number(&b, TENSOR_NAME, strlen(init->name));
    clv_buf_text(&b, init->name);
    size_t pad = 0, width = 0, raw = 1 + varint_bytes(bytes);
    do {
        width++;
        uint64_t start = offset + 1 + width + b.len + raw;
        pad = (size_t)(-start % CLV_BUILDER_ALIGN);
        if (pad == 1) pad += CLV_BUILDER_ALIGN; /* tag and length are two bytes */
        length = b.len + pad + raw + bytes;
    } while (varint_bytes(length) > width);
    clv_buf_char(out, GRAPH_INITIALISER);
    put_varint(out, length, width);
    clv_buf_add(out, b.data, b.len);
    if (pad) {
        put_number(out, TENSOR_DOC, pad - 2);
        for (size_t i = 2; i < pad; i++) clv_buf_char(out, ' ');
    }
    put_number(out, TENSOR_RAW, bytes);
}

typedef struct layout {
    clv_buf front;   /* all before the first initialiser */
    clv_buf heads;   /* of the initialisers, in a row */
    size_t *head_at; /* where each begins in `heads`, and the end */
    uint64_t file_bytes;
} layout;

static void layout_done(layout *l)
{
    clv_buf_done(&l->front);
    clv_buf_done(&l->heads);
    free(l->head_at);
}

static void layout_init(layout *l, const clv_builder *b)
{
    *l = (layout){.head_at = clv_alloc_array(b->n_initialisers + 1, sizeof *l->head_at)};
    CLV_AUTO(clv_buf_done) clv_buf graph = {0};
    size_t n = onnx__graph_proto__get_packed_size(b->graph), width = 0;
    uint64_t length = 0;
    clv_buf_reserve(&graph, n);
    onnx__graph_proto__pack(b->graph, (uint8_t *)graph.data);
    graph.len = n;
    clv_proto_pack_head(&l->front);
    clv_buf_char(&l->front, MODEL_GRAPH);
    do { /* the graph's length moves what it counts */
        uint64_t start = l->front.len + ++width, at = start + n;
        clv_buf_clear(&l->heads);
        for (size_t i = 0; i < b->n_initialisers; i++) {
            l->head_at[i] = l->heads.len;
            put_head(&l->heads, &b->initialisers[i], at);
            at += l->heads.len - l->head_at[i] + data_bytes(&b->initialisers[i]);
        }
        length = at - start;
        l->file_bytes = at;
    } while (varint_bytes(length) > width);
    l->head_at[b->n_initialisers] = l->heads.len;
    put_varint(&l->front, length, width);
    clv_buf_add(&l->front, graph.data, graph.len);
}

static void write_weights(FILE *f, clv_weights *w)
{
    CLV_AUTO(clv_free) float *row = clv_alloc_array((size_t)w->fan_in, sizeof *row);
    clv_weights_done(w); /* of a former write */
    clv_weights_begin(w);
    for (int64_t i = 0; i < w->rows; i++) {
        clv_weights_row(w, i, row);
        fwrite(row, sizeof *row, (size_t)w->fan_in, f);
    }
}

static float element(const clv_builder *b, const clv_initialiser *init, int64_t i)
{
    const clv_weights *w = &b->initialisers[init->source].weights;
    switch (init->fill) {
    case CLV_FILL_MEAN: return (float)(init->moment * clv_weights_sum(w, i));
    case CLV_FILL_VARIANCE: return (float)(init->moment * clv_weights_square_sum(w, i));
    case CLV_FILL_WEIGHTS: /* not made element by element */
    case CLV_FILL_CONSTANT: break;
    }
    return (float)init->constant;
}

static void write_all(FILE *f, clv_builder *b, const layout *l)
{
    fwrite(l->front.data, 1, l->front.len, f);
    for (size_t i = 0; i < b->n_initialisers && !ferror(f); i++) {
        clv_initialiser *init = &b->initialisers[i];
        fwrite(l->heads.data + l->head_at[i], 1, l->head_at[i + 1] - l->head_at[i], f);
        if (init->fill == CLV_FILL_WEIGHTS) {
            write_weights(f, &init->weights);
            continue;
        }
        int64_t n = (int64_t)(data_bytes(init) / sizeof(float));
        for (int64_t k = 0; k < n; k++) {
            float value = element(b, init, k);
            fwrite(&value, sizeof value, 1, f);
        }
    }
}

/* Not synced: what a crash tears can be written again. */
clv_status clv_builder_write(clv_builder *b, const char *path, uint64_t *file_bytes, clv_error *err)
{
    CLV_AUTO(layout_done) layout l;
    CLV_AUTO(clv_text_free) char *temp = clv_format("%s.%d.tmp", path, (int)getpid());
    layout_init(&l, b);
    FILE *f = fopen(temp, "wb");
    if (!f) return clv_fail_errno(err, "%s", path);
    setvbuf(f, NULL, _IOFBF, FILE_BUFFER);
    errno = 0;
    write_all(f, b, &l);
    bool bad = ferror(f) != 0;
    bad |= fclose(f) != 0;
    if (bad || rename(temp, path) != 0) {
        clv_fail_errno(err, "%s", path);
        unlink(temp);
        return err ? err->status : CLV_EIO;
    }
    if (file_bytes) *file_bytes = l.file_bytes;
    return CLV_OK;
}
