/* A fake engine for unit tests and fault timing: no model, stated inputs and outputs, results that
 * follow from the inputs.
 *
 *     clv_fake_options options = {.inputs = in, .n_inputs = 1, .outputs = out, .n_outputs = 1, .run_us = 2000};
 *     clv_engine *e = clv_fake_engine_new(&options);
 *     clv_fake_fail_runs(e, 1, CLV_EENGINE);      // the next run of any session fails
 *
 * Every output byte is a hash of all input bytes and of the output's name, so equal inputs give
 * equal outputs and any changed input byte changes them; BOOL bytes are 0 or 1, floats are finite.
 * A -1 in an output's shape becomes the first dimension of the first input. TEXT outputs are not
 * made (CLV_EUNSUPPORTED). Threads: as engine.h says.
 */
#ifndef CLV_ENGINE_FAKE_H
#define CLV_ENGINE_FAKE_H

#include "engine/engine.h"

typedef struct clv_fake_options {
    const clv_tensor_spec *inputs, *outputs; /* copied */
    size_t n_inputs, n_outputs;
    int64_t compile_us, run_us; /* how long compiling and running take */
} clv_fake_options;

clv_engine *clv_fake_engine_new(const clv_fake_options *options);
/* The next `n` compilations or runs fail with `status`. */
void clv_fake_fail_compiles(clv_engine *e, int n, clv_status status);
void clv_fake_fail_runs(clv_engine *e, int n, clv_status status);
int clv_fake_compiles(const clv_engine *e); /* how often compile was called */
int clv_fake_runs(const clv_engine *e);     /* how often run was called */

#endif
