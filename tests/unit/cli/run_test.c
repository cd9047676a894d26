/* Recorded runs: out and back in, and what is wrong with a line that is not right. */
#include "cli/run.h"

#include "base/mem.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* One of everything, with every field set. */
static clv_run whole(void)
{
    clv_run t = {.seed = 9};
    int model = clv_run_name(&t.models, "alexnet"), plan = clv_run_name(&t.plans, "pool3 \"q8\"");
    clv_run_request r = {.at_us = 2,
                         .model = model,
                         .input = 3,
                         .ended = true,
                         .recovered = true,
                         .hedged = true,
                         .mismatch = true,
                         .plan = plan,
                         .status = CLV_ETIMEOUT,
                         .sent_us = 5,
                         .predicted_us = 77,
                         .up_bytes = 1000,
                         .tensor_bytes = 3136,
                         .coded_bytes = 468,
                         .down_bytes = 10,
                         .energy_j = 0.25,
                         .price = 1e-6};
    int64_t part = 1;
#define X(name, about) r.timing.name = part++;
    CLV_TIMING_MAP(X)
#undef X
    clv_run_add_request(&t, &r);
    clv_run_add_request(&t, &(clv_run_request){.at_us = 8, .model = model, .plan = -1});
    clv_run_add_link(&t, &(clv_run_link){0, true, 1e6 / 3, 2e6, 5000.5, 0.1, 0.2, 30, 600});
    clv_run_add_link(&t, &(clv_run_link){.at_us = 9});
    clv_run_add_wire(&t, &(clv_run_wire){.at_us = 1,
                                         .link = 2,
                                         .up = {1e5, 2500, 100, 0.3, 4000},
                                         .down = {0, 2500, 0, 1, 0},
                                         .up_bytes = 70,
                                         .down_bytes = 80});
    clv_run_add_switch(&t, &(clv_run_switch){4, model, plan});
    clv_run_add_load(&t, &(clv_run_load){6, 1, 2, 3});
    return t;
}

static char *printed(const clv_run *t)
{
    clv_buf b = {0};
    clv_run_print(t, &b);
    return clv_buf_take(&b);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    clv_run t = whole(), back;
    clv_error err = {0};
    char *text = printed(&t);
    assert_ok(clv_run_parse(text, strlen(text), &back, &err), err);
    assert_int_equal(back.seed, 9);
    assert_int_equal(back.n_requests, 2);
    /* field by field: structs have holes */
    const clv_run_request *a = &t.requests[0], *b = &back.requests[0];
    assert_int_equal(b->at_us, a->at_us);
    assert_int_equal(b->input, a->input);
    assert_int_equal(b->status, CLV_ETIMEOUT);
    assert_true(b->ended && b->recovered && b->hedged && b->mismatch);
    assert_string_equal(back.plans.items[b->plan], "pool3 \"q8\"");
    assert_string_equal(back.models.items[b->model], "alexnet");
    assert_memory_equal(&b->timing, &a->timing, sizeof a->timing);
    assert_int_equal(b->sent_us, 5);
    assert_int_equal(b->predicted_us, 77);
    assert_int_equal(b->up_bytes, 1000);
    assert_int_equal(b->tensor_bytes, 3136);
    assert_int_equal(b->coded_bytes, 468);
    assert_int_equal(b->down_bytes, 10);
    assert_float_equal(b->energy_j, 0.25, 0);
    assert_float_equal(b->price, 1e-6, 0);
    assert_false(back.requests[1].ended);
    assert_int_equal(back.requests[1].plan, -1);
    assert_int_equal(back.n_links, 2);
    assert_float_equal(back.links[0].up_bytes_per_s, 1e6 / 3, 0); /* to the bit: it is repeated */
    assert_float_equal(back.links[0].rtt_sigma_us, 30, 0);
    assert_int_equal(back.links[0].asked_bytes, 600);
    assert_false(back.links[1].up);
    assert_int_equal(back.n_wires, 1);
    assert_memory_equal(&back.wires[0], &t.wires[0], sizeof t.wires[0]);
    assert_int_equal(back.n_switches, 1);
    assert_int_equal(back.switches[0].at_us, 4);
    assert_int_equal(back.n_loads, 1);
    assert_int_equal(back.loads[0].waiting, 1);
    assert_int_equal(back.loads[0].in_flight, 2);
    assert_int_equal(back.loads[0].failed, 3);
    char *again = printed(&back);
    assert_string_equal(again, text);
    assert_int_equal(clv_run_ended(&back), 1);
    assert_int_equal(clv_run_took_us(&back), 5 + back.requests[0].timing.total_us);
    free(text);
    free(again);
    clv_run_done(&t);
    clv_run_done(&back);
}

