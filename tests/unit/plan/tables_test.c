#include "plan/tables.h"

#include "base/rng.h"
#include "diamond.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const clv_link wifi = {.up_bytes_per_s = 1e6,
                              .down_bytes_per_s = 4e6,
                              .rtt_us = 1000,
                              .up_sigma = 0.1,
                              .rtt_sigma_us = 30,
                              .up = true};

static clv_plan_tables *tables(const net *n, const clv_profile *const *profiles, size_t n_devices)
{
    clv_error err = {0};
    clv_plan_tables *t = NULL;
    clv_plan_sources from = {.graph = n->g, .cuts = n->cuts, .n_devices = n_devices};
    for (size_t k = 0; k < n_devices; k++) from.profiles[k] = profiles[k];
    for (size_t k = 0; k + 1 < n_devices; k++) from.links[k] = wifi;
    assert_ok(clv_plan_tables_new(&from, &t, &err), err);
    assert_ok(clv_plan_problem_check(&t->problem, &err), err);
    return t;
}

static void measurements_become_whole_numbers(void **state)
{
    (void)state;
    net n = diamond();
    clv_profile *edge = profile_of(&n, "pi", 10.0625), *cloud = profile_of(&n, "", 1);
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    const clv_plan_problem *p = &t->problem;
    assert_string_equal(p->devices[0].name, "pi");
    assert_string_equal(p->devices[1].name, "device 1");
    for (size_t i = 0; i < n.cuts->n; i++) {
        int64_t units = (int64_t)n.cuts->items[i].n_units;
        assert_int_equal(p->devices[0].prefix[i].ns, llround(10062.5 * (double)units));
        assert_int_equal(p->devices[1].suffix[i].ns, 1000 * (5 - units));
        assert_int_equal(p->devices[0].prefix[i].var_us2, i ? 4 : 0);
        assert_int_equal(p->devices[1].suffix[i].var_us2, i + 1 < n.cuts->n ? 13 : 0);
    }
    assert_int_equal(p->devices[0].unit_ns[3], 10063);
    assert_null(p->devices[0].progress);
    assert_int_equal(p->devices[0].memory_bytes_max, CLV_PLAN_NO_LIMIT);
    assert_int_equal(p->hops[0].up_ps_per_byte, 1000000);
    assert_int_equal(p->hops[0].down_ps_per_byte, 250000);
    assert_int_equal(p->hops[0].rtt_ns, 1000000);
    assert_int_equal(p->hops[0].rtt_var_us2, 900);
    assert_int_equal(p->hops[0].up_rel_ppm, 100000);
    assert_int_equal(p->hops[0].down_rel_ppm, 0);
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

static void watts_and_money_become_whole_numbers(void **state)
{
    (void)state;
    clv_error err = {0};
    net n = diamond();
    clv_profile *edge = profile_of(&n, "pi", 10), *cloud = profile_of(&n, "", 1);
    edge->power =
        (clv_power){.idle_w = 2, .active_w_per_core = 1.25, .cores = 4, .source = CLV_POWER_GIVEN};
    cloud->price_per_s = 0.53 / 3600;
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    const clv_plan_device *d = t->problem.devices;
    const clv_plan_hop *h = t->problem.hops;
    assert_int_equal(d[0].idle_mw, 2000);
    assert_int_equal(d[0].active_mw, 7000);
    assert_int_equal(d[0].price_pm_per_s, 0);
    assert_int_equal(d[1].idle_mw + d[1].active_mw, 0);
    assert_int_equal(d[1].price_pm_per_s, 147222222);
    assert_int_equal(h->tx_mw + h->rx_mw + h->up_pj_per_byte + h->up_pm_per_byte, 0);
    clv_link link = wifi;
    assert_ok(clv_radio_parse("tx=1.2,rx=0.9,up=3.5J/MB,down=0.4J/MB,up-price=1/MB,down-price=2/MB",
                              &link.radio, &err),
              err);
    assert_ok(clv_plan_tables_link(t, 0, &link, &err), err);
    assert_int_equal(h->tx_mw, 1200);
    assert_int_equal(h->rx_mw, 900);
    assert_int_equal(h->up_pj_per_byte, 3500000);
    assert_int_equal(h->down_pj_per_byte, 400000);
    assert_int_equal(h->up_pm_per_byte, 1000000);
    assert_int_equal(h->down_pm_per_byte, 2000000);
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

/* The most that power and radio may be is within what a problem may hold. */
static void the_largest_watts_and_money_are_a_legal_problem(void **state)
{
    (void)state;
    clv_error err = {0};
    net n = diamond();
    clv_profile *p = profile_of(&n, "pi", 10);
    assert_ok(
        clv_power_parse("idle=100kW,active=100kW,price=1/s", 8, &p->power, &p->price_per_s, &err),
        err);
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){p, p}, 2);
    clv_link link = wifi;
    assert_ok(clv_radio_parse("tx=100kW,rx=100kW,up=1000J/MB,down=1000J/MB,price=100/MB",
                              &link.radio, &err),
              err);
    assert_ok(clv_plan_tables_link(t, 0, &link, &err), err);
    assert_ok(clv_plan_problem_check(&t->problem, &err), err);
    clv_plan_tables_free(t);
    clv_profile_free(p);
    net_done(&n);
}

