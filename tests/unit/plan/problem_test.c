#include "plan/problem.h"
#include "problems.h"
#include "unit.h"

enum { PROBLEMS = 3000 };

static const problem_options everything = {.devices_max = 3,
                                           .rough = true,
                                           .limits = true,
                                           .unknowns = true,
                                           .any_goal = true,
                                           .quantiles = true,
                                           .measured = true};

static void assert_amount(clv_plan_amount a, const naive_cost *c)
{
    assert_int_equal(a.ns == CLV_PLAN_UNKNOWN, !c->known);
    if (!c->known) return;
    assert_int_equal(a.ns, c->ns);
    assert_int_equal(a.var_us2, c->var_us2);
    assert_int_equal(a.nj, c->nj);
    assert_int_equal(a.pm, c->pm);
    assert_int_equal(a.drop_ppm, c->drop_ppm);
}

static void parts_of(const problem *q, const naive_placement *m, int k)
{
    bool runs = naive_count(q, m->device, k) > 0;
    int from = k ? naive_cut(q, m->device, k - 1) : 0, to = naive_cut(q, m->device, k);
    naive_cost c = {.known = true};
    naive_segment(q, m->device, k, &c);
    assert_amount(clv_plan_segment(&q->p, (size_t)k, (size_t)from, (size_t)to), &c);
    if (runs)
        assert_int_equal(clv_plan_memory(&q->p, (size_t)from, (size_t)to),
                         naive_memory(q, m->device, k));
    if (!naive_crossed(q, m->device, k)) return;
    size_t cut = (size_t)to, codec = (size_t)m->codec[k];
    c = (naive_cost){.known = true};
    naive_cross(q, m->device, k, (int)codec, &c);
    assert_amount(clv_plan_cross(&q->p, (size_t)k, cut, codec), &c);
    if (q->p.hops[k].up) assert_int_equal(clv_plan_offered(&q->p, cut, codec), c.known);
    clv_plan_transfer t = clv_plan_transfer_of(&q->p, (size_t)k, cut, codec);
    assert_int_equal(t.up_bytes + t.down_bytes, c.wire_bytes);
    assert_int_equal(CLV_MAX(t.up_ns, t.down_ns), c.period_ns);
    int64_t raw, down;
    naive_bytes(q, m->device, k, &raw, &down);
    assert_int_equal(clv_plan_down_bytes(&q->p, cut), down);
    assert_int_equal(q->cuts->items[cut].bytes, raw);
    c = (naive_cost){.known = true};
    naive_coding(q, m->device, k, k, true, (int)codec, &c);
    assert_amount(clv_plan_encode(&q->p, (size_t)k, cut, codec), &c);
    c = (naive_cost){.known = true};
    naive_coding(q, m->device, k, k + 1, false, (int)codec, &c);
    assert_amount(clv_plan_decode(&q->p, (size_t)k + 1, cut, codec), &c);
}

static void parts_are_what_the_text_says(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(1);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &everything);
        clv_error err = {0};
        assert_ok(clv_plan_problem_check(&q->p, &err), err);
        naive_placement m = problem_some_placement(&r, q);
        for (size_t k = 0; k < q->p.n_devices; k++) {
            if (naive_cut(q, m.device, (int)k) < 0) break;
            m.codec[k] = (int)clv_rng_below(&r, q->p.n_codecs);
            parts_of(q, &m, (int)k);
        }
        problem_free(q);
    }
}

static void limits_allow_what_the_text_says(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(2);
    for (int i = 0; i < PROBLEMS; i++) {
        problem *q = problem_random(&r, &everything);
        naive_placement m = problem_some_placement(&r, q);
        q->p.limits.deadline_ns = q->p.limits.energy_nj = q->p.limits.price_pm = CLV_PLAN_NO_LIMIT;
        q->p.limits.drop_ppm = CLV_PLAN_NO_LIMIT;
        bool whole = true, may = true;
        for (size_t k = 0, from = 0; k < q->p.n_devices; k++) {
            int to = naive_cut(q, m.device, (int)k);
            whole &= to >= 0;
            if (!whole) break;
            may &= clv_plan_may_run(&q->p, k, from, (size_t)to);
            from = (size_t)to;
        }
        if (whole) assert_int_equal(may, naive_keeps(q, &m));
        problem_free(q);
    }
}

