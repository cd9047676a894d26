/* Watts, joules and money as people write them, and what a request takes. */
#include "base/mem.h"
#include "cost/energy.h"
#include "cost/quantity.h"
#include "unit.h"

#include <math.h>
#include <string.h>

#define NEAR(a, b) assert_true(fabs((a) - (b)) <= 1e-12 + 1e-9 * fabs((double)(b)))

static void device_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int cores;
        double idle_w, active_w, price_per_s;
    } rows[] = {
        {"idle=2,active=4", 2, 2, 4, 0},
        {"idle=2W,active=7W,price=0.53/h", 4, 2, 7, 0.53 / 3600},
        {"active=7W,idle=500mW", 1, 0.5, 7, 0},
        {"idle=1.5W,core=1.25W", 4, 1.5, 6.5, 0},
        {"core=2kW", 3, 0, 6000, 0},
        {"active=5", 8, 0, 5, 0},
        {"idle=0,active=0", 1, 0, 0, 0},
        {"idle=3,active=3", 1, 3, 3, 0},
        {"idle=100kW,active=100kW", 1, 1e5, 1e5, 0},
        {"price=1/s", 1, 0, 0, 1},
        {"price=60/min,idle=1", 1, 1, 1, 1},
        {"price=12/day", 1, 0, 0, 12.0 / 86400},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_power p = {0};
        double price = 0;
        assert_ok(clv_power_parse(rows[i].text, rows[i].cores, &p, &price, &err), err);
        NEAR(p.idle_w, rows[i].idle_w);
        NEAR(clv_power_active_w(&p), rows[i].active_w);
        NEAR(price, rows[i].price_per_s);
        bool watts = strstr(rows[i].text, "=") && strncmp(rows[i].text, "price=1", 7) != 0;
        assert_int_equal(p.source, watts ? CLV_POWER_GIVEN : CLV_POWER_UNKNOWN);
        assert_int_equal(p.cores, watts ? rows[i].cores : 0);
    }
}

static void a_text_changes_only_what_it_names(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_power p = clv_power_measured(10, 34, 2);
    double price = 7;
    assert_int_equal(p.source, CLV_POWER_RAPL);
    NEAR(p.active_w_per_core, 12);
    assert_ok(clv_power_parse("price=0.5/s", 2, &p, &price, &err), err);
    assert_int_equal(p.source, CLV_POWER_RAPL);
    NEAR(price, 0.5);
    NEAR(clv_power_active_w(&p), 34);
    assert_ok(clv_power_parse("idle=20", 2, &p, &price, &err), err);
    assert_int_equal(p.source, CLV_POWER_GIVEN);
    NEAR(clv_power_active_w(&p), 44); /* what the cores take more is as it was */
    NEAR(price, 0.5);
    assert_int_equal(clv_power_parse("active=19", 2, &p, &price, &err), CLV_EINVAL);
    NEAR(clv_power_active_w(&p), 44);
    NEAR(clv_power_active_w(&(clv_power){.idle_w = 5}), 5);
    p = clv_power_measured(10, 9.5, 4); /* noise */
    NEAR(clv_power_active_w(&p), 10);
}

static const struct {
    const char *text, *part;
} bad_power[] = {
    {"", "'' is not known; it is written as idle=2.5W, active=2.5W, core=2.5W, price=0.53/h"},
    {"2W", "'2W' is not known"},
    {"idle", "'idle' is not known"},
    {"idle=2,", "'' is not known"},
    {"idle=2,,active=3", "'' is not known"},
    {" idle=2", "' idle=2' is not known"},
    {"Idle=2", "'Idle=2' is not known"},
    {"tx=2", "'tx=2' is not known"},
    {"idle=", "idle: '' is not a power; e.g. 2.5W or 350mW"},
    {"idle=-1", "idle: '-1' is negative, a power is not"},
    {"idle=nan", "'nan' is not a power"},
    {"idle=inf", "'inf' is not a power"},
    {"idle=1e999", "'1e999' is not a power"},
    {"idle=2V", "'2V' is not a power"},
    {"idle=0x2", "'0x2' is not a power"},
    {"idle=100.1kW", "'100.1kW' is absurd"},
    {"idle=2,idle=2", "'idle' is there twice"},
    {"idle=5,active=4", "active is 4 W, less than idle, 5 W"},
    {"active=4,core=1", "one is enough"},
    {"price=0.5", "price: '0.5' is not a price for time; e.g. 0.53/h"},
    {"price=-1/h", "negative"},
    {"price=1.01/s", "absurd"},
    {"core=50.1kW", "100277 W on 2 cores is absurd"},
};

