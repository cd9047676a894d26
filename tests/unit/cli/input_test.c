#include "base/file.h"
#include "cli/input.h"
#include "pictures.h"
#include "tensor/npy.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    char *dir;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    return clv_dir_temp("input_test", &f->dir, NULL);
}

static int teardown(void **state)
{
    fixture *f = *state;
    clv_dir_remove(f->dir);
    free(f->dir);
    free(f);
    return 0;
}

static char x_name[] = "x", ids_name[] = "ids";

static clv_tensor_spec picture_spec(clv_dtype dtype)
{
    return (clv_tensor_spec){x_name, dtype, clv_shape_of(4, -1, 3, 4, 4)};
}

static char *write_file(void **state, const char *name, const void *data, size_t n)
{
    fixture *f = *state;
    char *path = clv_path_join(f->dir, name);
    clv_error err = {0};
    assert_ok(clv_file_write(path, data, n, &err), err);
    return path;
}

static char *write_npy(void **state, const char *name, clv_dtype dtype, clv_shape shape)
{
    fixture *f = *state;
    char *path = clv_path_join(f->dir, name);
    clv_error err = {0};
    clv_tensor t;
    assert_ok(clv_tensor_new(&t, "t", dtype, shape, &err), err);
    memset(t.data, 0, t.bytes);
    for (size_t i = 0; i < t.bytes; i += 4) ((char *)t.data)[i] = (char)i;
    assert_ok(clv_npy_write(path, &t, &err), err);
    clv_tensor_done(&t);
    return path;
}

typedef struct words {
    const char *files[3], *shapes[2], *random, *mean, *std;
} words;

static void add(clv_text_list *list, const char *text)
{
    if (text) clv_text_list_add(list, text, strlen(text));
}

static clv_status make(words w, const clv_tensor_spec *specs, size_t n, clv_tensors *out,
                       clv_error *err)
{
    clv_input_options o = {.random = w.random};
    for (size_t i = 0; i < CLV_COUNT(w.files); i++) add(&o.files, w.files[i]);
    for (size_t i = 0; i < CLV_COUNT(w.shapes); i++) add(&o.shapes, w.shapes[i]);
    add(&o.mean, w.mean);
    add(&o.std, w.std);
    clv_status st = clv_inputs_make(&o, specs, n, out, err);
    if (st) assert_null(out->items);
    clv_text_list_done(&o.files);
    clv_text_list_done(&o.shapes);
    clv_text_list_done(&o.mean);
    clv_text_list_done(&o.std);
    return st;
}

static void refused(words w, const clv_tensor_spec *specs, size_t n, clv_status status,
                    const char *part)
{
    clv_tensors out = {0};
    clv_error err = {0};
    assert_int_equal(make(w, specs, n, &out, &err), status);
    if (!strstr(err.text, part)) fail_msg("'%s' lacks '%s'", err.text, part);
}

static void an_array_gets_its_batch_dimension(void **state)
{
    clv_tensor_spec spec = picture_spec(CLV_F32);
    CLV_AUTO(clv_text_free)
    char *path = write_npy(state, "a.npy", CLV_F32, clv_shape_of(3, 3, 4, 4));
    clv_tensors in = {0};
    clv_error err = {0};
    assert_ok(make((words){.files = {path}}, &spec, 1, &in, &err), err);
    assert_int_equal(in.n, 1);
    assert_string_equal(in.items[0].name, "x");
    clv_shape wanted = clv_shape_of(4, 1, 3, 4, 4);
    assert_true(clv_shape_equal(&in.items[0].shape, &wanted));
    assert_int_equal(((char *)in.items[0].data)[4], 4);
    clv_tensors_done(&in);
    CLV_AUTO(clv_text_free)
    char *two = write_npy(state, "2.npy", CLV_F32, clv_shape_of(4, 2, 3, 4, 4));
    assert_ok(make((words){.files = {two}}, &spec, 1, &in, &err), err);
    assert_int_equal(in.items[0].shape.dim[0], 2);
    clv_tensors_done(&in);
}

