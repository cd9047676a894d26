/* ONNX Runtime as the engine, through its C API.
 *
 *     clv_engine *e;
 *     clv_ort_engine_new(&(clv_ort_options){.device = "cpu", .threads = 1}, &e, &err);
 *
 * Sessions are optimised at level ALL and run their operators one after another; `threads` are used
 * inside an operator. Threads do not spin when idle unless asked to: on a node that also serves a
 * network, spinning steals the processor from the sockets. ONNX Runtime prints nothing; what it has
 * to say is in the errors.
 *
 * Weights: a source's external references are mapped by ONNX Runtime itself, so they cost
 * file-backed pages that all sessions share. What is expensive are the copies that its kernels
 * repack for speed. A weight in `source->weights` is handed over by pointer (AddInitializer), which
 * lets sessions with one pool share the repacked copy. ONNX Runtime would use such a weight even
 * where its optimiser has rewritten the initialiser under the old name (the transpose optimiser
 * does), so compile first asks for the optimised graph and hands over only what it still refers to
 * unchanged. Below CLV_ORT_SHARED_BYTES_MIN that is not worth the time, and sessions keep their own
 * copies.
 *
 * Threads: as engine.h says. Engines of one process share one ONNX Runtime environment.
 */
#ifndef CLV_ENGINE_ORT_H
#define CLV_ENGINE_ORT_H

#include "engine/engine.h"

enum { CLV_ORT_THREADS_MAX = 1024 };
#define CLV_ORT_SHARED_BYTES_MIN ((size_t)8 << 20)
#define CLV_ORT_OPTIMISED_BYTES_MAX                                                                \
    ((size_t)1 << 30) /* of an optimised graph, large weights left out */

typedef struct clv_ort_options {
    const char *device; /* "cpu", "cuda" or "cuda:N"; NULL: "cpu" */
    int threads;        /* inside an operator; 0: one for each core */
    bool spin;          /* let idle threads spin: a little faster alone, a burned core otherwise */
} clv_ort_options;

/* CLV_EINVAL for a device that does not exist anywhere, CLV_EUNAVAIL for one that is not there, with those that are. */
CLV_MUST
clv_status clv_ort_engine_new(const clv_ort_options *options, clv_engine **out, clv_error *err);

#endif
