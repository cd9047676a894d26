#include "base/status.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void a_failure_names_place_and_value(void **state)
{
    (void)state;
    clv_error err = {0};
    assert_int_equal(clv_fail(&err, CLV_EINVAL, "tensor '%s': %d bytes", "x", 3), CLV_EINVAL);
    assert_int_equal(clv_within(&err, "model '%s'", "m"), CLV_EINVAL);
    assert_string_equal(err.text, "model 'm': tensor 'x': 3 bytes");
    assert_int_equal(clv_fail(NULL, CLV_EIO, "nobody listens"), CLV_EIO);
}

static void text_is_one_bounded_line(void **state)
{
    (void)state;
    clv_error err = {0};
    char big[2000];
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = 0;
    clv_fail(&err, CLV_EINVAL, "a\nb%s", big);
    assert_int_equal(strlen(err.text), CLV_ERROR_TEXT_MAX - 1);
    assert_string_equal(err.text + CLV_ERROR_TEXT_MAX - 4, "...");
    assert_memory_equal(err.text, "a b", 3);
}

static void errno_becomes_text(void **state)
{
    (void)state;
    clv_error err = {0};
    errno = ENOENT;
    assert_int_equal(clv_fail_errno(&err, "model '%s'", "m.onnx"), CLV_ENOTFOUND);
    assert_string_equal(err.text, "model 'm.onnx': No such file or directory");
}

static void codes_round_trip(void **state)
{
    (void)state;
    assert_int_equal(clv_status_from_grpc(clv_status_grpc(CLV_EMISMATCH)), CLV_EMISMATCH);
    assert_int_equal(clv_status_from_http(404), CLV_ENOTFOUND);
    assert_int_equal(clv_status_from_http(299), CLV_OK);
    assert_int_equal(clv_status_from_grpc(99), CLV_EPROTO);
    assert_string_equal(clv_status_name(CLV_EIO), "CLV_EIO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_names_place_and_value),
        cmocka_unit_test(text_is_one_bounded_line),
        cmocka_unit_test(errno_becomes_text),
        cmocka_unit_test(codes_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
