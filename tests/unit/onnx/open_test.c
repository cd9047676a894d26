/* Reading models: sound ones keep everything, bad ones are refused by name. */
#include "base/file.h"
#include "model.h"
#include "onnx/onnx.h"
#include "onnx/skeleton.h"

#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static int start(void **state)
{
    (void)state;
    return clv_dir_temp("open", &folder, NULL);
}

static int stop(void **state)
{
    (void)state;
    clv_dir_remove(folder);
    free(folder);
    return 0;
}

static model *small(void)
{
    model *m = model_new(13);
    model_input(m, "x", ONNX_F32, "N,20");
    model_weights(m, "w", 1, "20,20");
    model_node(m, "MatMul", "x,w", "a", NULL);
    model_node(m, "Tanh", "a", "y", NULL);
    model_output(m, "y", ONNX_F32, "N,20");
    return m;
}

static clv_status open_bytes(const void *bytes, size_t n, clv_onnx **out, clv_error *err)
{
    char *path = clv_path_join(folder, "model.onnx");
    clv_error why = {0};
    assert_ok(clv_file_write(path, bytes, n, &why), why);
    clv_status status = clv_onnx_open(path, out, err);
    free(path);
    return status;
}

/* Takes the model. */
static void refuses(model *m, clv_status status, const char *text)
{
    clv_error err = {0};
    clv_onnx *o;
    size_t n;
    uint8_t *bytes = model_bytes(m, &n);
    clv_status got = open_bytes(bytes, n, &o, &err);
    model_free(m);
    if (!strstr(err.text, text)) fail_msg("expected '%s' in '%s'", text, err.text);
    assert_int_equal(got, status);
}

static void weights_stay_in_the_file(void **state)
{
    (void)state;
    model *m = small();
    size_t n, n_stored;
    uint8_t *bytes = model_bytes(m, &n);
    clv_error err = {0};
    clv_onnx *o;
    assert_ok(open_bytes(bytes, n, &o, &err), err);
    const clv_stored *w = clv_onnx_stored(o, &n_stored);
    assert_int_equal(n_stored, 1);
    assert_string_equal(w->name, "w");
    assert_int_equal(w->bytes, 1600);
    assert_memory_equal(w->data, m->graph.initializer[0]->raw_data.data, 1600);
    clv_onnx_free(o);
    model_free(m);
}

static void float_data_is_as_good_as_raw_data(void **state)
{
    (void)state;
    model *m = small();
    Onnx__TensorProto *t = m->graph.initializer[0];
    t->n_float_data = 400;
    t->float_data = (float *)(void *)t->raw_data.data;
    t->has_raw_data = 0;
    size_t n, n_stored;
    uint8_t *bytes = model_bytes(m, &n);
    clv_error err = {0};
    clv_onnx *o;
    assert_ok(open_bytes(bytes, n, &o, &err), err);
    const clv_stored *w = clv_onnx_stored(o, &n_stored);
    assert_int_equal(n_stored, 1);
    assert_memory_equal(w->data, t->raw_data.data, 1600);
    clv_onnx_free(o);
    model_free(m);
}

static void unknown_fields_survive(void **state)
{
    (void)state;
    model *m = small();
    size_t n;
    clv_buf file = {0}, skeleton = {0};
    uint8_t *bytes = model_bytes(m, &n);
    clv_buf_add(&file, bytes, n);
    const char extra[] = "\xfa\x3f\x05hello"; /* field 1023, five bytes */
    clv_buf_add(&file, extra, 8);
    clv_error err = {0};
    assert_ok(clv_skeleton_write(file.data, file.len, "m.onnx", &skeleton, &err), err);
    assert_true(skeleton.len < n - 1400);
    assert_memory_equal(skeleton.data + skeleton.len - 8, extra, 8);
    clv_buf_done(&file);
    clv_buf_done(&skeleton);
    model_free(m);
}

/* A file that is cut anywhere is refused, or (cut between two fields) lacks something that is named. */
static void cut_files_are_refused(void **state)
{
    (void)state;
    model *m = small();
    size_t n;
    uint8_t *bytes = model_bytes(m, &n);
    size_t opened = 0;
    for (size_t length = 0; length < n; length += length < 40 || length > n - 200 ? 1 : 37) {
        clv_error err = {0};
        clv_onnx *o;
        if (open_bytes(bytes, length, &o, &err) == CLV_OK) {
            clv_onnx_free(o);
            opened++;
        } else {
            assert_non_null(strstr(err.text, "model.onnx"));
        }
    }
    assert_int_equal(opened, 0);
    model_free(m);
}

static void structure_is_checked(void **state)
{
    (void)state;
    model *m = small();
    model_node(m, "Tanh", "r", "q", NULL);
    model_node(m, "Tanh", "q", "r", NULL);
    refuses(m, CLV_EINVAL, "the graph has a cycle through node 'op_q'");
    m = small();
    model_node(m, "Tanh", "x", "a", NULL);
    refuses(m, CLV_EINVAL, "two things make the tensor 'a'");
    m = small();
    model_node(m, "Tanh", "nothing", "b", NULL);
    refuses(m, CLV_EINVAL, "node 'op_b' reads the tensor 'nothing', which nothing makes");
    m = small();
    model_output(m, "z", ONNX_F32, NULL);
    refuses(m, CLV_EINVAL, "nothing makes the output 'z'");
    m = small();
    model_node(m, "Magic", "x", "b", NULL)->domain = model_text(m, "com.example");
    refuses(m, CLV_EINVAL,
            "operator Magic of domain 'com.example', which the model does not import");
    m = small();
    m->graph.n_output = 0;
    refuses(m, CLV_EINVAL, "no outputs");
    m = small();
    m->proto.graph = NULL;
    refuses(m, CLV_EINVAL, "it has no graph");
}

