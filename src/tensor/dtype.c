#include "tensor/dtype.h"

#include <string.h>

typedef struct dtype_row {
    int onnx;
    size_t bytes;
    const char *oip, *npy;
} dtype_row;

static const dtype_row dtype_rows[CLV_DTYPE_COUNT] = {[CLV_DTYPE_NONE] = {0, 0, "?", NULL},
#define X(name, onnx, bytes, oip, npy) [CLV_##name] = {onnx, bytes, oip, npy},
                                                      CLV_DTYPE_MAP(X)
#undef X
};

static const dtype_row *row_of(clv_dtype t)
{
    return &dtype_rows[(unsigned)t < CLV_DTYPE_COUNT ? t : CLV_DTYPE_NONE];
}

size_t clv_dtype_bytes(clv_dtype t)
{
    return row_of(t)->bytes;
}
int clv_dtype_onnx(clv_dtype t)
{
    return row_of(t)->onnx;
}
const char *clv_dtype_oip(clv_dtype t)
{
    return row_of(t)->oip;
}
const char *clv_dtype_npy(clv_dtype t)
{
    return row_of(t)->npy;
}

clv_dtype clv_dtype_from_onnx(int onnx)
{
    for (int i = CLV_DTYPE_NONE + 1; i < CLV_DTYPE_COUNT; i++)
        if (dtype_rows[i].onnx == onnx) return (clv_dtype)i;
    return CLV_DTYPE_NONE;
}

clv_dtype clv_dtype_from_oip(const char *name)
{
    for (int i = CLV_DTYPE_NONE + 1; i < CLV_DTYPE_COUNT; i++)
        if (name && strcmp(dtype_rows[i].oip, name) == 0) return (clv_dtype)i;
    return CLV_DTYPE_NONE;
}

clv_dtype clv_dtype_from_npy(const char *descr)
{
    if (!descr || !*descr) return CLV_DTYPE_NONE;
    for (int i = CLV_DTYPE_NONE + 1; i < CLV_DTYPE_COUNT; i++) {
        const dtype_row *row = &dtype_rows[i];
        if (!row->npy || strcmp(row->npy + 1, descr + 1) != 0) continue;
        /* single bytes have no order: any mark will do */
        if (*descr == *row->npy || (row->bytes == 1 && strchr("<>=|", *descr))) return (clv_dtype)i;
    }
    return CLV_DTYPE_NONE;
}