static void swap_cuts(clv_profile *p, size_t a, size_t b)
{
    clv_profile_cut t = p->cuts[a];
    p->cuts[a] = p->cuts[b];
    p->cuts[b] = t;
}

static void cuts_meet_by_their_tensors(void **state)
{
    (void)state;
    net n = diamond();
    clv_profile *edge = profile_of(&n, "pi", 10), *cloud = profile_of(&n, "hub", 1);
    swap_cuts(cloud, 1, 5); /* another order there, … */
    free(cloud->cuts[2].live[0]);
    cloud->cuts[2].live[0] =
        clv_strdup("fused away"); /* … a cut that this device does not have, … */
    cloud->cuts[3].suffix.n = 0;  /* … and two that were not measured */
    edge->cuts[4].prefix.n = 0;
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    const clv_plan_time *prefix = t->problem.devices[0].prefix,
                        *suffix = t->problem.devices[1].suffix;
    for (size_t i = 1; i + 1 < n.cuts->n; i++) {
        int64_t units = (int64_t)n.cuts->items[i].n_units;
        assert_int_equal(prefix[i].ns, i == 4 ? CLV_PLAN_UNKNOWN : 10000 * units);
        assert_int_equal(suffix[i].ns, i == 2 || i == 3 ? CLV_PLAN_UNKNOWN : 1000 * (5 - units));
    }
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

static void units_of_other_names_get_shares(void **state)
{
    (void)state;
    net n = diamond();
    clv_profile *edge = profile_of(&n, "pi", 10), *cloud = profile_of(&n, "gpu", 2);
    edge->units[1].us = 30;
    cloud->units[0].name[0] = 'z';
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    assert_int_equal(t->problem.devices[1].unit_ns[0], 2000);
    assert_int_equal(t->problem.devices[1].unit_ns[1], 6000);
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

/* The largest inside and the smallest around, by trying all pairs. */
static int64_t evened(const net *n, const int64_t *raw, size_t cut)
{
    int64_t low = raw[cut], high = raw[cut];
    for (size_t k = 0; k < n->cuts->n; k++) {
        if (raw[k] < 0) continue;
        if (clv_cut_within(n->cuts, k, cut)) low = CLV_MAX(low, raw[k]);
        if (clv_cut_within(n->cuts, cut, k)) high = CLV_MIN(high, raw[k]);
    }
    return (low + high) / 2;
}

static void progress_never_falls(void **state)
{
    (void)state;
    net n = diamond();
    clv_rng r = clv_rng_seeded(5);
    for (int round = 0; round < 300; round++) {
        clv_profile *p[] = {profile_of(&n, "a", 9), profile_of(&n, "b", 10),
                            profile_of(&n, "c", 1)};
        int64_t raw[16] = {0};
        for (size_t i = 1; i + 1 < n.cuts->n; i++) {
            clv_profile_cut *c = &p[1]->cuts[i];
            c->prefix.us = (double)clv_rng_below(&r, 60); /* noise without measure */
            c->suffix.us = (double)clv_rng_below(&r, 60);
            bool front = clv_rng_below(&r, 4) > 0, back = clv_rng_below(&r, 4) > 0;
            c->prefix.n = front;
            c->suffix.n = back;
            double us = front && back ? (c->prefix.us + 50 - c->suffix.us) / 2
                        : front       ? c->prefix.us
                                      : 50 - c->suffix.us;
            raw[i] = front || back ? llround(1000 * fmin(fmax(us, 0), 50)) : -1;
        }
        raw[n.cuts->n - 1] = 50000;
        clv_plan_tables *t = tables(&n, (const clv_profile *const *)p, 3);
        assert_null(t->problem.devices[0].progress);
        assert_null(t->problem.devices[2].progress);
        const clv_plan_time *progress = t->problem.devices[1].progress;
        for (size_t i = 0; i < n.cuts->n; i++)
            assert_int_equal(progress[i].ns, raw[i] < 0 ? CLV_PLAN_UNKNOWN : evened(&n, raw, i));
        for (size_t i = 0; i < n.cuts->n; i++)
            for (size_t k = i; k < n.cuts->n; k++)
                if (raw[i] >= 0 && raw[k] >= 0 && clv_cut_within(n.cuts, i, k))
                    assert_true(progress[i].ns <= progress[k].ns &&
                                progress[i].var_us2 <= progress[k].var_us2);
        clv_plan_tables_free(t);
        for (int k = 0; k < 3; k++) clv_profile_free(p[k]);
    }
    net_done(&n);
}

static void a_changed_link_changes_only_its_hop(void **state)
{
    (void)state;
    net n = diamond();
    clv_error err = {0};
    clv_profile *edge = profile_of(&n, "pi", 10), *cloud = profile_of(&n, "hub", 1);
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    clv_plan_tables_overhead(t, 0, 200);
    clv_plan_tables_wait(t, 1, 12.5);
    assert_int_equal(t->problem.devices[1].queue_ns, 12500);
    clv_link slow = wifi;
    slow.up_bytes_per_s = 0.5; /* a byte in two seconds counts as one a second */
    slow.rtt_us = 2000;
    assert_ok(clv_plan_tables_link(t, 0, &slow, &err), err);
    assert_int_equal(t->problem.hops[0].up_ps_per_byte, CLV_PLAN_PS_MAX);
    assert_int_equal(t->problem.hops[0].rtt_ns, 2000000);
    assert_int_equal(t->problem.hops[0].overhead_ns, 200000);
    assert_float_equal(t->links[0].rtt_us, 2000, 0);
    assert_ok(clv_plan_tables_link(t, 0, &(clv_link){.up = false}, &err), err);
    assert_false(t->problem.hops[0].up);
    slow.down_bytes_per_s = 0;
    assert_int_equal(clv_plan_tables_link(t, 0, &slow, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "link 0 is up with rates of 0.5 and 0"));
    slow.down_bytes_per_s = (double)NAN;
    assert_int_equal(clv_plan_tables_link(t, 0, &slow, &err), CLV_EINVAL);
    assert_false(t->problem.hops[0].up);
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    net n = diamond();
    clv_error err = {0};
    clv_profile *edge = profile_of(&n, "pi", 10), *cloud = profile_of(&n, "hub", 1);
    clv_plan_sources from = {
        .graph = n.g, .cuts = n.cuts, .profiles = {edge, cloud}, .links = {wifi}, .n_devices = 2};
    clv_plan_tables *t = NULL;
    cloud->digest[0] = 'f';
    assert_int_equal(clv_plan_tables_new(&from, &t, &err), CLV_EMISMATCH);
    assert_non_null(
        strstr(err.text, "different models: device 0 'diamond' 0123456789ab, device 1"));
    cloud->digest[0] = '0';
    cloud->cuts[0].suffix.n = 0; /* its whole is also the last prefix */
    assert_int_equal(clv_plan_tables_new(&from, &t, &err), CLV_OK);
    clv_plan_tables_free(t);
    cloud->cuts[cloud->n_cuts - 1].prefix.n = 0;
    assert_int_equal(clv_plan_tables_new(&from, &t, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "device 1 'hub': its profile of 'diamond' has no time"));
    cloud->cuts[0].suffix.n = 9;
    from.links[0].up_bytes_per_s = 0;
    assert_int_equal(clv_plan_tables_new(&from, &t, &err), CLV_EINVAL);
    from.n_devices = 1;
    assert_int_equal(clv_plan_tables_new(&from, &t, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "1 profiles"));
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

/* A device 1.5 times slower than its profile: prefixes and suffixes grow, what was not measured stays
 * unknown, and a correction that has gone leaves the profile's times. */
static void runs_correct_what_was_measured(void **state)
{
    (void)state;
    net n = diamond();
    clv_profile *edge = profile_of(&n, "pi", 100), *cloud = profile_of(&n, "", 10);
    edge->cuts[2].prefix.n = 0;
    clv_plan_tables *t = tables(&n, (const clv_profile *[]){edge, cloud}, 2);
    clv_plan_time before[2] = {t->problem.devices[0].prefix[4], t->problem.devices[1].suffix[4]};
    clv_correction c;
    clv_correction_init(&c, n.cuts->n);
    for (int i = 1; i < 200; i++)
        clv_correction_observe(&c, 4, &(clv_correction_run){100, 100, 150}, i * 10000);
    clv_plan_tables_correct(t, 0, &c, 200 * 10000);
    double grown = (double)t->problem.devices[0].prefix[4].ns / (double)before[0].ns;
    assert_true(fabs(grown - 1.5) < 0.02);
    assert_true(t->problem.devices[0].prefix[4].var_us2 > before[0].var_us2);
    assert_int_equal(t->problem.devices[0].prefix[0].ns, 0);
    assert_int_equal(t->problem.devices[0].prefix[2].ns, CLV_PLAN_UNKNOWN);
    assert_int_equal(t->problem.devices[1].suffix[4].ns, before[1].ns);
    clv_correction_done(&c);
    clv_correction_init(&c, n.cuts->n);
    clv_plan_tables_correct(t, 0, &c, 200 * 10000);
    assert_int_equal(t->problem.devices[0].prefix[4].ns, before[0].ns);
    clv_correction_done(&c);
    clv_plan_tables_free(t);
    clv_profile_free(edge);
    clv_profile_free(cloud);
    net_done(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measurements_become_whole_numbers),
        cmocka_unit_test(watts_and_money_become_whole_numbers),
        cmocka_unit_test(the_largest_watts_and_money_are_a_legal_problem),
        cmocka_unit_test(cuts_meet_by_their_tensors),
        cmocka_unit_test(units_of_other_names_get_shares),
        cmocka_unit_test(progress_never_falls),
        cmocka_unit_test(a_changed_link_changes_only_its_hop),
        cmocka_unit_test(runs_correct_what_was_measured),
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
