#include "measure/speedometer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tensor/random.h"
#include "zoo/reference.h"

#include <stdlib.h>
#include <string.h>

struct clv_speedometer {
    char *dir;
    clv_network *network;
    clv_tensors inputs;
    clv_stopwatch watch;
    double slowdown;
    int64_t visited_us;
};

void clv_speedometer_free(clv_speedometer *m)
{
    if (!m) return;
    clv_stopwatch_done(&m->watch);
    clv_tensors_done(&m->inputs);
    clv_network_unref(m->network);
    if (m->dir) clv_dir_remove(m->dir);
    free(m->dir);
    free(m);
}

static clv_status start(clv_speedometer *m, clv_engine *engine, clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf model = {0};
    clv_status s = clv_dir_temp("speed", &m->dir, err);
    if (s != CLV_OK) return s;
    CLV_AUTO(clv_text_free) char *path = clv_path_join(m->dir, "reference.onnx");
    clv_reference_network(&model);
    s = clv_file_write(path, model.data, model.len, err);
    if (s == CLV_OK)
        s = clv_network_open(path, engine, &(clv_network_options){0}, &m->network, err);
    if (s != CLV_OK) return s;
    size_t n;
    const clv_tensor_spec *specs = clv_network_inputs(m->network, &n);
    clv_rng rng = clv_rng_seeded(1);
    s = clv_tensors_random(specs, n, 1, &rng, &m->inputs, err);
    if (s != CLV_OK) return s;
    return clv_stopwatch_start(&m->watch, m->network, 0, clv_network_cuts(m->network)->n - 1,
                               m->inputs.items, m->inputs.n, NULL, err);
}

clv_status clv_speedometer_new(clv_engine *engine, double slowdown, clv_speedometer **out,
                               clv_error *err)
{
    clv_speedometer *m = clv_alloc(sizeof *m);
    m->slowdown = slowdown > 0 ? slowdown : 1;
    clv_status s = start(m, engine, err);
    if (s != CLV_OK) {
        clv_speedometer_free(m);
        return clv_within(err, "reference network");
    }
    *out = m;
    return CLV_OK;
}

clv_status clv_speedometer_visit(clv_speedometer *m, clv_error *err)
{
    if (!m) return CLV_OK;
    clv_status s = clv_stopwatch_visit(&m->watch, err);
    m->visited_us = clv_now_us();
    return s == CLV_OK ? s : clv_within(err, "reference network");
}

clv_status clv_speedometer_look(clv_speedometer *m, clv_error *err)
{
    if (!m || clv_now_us() - m->visited_us < CLV_SPEEDOMETER_EVERY_US) return CLV_OK;
    return clv_speedometer_visit(m, err);
}

size_t clv_speedometer_runs(const clv_speedometer *m)
{
    return m ? m->watch.n : 0;
}

clv_speed clv_speedometer_speed(const clv_speedometer *m, size_t first)
{
    clv_speed speed = {0};
    if (!m) return speed;
    clv_time t = clv_stopwatch_time(&m->watch, first);
    memcpy(speed.network, clv_network_digest(m->network), sizeof speed.network);
    speed.us = t.us / m->slowdown;
    speed.sigma_us = t.sigma_us / m->slowdown;
    speed.n = t.n;
    return speed;
}

clv_stopwatch *clv_speedometer_watch(clv_speedometer *m)
{
    return m ? &m->watch : NULL;
}
