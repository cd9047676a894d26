/* Messages that are put together for one serialisation: memory that dies together, over parts that others own.
 * Private to onnx/. */
#ifndef CLV_ONNX_SCRATCH_H
#define CLV_ONNX_SCRATCH_H

#include "base/mem.h"
#include "gen/onnx.pb-c.h"
#include "tensor/tensor.h"

typedef struct clv_scratch {
    void **items;
    size_t n, cap;
} clv_scratch;

void clv_scratch_done(clv_scratch *s);
void *clv_scratch_alloc(clv_scratch *s, size_t n, size_t size); /* zeroed */
void *clv_scratch_copy(clv_scratch *s, const void *from, size_t bytes);
char *clv_scratch_text(clv_scratch *s, const char *fmt, ...) CLV_PRINTF(2, 3);

/* A name with a type. A dimension of -1 is free: called dim_names[axis], or without a name where that is NULL.
 * dtype NONE: a name without a type. Rank -1: a type without a shape. `name` is borrowed. */
Onnx__ValueInfoProto *clv_scratch_value(clv_scratch *s, const char *name, clv_dtype dtype,
                                        const clv_shape *shape, const char *const *dim_names);

/* Serialise into heap memory of at most CLV_SCRATCH_BYTES_MAX. */
#define CLV_SCRATCH_BYTES_MAX ((size_t)1 << 30)
CLV_MUST
clv_status clv_scratch_pack(const Onnx__ModelProto *m, void **bytes, size_t *n, clv_error *err);

#endif
