#include "base/clock.h"
#include "base/log.h"
#include "engine/pages.h"
#include "serve/served.h"
#include "tensor/random.h"

/* What the run says is no matter: a network may refuse made-up values, and is served all the same. */
static void run_once(clv_segment *whole, const char *model)
{
    clv_error err = {0};
    clv_rng rng = clv_rng_seeded(1);
    clv_tensors inputs = {0}, outputs = {0};
    size_t n;
    const clv_tensor_spec *specs = clv_segment_inputs(whole, &n);
    clv_status status = clv_tensors_random(specs, n, 1, &rng, &inputs, &err);
    if (!status) status = clv_segment_run(whole, inputs.items, inputs.n, &outputs, &err);
    if (status)
        clv_log(CLV_LOG_DEBUG, "serve", "warm-up failed", "model=%s error=\"%s\"", model, err.text);
    clv_tensors_done(&inputs);
    clv_tensors_done(&outputs);
}

void clv_served_warm_up(clv_served *m)
{
    int64_t start = clv_now_us();
    clv_segment *whole = clv_network_resident(m->network, 0, clv_network_cuts(m->network)->n - 1);
    if (!whole) return;
    run_once(whole, m->name);
    clv_segment_unref(whole);
    size_t bytes = clv_pages_enlarge();
    clv_log(CLV_LOG_DEBUG, "serve", "warmed up", "model=%s huge_page_bytes=%zu warm_up_ms=%lld",
            m->name, bytes, (long long)(clv_now_us() - start) / 1000);
}
