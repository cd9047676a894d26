/* What a plan says of each part of a request: by hand, from a problem of three units and three devices. */
#include "split/prediction.h"

#include "graph/graph_maker.h"
#include "unit.h"

#include <string.h>

#define MS 1000000 /* in ns */

typedef struct rig {
    clv_graph *g;
    clv_cuts *cuts;
    clv_plan_time prefix[4], suffix[4], progress[4];
    clv_plan_codec codecs[2];
    clv_plan_problem p;
} rig;

/* Units of 10, 20 and 30 ms on the first device, a tenth of it on the others. */
static int start(void **state)
{
    clv_error err = {0};
    rig *r = clv_alloc(sizeof *r);
    r->g = graph_new();
    int y = add_chain(r->g, add_input(r->g, "x"), 3);
    r->g->tensors[y].is_output = true;
    if (clv_cuts_enumerate(r->g, CLV_CUTS_CAP, &r->cuts, &err) || r->cuts->n != 4) return 1;
    const int64_t at_ms[] = {0, 10, 30, 60};
    for (int i = 0; i < 4; i++) {
        r->prefix[i] = (clv_plan_time){at_ms[i] * MS, i ? 250000 : 0};
        r->suffix[i] = (clv_plan_time){(60 - at_ms[i]) * MS / 10, i < 3 ? 160000 : 0};
        r->progress[i] = (clv_plan_time){at_ms[i] * MS / 10, 10000 * i};
    }
    r->codecs[0] = clv_plan_raw;
    r->codecs[1] = (clv_plan_codec){.name = "q8",
                                    .bytes_per_kib = 256,
                                    .encode_ps_per_byte = {4000, 2000, 2000},
                                    .decode_ps_per_byte = {3000, 1000, 1000}};
    r->p = (clv_plan_problem){.graph = r->g,
                              .cuts = r->cuts,
                              .n_devices = 3,
                              .codecs = r->codecs,
                              .n_codecs = 2,
                              .limits = clv_plan_no_limits};
    for (int d = 0; d < 3; d++)
        r->p.devices[d] = (clv_plan_device){
            .prefix = r->prefix, .suffix = r->suffix, .progress = r->progress, .queue_ns = d * MS};
    for (int h = 0; h < 2; h++)
        r->p.hops[h] = (clv_plan_hop){.up = true,
                                      .up_ps_per_byte = 1000000, /* 1 MB/s */
                                      .down_ps_per_byte = 1000000,
                                      .rtt_ns = 5 * MS,
                                      .rtt_var_us2 = 90000,
                                      .overhead_ns = MS / 5};
    *state = r;
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    clv_cuts_free(r->cuts);
    clv_graph_free(r->g);
    free(r);
    return 0;
}

static int64_t sum_of(const clv_timing *t)
{
    int64_t sum = -t->total_us;
#define X(name, about) sum += t->name;
    CLV_TIMING_MAP(X)
#undef X
    return sum;
}

static size_t bytes_at(const rig *r, size_t cut)
{
    return r->cuts->items[cut].bytes;
}

static void alone_there_is_one_part(void **state)
{
    rig *r = *state;
    clv_route local = clv_route_local(3);
    clv_prediction p = clv_prediction_of(&r->p, &local);
    assert_true(p.known);
    assert_int_equal(p.us.edge_us, 60000);
    assert_int_equal(p.us.total_us, 60000);
    assert_int_equal(p.sigma_us.edge_us, 500);
    assert_int_equal(sum_of(&p.us), 60000);
    p = clv_prediction_alone(60000.4, 500);
    assert_int_equal(p.us.edge_us, 60000);
    assert_int_equal(p.sigma_us.total_us, 500);
    assert_false(clv_prediction_alone(0, 0).known);
}

