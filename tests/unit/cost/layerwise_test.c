#include "cost/layerwise.h"
#include "synthetic.h"
#include "unit.h"

/* Rows that follow its own law are fitted exactly; what comes out below 0 counts as 0. */
static void a_linear_law_is_found(void **state)
{
    (void)state;
    clv_calibration *c = synthetic_calibration(8, 0);
    for (size_t i = 0; i < c->n_networks; i++)
        for (size_t k = 0; k < c->networks[i].n_rows; k++) {
            clv_unit_features *f = &c->networks[i].rows[k].place.features;
            double in = (double)(f->in_channels * f->in_h * f->in_w) / 1e6;
            double filters = (double)(f->kernel_h * f->kernel_w * f->out_channels) / 1e3;
            c->networks[i].rows[k].us = fmax(700 * in + 90 * filters - 30, 0);
        }
    clv_layerwise l;
    clv_layerwise_fit(&l, c);
    clv_unit_features f = synthetic_conv(50, 64, 3);
    double want = 700 * 64 * 2500 / 1e6 + 90 * 9 * 64 / 1e3 - 30;
    assert_true(fabs(clv_layerwise_us(&l, &f) / want - 1) < 0.02);
    f = synthetic_conv(1, 1, 1);
    assert_true(clv_layerwise_us(&l, &f) >= 0 && clv_layerwise_us(&l, &f) < 5);
    clv_calibration_free(c);
}

static void a_kind_without_rows_takes_no_time(void **state)
{
    (void)state;
    clv_calibration *c = synthetic_calibration(2, 0);
    clv_layerwise l;
    clv_layerwise_fit(&l, c);
    clv_unit_features f = synthetic_conv(50, 64, 3);
    f.kind = CLV_UNIT_SOFTMAX;
    assert_true(clv_layerwise_us(&l, &f) == 0);
    clv_calibration_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_law_is_found),
        cmocka_unit_test(a_kind_without_rows_takes_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
