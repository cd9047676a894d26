/* The summary of cleave tasks: counts; energy and price, only what is known, and where it comes from. */
#include "cli/tasks_report.h"

#include "base/mem.h"
#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static clv_energy_use use_of_a_request(void)
{
    clv_request *r = clv_request_new("m");
    r->timing = (clv_timing){.wait_us = 50000,
                             .edge_us = 3000,
                             .encode_us = 600,
                             .link_us = 8000,
                             .queue_us = 1500,
                             .cloud_us = 2000,
                             .decode_us = 400,
                             .lost_us = 500,
                             .total_us = 66000};
    r->up_bytes = 3000;
    r->down_bytes = 1000;
    clv_energy_use use = clv_request_use(r);
    clv_request_free(r);
    return use;
}

static void a_request_tells_where_its_time_went(void **state)
{
    (void)state;
    clv_energy_use u = use_of_a_request();
    assert_float_equal(u.edge_us, 4000, 1e-9);
    assert_float_equal(u.cloud_us, 2000, 1e-9);
    assert_float_equal(u.up_us, 6000, 1e-9);
    assert_float_equal(u.down_us, 2000, 1e-9);
    assert_float_equal(u.idle_us, 2000, 1e-9);
    assert_float_equal(u.up_bytes, 3000, 0);
    assert_float_equal(u.down_bytes, 1000, 0);
    clv_request *here = clv_request_new("m");
    here->timing = (clv_timing){.edge_us = 7, .total_us = 7};
    u = clv_request_use(here);
    clv_request_free(here);
    assert_float_equal(u.edge_us, 7, 0);
    assert_float_equal(u.up_us + u.down_us + u.idle_us + u.cloud_us, 0, 0);
}

/* Two good requests, a failed one and one that was never answered, printed. Heap text. */
static char *print(const clv_energy_rates *rates, bool json)
{
    char *text = NULL;
    size_t n = 0;
    clv_run run = {0};
    int model = clv_run_name(&run.models, "m"), local = clv_run_name(&run.plans, "local"),
        remote = clv_run_name(&run.plans, "remote");
    const clv_run_request requests[] = {
        {.model = model, .ended = true, .timing.total_us = 1000, .plan = local},
        {.model = model,
         .ended = true,
         .timing.total_us = 3000,
         .plan = remote,
         .hedged = true,
         .tensor_bytes = 3136,
         .coded_bytes = 468,
         .up_bytes = 702,
         .down_bytes = 400},
        {.model = model, .ended = true, .status = CLV_EBUSY, .plan = local},
        {.model = model, .plan = -1}};
    clv_energy_use use = use_of_a_request();
    for (size_t i = 0; i < CLV_COUNT(requests); i++) {
        clv_run_request r = requests[i];
        clv_energy energy = {0};
        if (rates && r.ended) energy = clv_energy_j(rates, &use);
        r.energy_j = energy.total_j * (i == 1 ? 3 : 1);
        r.price = energy.price;
        clv_run_add_request(&run, &r);
    }
    clv_run_add_switch(&run, &(clv_run_switch){0, model, local});
    clv_run_add_switch(&run, &(clv_run_switch){2000, model, remote});
    const clv_tasks_report report = {.run = &run, .took_us = 5000, .rates = rates, .unanswered = 2};
    FILE *f = open_memstream(&text, &n);
    clv_tasks_print(f, &report, json);
    fclose(f);
    clv_run_done(&run);
    return text;
}

static const clv_energy_rates given = {
    .edge = {.idle_w = 1, .active_w_per_core = 2, .cores = 2, .source = CLV_POWER_RAPL},
    .radio = {.tx_w = 3, .source = CLV_POWER_GIVEN}};
/* 4 ms at 5 W, 12 ms at 1 W, 6 ms at 3 W */
static const double one_j = 0.020 + 0.012 + 0.018;

static void what_is_not_known_is_not_shown(void **state)
{
    (void)state;
    const clv_energy_rates nothing = {0};
    const clv_energy_rates *const rates[] = {NULL, &nothing};
    for (int i = 0; i < 4; i++) {
        char *text = print(rates[i / 2], i % 2);
        assert_null(strstr(text, "nergy"));
        assert_null(strstr(text, "rice"));
        free(text);
    }
}