static void unknown_swallows_and_sums_stay_below_it(void **state)
{
    (void)state;
    clv_plan_amount big = {INT64_MAX - 5, INT64_MAX - 5, INT64_MAX - 5, INT64_MAX - 5,
                           INT64_MAX - 5};
    clv_plan_amount sum = clv_plan_add(big, big);
    assert_int_equal(sum.ns, INT64_MAX - 1);
    assert_int_equal(sum.pm, INT64_MAX - 1);
    assert_int_equal(sum.drop_ppm, INT64_MAX - 1);
    sum = clv_plan_add(big, (clv_plan_amount){.ns = CLV_PLAN_UNKNOWN});
    assert_true(sum.ns == CLV_PLAN_UNKNOWN);
}

static void scores_are_exact(void **state)
{
    (void)state;
    clv_plan_amount a = {.ns = 2000000, .var_us2 = 1000000, .nj = 7, .pm = 11};
    clv_plan_objective o = {.goal = CLV_GOAL_LATENCY};
    assert_int_equal(clv_plan_score(&o, &a), 2000000);
    o.quantile_ppm = 500000; /* the median of a normal is its mean */
    assert_int_equal(clv_plan_score(&o, &a), 2000000);
    o.quantile_ppm = 990000; /* 2.326348 standard deviations of 1 ms above */
    assert_int_equal(clv_plan_score(&o, &a), 4326348);
    o.goal = CLV_GOAL_ENERGY;
    assert_int_equal(clv_plan_score(&o, &a), 7);
    assert_int_equal(clv_plan_latency_ns(&o, &a), 4326348);
    o.goal = CLV_GOAL_PRICE;
    assert_int_equal(clv_plan_score(&o, &a), 11);
    o = (clv_plan_objective){
        .goal = CLV_GOAL_WEIGHTED, .second_weight = 2, .joule_weight = 3, .money_weight = 5};
    assert_int_equal(clv_plan_score(&o, &a), 2 * 1000 * 2000000LL + 3 * 1000 * 7 + 5 * 11);
    o.second_weight = CLV_PLAN_WEIGHT_MAX;
    a.ns = CLV_PLAN_NS_MAX;
    assert_true(clv_plan_score(&o, &a) == INT64_MAX - 1);
    o.goal = CLV_GOAL_THROUGHPUT;
    assert_true(clv_plan_score(&o, &a) == CLV_PLAN_UNKNOWN);
}

/* One field out of range, and a word of the error that names it. */
#define REFUSED(change, word)                                                                      \
    do {                                                                                           \
        clv_plan_problem p = q->p;                                                                 \
        clv_plan_problem *const x = &p;                                                            \
        change;                                                                                    \
        clv_error err = {0};                                                                       \
        assert_int_equal(clv_plan_problem_check(x, &err), CLV_EINVAL);                             \
        if (!strstr(err.text, word)) fail_msg("'%s' does not name %s", err.text, word);            \
    } while (0)

static void assert_sound(const clv_plan_problem *p)
{
    clv_error err = {0};
    assert_ok(clv_plan_problem_check(p, &err), err);
}

static void what_is_wrong_with_measured_codecs_is_named(problem *q)
{
    int64_t *numbers = clv_alloc_array(q->cuts->n, sizeof *numbers);
    clv_plan_codec codecs[] = {clv_plan_raw, {.name = "q8", .bytes_per_kib = 256}};
    clv_plan_problem fine = q->p;
    fine.codecs = codecs;
    fine.n_codecs = 2;
    codecs[1].cut_bytes = codecs[1].cut_drop_ppm = numbers;
    codecs[1].encode_ps_per_byte[1] = codecs[1].decode_ps_per_byte[0] = CLV_PLAN_UNKNOWN;
    assert_sound(&fine);
    numbers[1] = -1;
    REFUSED(*x = fine, "cut_bytes[1] is -1");
    numbers[1] = CLV_PLAN_BYTES_MAX + 1;
    REFUSED(*x = fine, "cut_bytes[1]");
    numbers[1] = CLV_PLAN_DROP_MAX + 1; /* fine as bytes */
    REFUSED(*x = fine, "cut_drop_ppm[1] is 1000001");
    numbers[1] = CLV_PLAN_UNKNOWN;
    REFUSED(*x = fine, "cut_drop_ppm[1]");
    codecs[1].cut_drop_ppm = NULL;
    assert_sound(&fine);
    codecs[1].encode_ps_per_byte[1] = -1;
    REFUSED(*x = fine, "encode_ps_per_byte is -1");
    codecs[1].encode_ps_per_byte[1] = 0;
    codecs[0].cut_bytes = numbers;
    REFUSED(*x = fine, "'raw' is raw");
    codecs[0] = clv_plan_raw;
    codecs[0].encode_ps_per_byte[0] = CLV_PLAN_UNKNOWN;
    REFUSED(*x = fine, "encode_ps_per_byte");
    free(numbers);
}

