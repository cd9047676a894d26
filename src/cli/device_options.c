#include "cli/device_options.h"

#include "base/mem.h"
#include "engine/ort.h"
#include "engine/slow.h"

#include <sched.h>

const clv_opt clv_device_opts[] = {
    CLV_OPT(clv_device_options, device, TEXT, "device", "cpu", .arg = "cpu|cuda[:N]",
            .help = "where to compute"),
    CLV_OPT(clv_device_options, threads, INT, "threads", "0", .max = CLV_ORT_THREADS_MAX,
            .help = "threads inside an operator, 0: one for each processor it may use"),
    CLV_OPT(clv_device_options, spin, FLAG, "spin", NULL,
            .help = "let idle threads spin: a little faster alone, a burned core otherwise"),
    CLV_OPT(clv_device_options, slowdown, REAL, "slowdown", "1", .arg = "FACTOR", .min = 1,
            .max = CLV_SLOW_FACTOR_MAX, .env = "CLEAVE_SLOWDOWN",
            .help = "stand for a device that is this many times slower"),
    CLV_OPT(clv_device_options, slow_asleep, FLAG, "slow-asleep", NULL,
            .help = "with --slowdown: wait asleep, so that many slow devices fit on one machine"),
};
const size_t clv_device_opts_n = CLV_COUNT(clv_device_opts);

int clv_device_threads(const clv_device_options *o)
{
    if (o->threads > 0) return (int)o->threads;
    cpu_set_t allowed; /* a container, or a host of the lab, may have some of the processors only */
    int cores = sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : CPU_COUNT(&allowed);
    return CLV_MIN(CLV_MAX(cores, 1), (int)CLV_ORT_THREADS_MAX);
}

clv_status clv_device_engine(const clv_device_options *o, clv_engine **out, clv_error *err)
{
    const clv_ort_options ort = {
        .device = o->device, .threads = clv_device_threads(o), .spin = o->spin};
    clv_engine *engine = NULL;
    clv_status s = clv_ort_engine_new(&ort, &engine, err);
    clv_slow_wait wait = o->slow_asleep ? CLV_SLOW_ASLEEP : CLV_SLOW_AWAKE;
    if (s == CLV_OK && o->slowdown > 1)
        s = clv_slow_engine_new(engine, o->slowdown, wait, &engine, err);
    if (s == CLV_OK) *out = engine;
    return s;
}