static void wrong_arrays_are_told(void **state)
{
    clv_tensor_spec spec = picture_spec(CLV_F32);
    CLV_AUTO(clv_text_free)
    char *doubles = write_npy(state, "d.npy", CLV_F64, clv_shape_of(3, 3, 4, 4));
    refused((words){.files = {doubles}}, &spec, 1, CLV_EINVAL,
            "dtype FP64, input 'x' is FP32 (numpy: x.astype('<f4'))");
    CLV_AUTO(clv_text_free)
    char *small = write_npy(state, "s.npy", CLV_F32, clv_shape_of(3, 3, 4, 5));
    refused((words){.files = {small}}, &spec, 1, CLV_EINVAL,
            "shape [1,3,4,5], input 'x' is [?,3,4,4]");
    CLV_AUTO(clv_text_free) char *junk = write_file(state, "junk.npy", "hello, world", 12);
    refused((words){.files = {junk}}, &spec, 1, CLV_EINVAL, "not a .npy file");
    refused((words){.files = {"/nowhere/a.npy"}}, &spec, 1, CLV_ENOTFOUND, "/nowhere/a.npy");
    refused((words){.files = {"a.gif"}}, &spec, 1, CLV_EUSAGE, "a.gif: its kind is told by");
}

static void a_picture_becomes_planes(void **state)
{
    unsigned char rgb[4 * 4 * 3];
    for (int i = 0; i < 48; i++) rgb[i] = (unsigned char)(i % 3 == 0 ? 255 : i % 3 == 1 ? 51 : 0);
    clv_buf png = png_of(4, 4, PNG_FORMAT_RGB, rgb);
    CLV_AUTO(clv_text_free) char *path = write_file(state, "p.PNG", png.data, png.len);
    clv_buf_done(&png);
    clv_tensor_spec spec = picture_spec(CLV_F32);
    clv_tensors in = {0};
    clv_error err = {0};
    assert_ok(make((words){.files = {path}}, &spec, 1, &in, &err), err);
    const float *x = in.items[0].data;
    assert_true(fabs(x[0] - (1 - 0.485) / 0.229) < 1e-5 &&
                fabs(x[16] - (0.2 - 0.456) / 0.224) < 1e-5);
    clv_tensors_done(&in);
    assert_ok(make((words){.files = {path}, .mean = "0.5", .std = "0.25"}, &spec, 1, &in, &err),
              err);
    x = in.items[0].data;
    assert_true(fabs(x[0] - 2) < 1e-5 && fabs(x[32] + 2) < 1e-5);
    clv_tensors_done(&in);
    spec = picture_spec(CLV_U8);
    spec.shape = clv_shape_of(4, 1, 4, 4, 3); /* channels last */
    assert_ok(make((words){.files = {path}}, &spec, 1, &in, &err), err);
    assert_true(in.items[0].dtype == CLV_U8 && in.items[0].bytes == sizeof rgb);
    assert_memory_equal(in.items[0].data, rgb, sizeof rgb);
    clv_tensors_done(&in);
}

static void wrong_pictures_are_told(void **state)
{
    unsigned char rgb[3] = {0};
    clv_buf png = png_of(1, 1, PNG_FORMAT_RGB, rgb);
    CLV_AUTO(clv_text_free) char *path = write_file(state, "p.png", png.data, png.len);
    CLV_AUTO(clv_text_free) char *half = write_file(state, "h.png", png.data, png.len / 2);
    clv_buf_done(&png);
    clv_tensor_spec spec = picture_spec(CLV_F32),
                    tokens = {ids_name, CLV_I64, clv_shape_of(2, -1, 8)};
    refused((words){.files = {half}}, &spec, 1, CLV_EINVAL, "unreadable PNG");
    refused((words){.files = {path}}, &tokens, 1, CLV_EUSAGE,
            "input 'ids' is INT64 [1,8]: use .npy");
    refused((words){.files = {path}, .std = "0"}, &spec, 1, CLV_EUSAGE,
            "--std: '0' is not above 0");
    clv_tensor_spec open = {x_name, CLV_F32, clv_shape_of(4, -1, 3, -1, -1)};
    refused((words){.files = {path}}, &open, 1, CLV_EUSAGE,
            "input 'x' is [?,3,?,?]: say the free sizes with --shape x=");
    clv_tensors in = {0};
    clv_error err = {0};
    assert_ok(make((words){.files = {path}, .shapes = {"1x3x6x2"}}, &open, 1, &in, &err), err);
    assert_int_equal(in.items[0].bytes, 3 * 6 * 2 * 4);
    clv_tensors_done(&in);
    refused((words){.files = {path}, .shapes = {"1x4x6x2"}}, &open, 1, CLV_EUSAGE,
            "--shape 1x4x6x2: input 'x' is [?,3,?,?]");
    refused((words){.files = {path}, .shapes = {"1x3xbig"}}, &open, 1, CLV_EUSAGE,
            "--shape 1x3xbig");
    refused((words){.files = {path}, .shapes = {"1x3x20000x4"}}, &open, 1, CLV_ELIMIT, "16384");
}

