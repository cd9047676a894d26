/* What every implementation of a session shares: matching given tensors to declared inputs, and owning the specs.
 * For the engine room's own files. */
#ifndef CLV_ENGINE_SESSION_H
#define CLV_ENGINE_SESSION_H

#include "engine/engine.h"

enum { CLV_SESSION_PORTS_MAX = 4096 }; /* inputs, and outputs, of one session */

/* Find every declared input among `given` (any order, extra ones ignored) and check it: present,
 * sound (clv_tensor_check), right dtype, a shape that fits. `matched` has room for s->n_inputs
 * pointers, in the session's order. The error names the input, what it got and what it expects. */
CLV_MUST
clv_status clv_session_match(const clv_session *s, const clv_tensor *given, size_t n,
                             const clv_tensor **matched, clv_error *err);

/* Frees names and array; NULL is fine. */
void clv_specs_free(clv_tensor_spec *specs, size_t n);
clv_tensor_spec *clv_specs_copy(const clv_tensor_spec *specs, size_t n);

#endif