static void lines_are_in_order_of_time(void **state)
{
    (void)state;
    clv_run t = whole();
    char *text = printed(&t);
    const char *const order[] = {"\"link\",\"t_us\":0",    "\"wire\",\"t_us\":1",
                                 "\"request\",\"t_us\":2", "\"plan\",\"t_us\":4",
                                 "\"load\",\"t_us\":6",    "\"request\",\"t_us\":8",
                                 "\"link\",\"t_us\":9"};
    const char *at = text;
    for (size_t i = 0; i < CLV_COUNT(order); i++) {
        at = strstr(at, order[i]);
        if (!at) fail_msg("no %s where it should be in %s", order[i], text);
    }
    free(text);
    clv_run_done(&t);
}

#define OLD    "{\"cleave_trace\": 1}\n"
#define HEADER "{\"cleave_trace\": 2}\n"
#define LINE   "{\"t_us\": 5, \"model\": \"m\", \"input\": 0}\n"

static void arrivals_of_version_1_are_read(void **state)
{
    (void)state;
    clv_run t;
    clv_error err = {0};
    const char text[] =
        OLD "{\"t_us\": 5, \"model\": \"m\", \"input\": 2, \"plan\": 7, \"status\": "
            "\"ok\", \"latency_us\": -3}\n";
    assert_ok(clv_run_parse(text, strlen(text), &t, &err), err);
    assert_int_equal(t.n_requests, 1);
    assert_int_equal(t.requests[0].input, 2);
    assert_false(t.requests[0].ended);
    clv_run_done(&t);
}

