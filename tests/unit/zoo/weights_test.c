#include "base/mem.h"
#include "unit.h"
#include "zoo/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *draw(clv_weights *w)
{
    float *all = clv_alloc_array((size_t)(w->rows * w->fan_in), sizeof *all);
    clv_weights_begin(w);
    for (int64_t i = 0; i < w->rows; i++) clv_weights_row(w, i, all + i * w->fan_in);
    return all;
}

static void the_moments_are_those_asked_for(void **state)
{
    (void)state;
    clv_weights w = {.seed = 7, .rows = 100, .fan_in = 1000, .scale = 0.25, .offset = 3};
    float *x = draw(&w);
    double sum = 0, square = 0, n = 100000, widest = 0;
    for (int i = 0; i < 100000; i++) {
        double d = x[i] - 3;
        sum += d;
        square += d * d;
        widest = fmax(widest, fabs(d));
    }
    assert_true(fabs(sum / n) < 0.005);
    assert_true(fabs(sqrt(square / n) - 0.25) < 0.003);
    assert_true(widest > 0.25 * 3 && widest < 0.25 * 3.5);
    free(x);
    clv_weights_done(&w);
}

static void sums_are_those_of_the_rows(void **state)
{
    (void)state;
    for (int centred = 0; centred < 2; centred++) {
        clv_weights w = {.seed = 1, .rows = 5, .fan_in = 77, .scale = 0.5, .centred = centred};
        float *x = draw(&w);
        for (int64_t r = 0; r < w.rows; r++) {
            double sum = 0, square = 0;
            for (int64_t i = 0; i < w.fan_in; i++) {
                sum += x[r * w.fan_in + i];
                square += (double)x[r * w.fan_in + i] * x[r * w.fan_in + i];
            }
            assert_true(fabs(sum - clv_weights_sum(&w, r)) < 1e-4);
            assert_true(fabs(square - clv_weights_square_sum(&w, r)) < 1e-4);
            if (!centred) assert_true(fabs(sum) > 1e-3);
        }
        free(x);
        clv_weights_done(&w);
        clv_weights_done(&w);
    }
}

static void the_seed_decides(void **state)
{
    (void)state;
    clv_weights a = {.seed = 1, .rows = 2, .fan_in = 8, .scale = 1}, b = a, c = a;
    c.seed = 2;
    float *x = draw(&a), *y = draw(&b), *z = draw(&c);
    assert_memory_equal(x, y, 16 * sizeof *x);
    assert_memory_not_equal(x, z, 16 * sizeof *x);
    assert_memory_not_equal(x, x + 8, 8 * sizeof *x);
    free(x);
    free(y);
    free(z);
    clv_weights_done(&a);
    clv_weights_done(&b);
    clv_weights_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_moments_are_those_asked_for),
        cmocka_unit_test(sums_are_those_of_the_rows),
        cmocka_unit_test(the_seed_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
