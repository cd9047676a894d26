/* Private to onnx/: a model's layout. Values are the named tensors of the main graph, numbered. */
#ifndef CLV_ONNX_ONNX_PRIV_H
#define CLV_ONNX_ONNX_PRIV_H

#include "onnx/onnx.h"

#include "base/file.h"
#include "gen/onnx.pb-c.h"
#include "onnx/names.h"

typedef enum clv_value_kind {
    CLV_VALUE_INPUT,
    CLV_VALUE_INITIALIZER,
    CLV_VALUE_NODE
} clv_value_kind;

typedef struct clv_value {
    const char *name; /* borrowed from the message */
    clv_value_kind kind;
    int source;    /* index of the input, initialiser or node */
    bool constant; /* depends on no input, and would be the same every time */
} clv_value;

/* What a node reads and makes, as value numbers; what its sub-graphs capture is read, too. */
typedef struct clv_node_values {
    int *inputs, *outputs; /* owned */
    size_t n_inputs, n_outputs;
} clv_node_values;

typedef struct clv_onnx_file {
    char *location, *path;
    clv_map map;
} clv_onnx_file;

/* protobuf-c's memory, bounded. */
typedef struct clv_budget {
    ProtobufCAllocator allocator;
    size_t left;
} clv_budget;
void clv_budget_init(clv_budget *b, size_t bytes);

struct clv_onnx {
    char *folder, *file; /* real folder, name of the .onnx in it */
    clv_onnx_file *files;
    char const **paths; /* of the files; borrowed */
    size_t n_files, cap_files;
    clv_budget budget;
    Onnx__ModelProto *proto;
    clv_stored *stored;
    size_t n_stored;
    clv_tensor_spec *inputs, *outputs;
    clv_value *values;
    size_t n_values, cap_values;
    clv_names value_of;     /* name -> value number */
    clv_node_values *nodes; /* one for each node of the main graph, in file order */
    int *order;             /* node numbers, topological */
};

/* stored.c: resolve and check every stored tensor; maps external files. */
clv_status clv_onnx_read_stored(clv_onnx *m, clv_error *err);
/* The tensor's bytes lie outside the message; false: inside. */
bool clv_tensor_is_external(const Onnx__TensorProto *t);
/* Where an external reference points: file name and range. CLV_EINVAL for a malformed one. */
typedef struct clv_reference {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} clv_reference;
clv_status clv_tensor_reference(const Onnx__TensorProto *t, clv_reference *out, clv_error *err);

/* The mapped bytes of an external tensor of the main graph, whose reference was checked on opening. */
const void *clv_onnx_external(const clv_onnx *m, const Onnx__TensorProto *t, size_t *bytes);

/* values.c: number the values, check producers and domains, sort. */
clv_status clv_onnx_read_values(clv_onnx *m, clv_error *err);
/* A node whose result is not a function of its inputs, or that must run as often as it is written. */
bool clv_node_is_random(const Onnx__NodeProto *node);

/* Declared type to dtype and shape; rank -1 without a shape. Free dimensions become -1. */
void clv_spec_read(const Onnx__ValueInfoProto *v, clv_tensor_spec *spec);

#endif