static void stored_tensors_are_checked(void **state)
{
    (void)state;
    model *m = small();
    m->graph.initializer[0]->dims[0] = 21;
    refuses(m, CLV_EINVAL, "stored tensor 'w': 1600 bytes, its shape [21,20] needs 1680");
    m = small();
    m->graph.initializer[0]->dims[0] = -1;
    refuses(m, CLV_EINVAL, "stored tensor 'w': dimension 0 is -1");
    m = small();
    m->graph.initializer[0]->dims[0] = INT64_MAX;
    refuses(m, CLV_ELIMIT, "is too large");
    m = small();
    m->graph.initializer[0]->n_dims = 13;
    refuses(m, CLV_ELIMIT, "rank 13");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    clv_buf inner = {0};
    for (int i = 0; i < 199; i++) { /* inside out: graph { node { attribute { graph { ... */
        clv_buf outer = {0};
        const char tags[] = {0x0a, 0x32, 0x2a};
        clv_buf_char(&outer, tags[i % 3]);
        for (size_t n = inner.len; n >= 128 || (clv_buf_char(&outer, (char)n), 0); n >>= 7)
            clv_buf_char(&outer, (char)(n | 128));
        clv_buf_add(&outer, inner.data, inner.len);
        clv_buf_done(&inner);
        inner = outer;
    }
    clv_buf file = {0};
    const char head[] = {0x3a, (char)(inner.len | 128), (char)(inner.len >> 7)};
    clv_buf_add(&file, head, 3);
    clv_buf_add(&file, inner.data, inner.len);
    clv_error err = {0};
    clv_onnx *o;
    assert_int_equal(open_bytes(file.data, file.len, &o, &err), CLV_ELIMIT);
    assert_non_null(strstr(err.text, "nest deeper than 64"));
    clv_buf_done(&inner);
    clv_buf_done(&file);
}

static void reference(model *m, const char *location, const char *offset, const char *length)
{
    Onnx__TensorProto *t = m->graph.initializer[0];
    t->has_raw_data = 0;
    t->has_data_location = 1;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    const char *const entries[][2] = {
        {"location", location}, {"offset", offset}, {"length", length}};
    for (int i = 0; i < 3; i++) {
        Onnx__StringStringEntryProto *e =
            MODEL_NEW(m, Onnx__StringStringEntryProto, onnx__string_string_entry_proto__init);
        e->key = model_text(m, entries[i][0]);
        e->value = model_text(m, entries[i][1]);
        model_add(m, &t->external_data, &t->n_external_data, e);
    }
}

static void external_data_is_checked(void **state)
{
    (void)state;
    char *path = clv_path_join(folder, "w.bin"), *link = clv_path_join(folder, "link.bin");
    char data[1700] = {0};
    clv_error err = {0};
    assert_ok(clv_file_write(path, data, sizeof data, &err), err);
    assert_int_equal(symlink("/etc/hostname", link), 0);
    const struct {
        const char *location, *offset, *length;
        clv_status status;
        const char *text;
    } bad[] = {
        {"w.bin", "101", "1600", CLV_EINVAL, "bytes 101 to 1701 of 'w.bin', which ends at 1700"},
        {"w.bin", "99999999999999999", "1600", CLV_EINVAL, "which ends at 1700"},
        {"w.bin", "0", "1604", CLV_EINVAL, "1604 bytes, its shape [20,20] needs 1600"},
        {"w.bin", "-1", "1600", CLV_EINVAL, "external offset '-1' is not a number"},
        {"w.bin", "0", "99999999999999999999", CLV_EINVAL, "is not a number"},
        {"none.bin", "0", "1600", CLV_ENOTFOUND, "none.bin"},
        {"../w.bin", "0", "1600", CLV_EDENIED, "outside the model's folder"},
        {"a/../../w.bin", "0", "1600", CLV_EDENIED, "outside the model's folder"},
        {"/etc/passwd", "0", "1600", CLV_EDENIED, "outside the model's folder"},
        {"link.bin", "0", "1600", CLV_EDENIED, "is a link out of the model's folder"},
        {"", "0", "1600", CLV_EINVAL, "without a location"},
    };
    for (size_t i = 0; i < CLV_COUNT(bad); i++) {
        model *m = small();
        reference(m, bad[i].location, bad[i].offset, bad[i].length);
        refuses(m, bad[i].status, bad[i].text);
    }
    model *m = small();
    reference(m, "w.bin", "100", "1600");
    size_t n;
    uint8_t *bytes = model_bytes(m, &n);
    clv_onnx *o;
    assert_ok(open_bytes(bytes, n, &o, &err), err);
    clv_onnx_files(o, &n);
    assert_int_equal(n, 2);
    clv_onnx_free(o);
    model_free(m);
    free(path);
    free(link);
}

static void a_text_with_nul_is_refused(void **state)
{
    (void)state;
    model *m = small();
    size_t n;
    uint8_t *bytes = model_bytes(m, &n);
    for (size_t i = 0; i + 6 < n; i++)
        if (memcmp(bytes + i, "MatMul", 6) == 0) bytes[i + 3] = 0;
    clv_error err = {0};
    clv_onnx *o;
    assert_int_equal(open_bytes(bytes, n, &o, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "a NUL in a text"));
    assert_int_equal(open_bytes(bytes, 0, &o, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "the file is empty"));
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_stay_in_the_file),
        cmocka_unit_test(float_data_is_as_good_as_raw_data),
        cmocka_unit_test(unknown_fields_survive),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(structure_is_checked),
        cmocka_unit_test(stored_tensors_are_checked),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(external_data_is_checked),
        cmocka_unit_test(a_text_with_nul_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