static void bad_device_texts_are_named_and_touch_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < CLV_COUNT(bad_power); i++) {
        clv_error err = {0};
        clv_power p = {.idle_w = 77};
        double price = 77;
        assert_int_equal(clv_power_parse(bad_power[i].text, 2, &p, &price, &err), CLV_EINVAL);
        if (!strstr(err.text, bad_power[i].part) || strncmp(err.text, "power: ", 7) != 0)
            fail_msg("'%s': '%s' lacks '%s'", bad_power[i].text, err.text, bad_power[i].part);
        assert_true(p.idle_w == 77 && p.source == CLV_POWER_UNKNOWN && price == 77);
    }
    char text[CLV_QUANTITIES_TEXT_MAX + 1];
    clv_error err = {0};
    clv_power p = {0};
    double price = 0;
    memset(text, '0', sizeof text);
    memcpy(text, "idle=0.", 7);
    text[CLV_QUANTITIES_TEXT_MAX] = 0;
    assert_int_equal(clv_power_parse(text, 1, &p, &price, &err), CLV_ELIMIT);
    text[CLV_QUANTITIES_TEXT_MAX - 1] = 0;
    assert_int_equal(clv_power_parse(text, 1, &p, &price, &err), CLV_EINVAL); /* so many digits */
}

static void radio_texts(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_radio r = {0};
    assert_false(clv_radio_known(&r));
    assert_string_equal(clv_radio_show(&r).s, "unknown");
    assert_ok(clv_radio_parse("tx=1.2W,rx=900mW", &r, &err), err);
    assert_true(clv_radio_known(&r));
    NEAR(r.tx_w, 1.2);
    NEAR(r.rx_w, 0.9);
    assert_string_equal(clv_radio_show(&r).s, "1.20 W up, 900 mW down (given)");
    assert_ok(clv_radio_parse("up=3.5J/MB,down=0.4uJ/B,price=0.09/GB", &r, &err), err);
    NEAR(r.tx_w, 1.2);
    NEAR(r.up_j_per_byte, 3.5e-6);
    NEAR(r.down_j_per_byte, 4e-7);
    NEAR(r.up_price_per_byte, 9e-11);
    NEAR(r.down_price_per_byte, 9e-11);
    assert_string_equal(clv_radio_show(&r).s,
                        "1.20 W up, 900 mW down, 3.5 J/MB up, 0.4 J/MB down (given)");
    assert_ok(clv_radio_parse("price=1/GB,down-price=0/GB", &r, &err), err);
    NEAR(r.up_price_per_byte, 1e-9);
    NEAR(r.down_price_per_byte, 0);
    clv_radio only_money = {0};
    assert_ok(clv_radio_parse("up-price=5/TB", &only_money, &err), err);
    assert_false(clv_radio_known(&only_money));
    NEAR(only_money.up_price_per_byte, 5e-12);
    NEAR(only_money.down_price_per_byte, 0);
}

static void named_radios_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double w_at_1_mbit_up, w_at_1_mbit_down;
    } rows[] = {{"lte", 1.28804 + 0.43839, 1.28804 + 0.05197},
                {"3g", 0.81788 + 0.86898, 0.81788 + 0.12212},
                {"wifi", 0.13286 + 0.28317, 0.13286 + 0.13701}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_radio r = {.up_price_per_byte = 1e-9};
        assert_ok(clv_radio_parse(rows[i].text, &r, &err), err);
        NEAR(r.tx_w + r.up_j_per_byte * 125000, rows[i].w_at_1_mbit_up);
        NEAR(r.rx_w + r.down_j_per_byte * 125000, rows[i].w_at_1_mbit_down);
        NEAR(r.up_price_per_byte, 1e-9);
        assert_true(clv_radio_known(&r));
    }
    clv_error err = {0};
    clv_radio r = {0};
    assert_ok(clv_radio_parse("lte,tx=2W,price=1/MB", &r, &err), err);
    NEAR(r.tx_w, 2);
    NEAR(r.rx_w, 1.28804);
    NEAR(r.down_price_per_byte, 1e-6);
}

