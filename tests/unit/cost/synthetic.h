/* A calibration of a device that does not exist: rows whose times follow a known law. */
#ifndef CLV_TESTS_SYNTHETIC_H
#define CLV_TESTS_SYNTHETIC_H

#include "base/mem.h"
#include "base/rng.h"
#include "cost/calibration.h"
#include "graph/graph.h"

#include <math.h>
#include <stdio.h>

#define SYNTHETIC_FN static __attribute__((unused))

/* A convolution of size s × s × c -> c, kernel k. */
SYNTHETIC_FN clv_unit_features synthetic_conv(int64_t side, int64_t c, int64_t k)
{
    return (clv_unit_features){.kind = CLV_UNIT_CONV,
                               .in_channels = c,
                               .in_h = side,
                               .in_w = side,
                               .out_channels = c,
                               .out_h = side,
                               .out_w = side,
                               .kernel_h = k,
                               .kernel_w = k,
                               .stride = 1,
                               .groups = 1,
                               .steps = 1,
                               .macs = (uint64_t)(side * side * c * c * k * k),
                               .weight_bytes = (uint64_t)(4 * c * c * k * k),
                               .in_bytes = (uint64_t)(4 * side * side * c),
                               .out_bytes = (uint64_t)(4 * side * side * c)};
}

/* The law: a constant, arithmetic that small channels do worse, and bytes. */
SYNTHETIC_FN double synthetic_us(const clv_unit_features *f)
{
    double poor = 1 + 8 / (double)f->in_channels;
    return 2 + 15 * poor * (double)f->macs / 1e6 + 40 * (double)(f->in_bytes + f->out_bytes) / 1e6;
}

/* `networks` with 12 rows each; network i has the mood moods[i % 4] * strength. */
SYNTHETIC_FN clv_calibration *synthetic_calibration(size_t networks, double strength)
{
    static const double moods[] = {-1, 0, 0, 1};
    clv_rng rng = clv_rng_seeded(9);
    clv_calibration *c = clv_alloc(sizeof *c);
    snprintf(c->device, sizeof c->device, "cpu");
    snprintf(c->engine, sizeof c->engine, "synthetic");
    c->threads = 1;
    c->slowdown = 1;
    clv_grow(&c->networks, &c->cap_networks, networks, sizeof *c->networks);
    for (size_t i = 0; i < networks; i++) {
        clv_calibration_network *n = &c->networks[c->n_networks++];
        snprintf(n->family, sizeof n->family, "plain");
        n->seed = (int64_t)i;
        n->rows = clv_alloc_array(12, sizeof *n->rows);
        n->segments = clv_alloc_array(1, sizeof *n->segments);
        for (int k = 0; k < 12; k++) {
            int64_t side = (int64_t)(7 * pow(16, clv_rng_unit(&rng)));
            int64_t channels = 8 * (1 + (int64_t)clv_rng_below(&rng, 16));
            clv_calibration_row *r = &n->rows[n->n_rows++];
            r->place.features = synthetic_conv(side, channels, clv_rng_below(&rng, 2) ? 3 : 5);
            r->place.inputs = 1;
            r->place.beside_bytes = 1 << 20;
            r->us = synthetic_us(&r->place.features) * exp(strength * moods[i % 4]);
        }
        /* The first six units; 30 us for 10^6 bytes out. */
        clv_calibration_segment *s = &n->segments[n->n_segments++];
        *s = (clv_calibration_segment){.us = 30 * (double)(i % 5) / 5,
                                       .out_bytes = (double)(i % 5) * 2e5,
                                       .has = clv_alloc_array(12, sizeof(bool))};
        for (int k = 0; k < 6; k++) {
            s->has[k] = true;
            s->us += n->rows[k].us;
        }
    }
    return c;
}

/* A network of that device: a chain of convolutions. */
SYNTHETIC_FN clv_graph *synthetic_chain(int units)
{
    clv_graph *g = clv_alloc(sizeof *g);
    g->units = clv_alloc_array((size_t)units, sizeof *g->units);
    g->tensors = clv_alloc_array((size_t)units + 1, sizeof *g->tensors);
    for (int i = 0; i <= units; i++) {
        clv_graph_tensor *t = &g->tensors[g->n_tensors++];
        *t = (clv_graph_tensor){
            .name = clv_format("t%d", i),
            .dtype = CLV_F32,
            .bytes = 4 * 40 * 40 * 64,
            .shape = clv_shape_of(4, (int64_t)1, (int64_t)64, (int64_t)40, (int64_t)40),
            .producer = i - 1,
            .is_input = i == 0,
            .is_output = i == units};
        if (i == 0) t->producer = CLV_NO_UNIT;
        if (i == units) break;
        t->consumers = clv_alloc_array(1, sizeof(int));
        t->consumers[t->n_consumers++] = i;
        clv_unit *u = &g->units[g->n_units++];
        *u = (clv_unit){.name = clv_format("u%d", i),
                        .op = clv_strdup("Conv"),
                        .features = synthetic_conv(40, 64, i % 2 ? 3 : 5)};
        u->inputs = clv_alloc_array(1, sizeof(int));
        u->outputs = clv_alloc_array(1, sizeof(int));
        u->inputs[u->n_inputs++] = i;
        u->outputs[u->n_outputs++] = i + 1;
    }
    return g;
}

#endif
