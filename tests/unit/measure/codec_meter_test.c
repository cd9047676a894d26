/* Coded bytes against the codecs themselves. No time is asserted, only that there is one. */
#include "measure/codec_meter.h"

#include "base/file.h"
#include "tensor/random.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

enum { CUTS = 4 };

static clv_profile *blank(void)
{
    clv_profile *p = clv_alloc(sizeof *p);
    p->n_cuts = CUTS;
    p->cuts = clv_alloc_array(CUTS, sizeof *p->cuts);
    return p;
}

static char names[3][2] = {"a", "b", "i"};

/* The tensors of two requests at cut 1, and of one at cut 2. */
static void make(clv_tensors *list, uint64_t seed, int channels)
{
    clv_error err = {0};
    clv_rng rng = clv_rng_seeded(seed);
    const clv_tensor_spec specs[] = {{names[0], CLV_F32, clv_shape_of(4, 1, channels, 16, 16)},
                                     {names[1], CLV_F32, clv_shape_of(2, 1, 300)},
                                     {names[2], CLV_I64, clv_shape_of(2, 1, 5)}};
    assert_ok(clv_tensors_random(specs, 3, 1, &rng, list, &err), err);
}

static size_t coded_bytes(clv_codec c, const clv_tensors *list)
{
    size_t sum = 0;
    for (size_t i = 0; i < list->n; i++) {
        clv_error err = {0};
        clv_tensor coded;
        assert_ok(clv_codec_encode(c, &list->items[i], &coded, &err), err);
        sum += coded.bytes;
        clv_tensor_done(&coded);
    }
    return sum;
}

static void meter(bool data)
{
    clv_error err = {0};
    clv_tensors lists[3] = {0};
    clv_profile *p = blank();
    clv_codec_meter *m = clv_codec_meter_new(CUTS, data);
    for (size_t i = 0; i < 3; i++) {
        make(&lists[i], i + 1, i == 1 ? 32 : 8);
        assert_ok(clv_codec_meter_add(m, i == 2 ? 2 : 1, lists[i].items, lists[i].n, &err), err);
    }
    assert_ok(clv_codec_meter_add(m, 3, NULL, 0, &err), err); /* nothing crosses */
    clv_codec_meter_fill(m, p);
    assert_int_equal(p->n_codecs, CLV_CODECS - 1);
    assert_null(clv_profile_codec_find(p, "raw"));
    for (size_t i = 0; i < CLV_CODECS; i++) {
        clv_codec c = clv_codec_at(i);
        const clv_profile_codec *k = clv_profile_codec_find(p, clv_codec_show(c).s);
        if (!k) continue;
        assert_true(k->encode_us_per_mb > 0 && k->decode_us_per_mb > 0);
        bool known = data || !clv_codec_lossy(c) || c.quant == CLV_QUANT_F16;
        double one = (double)(coded_bytes(c, &lists[0]) + coded_bytes(c, &lists[1])) / 2;
        assert_float_equal(k->cut_bytes[0], 0, 0);
        assert_float_equal(k->cut_bytes[1], known ? one : 0, 1e-9);
        assert_float_equal(k->cut_bytes[2], known ? (double)coded_bytes(c, &lists[2]) : 0, 1e-9);
        assert_float_equal(k->cut_bytes[3], 0, 0);
        assert_null(k->cut_drop);
    }
    for (size_t i = 0; i < 3; i++) clv_tensors_done(&lists[i]);
    clv_codec_meter_free(m);
    clv_codec_meter_free(NULL);
    clv_profile_free(p);
}

static void on_data_all_bytes_count(void **state)
{
    (void)state;
    meter(true);
}

static void on_random_inputs_only_what_needs_no_data(void **state)
{
    (void)state;
    meter(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_data_all_bytes_count),
        cmocka_unit_test(on_random_inputs_only_what_needs_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
