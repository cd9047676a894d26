/* The whole way: random networks of every family open, cut and run; a few are looked at and learnt from. */
#include "base/file.h"
#include "engine_rig.h"
#include "measure/calibrator.h"
#include "repo/network.h"
#include "unit.h"
#include "zoo/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every_family_can_be_cut(void **state)
{
    (void)state;
    clv_error err = {0};
    char *path = clv_path_join(folder, "random.onnx");
    for (int f = 0; f < CLV_RANDOM_FAMILY_COUNT; f++) {
        clv_buf model = {0}, again = {0};
        clv_network *net;
        clv_random_network((clv_random_family)f, 77, &model);
        clv_random_network((clv_random_family)f, 77, &again);
        assert_int_equal(model.len, again.len);
        assert_memory_equal(model.data, again.data, model.len);
        assert_ok(clv_file_write(path, model.data, model.len, &err), err);
        assert_ok(
            clv_network_open(path, engine, &(clv_network_options){.cuts_cap = 3000}, &net, &err),
            err);
        assert_null(clv_network_uncut_reason(net));
        assert_true(clv_network_cuts(net)->n > 3);
        assert_true((double)clv_graph_macs(clv_network_graph(net)) < 6 * CLV_RANDOM_MACS_MAX);
        clv_network_unref(net);
        clv_buf_done(&model);
        clv_buf_done(&again);
    }
    free(path);
}

typedef struct steps {
    size_t calls, done, total;
} steps;

static void watch(void *arg, const clv_calibration *c, size_t done, size_t total)
{
    steps *s = arg;
    assert_true(done >= s->done && done <= total && c->n_networks <= 2);
    *s = (steps){s->calls + 1, done, total};
}

static void what_is_looked_at_is_learnt_and_gone_on_with(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibrator_options o = {.threads = 1, .networks = 1, .seed = 5};
    clv_calibration *c = clv_calibrator_begin(engine, &o);
    steps s = {0};
    assert_ok(clv_speedometer_new(engine, 1, &o.speedometer, &err), err);
    assert_ok(clv_calibrator_run(engine, &o, c, watch, &s, &err), err);
    assert_int_equal(c->n_networks, 1);
    assert_true(c->complete && s.calls > 0 && s.done == s.total);
    double first_us = c->networks[0].rows[0].us;
    assert_true(c->networks[0].reference_us > 0 && c->reference.n == 1);
    memset(c->reference.network, 'a', 64); /* as by another reference network: forgotten */
    o.networks = 2;
    s = (steps){0};
    assert_ok(clv_calibrator_run(engine, &o, c, watch, &s, &err), err);
    assert_int_equal(c->n_networks, 2);
    assert_true(c->networks[0].rows[0].us == first_us);
    for (size_t i = 0; i < 2; i++) {
        double sum = 0;
        for (size_t k = 0; k < c->networks[i].n_rows; k++) {
            assert_true(c->networks[i].rows[k].us >= 0 && isfinite(c->networks[i].rows[k].us));
            sum += c->networks[i].rows[k].us;
        }
        assert_true(sum > 0);
        assert_true(c->networks[i].n_segments > 0);
    }
    assert_true(c->networks[0].reference_us <= 0 && c->networks[1].reference_us > 0);
    assert_true(c->reference.n == 1 && c->reference.network[0] != 0 && c->reference.us > 0);
    clv_speedometer_free(o.speedometer);
    assert_string_not_equal(c->networks[0].family, c->networks[1].family);
    clv_predictor *p;
    assert_ok(clv_predictor_new(c, &p, &err), err);
    clv_predictor_free(p);
    clv_calibration_free(c);
}

/* One network of each family there is already, of nothing, and the time is up. */
static void a_budget_ends_it(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibrator_options o = {.threads = 1, .budget_us = 1, .networks = 40, .seed = 5};
    clv_calibration *c = clv_calibrator_begin(engine, &o);
    clv_grow(&c->networks, &c->cap_networks, CLV_RANDOM_FAMILY_COUNT, sizeof *c->networks);
    for (int f = 0; f < CLV_RANDOM_FAMILY_COUNT; f++) {
        clv_calibration_network *n = &c->networks[c->n_networks++];
        *n = (clv_calibration_network){.seed = f};
        snprintf(n->family, sizeof n->family, "%s", clv_random_family_name((clv_random_family)f));
    }
    assert_ok(clv_calibrator_run(engine, &o, c, NULL, NULL, &err), err);
    assert_int_equal(c->n_networks, CLV_RANDOM_FAMILY_COUNT);
    assert_true(c->complete);
    clv_calibration_free(c);
}

static void another_device_s_file_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_calibrator_options o = {.threads = 1, .networks = 1};
    clv_calibration *c = clv_calibrator_begin(engine, &o);
    c->threads = 7;
    assert_int_equal(clv_calibrator_run(engine, &o, c, NULL, NULL, &err), CLV_EMISMATCH);
    assert_non_null(strstr(err.text, "7 threads"));
    c->threads = 1;
    snprintf(c->engine, sizeof c->engine, "another");
    assert_int_equal(clv_calibrator_run(engine, &o, c, NULL, NULL, &err), CLV_EMISMATCH);
    assert_non_null(strstr(err.text, "another"));
    clv_calibration_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_can_be_cut),
        cmocka_unit_test(what_is_looked_at_is_learnt_and_gone_on_with),
        cmocka_unit_test(a_budget_ends_it),
        cmocka_unit_test(another_device_s_file_is_refused),
    };
    return cmocka_run_group_tests(tests, engine_rig_start, engine_rig_stop);
}
