#include "lab/validate.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS_MAX     100
#define PATIENCE_FACTOR 20
#define PATIENCE_US     10000000
#define PING_COUNT      200
#define PING_PAYLOAD    56 /* as ping(8) */
#define PING_HEADERS    28
#define PING_GAP_US     5000
#define LOSS_ASKED      0.02
#define LOSS_PACKETS    20000
#define LOSS_GAP_US     50

typedef struct usage {
    int64_t cpu_us, wall_us, frames, late_ns;
} usage;

static clv_status usage_now(clv_lab *lab, clv_direction d, usage *u, clv_error *err)
{
    CLV_AUTO(clv_free) clv_lab_reply *r = clv_alloc(sizeof *r);
    clv_status s = clv_lab_state(lab, r, err);
    if (s) return s;
    const clv_relay_counts *c = &r->links[0].counts[d];
    *u = (usage){r->cpu_us, clv_now_us(), c->frames, c->late_ns_sum};
    return CLV_OK;
}

static clv_status repeat(const clv_flow *flow, const clv_validate_options *o,
                         clv_validate_transfer *t, clv_error *err)
{
    double took_us[REPEATS_MAX], warm_us;
    int64_t limit_us = (int64_t)(t->promised_us * PATIENCE_FACTOR) + PATIENCE_US;
    size_t n = CLV_MIN(o->repeats, (size_t)REPEATS_MAX);
    clv_status s = clv_flow_exchange(flow, t->direction, t->payload_bytes, limit_us, &warm_us, err);
    for (size_t i = 0; i < n && s == CLV_OK; i++)
        s = clv_flow_exchange(flow, t->direction, t->payload_bytes, limit_us, &took_us[i], err);
    if (s == CLV_OK) t->measured_us = clv_median(took_us, n);
    return s;
}

static clv_status transfer(clv_lab *lab, const clv_validate_options *o, const clv_link_preset *p,
                           clv_validate_transfer *t, clv_error *err)
{
    t->link = p->name;
    t->payload_bytes = (size_t)(p->bytes_per_s * (double)o->seconds_us / 1e6);
    t->wire_bytes = clv_flow_wire_bytes(t->payload_bytes);
    size_t answer = clv_flow_wire_bytes(1);
    t->promised_us = (double)(t->wire_bytes + answer) / p->bytes_per_s * 1e6 + (double)p->rtt_us;
    clv_flow flow;
    usage before, after;
    clv_status s = clv_flow_open(lab, 0, 1, &flow, err);
    if (s) return s;
    s = usage_now(lab, t->direction, &before, err);
    if (s == CLV_OK) s = repeat(&flow, o, t, err);
    if (s == CLV_OK) s = usage_now(lab, t->direction, &after, err);
    clv_flow_done(&flow);
    if (s) return clv_within(err, "%s", p->name);
    t->error = t->measured_us / t->promised_us - 1;
    t->keeper_cpu =
        (double)(after.cpu_us - before.cpu_us) / (double)(after.wall_us - before.wall_us);
    t->late_us_mean = (double)(after.late_ns - before.late_ns) / 1e3 /
                      (double)CLV_MAX(after.frames - before.frames, 1);
    return CLV_OK;
}

static clv_status ping_quantiles(clv_lab *lab, size_t to, int64_t gap_us, double *p50_us,
                                 double *p99_us, clv_error *err)
{
    clv_ping_options o = {.from = 0,
                          .to = to,
                          .count = PING_COUNT,
                          .payload = PING_PAYLOAD,
                          .gap_us = gap_us,
                          .patience_us = PATIENCE_US};
    clv_ping_result r;
    clv_status s = clv_ping(lab, &o, &r, err);
    if (s) return s;
    if (r.returned == 0) s = clv_fail(err, CLV_ETIMEOUT, "no ping came back");
    *p50_us = clv_quantile(r.rtt_us, r.returned, 0.5);
    *p99_us = clv_quantile(r.rtt_us, r.returned, 0.99);
    free(r.rtt_us);
    return s;
}

