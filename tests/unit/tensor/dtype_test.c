#include "tensor/dtype.h"
#include "unit.h"

static void every_type_round_trips(void **state)
{
    (void)state;
    for (int i = CLV_DTYPE_NONE + 1; i < CLV_DTYPE_COUNT; i++) {
        clv_dtype t = (clv_dtype)i;
        assert_int_equal(clv_dtype_from_onnx(clv_dtype_onnx(t)), t);
        assert_int_equal(clv_dtype_from_oip(clv_dtype_oip(t)), t);
        if (clv_dtype_npy(t)) assert_int_equal(clv_dtype_from_npy(clv_dtype_npy(t)), t);
    }
    assert_int_equal(clv_dtype_bytes(CLV_F16), 2);
    assert_int_equal(clv_dtype_onnx(CLV_I64), 7);
    assert_string_equal(clv_dtype_oip(CLV_TEXT), "BYTES");
}

static void the_unknown_is_none(void **state)
{
    (void)state;
    assert_int_equal(clv_dtype_from_onnx(0), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_onnx(14), CLV_DTYPE_NONE); /* complex64 */
    assert_int_equal(clv_dtype_from_oip("?"), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_oip("fp32"), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_oip(NULL), CLV_DTYPE_NONE);
    assert_string_equal(clv_dtype_oip((clv_dtype)99), "?");
    assert_int_equal(clv_dtype_bytes((clv_dtype)-1), 0);
    assert_null(clv_dtype_npy(CLV_TEXT));
}

static void numpy_order_marks(void **state)
{
    (void)state;
    assert_int_equal(clv_dtype_from_npy("<u1"), CLV_U8); /* a byte has no order */
    assert_int_equal(clv_dtype_from_npy(">f4"), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_npy("xu1"), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_npy(""), CLV_DTYPE_NONE);
    assert_int_equal(clv_dtype_from_npy(NULL), CLV_DTYPE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_round_trips),
        cmocka_unit_test(the_unknown_is_none),
        cmocka_unit_test(numpy_order_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