static void expect_error(const char *text, clv_status status, const char *part)
{
    clv_run t;
    clv_error err = {0};
    assert_int_equal(clv_run_parse(text, strlen(text), &t, &err), status);
    if (!strstr(err.text, part)) fail_msg("'%s' lacks '%s'", err.text, part);
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    expect_error("", CLV_EINVAL, "no requests");
    expect_error(HEADER, CLV_EINVAL, "no requests");
    expect_error(LINE, CLV_EINVAL, "line 1: {\"cleave_trace\": 2} is right");
    expect_error("{\"cleave_trace\": 0}\n" LINE, CLV_EINVAL, "line 1");
    expect_error("{\"cleave_trace\": 3}\n" LINE, CLV_EUNSUPPORTED, "reads 1 to 2");
    expect_error("[]\n", CLV_EINVAL, "line 1: no object");
    expect_error(HEADER LINE "nonsense\n", CLV_EINVAL, "trace line 3: column");
    expect_error(HEADER LINE "\n", CLV_EINVAL, "trace line 3");
    const struct {
        const char *line, *part;
    } bad[] = {
        {"{\"t_us\": -1, \"model\": \"m\", \"input\": 0}", "'t_us': -1 is not within"},
        {"{\"t_us\": 1.5, \"model\": \"m\", \"input\": 0}", "'t_us': must be an integer"},
        {"{\"t_us\": 604800000001, \"model\": \"m\", \"input\": 0}", "'t_us'"},
        {"{\"t_us\": 1, \"t_us\": 1, \"model\": \"m\", \"input\": 0}", "duplicate"},
        {"{\"t_us\": 1, \"model\": \"m\", \"input\": 4}", "'input': 4 is not within 0 and 3"},
        {"{\"t_us\": 1, \"model\": \"\", \"input\": 0}", "'model': must not be empty"},
        {"{\"t_us\": 1, \"model\": 7, \"input\": 0}", "'model': must be a string"},
        {"{\"t_us\": 1, \"model\": \"m\", \"input\": 0, \"status\": \"fine\"}", "'status'"},
        {"{\"t_us\": 1, \"model\": \"m\", \"input\": 0, \"edge_us\": \"2\"}", "'edge_us'"},
        {"{\"event\": \"rain\", \"t_us\": 1}", "event 'rain' is unknown"},
        {"{\"event\": \"link\", \"t_us\": 1}", "'up'"},
        {"{\"event\": \"link\", \"t_us\": 1, \"up\": true}", "rates must be above 0"},
        {"{\"event\": \"link\", \"t_us\": 1, \"up\": true, \"up_bytes_per_s\": 1e13}", "1e+13"},
        {"{\"event\": \"wire\", \"t_us\": 1, \"up\": {}}", "'down': must be an object"},
        {"{\"event\": \"wire\", \"t_us\": 1, \"up\": {\"loss\": 1.5}, \"down\": {}}", "'up.loss'"},
        {"{\"event\": \"wire\", \"t_us\": 1, \"link\": 16, \"up\": {}, \"down\": {}}", "'link'"},
        {"{\"event\": \"plan\", \"t_us\": 1, \"model\": \"m\"}", "'plan'"},
        {"{\"event\": \"load\", \"t_us\": 1, \"waiting\": 0}", "'in_flight'"},
    };
    for (size_t i = 0; i < CLV_COUNT(bad); i++) {
        char *text = clv_format(HEADER "%s\n" LINE, bad[i].line);
        expect_error(text, CLV_EINVAL, bad[i].part);
        expect_error(text, CLV_EINVAL, "trace line 2: ");
        free(text);
    }
    expect_error(HEADER LINE "{\"event\": \"load\", \"t_us\": 4, \"waiting\": 0, \"in_flight\": 0, "
                             "\"failed\": 0}",
                 CLV_EINVAL, "line 3: 't_us' is less than in the line before");
}

static void names_and_lines_have_limits(void **state)
{
    (void)state;
    clv_buf text = {0};
    clv_buf_text(&text, HEADER);
    for (int i = 0; i <= CLV_RUN_NAMES_MAX; i++) {
        if (i == CLV_RUN_NAMES_MAX) {
            clv_run t;
            clv_error err = {0};
            assert_ok(clv_run_parse(text.data, text.len, &t, &err), err);
            assert_int_equal(t.models.n, CLV_RUN_NAMES_MAX);
            clv_run_done(&t);
        }
        clv_buf_printf(&text, "{\"t_us\": 0, \"model\": \"m%d\", \"input\": 0}\n", i);
    }
    expect_error(text.data, CLV_ELIMIT, "more than 256");
    clv_buf_clear(&text);
    static const char one[] = "{\"t_us\": 0, \"model\": \"m\", \"input\": 0}";
    clv_buf_printf(&text, HEADER "%s%*s\n", one, CLV_RUN_LINE_MAX - (int)strlen(one), "");
    clv_run t;
    clv_error err = {0};
    assert_ok(clv_run_parse(text.data, text.len, &t, &err), err);
    clv_run_done(&t);
    text.data[text.len - 1] = ' ';
    clv_buf_char(&text, '\n');
    expect_error(text.data, CLV_ELIMIT, "trace line 2: 8193 bytes, at most 8192");
    clv_buf_done(&text);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    clv_run t;
    clv_error err = {0};
    assert_int_equal(clv_run_read("/nowhere.jsonl", &t, &err), CLV_ENOTFOUND);
    assert_non_null(strstr(err.text, "/nowhere.jsonl"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(lines_are_in_order_of_time),
        cmocka_unit_test(arrivals_of_version_1_are_read),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(names_and_lines_have_limits),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