static void bad_radio_texts_are_named_and_touch_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "wifi, lte, 3g"},
        {"5g", "wifi, lte, 3g"},
        {"tx=1,wifi", "'wifi' is not known"},
        {"lte,", "'' is not known"},
        {"lte,lte", "'lte' is not known"},
        {"tx=-1W", "negative"},
        {"up=3", "energy for bytes"},
        {"up=3J", "energy for bytes"},
        {"up=1001J/MB", "absurd"},
        {"price=1", "price for bytes"},
        {"price=1/h", "price for bytes"},
        {"price=101/MB", "absurd"},
        {"tx=1,tx=2", "twice"},
    };
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_radio r = {.tx_w = 77};
        assert_int_equal(clv_radio_parse(rows[i].text, &r, &err), CLV_EINVAL);
        if (!strstr(err.text, rows[i].part)) fail_msg("'%s': '%s'", rows[i].text, err.text);
        assert_true(r.tx_w == 77 && r.source == CLV_POWER_UNKNOWN);
    }
}

static void shown_for_people(void **state)
{
    (void)state;
    clv_power p = {.idle_w = 2, .active_w_per_core = 1.25, .cores = 4, .source = CLV_POWER_GIVEN};
    assert_string_equal(clv_power_show(&p).s, "idle 2.00 W, active 7.00 W on 4 cores (given)");
    p = clv_power_measured(0.35, 0.35, 1);
    assert_string_equal(clv_power_show(&p).s, "idle 350 mW, active 350 mW on 1 core (rapl)");
    assert_string_equal(clv_power_show(&(clv_power){0}).s, "unknown");
    for (int s = 0; s < CLV_POWER_SOURCE_COUNT; s++)
        assert_int_equal(clv_power_source_parse(clv_power_source_name((clv_power_source)s)), s);
    assert_int_equal(clv_power_source_parse("guessed"), -1);
}

static void integers_for_planners(void **state)
{
    (void)state;
    assert_int_equal(clv_power_milli(2.0004), 2000);
    assert_int_equal(clv_power_milli(2.0006), 2001);
    assert_int_equal(clv_power_milli(CLV_POWER_W_MAX), 100000000);
    assert_int_equal(clv_power_pico(3.507e-6), 3507000);
    assert_int_equal(clv_power_pico(0.53 / 3600), 147222222);
    assert_int_equal(clv_power_pico(CLV_POWER_PRICE_MAX), 1000000000000);
}

static void a_request_takes_the_sum_of_its_parts(void **state)
{
    (void)state;
    clv_energy_rates r = {
        .edge = {.idle_w = 2, .active_w_per_core = 3, .cores = 2, .source = CLV_POWER_GIVEN},
        .cloud = {.idle_w = 100, .active_w_per_core = 50, .cores = 4, .source = CLV_POWER_RAPL},
        .edge_price_per_s = 0.25,
        .cloud_price_per_s = 4,
        .radio = {.tx_w = 1,
                  .rx_w = 0.5,
                  .up_j_per_byte = 1e-6,
                  .down_j_per_byte = 2e-6,
                  .up_price_per_byte = 1e-5,
                  .down_price_per_byte = 3e-5,
                  .source = CLV_POWER_GIVEN}};
    clv_energy_use u = {.edge_us = 1e6,
                        .cloud_us = 5e5,
                        .up_us = 2e6,
                        .down_us = 1e6,
                        .idle_us = 5e5,
                        .up_bytes = 1e6,
                        .down_bytes = 1e5};
    clv_energy e = clv_energy_j(&r, &u);
    NEAR(e.edge_j, 8 * 1 + 2 * 4); /* idle for 4 s */
    NEAR(e.radio_j, 1 * 2 + 0.5 * 1 + 1 + 0.2);
    NEAR(e.cloud_j, 300 * 0.5);
    NEAR(e.total_j, 16 + 3.7 + 150);
    NEAR(e.price, 0.25 + 2 + 10 + 3);
    clv_energy_rates nothing = {0};
    e = clv_energy_j(&nothing, &u);
    assert_true(e.total_j == 0 && e.price == 0);
    assert_true(clv_energy_known(&r) && clv_energy_priced(&r));
    assert_false(clv_energy_known(&nothing) || clv_energy_priced(&nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_texts),
        cmocka_unit_test(a_text_changes_only_what_it_names),
        cmocka_unit_test(bad_device_texts_are_named_and_touch_nothing),
        cmocka_unit_test(radio_texts),
        cmocka_unit_test(named_radios_are_the_published_ones),
        cmocka_unit_test(bad_radio_texts_are_named_and_touch_nothing),
        cmocka_unit_test(shown_for_people),
        cmocka_unit_test(integers_for_planners),
        cmocka_unit_test(a_request_takes_the_sum_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