static void raw_bytes_make_the_batch(void **state)
{
    clv_tensor_spec spec = {x_name, CLV_I16, clv_shape_of(2, -1, 3)};
    CLV_AUTO(clv_text_free) char *path = write_file(state, "r.bin", "abcdefghijkl", 12);
    CLV_AUTO(clv_text_free) char *odd = write_file(state, "o.raw", "abcdefg", 7);
    clv_tensors in = {0};
    clv_error err = {0};
    assert_ok(make((words){.files = {path}}, &spec, 1, &in, &err), err);
    clv_shape wanted = clv_shape_of(2, 2, 3);
    assert_true(clv_shape_equal(&in.items[0].shape, &wanted));
    assert_memory_equal(in.items[0].data, "abcdefghijkl", 12);
    clv_tensors_done(&in);
    refused((words){.files = {odd}}, &spec, 1, CLV_EINVAL,
            "7 bytes, input 'x' INT16 [1,3] has 6 or a multiple");
    spec.shape.dim[0] = 1;
    refused((words){.files = {path}}, &spec, 1, CLV_EINVAL,
            "12 bytes, input 'x' INT16 [1,3] has 6");
}

static void names_choose_the_input(void **state)
{
    const clv_tensor_spec specs[] = {picture_spec(CLV_F32),
                                     {ids_name, CLV_I16, clv_shape_of(1, 6)}};
    CLV_AUTO(clv_text_free) char *path = write_file(state, "r.bin", "abcdefghijkl", 12);
    CLV_AUTO(clv_text_free) char *named = clv_format("ids=%s", path);
    CLV_AUTO(clv_text_free) char *wrong = clv_format("idz=%s", path);
    clv_tensors in = {0};
    clv_error err = {0};
    assert_ok(make((words){.files = {named}, .random = "7"}, specs, 2, &in, &err), err);
    assert_true(in.n == 2 && strcmp(in.items[0].name, "x") == 0 && in.items[0].bytes == 192);
    assert_memory_equal(in.items[1].data, "abcdefghijkl", 12);
    clv_tensors_done(&in);
    refused((words){.files = {named}}, specs, 2, CLV_EUSAGE, "input 'x' FP32 [?,3,4,4] is missing");
    refused((words){.files = {wrong}}, specs, 2, CLV_EUSAGE,
            "no input has this name; the model has 'x'");
    refused((words){.files = {path}}, specs, 2, CLV_EUSAGE, "say which input");
    refused((words){.files = {named, named}}, specs, 2, CLV_EUSAGE, "'ids' is given twice");
}

static void random_inputs_follow_the_seed(void **state)
{
    (void)state;
    clv_tensor_spec spec = picture_spec(CLV_F32);
    clv_tensors in[3] = {{0}};
    clv_error err = {0};
    for (int i = 0; i < 3; i++)
        assert_ok(make((words){.random = i < 2 ? "1" : "2"}, &spec, 1, &in[i], &err), err);
    assert_memory_equal(in[0].items[0].data, in[1].items[0].data, 192);
    assert_memory_not_equal(in[0].items[0].data, in[2].items[0].data, 192);
    for (int i = 0; i < 3; i++) clv_tensors_done(&in[i]);
    refused((words){.random = "many"}, &spec, 1, CLV_EINVAL, "--random");
    clv_tensor_spec unknown = {x_name, CLV_F32, {.rank = -1}};
    refused((words){.random = "1"}, &unknown, 1, CLV_EUSAGE, "does not say its shape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_gets_its_batch_dimension),
        cmocka_unit_test(wrong_arrays_are_told),
        cmocka_unit_test(a_picture_becomes_planes),
        cmocka_unit_test(wrong_pictures_are_told),
        cmocka_unit_test(raw_bytes_make_the_batch),
        cmocka_unit_test(names_choose_the_input),
        cmocka_unit_test(random_inputs_follow_the_seed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
