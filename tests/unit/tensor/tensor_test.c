#include "tensor/tensor.h"
#include "unit.h"

#include <string.h>

static void shapes_compare_fit_and_show(void **state)
{
    (void)state;
    clv_shape a = clv_shape_of(3, 1, 3, 224), b = clv_shape_of(3, -1, 3, 224);
    clv_shape any = {.rank = -1}, other = clv_shape_of(2, 1, 3);
    assert_true(clv_shape_equal(&a, &a));
    assert_false(clv_shape_equal(&a, &b));
    assert_true(clv_shape_fits(&a, &b));
    assert_true(clv_shape_fits(&a, &any));
    assert_false(clv_shape_fits(&other, &b));
    b.dim[1] = 4;
    assert_false(clv_shape_fits(&a, &b));
    assert_string_equal(clv_shape_show(&a).s, "[1,3,224]");
    assert_string_equal(clv_shape_show(&b).s, "[?,4,224]");
    assert_string_equal(clv_shape_show(&any).s, "?");
    clv_shape widest = {.rank = CLV_RANK_MAX};
    for (int i = 0; i < CLV_RANK_MAX; i++) widest.dim[i] = INT64_MIN;
    assert_int_equal(strlen(clv_shape_show(&widest).s), 253);
}

static void counts_have_limits(void **state)
{
    (void)state;
    clv_error err = {0};
    size_t n = 0;
    clv_shape s = clv_shape_of(2, 3, 4), scalar = clv_shape_of(0),
              free_dim = clv_shape_of(2, -1, 4);
    assert_ok(clv_shape_count(&s, &n, &err), err);
    assert_int_equal(n, 12);
    assert_ok(clv_shape_count(&scalar, &n, &err), err);
    assert_int_equal(n, 1);
    assert_int_equal(clv_shape_count(&free_dim, &n, &err), CLV_EINVAL);
    clv_shape huge = {.rank = 3, .dim = {INT64_MAX, INT64_MAX, 2}};
    assert_int_equal(clv_shape_count(&huge, &n, &err), CLV_ELIMIT);
    huge.dim[2] = 0;
    assert_ok(clv_shape_count(&huge, &n, &err), err);
    assert_int_equal(n, 0);
    huge.rank = CLV_RANK_MAX + 1;
    assert_int_equal(clv_shape_count(&huge, &n, &err), CLV_EINVAL);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static void tensors_own_or_borrow(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t = {0};
    assert_ok(clv_tensor_new(&t, "x", CLV_F32, clv_shape_of(2, 3, 5), &err), err);
    assert_int_equal(t.bytes, 60);
    assert_int_equal((uintptr_t)t.data % 64, 0);
    assert_ok(clv_tensor_check(&t, &err), err);
    clv_tensor view = clv_tensor_view("v", CLV_F32, t.shape, t.data, t.bytes);
    assert_ptr_equal(view.data, t.data);
    clv_tensor_done(&view);
    memset(t.data, 1, t.bytes); /* still there */
    clv_tensor_done(&t);
    clv_tensor_done(&t);
    clv_tensor_done(NULL);

    int released = 0;
    clv_tensor held = clv_tensor_view("h", CLV_U8, clv_shape_of(0), "a", 1);
    held.release = count_release;
    held.owner = &released;
    clv_tensors list = {0};
    clv_tensors_add(&list, held);
    clv_tensors_add(&list, clv_tensor_view("i", CLV_U8, clv_shape_of(1, 3), "abc", 3));
    assert_int_equal(clv_tensors_bytes(&list), 4);
    assert_string_equal(clv_tensors_find(&list, "i")->data, "abc");
    assert_null(clv_tensors_find(&list, "j"));
    clv_tensors_done(&list);
    assert_int_equal(released, 1);
    assert_int_equal(list.n, 0);
}

static void a_tensor_of_the_limit_and_one_more(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t = {0};
    clv_shape s = {.rank = 1, .dim = {(int64_t)CLV_TENSOR_BYTES_MAX + 1}};
    assert_int_equal(clv_tensor_new(&t, "big", CLV_U8, s, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "'big'"));
    assert_null(t.data);
    s.dim[0]--;
    clv_tensor view = clv_tensor_view("limit", CLV_U8, s, "", CLV_TENSOR_BYTES_MAX);
    assert_ok(clv_tensor_check(&view, &err), err);
    clv_tensor_done(&view);
}

static clv_status check(clv_dtype dtype, clv_shape shape, const void *data, size_t bytes,
                        clv_error *err)
{
    clv_tensor t = clv_tensor_view("t", dtype, shape, data, bytes);
    clv_status st = clv_tensor_check(&t, err);
    clv_tensor_done(&t);
    return st;
}

static void borders_are_checked(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_shape two = clv_shape_of(1, 2);
    assert_int_equal(check(CLV_F32, two, "1234567", 7, &err), CLV_EINVAL);
    assert_string_equal(err.text, "tensor 't': 7 bytes, FP32 [2] needs 8");
    assert_int_equal(check(CLV_F32, clv_shape_of(1, -1), "12345678", 8, &err), CLV_EINVAL);
    assert_int_equal(check(CLV_DTYPE_NONE, two, "12", 2, &err), CLV_EINVAL);
    assert_int_equal(check(CLV_U8, two, NULL, 2, &err), CLV_EINVAL);
    assert_ok(check(CLV_U8, clv_shape_of(1, 0), NULL, 0, &err), err);

    char name[CLV_NAME_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    clv_tensor t = clv_tensor_view(name, CLV_U8, two, "12", 2);
    assert_int_equal(clv_tensor_check(&t, &err), CLV_ELIMIT);
    t.name[CLV_NAME_MAX] = 0;
    assert_ok(clv_tensor_check(&t, &err), err);
    clv_tensor_done(&t);
}

static void texts_are_walked(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_shape two = clv_shape_of(1, 2);
    static const char good[] = "\2\0\0\0ab\0\0\0\0";
    assert_ok(check(CLV_TEXT, two, good, 10, &err), err);
    assert_int_equal(check(CLV_TEXT, two, good, 9, &err), CLV_EINVAL);
    assert_int_equal(check(CLV_TEXT, clv_shape_of(1, 1), good, 10, &err), CLV_EINVAL);
    assert_int_equal(check(CLV_TEXT, two, "\xff\xff\xff\xff", 4, &err), CLV_EINVAL);
    clv_tensor t;
    assert_ok(clv_tensor_new(&t, "empty", CLV_TEXT, two, &err), err);
    assert_ok(clv_tensor_check(&t, &err), err);
    clv_tensor_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_compare_fit_and_show),
        cmocka_unit_test(counts_have_limits),
        cmocka_unit_test(tensors_own_or_borrow),
        cmocka_unit_test(a_tensor_of_the_limit_and_one_more),
        cmocka_unit_test(borders_are_checked),
        cmocka_unit_test(texts_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
