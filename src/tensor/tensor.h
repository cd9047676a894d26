/* Shapes and tensors.
 *
 * A tensor is a named view of little-endian row-major elements with a release callback, so that
 * bytes from a socket, a file map or ONNX Runtime pass through without a copy:
 *
 *     clv_tensor t;
 *     clv_tensor_new(&t, "input", CLV_F32, clv_shape_of(4, 1, 3, 224, 224), &err); // fresh memory
 *     clv_tensor view = clv_tensor_view("x", CLV_F32, shape, data, bytes);         // borrows
 *     clv_tensor_done(&t);                                       // NULL-safe, idempotent
 *
 * TEXT elements (OIP BYTES) are serialised as in OIP: 4-byte little-endian length, then the bytes,
 * for each element.
 */
#ifndef CLV_TENSOR_TENSOR_H
#define CLV_TENSOR_TENSOR_H

#include "tensor/dtype.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLV_RANK_MAX = 12, CLV_NAME_MAX = 1024 };
#define CLV_TENSOR_BYTES_MAX ((size_t)2 << 30) /* of one tensor from a file or the wire */

typedef struct clv_shape {
    int rank;
    int64_t dim[CLV_RANK_MAX]; /* -1: unknown (only in declarations, never in a tensor) */
} clv_shape;

clv_shape clv_shape_of(int rank, ...); /* int dimensions */
bool clv_shape_equal(const clv_shape *a, const clv_shape *b);
/* Does a concrete shape fit a declared one (-1 fits all)? */
bool clv_shape_fits(const clv_shape *concrete, const clv_shape *declared);
/* Number of elements; CLV_EINVAL for a negative dimension, CLV_ELIMIT on overflow. Rank 0 has one
 * element. */
CLV_MUST
clv_status clv_shape_count(const clv_shape *s, size_t *count, clv_error *err);
typedef struct clv_shape_text {
    char s[256];
} clv_shape_text;
clv_shape_text clv_shape_show(const clv_shape *s); /* "[1,3,224,224]", "?" for -1 */

typedef struct clv_tensor {
    char *name; /* owned */
    clv_dtype dtype;
    clv_shape shape;
    void *data; /* 64-byte aligned when made by clv_tensor_new; views may be unaligned */
    size_t bytes;
    bool coded; /* `data` is an encoding (tensor/codec.h) of what dtype and shape say */
    void (*release)(void *owner); /* NULL: nothing to release */
    void *owner;
} clv_tensor;

CLV_MUST
clv_status clv_tensor_new(clv_tensor *t, const char *name, clv_dtype dtype, clv_shape shape,
                          clv_error *err);
clv_tensor clv_tensor_view(const char *name, clv_dtype dtype, clv_shape shape, const void *data,
                           size_t bytes);
void clv_tensor_done(clv_tensor *t);
/* Do bytes, dtype and shape agree (TEXT: is the serialisation sound)? The check for everything that
 * crosses a border. Of a coded tensor only dtype and shape are looked at: clv_codec_decode() checks the rest. */
CLV_MUST
clv_status clv_tensor_check(const clv_tensor *t, clv_error *err);

/* A list of tensors that dies together. */
typedef struct clv_tensors {
    clv_tensor *items;
    size_t n, cap;
} clv_tensors;

void clv_tensors_add(clv_tensors *list, clv_tensor take);                /* takes ownership */
clv_tensor *clv_tensors_find(const clv_tensors *list, const char *name); /* NULL if absent */
void clv_tensors_done(clv_tensors *list);
size_t clv_tensors_bytes(const clv_tensors *list);

/* What a model says of one of its inputs or outputs, or of a tensor on a cut. */
typedef struct clv_tensor_spec {
    char *name; /* owned by whoever owns the spec */
    clv_dtype dtype;
    clv_shape shape; /* -1 for free dimensions; rank -1: nothing is known of the shape */
} clv_tensor_spec;

#endif
