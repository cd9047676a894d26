/* Element types: one table for ONNX (and ONNX Runtime, same numbers), the Open Inference Protocol
 * and numpy. */
#ifndef CLV_TENSOR_DTYPE_H
#define CLV_TENSOR_DTYPE_H

#include "base/status.h"

#include <stddef.h>

/* name, ONNX TensorProto.DataType, bytes of an element (0: variable), OIP datatype, numpy descr */
#define CLV_DTYPE_MAP(X)                                                                           \
    X(F32, 1, 4, "FP32", "<f4")                                                                    \
    X(U8, 2, 1, "UINT8", "|u1")                                                                    \
    X(I8, 3, 1, "INT8", "|i1")                                                                     \
    X(U16, 4, 2, "UINT16", "<u2")                                                                  \
    X(I16, 5, 2, "INT16", "<i2")                                                                   \
    X(I32, 6, 4, "INT32", "<i4")                                                                   \
    X(I64, 7, 8, "INT64", "<i8")                                                                   \
    X(TEXT, 8, 0, "BYTES", NULL)                                                                   \
    X(BOOL, 9, 1, "BOOL", "|b1")                                                                   \
    X(F16, 10, 2, "FP16", "<f2")                                                                   \
    X(F64, 11, 8, "FP64", "<f8")                                                                   \
    X(U32, 12, 4, "UINT32", "<u4")                                                                 \
    X(U64, 13, 8, "UINT64", "<u8")                                                                 \
    X(BF16, 16, 2, "BF16", NULL)

typedef enum clv_dtype {
    CLV_DTYPE_NONE, /* unknown */
#define X(name, onnx, bytes, oip, npy) CLV_##name,
    CLV_DTYPE_MAP(X)
#undef X
        CLV_DTYPE_COUNT
} clv_dtype;

size_t clv_dtype_bytes(clv_dtype t);            /* 0 for TEXT and NONE */
int clv_dtype_onnx(clv_dtype t);                /* 0 for NONE */
const char *clv_dtype_oip(clv_dtype t);         /* "?" for NONE */
const char *clv_dtype_npy(clv_dtype t);         /* NULL where numpy has none */
clv_dtype clv_dtype_from_onnx(int onnx);        /* NONE if unknown */
clv_dtype clv_dtype_from_oip(const char *name); /* NONE if unknown */
clv_dtype clv_dtype_from_npy(const char *descr);

#endif
