/* Tensors that cross in a codec: written by the sender after its head, read by the receiver before
 * its part, and refused by name when they lie. */
#include "split/coding.h"
#include "split/rig.h"

enum { CUT = 3 };

static int start(void **state)
{
    rig *r = rig_new();
    edge_start(&r->e, r->folder, r->s.n.url, 0);
    *state = r;
    return 0;
}

/* The same as the uncut network, but for so much. */
static void assert_near(edge *e, const clv_request *r, int rows, float most)
{
    asked a;
    clv_request *whole = question(&a, numbers("x", rows, 4));
    assert_ok(r->error.status, r->error);
    whole->local_only = true;
    clv_splitter_run(e->splitter, whole);
    whole = answer_of(&a);
    assert_ok(whole->error.status, whole->error);
    assert_int_equal(r->outputs.n, whole->outputs.n);
    for (size_t i = 0; i < r->outputs.n; i++) {
        const clv_tensor *t = &r->outputs.items[i], *right = &whole->outputs.items[i];
        assert_int_equal(t->bytes, right->bytes);
        const float *x = t->data, *y = right->data;
        for (size_t k = 0; k < t->bytes / sizeof *x; k++) assert_true(fabsf(x[k] - y[k]) <= most);
    }
    clv_request_free(whole);
}

static void a_lossless_codec_changes_nothing(void **state)
{
    rig *r = *state;
    edge_pin_coded(&r->e, CUT, "raw+zstd");
    clv_request *a = edge_ask(&r->e, 3);
    assert_right(&r->e, a, 3);
    assert_string_equal(a->recovered, "");
    assert_int_equal(r->s.coded, 1);
    assert_non_null(strstr(a->plan, " raw+zstd"));
    assert_near(&r->e, a, 3, 0);
    clv_request_free(a);
}

static void a_lossy_codec_stays_within_its_bound(void **state)
{
    rig *r = *state;
    edge_pin_coded(&r->e, CUT, "q8+zstd");
    clv_request *a = edge_ask(&r->e, 5);
    assert_string_equal(a->recovered, "");
    assert_int_equal(r->s.coded, 1);
    assert_near(&r->e, a, 5, 0.1F);
    assert_true(a->up_bytes < 5 * 64 * sizeof(float)); /* what the tensor at the cut has raw */
    assert_int_equal(a->crossed.n, 1);
    const clv_crossing *x = &a->crossed.hops[0];
    assert_string_equal(x->codec, "q8"); /* packing so few values does not help */
    assert_int_equal(x->tensor_bytes, 5 * 64 * sizeof(float));
    assert_true(x->coded_bytes < x->tensor_bytes && x->coded_bytes < x->up_bytes);
    assert_int_equal(x->up_bytes, a->up_bytes);
    assert_int_equal(x->down_bytes, a->down_bytes);
    clv_request_free(a);
}

static void the_input_goes_coded_as_well(void **state)
{
    rig *r = *state;
    edge_pin_coded(&r->e, 0, "f16");
    clv_request *a = edge_ask(&r->e, 64);
    assert_string_equal(a->recovered, "");
    assert_int_equal(r->s.coded, 1);
    assert_int_equal(r->e.engine->prefixes + r->e.engine->wholes, 0);
    assert_near(&r->e, a, 64, 0.02F);
    clv_request_free(a);
}

static void what_broke_on_the_way_is_done_here(void **state)
{
    rig *r = *state;
    edge_pin_coded(&r->e, CUT, "q8");
    atomic_store(&r->s.answer, ANSWER_CORRUPT);
    clv_request *a = edge_ask(&r->e, 3);
    assert_right(&r->e, a, 3); /* from the tensors that were not coded */
    assert_int_equal(a->crossed.n, 0);
    if (!strstr(a->recovered, "tensor '")) fail_msg("recovered: '%s'", a->recovered);
    assert_int_equal(r->s.infers, 1);
    assert_int_equal(r->e.engine->prefixes, 1);
    assert_int_equal(r->e.engine->tails, 1);
    clv_request_free(a);
}

/* --- the other side: a splitter that gets encodings --- */

static clv_tensor coded(const clv_tensor *t, const char *codec)
{
    clv_codec c;
    clv_tensor out;
    clv_error err = {0};
    assert_ok(clv_codec_parse(codec, &c, &err), err);
    assert_ok(clv_codec_encode(c, t, &out, &err), err);
    return out;
}

