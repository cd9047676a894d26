/* A model's input tensors from files.
 *
 *     cleave infer resnet18 --input cat.jpg
 *     cleave infer bert --input ids=ids.npy --input mask=mask.npy
 *
 *     clv_input_options o;                            // filled by clv_input_opts
 *     clv_tensors inputs = {0};
 *     clv_inputs_make(&o, specs, n, &inputs, &err);   // one tensor a spec, in the specs' order
 *
 * The file's name tells its kind:
 *
 * | kind | becomes |
 * |---|---|
 * | .npy | the array; its dtype must be the model's; a missing first (batch) dimension is added |
 * | .png .jpg .jpeg | [N,1|3,H,W] or [N,H,W,1|3], FP32 normalised or UINT8 as it is (cli/image.h) |
 * | .raw .bin | the bytes as they are; a free batch is as large as the bytes make it |
 *
 * `--random SEED` makes what has no file (tensor/random.h). The free dimensions of a model are -1
 * in its specs: the batch (the first one) is then 1, others come from the .npy file or from
 * `--shape`. Nothing is guessed: what does not fit is an error that says what would.
 *
 * Threads: any. The model's specs may come from a file (repo/network.h) or from another node. */
#ifndef CLV_CLI_INPUT_H
#define CLV_CLI_INPUT_H

#include "base/opt.h"
#include "tensor/tensor.h"

enum { CLV_INPUT_OPTS = 5 };

typedef struct clv_input_options {
    clv_text_list files;  /* "F" or "NAME=F" */
    clv_text_list shapes; /* "1x3x224x224" or "NAME=1x3x224x224" */
    const char *random;   /* seed, NULL: nothing random */
    clv_text_list mean, std;
} clv_input_options;

extern const clv_opt clv_input_opts[CLV_INPUT_OPTS];

/* `out` is empty before, and after a failure. CLV_EUSAGE: inputs missing or unknown. CLV_EINVAL: a
 * file does not fit the model. */
CLV_MUST
clv_status clv_inputs_make(const clv_input_options *o, const clv_tensor_spec *specs, size_t n,
                           clv_tensors *out, clv_error *err);

#endif
