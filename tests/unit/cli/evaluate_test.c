/* Predictions at the speed of measuring: a network that was measured on a machine a quarter slower than when it was
 * calibrated is predicted without error, if both know it. */
#include "cli/evaluate.h"

#include "../cost/synthetic.h"
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 6 };
#define SLOWER 1.25

static clv_calibration *calibration;
static clv_predictor *predictor;
static clv_graph *graph;
static clv_cuts *cuts;

static int start(void **state)
{
    (void)state;
    calibration = synthetic_calibration(5, 0);
    clv_predictor_settle(calibration, NULL, NULL);
    calibration->complete = true;
    graph = synthetic_chain(UNITS);
    if (clv_predictor_new(calibration, &predictor, NULL)) return -1;
    return clv_cuts_enumerate(graph, CLV_CUTS_CAP, &cuts, NULL);
}

static int stop(void **state)
{
    (void)state;
    clv_cuts_free(cuts);
    clv_graph_free(graph);
    clv_predictor_free(predictor);
    clv_calibration_free(calibration);
    return 0;
}

/* As predicted, times `factor`; on one thread, with the reference at `us` (0: not known). */
static clv_profile *measured(double factor, const char *network, double us)
{
    clv_error err = {0};
    clv_profile *p;
    assert_ok(clv_predictor_profile(predictor, graph, cuts, NULL, 0, &p, &err), err);
    clv_profile_scale(p, factor);
    p->threads = 1;
    p->reference.us = us;
    p->reference.n = us > 0;
    snprintf(p->reference.network, sizeof p->reference.network, "%s", network);
    return p;
}

static json_t *evaluated(clv_profile *truth, clv_profile *again)
{
    clv_error err = {0};
    clv_evaluation *e;
    assert_ok(clv_evaluation_new(calibration, 2, &e, &err), err);
    assert_ok(clv_evaluation_add(e, "m", graph, cuts, truth, again, &err), err);
    char *text = clv_evaluation_json(e);
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    free(text);
    clv_evaluation_free(e);
    clv_profile_free(truth);
    clv_profile_free(again);
    return j;
}

/* What stands at "a.b.c". */
static double at(const json_t *j, const char *path)
{
    for (char key[32]; *path; path += path[strlen(key)] ? strlen(key) + 1 : strlen(key)) {
        snprintf(key, sizeof key, "%.*s", (int)strcspn(path, "."), path);
        j = json_object_get(j, key);
        if (!j) fail_msg("no '%s'", key);
    }
    return json_number_value(j);
}

static double speed(const json_t *j)
{
    return at(json_array_get(json_object_get(j, "models"), 0), "speed");
}

static void told_the_speed_predictions_have_no_error(void **state)
{
    (void)state;
    calibration->reference = (clv_speed){"a", 2000, 10, 10};
    json_t *j = evaluated(measured(SLOWER, "a", 2000 * SLOWER), NULL);
    assert_float_equal(speed(j), SLOWER, 1e-9);
    assert_float_equal(at(j, "total.hit_10"), 1, 0);
    assert_true(at(j, "total.mape") < 1e-9);
    assert_float_equal(at(j, "total.as_calibrated.hit_10"), 0, 0);
    assert_float_equal(at(j, "total.as_calibrated.mape"), 1 - 1 / SLOWER, 1e-9);
    assert_float_equal(at(j, "total.corrected.hit_10"), 1, 0);
    assert_true(at(j, "total.corrected.mape") < 1e-6);
    assert_true(at(j, "total.segments") == at(j, "total.as_calibrated.segments"));
    /* Neurosurgeon's regressions are told the same: its mean error is another one. */
    json_t *same = evaluated(measured(1, "a", 2000), NULL);
    assert_float_equal(at(j, "total.baseline.mape"), at(same, "total.baseline.mape"), 1e-9);
    assert_float_equal(at(same, "total.mape"), at(same, "total.as_calibrated.mape"), 0);
    json_decref(j);
    json_decref(same);
}

static void not_told_nothing_changes(void **state)
{
    (void)state;
    const clv_speed known = {"a", 2000, 10, 10}, none = {0};
    const struct {
        clv_speed calibrated;
        const char *network;
        double us;
        int threads;
    } rows[] = {
        {none, "a", 2500, 1}, {known, "a", 0, 1}, {known, "b", 2500, 1}, {known, "a", 2500, 2}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        calibration->reference = rows[i].calibrated;
        clv_profile *p = measured(SLOWER, rows[i].network, rows[i].us);
        p->threads = rows[i].threads;
        json_t *j = evaluated(p, NULL);
        assert_float_equal(speed(j), 1, 0);
        assert_float_equal(at(j, "total.hit_10"), 0, 0);
        assert_float_equal(at(j, "total.mape"), at(j, "total.as_calibrated.mape"), 0);
        json_decref(j);
    }
}

static void another_measurement_is_brought_to_the_same_speed(void **state)
{
    (void)state;
    calibration->reference = (clv_speed){"a", 2000, 10, 10};
    json_t *j = evaluated(measured(SLOWER, "a", 2500), measured(0.8, "a", 1600));
    assert_float_equal(at(j, "total.again.hit_10"), 1, 0);
    assert_true(at(j, "total.again.mape") < 1e-9);
    assert_float_equal(at(j, "total.as_calibrated.again.mape"), 1 - 0.8 / SLOWER, 1e-9);
    json_decref(j);
}

static void the_table_has_both(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_evaluation *e;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    clv_profile *truth = measured(SLOWER, "a", 2000 * SLOWER);
    calibration->reference = (clv_speed){"a", 2000, 10, 10};
    assert_ok(clv_evaluation_new(calibration, 2, &e, &err), err);
    assert_ok(clv_evaluation_add(e, "m", graph, cuts, truth, NULL, &err), err);
    clv_evaluation_print(e, out);
    fclose(out);
    assert_non_null(strstr(text, "1.250  predicted"));
    assert_non_null(strstr(text, "all, as calibrated"));
    free(text);
    clv_evaluation_free(e);
    clv_profile_free(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_the_speed_predictions_have_no_error),
        cmocka_unit_test(not_told_nothing_changes),
        cmocka_unit_test(another_measurement_is_brought_to_the_same_speed),
        cmocka_unit_test(the_table_has_both),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