static clv_status ping(clv_lab *lab, const clv_link_preset *p, clv_validate_ping *out,
                       clv_error *err)
{
    double unused, wire_us = (PING_PAYLOAD + PING_HEADERS) / p->bytes_per_s * 1e6;
    /* Far enough apart that none waits for the one before. */
    int64_t gap_us = CLV_MAX(PING_GAP_US, (int64_t)(4 * wire_us));
    out->link = p->name;
    out->promised_us = (double)p->rtt_us + 2 * wire_us;
    clv_status s = ping_quantiles(lab, 0, PING_GAP_US, &out->loopback_us, &unused, err);
    if (s == CLV_OK) s = ping_quantiles(lab, 1, gap_us, &out->p50_us, &out->p99_us, err);
    if (s) return clv_within(err, "%s", p->name);
    out->extra_us = (out->p50_us - out->promised_us - out->loopback_us) / 2;
    return CLV_OK;
}

static clv_status loss(clv_lab *lab, clv_validate_loss *out, clv_error *err)
{
    clv_shape_values lossy = {.loss = LOSS_ASKED}, clean = {0};
    clv_status s = clv_lab_set_link(lab, 0, &lossy, &clean, err);
    clv_ping_options o = {.from = 0,
                          .to = 1,
                          .count = LOSS_PACKETS,
                          .payload = PING_PAYLOAD,
                          .gap_us = LOSS_GAP_US,
                          .patience_us = PATIENCE_US / 10};
    clv_ping_result r;
    if (s == CLV_OK) s = clv_ping(lab, &o, &r, err);
    if (s) return s;
    double n = LOSS_PACKETS;
    *out = (clv_validate_loss){.asked = LOSS_ASKED,
                               .measured = 1 - (double)r.reached / n,
                               .sigma = sqrt(LOSS_ASKED * (1 - LOSS_ASKED) / n),
                               .packets = LOSS_PACKETS};
    free(r.rtt_us);
    return CLV_OK;
}

static void tell(const clv_validate_options *o, size_t done, size_t total, const char *what)
{
    if (o->progress) o->progress(o->data, done, total, what);
}

static clv_status preset(clv_lab *lab, const clv_validate_options *o, const clv_link_preset *p,
                         clv_validation *v, clv_error *err)
{
    clv_link link = {.up_bytes_per_s = p->bytes_per_s,
                     .down_bytes_per_s = p->bytes_per_s,
                     .rtt_us = (double)p->rtt_us,
                     .up = true};
    clv_shape_values up, down;
    clv_lab_link_values(&link, &up, &down);
    clv_status s = clv_lab_set_link(lab, 0, &up, &down, err);
    if (s == CLV_OK) s = ping(lab, p, &v->pings[v->n_pings++], err);
    for (int d = 0; d < CLV_DIRECTIONS && s == CLV_OK; d++) {
        clv_validate_transfer *t = &v->transfers[v->n_transfers++];
        t->direction = (clv_direction)d;
        s = transfer(lab, o, p, t, err);
        v->worst_error = fmax(v->worst_error, fabs(t->error));
    }
    return s;
}

clv_status clv_lab_validate(clv_lab *lab, const clv_validate_options *o, clv_validation *out,
                            clv_error *err)
{
    if (!clv_lab_emulated(lab))
        return clv_fail(err, CLV_EUNAVAIL, "nothing to validate: %s", clv_lab_note(lab));
    *out = (clv_validation){0};
    size_t total = CLV_MIN(clv_link_presets_n, (size_t)CLV_VALIDATE_LINKS_MAX);
    for (size_t i = 0; i < total; i++) {
        const clv_link_preset *p = &clv_link_presets[i];
        if (o->only && strcmp(o->only, p->name) != 0) continue;
        tell(o, i, total + 1, p->name);
        clv_status s = preset(lab, o, p, out, err);
        if (s) return s;
    }
    if (out->n_pings == 0)
        return clv_fail(err, CLV_EUSAGE, "link '%s': `cleave lab links` lists the presets",
                        o->only);
    tell(o, total, total + 1, "loss");
    return loss(lab, &out->loss, err);
}
