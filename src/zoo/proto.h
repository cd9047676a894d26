/* ONNX messages, put together piece by piece.
 *
 *     Onnx__GraphProto *g = clv_proto_graph("net");
 *     clv_proto_input(g, "x", CLV_F32, clv_shape_of(4, -1, 3, 8, 8));
 *     Onnx__NodeProto *node = clv_proto_node(g, "MaxPool", "pool", (const char *[]){"x"}, 1,
 *                                            (const char *[]){"y"}, 1);
 *     clv_proto_ints(node, "kernel_shape", (int64_t[]){2, 2}, 2);
 *     clv_proto_output(g, "y", CLV_F32, clv_shape_of(4, -1, 3, 4, 4));
 *     clv_proto_pack(g, &buf); // the bytes of a model
 *     clv_proto_free(g);
 *
 * Every text and array is copied; the graph owns what is added to it. Nothing fails: sizes are the
 * caller's own. A dimension of -1 becomes the symbol "batch" if it is the first, else "dimI".
 */
#ifndef CLV_ZOO_PROTO_H
#define CLV_ZOO_PROTO_H

#include "base/buf.h"
#include "gen/onnx.pb-c.h"
#include "tensor/tensor.h"

/* The operator set and the file format that are written: old enough for every runtime of the last
 * years, new enough for all operators used. */
enum { CLV_PROTO_OPSET = 17, CLV_PROTO_IR_VERSION = 8 };

Onnx__GraphProto *clv_proto_graph(const char *name);
void clv_proto_free(Onnx__GraphProto *g);

/* A name "" is an omitted input or output. The node is the graph's. */
Onnx__NodeProto *clv_proto_node(Onnx__GraphProto *g, const char *op, const char *name,
                                const char *const *inputs, size_t n_inputs,
                                const char *const *outputs, size_t n_outputs);
void clv_proto_int(Onnx__NodeProto *node, const char *name, int64_t value);
void clv_proto_ints(Onnx__NodeProto *node, const char *name, const int64_t *values, size_t n);
void clv_proto_float(Onnx__NodeProto *node, const char *name, float value);
/* A body of If or Loop; the node takes the graph. */
void clv_proto_body(Onnx__NodeProto *node, const char *name, Onnx__GraphProto *take);

void clv_proto_input(Onnx__GraphProto *g, const char *name, clv_dtype dtype, clv_shape shape);
void clv_proto_output(Onnx__GraphProto *g, const char *name, clv_dtype dtype, clv_shape shape);
/* An initialiser inside the graph; `bytes` of raw data. */
Onnx__TensorProto *clv_proto_weight(Onnx__GraphProto *g, const char *name, clv_dtype dtype,
                                    clv_shape shape, const void *data, size_t bytes);

/* Append the bytes of a model without its graph, and of one with. */
void clv_proto_pack_head(clv_buf *out);
void clv_proto_pack(const Onnx__GraphProto *g, clv_buf *out);

#endif