static void energy_and_price_are_shown_with_their_source(void **state)
{
    (void)state;
    clv_energy_rates rates = given;
    rates.cloud_price_per_s = 0.5;
    char *text = print(&given, false);
    assert_non_null(strstr(text, "Energy 200 mJ in all, 100 mJ for a request"));
    assert_non_null(strstr(text, "the edge (rapl), the radio (given) and the cloud (unknown)"));
    assert_null(strstr(text, "Price"));
    free(text);
    text = print(&rates, false);
    assert_non_null(strstr(text, "Price 0.002 in all, 0.001 for a request"));
    free(text);
    text = print(&rates, true);
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    assert_float_equal(json_number_value(json_object_get(doc, "total_energy_j")), 4 * one_j, 1e-9);
    assert_float_equal(json_number_value(json_object_get(doc, "energy_j")), 2 * one_j, 1e-9);
    assert_float_equal(json_number_value(json_object_get(doc, "total_price")), 0.002, 1e-9);
    json_t *plans = json_object_get(doc, "plans");
    assert_int_equal(json_array_size(plans), 2);
    assert_float_equal(json_number_value(json_object_get(json_array_get(plans, 0), "energy_j")),
                       one_j, 1e-9);
    assert_float_equal(json_number_value(json_object_get(json_array_get(plans, 1), "energy_j")),
                       3 * one_j, 1e-9);
    json_t *power = json_object_get(doc, "power");
    assert_string_equal(json_string_value(json_object_get(power, "edge")), "rapl");
    assert_string_equal(json_string_value(json_object_get(power, "radio")), "given");
    assert_string_equal(json_string_value(json_object_get(power, "cloud")), "unknown");
    json_decref(doc);
    free(text);
}

static void every_plan_tells_what_went_to_the_peer(void **state)
{
    (void)state;
    char *text = print(NULL, true);
    json_t *doc = json_loads(text, 0, NULL);
    static const struct {
        const char *key;
        double bytes;
    } rows[] = {
        {"tensor_bytes", 3136}, {"coded_bytes", 468}, {"up_bytes", 702}, {"down_bytes", 400}};
    json_t *plans = json_object_get(doc, "plans");
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        const double here =
            json_number_value(json_object_get(json_array_get(plans, 0), rows[i].key));
        const double there =
            json_number_value(json_object_get(json_array_get(plans, 1), rows[i].key));
        const double all = json_number_value(json_object_get(doc, rows[i].key));
        assert_float_equal(here, 0, 0);
        assert_float_equal(there, rows[i].bytes, 0);
        assert_float_equal(all, rows[i].bytes / 2, 0);
    }
    json_decref(doc);
    free(text);
    text = print(NULL, false);
    assert_non_null(strstr(text, "468 B"));
    free(text);
}

static void it_counts_what_ended(void **state)
{
    (void)state;
    char *text = print(NULL, true);
    json_t *doc = json_loads(text, 0, NULL);
    assert_non_null(doc);
    const struct {
        const char *key;
        json_int_t value;
    } wants[] = {{"count", 3},    {"failed", 1}, {"recovered", 0},  {"hedged", 1},
                 {"switches", 1}, {"twice", 0},  {"mismatches", 0}, {"unanswered", 2}};
    for (size_t i = 0; i < CLV_COUNT(wants); i++) {
        json_t *value = json_object_get(doc, wants[i].key);
        if (!json_is_integer(value) || json_integer_value(value) != wants[i].value)
            fail_msg("%s is not %d", wants[i].key, (int)wants[i].value);
    }
    json_decref(doc);
    free(text);
    text = print(NULL, false);
    assert_non_null(strstr(text, "3 requests in 5.00 ms"));
    assert_non_null(strstr(text,
                           "1 failed, 0 finished here after the peer was lost, 1 hedged, the plan "
                           "changed 1 time, 2 not answered."));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_tells_where_its_time_went),
        cmocka_unit_test(what_is_not_known_is_not_shown),
        cmocka_unit_test(energy_and_price_are_shown_with_their_source),
        cmocka_unit_test(every_plan_tells_what_went_to_the_peer),
        cmocka_unit_test(it_counts_what_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