static clv_tensor coded_numbers(const char *codec, int rows)
{
    clv_tensor t = numbers("c", rows, 64), out = coded(&t, codec);
    clv_tensor_done(&t);
    return out;
}

static clv_request *ask_with(edge *e, clv_tensor take)
{
    asked a;
    clv_splitter_run(e->splitter, question(&a, take));
    return answer_of(&a);
}

static void the_receiver_reads_what_its_part_needs(void **state)
{
    rig *r = *state;
    clv_request *plain = ask_with(&r->e, numbers("c", 2, 64));
    clv_request *read = ask_with(&r->e, coded_numbers("raw+lz4", 2));
    assert_ok(plain->error.status, plain->error);
    assert_ok(read->error.status, read->error);
    assert_string_equal(read->plan, "tail");
    assert_int_equal(read->outputs.n, plain->outputs.n);
    for (size_t i = 0; i < read->outputs.n; i++) {
        const clv_tensor *a = &plain->outputs.items[i], *b = &read->outputs.items[i];
        assert_false(b->coded);
        assert_int_equal(a->bytes, b->bytes);
        assert_memory_equal(a->data, b->data, a->bytes);
    }
    clv_request_free(plain);
    clv_request_free(read);
}

static void expect_refused(edge *e, clv_tensor take, clv_status status, const char *part)
{
    clv_request *a = ask_with(e, take);
    if (a->error.status != status || !strstr(a->error.text, part))
        fail_msg("%s: %s, expected %s", clv_status_name(a->error.status), a->error.text, part);
    if (!strstr(a->error.text, "'c'")) fail_msg("'%s' does not name the tensor", a->error.text);
    assert_int_equal(a->outputs.n, 0);
    clv_request_free(a);
}

static void encodings_that_lie_are_refused_by_name(void **state)
{
    rig *r = *state;
    clv_tensor t = coded_numbers("q8", 2);
    t.dtype = CLV_F64;
    expect_refused(&r->e, t, CLV_EINVAL, "it should be FP32");
    t = coded_numbers("q8", 2);
    t.shape.dim[1] = 63;
    expect_refused(&r->e, t, CLV_EINVAL, "it should be FP32 [?,64]");
    t = coded_numbers("q8", 2);
    t.shape.dim[0] = 3;
    expect_refused(&r->e, t, CLV_EPROTO, "");
    t = coded_numbers("raw+zstd", 2);
    t.shape.dim[0] = (int64_t)(CLV_CODING_BYTES_MAX / 256) + 1; /* a bomb, by what it says */
    expect_refused(&r->e, t, CLV_ELIMIT, "at most");
    t = coded_numbers("f16+zstd", 2);
    t.bytes -= 1;
    expect_refused(&r->e, t, CLV_EPROTO, "");
    t = coded_numbers("f16", 2);
    t.bytes = 0;
    expect_refused(&r->e, t, CLV_EPROTO, "");
    t = coded_numbers("q4", 2);
    ((unsigned char *)t.data)[0] ^= 1;
    expect_refused(&r->e, t, CLV_EPROTO, "");
}

static void what_is_coded_already_is_not_coded_again(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor in[2] = {numbers("p", 2, 64), coded_numbers("q8", 2)};
    clv_tensors out = {0};
    assert_ok(clv_coding_write(clv_codec_at(CLV_CODECS - 1), in, 2, &out, &err), err);
    assert_int_equal(out.n, 2);
    assert_true(out.items[0].coded && out.items[1].coded);
    assert_ptr_equal(out.items[1].data, in[1].data);
    assert_ptr_not_equal(out.items[0].data, in[0].data);
    clv_tensors_done(&out);
    for (int i = 0; i < 2; i++) clv_tensor_done(&in[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_lossless_codec_changes_nothing, start, stop),
        cmocka_unit_test_setup_teardown(a_lossy_codec_stays_within_its_bound, start, stop),
        cmocka_unit_test_setup_teardown(the_input_goes_coded_as_well, start, stop),
        cmocka_unit_test_setup_teardown(what_broke_on_the_way_is_done_here, start, stop),
        cmocka_unit_test_setup_teardown(the_receiver_reads_what_its_part_needs, start, stop),
        cmocka_unit_test_setup_teardown(encodings_that_lie_are_refused_by_name, start, stop),
        cmocka_unit_test(what_is_coded_already_is_not_coded_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