static void what_is_out_of_range_is_named(void **state)
{
    (void)state;
    clv_rng r = clv_rng_seeded(3);
    problem_options o = {.devices_max = 2};
    problem *q = problem_random(&r, &o);
    clv_plan_time *bad = clv_alloc_array(q->cuts->n, sizeof *bad);
    REFUSED(x->graph = NULL, "graph");
    REFUSED(x->n_devices = 1, "1 devices");
    REFUSED(x->n_devices = CLV_PLAN_DEVICES_MAX + 1, "9 devices");
    REFUSED(x->n_codecs = 0, "0 codecs");
    REFUSED(x->n_codecs = CLV_PLAN_CODECS_MAX + 1, "17 codecs");
    REFUSED(x->devices[1].name[0] = 0, "device 1");
    REFUSED(memset(x->devices[1].name, 'a', sizeof x->devices[1].name), "name");
    REFUSED(x->devices[0].prefix = NULL, "prefix");
    REFUSED(x->devices[0].queue_ns = -1, "queue_ns is -1");
    REFUSED(x->devices[1].active_mw = CLV_PLAN_MW_MAX + 1, "active_mw");
    REFUSED(x->devices[1].idle_mw = -1, "idle_mw");
    REFUSED(x->devices[1].price_pm_per_s = -1, "price_pm_per_s");
    REFUSED(x->devices[1].memory_bytes_max = -1, "memory_bytes_max");
    REFUSED(x->hops[0].up_ps_per_byte = 0, "up_ps_per_byte is 0");
    REFUSED(x->hops[0].down_ps_per_byte = CLV_PLAN_PS_MAX + 1, "down_ps_per_byte");
    REFUSED(x->hops[0].rtt_ns = CLV_PLAN_NS_MAX + 1, "rtt_ns");
    REFUSED(x->objective.goal = CLV_GOAL_COUNT, "goal");
    REFUSED(x->objective.quantile_ppm = 499999, "quantile_ppm");
    REFUSED(x->objective.quantile_ppm = 1000000, "quantile_ppm");
    REFUSED(x->objective.goal = CLV_GOAL_WEIGHTED, "no weight");
    REFUSED((x->objective.goal = CLV_GOAL_WEIGHTED, x->objective.joule_weight = -1),
            "joule_weight");
    REFUSED(x->limits.deadline_ns = -1, "deadline_ns");
    REFUSED(x->limits.energy_nj = -1, "energy_nj");
    REFUSED(x->limits.price_pm = -1, "price_pm");
    REFUSED(x->limits.drop_ppm = -1, "drop_ppm");
    REFUSED(x->limits.unit_devices = q->unit_devices, "may run on none");
    REFUSED((x->n_devices = 3, x->may_return = true), "may_return");
    bad[0].ns = 1;
    REFUSED(x->devices[1].prefix = bad, "first prefix");
    bad[0].ns = -1;
    REFUSED(x->devices[1].suffix = bad, "suffix[0]");
    bad[0] = (clv_plan_time){.var_us2 = CLV_PLAN_VAR_MAX + 1};
    REFUSED(x->devices[1].progress = bad, "progress[0]");
    clv_plan_codec codec = clv_plan_raw;
    codec.bytes_per_kib = 1000;
    REFUSED((x->codecs = &codec, x->n_codecs = 1), "bytes_per_kib is 1000");
    codec = clv_plan_raw;
    codec.decode_ps_per_byte[1] = -1;
    REFUSED((x->codecs = &codec, x->n_codecs = 1), "decode_ps_per_byte");
    what_is_wrong_with_measured_codecs_is_named(q);
    clv_error err = {0};
    q->p.hops[0] = (clv_plan_hop){.up = false}; /* nothing is asked of a hop that is down */
    assert_ok(clv_plan_problem_check(&q->p, &err), err);
    free(bad);
    problem_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_what_the_text_says),
        cmocka_unit_test(limits_allow_what_the_text_says),
        cmocka_unit_test(unknown_swallows_and_sums_stay_below_it),
        cmocka_unit_test(scores_are_exact),
        cmocka_unit_test(what_is_out_of_range_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
