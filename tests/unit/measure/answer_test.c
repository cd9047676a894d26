#include "measure/answer.h"

#include "unit.h"

#include <math.h>
#include <string.h>

static void the_first_largest_score_wins(void **state)
{
    (void)state;
    clv_error err = {0};
    static const float x[] = {1,   3, 3,   2,         -5,  -1,  -9,  -2,
                              NAN, 0, NAN, -INFINITY, NAN, NAN, NAN, NAN};
    static const int want[] = {1, 1, 1, -1};
    clv_tensor t = clv_tensor_view("y", CLV_F32, clv_shape_of(3, 4, 1, 4), x, sizeof x);
    for (size_t i = 0; i < 4; i++) {
        int answer = 7;
        size_t classes = 0;
        assert_ok(clv_answer_class(&t, i, 4, &answer, &classes, &err), err);
        assert_int_equal(answer, want[i]);
        assert_int_equal(classes, 4);
    }
    static const float low[] = {NAN, -INFINITY};
    clv_tensor u = clv_tensor_view("y", CLV_F32, clv_shape_of(1, 2), low, sizeof low);
    int answer;
    assert_ok(clv_answer_class(&u, 0, 1, &answer, NULL, &err), err);
    assert_int_equal(answer, 1);
    clv_tensor_done(&t);
    clv_tensor_done(&u);
}

static void what_is_no_scores_is_refused(void **state)
{
    (void)state;
    clv_error err = {0};
    int answer;
    static const float x[6] = {0};
    clv_tensor t = clv_tensor_view("y", CLV_F32, clv_shape_of(2, 2, 3), x, sizeof x);
    assert_int_equal(clv_answer_class(&t, 0, 4, &answer, NULL, &err), CLV_EUNSUPPORTED);
    assert_non_null(strstr(err.text, "output 'y' FP32 [2,3] is no scores of classes for 4"));
    t.dtype = CLV_I32;
    assert_int_equal(clv_answer_class(&t, 0, 2, &answer, NULL, &err), CLV_EUNSUPPORTED);
    t.dtype = CLV_F32;
    t.bytes = 0;
    assert_int_equal(clv_answer_class(&t, 0, 1, &answer, NULL, &err), CLV_EUNSUPPORTED);
    assert_int_equal(clv_answer_class(NULL, 0, 1, &answer, NULL, &err), CLV_EUNSUPPORTED);
    clv_tensor_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_largest_score_wins),
        cmocka_unit_test(what_is_no_scores_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
