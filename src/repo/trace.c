/* clv_network_trace(): the engine's operators back to units, by name. */
#include "base/mem.h"
#include "repo/network_priv.h"

static clv_status trace_whole(clv_network *net, const clv_tensor *inputs, size_t n, int runs,
                              clv_trace *trace, clv_error *err)
{
    clv_extracted e;
    clv_status s = clv_extract(net->units, net->cuts, 0, net->cuts->n - 1, &e, err);
    if (s != CLV_OK) return s;
    clv_source source = {.name = "whole network",
                         .model = e.bytes,
                         .model_bytes = e.n,
                         .folder = clv_onnx_folder(net->model)};
    s = clv_engine_trace(net->engine, &source, inputs, n, runs, trace, err);
    clv_onnx_drop_pages(net->model);
    clv_extracted_done(&e);
    return s;
}

clv_status clv_network_trace(clv_network *net, const clv_tensor *inputs, size_t n, int runs,
                             double *us, clv_error *err)
{
    const clv_graph *g = clv_network_graph(net);
    CLV_AUTO(clv_trace_done) clv_trace trace = {0};
    clv_status s = trace_whole(net, inputs, n, runs, &trace, err);
    if (s != CLV_OK) return s;
    for (size_t u = 0; u < g->n_units; u++) us[u] = 0;
    double waiting_us = 0;
    for (size_t i = 0; i < trace.n; i++) {
        int unit = clv_units_working_for(net->units, trace.steps[i].name);
        waiting_us += trace.steps[i].us;
        if (unit < 0) continue;
        us[unit] += waiting_us;
        waiting_us = 0;
    }
    return CLV_OK;
}