static void a_split_has_its_parts(void **state)
{
    rig *r = *state;
    clv_route split = {.n = 2, .cut = {1, 3}};
    clv_prediction p = clv_prediction_of(&r->p, &split);
    int64_t wire_us = (int64_t)(bytes_at(r, 1) + clv_plan_down_bytes(&r->p, 1)); /* 1 us a byte */
    assert_true(p.known);
    assert_int_equal(p.us.edge_us, 10000);
    assert_int_equal(p.us.encode_us, 0);
    assert_in_range(p.us.link_us, 5200 + wire_us - 1, 5200 + wire_us + 1);
    assert_int_equal(p.us.queue_us, 1000);
    assert_int_equal(p.us.cloud_us, 5000);
    assert_int_equal(p.us.relay_us, 0);
    assert_int_equal(sum_of(&p.us), p.us.total_us);
    assert_int_equal(p.sigma_us.edge_us, 500);
    assert_int_equal(p.sigma_us.link_us, 300);
    assert_int_equal(p.sigma_us.cloud_us, 400);
    assert_int_equal(p.sigma_us.total_us, 707); /* sqrt(500^2 + 300^2 + 400^2) */
}

static void a_codec_is_encoded_here_and_decoded_there(void **state)
{
    rig *r = *state;
    clv_route raw = {.n = 2, .cut = {1, 3}}, coded = raw;
    coded.codec[0] = (clv_codec){CLV_QUANT_Q8, CLV_PACK_NONE};
    clv_prediction a = clv_prediction_of(&r->p, &raw), b = clv_prediction_of(&r->p, &coded);
    int64_t bytes = (int64_t)bytes_at(r, 1);
    assert_true(b.known);
    assert_true(b.us.link_us < a.us.link_us || bytes < 4);
    assert_in_range(b.us.encode_us, bytes * 4 / 1000, bytes * 4 / 1000 + 1);
    assert_int_equal(b.us.cloud_us, a.us.cloud_us);
    assert_int_equal(a.us.decode_us, 0);
    assert_in_range(b.us.decode_us, bytes / 1000, bytes / 1000 + 1);
    assert_int_equal(sum_of(&b.us), b.us.total_us);
    coded.codec[0] = (clv_codec){CLV_QUANT_Q4, CLV_PACK_ZSTD}; /* the problem has none of this */
    assert_false(clv_prediction_of(&r->p, &coded).known);
}

static void what_lies_behind_the_peer_is_relay(void **state)
{
    rig *r = *state;
    clv_route far = {.n = 3, .cut = {1, 2, 3}};
    clv_prediction p = clv_prediction_of(&r->p, &far);
    assert_true(p.known);
    assert_int_equal(p.us.edge_us, 10000);
    assert_int_equal(p.us.queue_us, 1000);
    assert_int_equal(p.us.cloud_us, 2000 + 3000); /* from cut 1 to 2, then to the end */
    int64_t wire_us = (int64_t)(bytes_at(r, 2) + clv_plan_down_bytes(&r->p, 2));
    assert_in_range(p.us.relay_us, 5200 + 2000 + wire_us - 1, 5200 + 2000 + wire_us + 1);
    assert_int_equal(sum_of(&p.us), p.us.total_us);
}

static void what_is_not_measured_is_not_predicted(void **state)
{
    rig *r = *state;
    clv_route split = {.n = 2, .cut = {1, 3}};
    r->p.hops[0].up = false;
    assert_false(clv_prediction_of(&r->p, &split).known);
    r->p.hops[0].up = true;
    r->suffix[1].ns = CLV_PLAN_UNKNOWN;
    clv_prediction p = clv_prediction_of(&r->p, &split);
    assert_false(p.known);
    assert_int_equal(p.us.total_us, 0);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        WITH_RIG(alone_there_is_one_part),
        WITH_RIG(a_split_has_its_parts),
        WITH_RIG(a_codec_is_encoded_here_and_decoded_there),
        WITH_RIG(what_lies_behind_the_peer_is_relay),
        WITH_RIG(what_is_not_measured_is_not_predicted),
    };
    return cmocka_run_group_tests_name("prediction", tests, NULL, NULL);
}
