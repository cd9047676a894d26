/* The options of every command that computes: which device, how many threads, how slow.
 *
 *     clv_device_options device = {0};
 *     const clv_opt_set sets[] = {{my_opts, CLV_COUNT(my_opts), &mine},
 *                                 {clv_device_opts, clv_device_opts_n, &device}};
 *     ... clv_cli_begin() ...
 *     clv_engine *engine;
 *     clv_device_engine(&device, &engine, &err);
 *
 * --slowdown makes this machine stand for a slower one (engine/slow.h); its default may come from
 * $CLEAVE_SLOWDOWN, which `cleave lab` sets on a host that is to be slow.
 */
#ifndef CLV_CLI_DEVICE_OPTIONS_H
#define CLV_CLI_DEVICE_OPTIONS_H

#include "base/opt.h"
#include "engine/engine.h"

typedef struct clv_device_options {
    const char *device;
    int64_t threads; /* 0: one for each processor that this process may use */
    bool spin, slow_asleep;
    double slowdown;
} clv_device_options;

extern const clv_opt clv_device_opts[];
extern const size_t clv_device_opts_n;

/* ONNX Runtime on the device, slowed if asked for. */
CLV_MUST
clv_status clv_device_engine(const clv_device_options *o, clv_engine **out, clv_error *err);
int clv_device_threads(
    const clv_device_options
        *o); /* never 0: the number of processors that this process may use instead */

#endif
