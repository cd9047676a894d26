/* An ONNX model, opened: its files mapped, its structure read and checked, its weights where they are.
 *
 *     clv_onnx *m;
 *     clv_onnx_open("resnet18/1/model.onnx", &m, &err);
 *     clv_onnx_pin(m, &(clv_pin){.batch = 1}, &bytes, &n, &err);   // for the engine's analysis (onnx/units.h)
 *     clv_onnx_free(m);
 *
 * The model is read as a skeleton (onnx/skeleton.h) and made plain:
 *   - inputs that are also initialisers (IR version < 4, or defaults) are constants, not inputs;
 *   - Constant nodes with a large tensor become initialisers.
 * Checked here: every tensor has one producer, every name read is made, no cycles, every operator's
 * domain is imported, every stored tensor has the bytes that its shape needs, external data lies
 * inside the model's folder and inside its file. Whether an operator exists and its inputs fit is
 * the engine's to say.
 *
 * Not supported: external data through links that leave the model's folder. Threads: read-only
 * after opening, except clv_onnx_pin() and extraction, which lock nothing and change nothing: any
 * thread.
 */
#ifndef CLV_ONNX_ONNX_H
#define CLV_ONNX_ONNX_H

#include "base/digest.h"
#include "tensor/tensor.h"

enum { CLV_ONNX_NODES_MAX = 1 << 20, CLV_ONNX_FILES_MAX = 4096 };
#define CLV_ONNX_MEMORY_MAX ((size_t)1 << 30) /* of the unpacked structure, weights aside */

typedef struct clv_onnx clv_onnx;

CLV_MUST
clv_status clv_onnx_open(const char *path, clv_onnx **out, clv_error *err);
void clv_onnx_free(clv_onnx *m);

/* SHA-256 over the bytes of all files, in the order of clv_onnx_files(): reads everything. */
void clv_onnx_digest(const clv_onnx *m, char text[CLV_DIGEST_TEXT]);
/* The .onnx, then its external data in the order of their first use. */
const char *const *clv_onnx_files(const clv_onnx *m, size_t *n);
/* What external references in clv_onnx_pin()'s and clv_extract()'s bytes are relative to. */
const char *clv_onnx_folder(const clv_onnx *m);
const clv_tensor_spec *clv_onnx_inputs(const clv_onnx *m, size_t *n);
const clv_tensor_spec *clv_onnx_outputs(const clv_onnx *m, size_t *n);

/* A stored tensor that lies in a mapped file. Not aligned: ONNX Runtime reads external data where it lies, too. */
typedef struct clv_stored {
    const char *name;
    clv_dtype dtype;
    clv_shape shape;
    const void *data;
    size_t bytes;
} clv_stored;
const clv_stored *clv_onnx_stored(const clv_onnx *m, size_t *n);
/* Let go of the mapped pages: they are read again (from the kernel's cache, as a rule) when
 * something needs them. Called after compiling, because the engine has repacked most weights by
 * then and reads them no more. */
void clv_onnx_drop_pages(const clv_onnx *m);

/* ---- free dimensions ---- */

typedef struct clv_pin {
    int64_t batch; /* for the first axis of inputs, where it is free */
    const char *const *
        dims; /* "name=value" for other free dimensions; one without a name is "input:axis=value" */
    size_t n_dims;
} clv_pin;

/* Is the first axis of some input free? */
bool clv_onnx_has_batch(const clv_onnx *m);
/* The model with its free dimensions set and every tensor named in value_info, so that the engine
 * writes their shapes. CLV_EUNSUPPORTED names a free dimension that `dims` does not set;
 * CLV_EINVAL: `dims` does not parse. `*bytes` is heap memory. */
CLV_MUST
clv_status clv_onnx_pin(const clv_onnx *m, const clv_pin *pin, void **bytes, size_t *n,
                        clv_error *err);

#endif
