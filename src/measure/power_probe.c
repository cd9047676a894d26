#include "measure/power_probe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "measure/rapl.h"
#include "tensor/random.h"

enum { REST_GRAIN_US = 50000 };

typedef struct probe {
    clv_segment *whole;
    clv_tensors inputs;
} probe;

static clv_status rest(void *arg, clv_error *err)
{
    (void)arg;
    (void)err;
    clv_sleep_us(REST_GRAIN_US);
    return CLV_OK;
}

static clv_status work(void *arg, clv_error *err)
{
    probe *p = arg;
    clv_tensors outputs = {0};
    clv_status s = clv_segment_run(p->whole, p->inputs.items, p->inputs.n, &outputs, err);
    clv_tensors_done(&outputs);
    return s;
}

static int64_t now(void *arg)
{
    (void)arg;
    return clv_now_us();
}

static void probe_done(probe *p)
{
    clv_tensors_done(&p->inputs);
    clv_segment_unref(p->whole);
}

clv_status clv_power_probe(clv_network *network, const clv_power_probe_options *o, clv_power *out,
                           clv_error *err)
{
    clv_rapl rapl;
    clv_status s = clv_rapl_open(o->root, &rapl, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(probe_done) probe p = {0};
    clv_rng rng = clv_rng_seeded(1);
    size_t n;
    const clv_tensor_spec *specs = clv_network_inputs(network, &n);
    s = clv_network_segment(network, 0, clv_network_cuts(network)->n - 1, &p.whole, err);
    if (s == CLV_OK) s = clv_tensors_random(specs, n, 1, &rng, &p.inputs, err);
    if (s == CLV_OK) s = work(&p, err); /* warm */
    const clv_rapl_plan plan = {.rest = rest,
                                .work = work,
                                .now_us = now,
                                .arg = &p,
                                .rest_us = o->rest_us ? o->rest_us : CLV_POWER_PROBE_REST_US,
                                .work_us = o->work_us ? o->work_us : CLV_POWER_PROBE_WORK_US,
                                .cores = CLV_MAX(o->cores, 1)};
    return s == CLV_OK ? clv_rapl_power(&rapl, &plan, out, err) : s;
}
