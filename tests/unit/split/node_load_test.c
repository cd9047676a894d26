#include "split/node_load.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static clv_status parse(const char *text, clv_node_load *out, clv_error *err)
{
    return clv_node_load_parse(text, strlen(text), out, err);
}

static void numbers_are_read(void **state)
{
    (void)state;
    clv_node_load load;
    clv_error err = {0};
    assert_ok(
        parse("{\"queue\":3,\"ahead_us\":1200,\"wait_us\":3600000000,\"more\":[]}", &load, &err),
        err);
    assert_int_equal(load.queue, 3);
    assert_int_equal(load.ahead_us, 1200);
    assert_int_equal(load.wait_us, CLV_NODE_LOAD_US_MAX);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "{}",
                                        "[1]",
                                        "{\"live\":true}",
                                        "{\"queue\":-1,\"ahead_us\":0,\"wait_us\":0}",
                                        "{\"queue\":1,\"ahead_us\":0.5,\"wait_us\":0}",
                                        "{\"queue\":1,\"ahead_us\":0,\"wait_us\":3600000001}",
                                        "{\"queue\":1,\"ahead_us\":0,\"wait_us\":\"0\"}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        clv_node_load load = {7, 7, 7};
        clv_error err = {0};
        assert_int_equal(parse(wrong[i], &load, &err), CLV_EPROTO);
        assert_int_equal(load.queue, 7);
        assert_non_null(strstr(err.text, "the peer's load"));
    }
    char *large = calloc(1, CLV_NODE_LOAD_TEXT_MAX + 1);
    memset(large, ' ', CLV_NODE_LOAD_TEXT_MAX + 1);
    static const char good[] = "{\"queue\":1,\"ahead_us\":0,\"wait_us\":0}";
    memcpy(large, good, strlen(good));
    clv_node_load load;
    assert_int_equal(clv_node_load_parse(large, CLV_NODE_LOAD_TEXT_MAX, &load, NULL), CLV_OK);
    assert_int_equal(clv_node_load_parse(large, CLV_NODE_LOAD_TEXT_MAX + 1, &load, NULL),
                     CLV_EPROTO);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests_name("node_load", tests, NULL, NULL);
}
