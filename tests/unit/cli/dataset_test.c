#include "cli/dataset.h"

#include "base/file.h"
#include "pictures.h"
#include "tensor/npy.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char *dir;

static int setup(void **state)
{
    (void)state;
    return clv_dir_temp("dataset", &dir, NULL);
}

static int teardown(void **state)
{
    (void)state;
    clv_dir_remove(dir);
    free(dir);
    return 0;
}

static char x_name[] = "x";

static clv_tensor_spec spec_of(clv_dtype dtype, clv_shape shape)
{
    return (clv_tensor_spec){x_name, dtype, shape};
}

/* Writes DIR/NAME, with the folders in it; heap path. */
static char *put(const char *name, const void *bytes, size_t n)
{
    clv_error err = {0};
    char *path = clv_path_join(dir, name), *slash = strrchr(path, '/');
    *slash = 0;
    assert_ok(clv_dir_make(path, &err), err);
    *slash = '/';
    assert_ok(clv_file_write(path, bytes, n, &err), err);
    return path;
}

static void put_npy(const char *name, clv_dtype dtype, clv_shape shape, const void *data)
{
    clv_error err = {0};
    clv_tensor t;
    assert_ok(clv_tensor_new(&t, "t", dtype, shape, &err), err);
    memcpy(t.data, data, t.bytes);
    char *path = put(name, "", 0);
    assert_ok(clv_npy_write(path, &t, &err), err);
    free(path);
    clv_tensor_done(&t);
}

/* `n` pictures of 2 x 3: sample i has the bytes 6 i to 6 i + 5 and the label i % 10. */
static void put_idx(const char *images, const char *labels, int n)
{
    clv_buf a = {0}, b = {0};
    clv_buf_add(&a, (char[]){0, 0, 8, 3, 0, 0, 0, (char)n, 0, 0, 0, 2, 0, 0, 0, 3}, 16);
    clv_buf_add(&b, (char[]){0, 0, 8, 1, 0, 0, 0, (char)n}, 8);
    for (int i = 0; i < 6 * n; i++) clv_buf_char(&a, (char)i);
    for (int i = 0; i < n; i++) clv_buf_char(&b, (char)(i % 10));
    free(put(images, a.data, a.len));
    if (labels) free(put(labels, b.data, b.len));
    clv_buf_done(&a);
    clv_buf_done(&b);
}

static clv_status open_at(const char *name, clv_dataset_options o, clv_tensor_spec spec,
                          clv_dataset **out, clv_error *err)
{
    char *path = clv_path_join(dir, name);
    o.path = path;
    clv_status s = clv_dataset_open(&o, &spec, out, err);
    free(path);
    return s;
}

static clv_dataset *opened(const char *name, clv_dataset_options o, clv_tensor_spec spec)
{
    clv_error err = {0};
    clv_dataset *d = NULL;
    assert_ok(open_at(name, o, spec, &d, &err), err);
    return d;
}

static clv_tensor read_all(const clv_dataset *d)
{
    clv_error err = {0};
    clv_tensor t;
    const clv_samples *s = clv_dataset_samples(d);
    assert_ok(s->read(s->arg, 0, s->n, &t, &err), err);
    assert_ok(clv_tensor_check(&t, &err), err);
    return t;
}

static void idx_pictures_become_reals(void **state)
{
    (void)state;
    put_idx("a/t10k-images-idx3-ubyte", "a/t10k-labels-idx1-ubyte", 40);
    const char *const paths[] = {"a", "a/", "a/t10k-images-idx3-ubyte"};
    for (size_t p = 0; p < CLV_COUNT(paths); p++) {
        clv_dataset *d = opened(paths[p], (clv_dataset_options){0},
                                spec_of(CLV_F32, clv_shape_of(4, 1, 1, 2, 3)));
        const clv_samples *s = clv_dataset_samples(d);
        clv_tensor t = read_all(d);
        bool seen[40] = {0}, moved = false;
        assert_int_equal(s->n, 40);
        assert_string_equal(clv_shape_show(&t.shape).s, "[40,1,2,3]");
        assert_string_equal(t.name, "x");
        for (size_t i = 0; i < s->n; i++) {
            const float *x = (const float *)t.data + 6 * i;
            int row = (int)(x[0] * 255 + 0.5F) / 6;
            assert_false(seen[row]);
            seen[row] = true;
            moved = moved || row != (int)i;
            assert_int_equal(s->labels[i], row % 10);
            for (int k = 0; k < 6; k++) assert_float_equal(x[k], (float)(6 * row + k) / 255, 1e-7);
        }
        assert_true(moved); /* shuffled */
        clv_tensor_done(&t);
        clv_dataset_free(d);
    }
    clv_dataset_free(NULL);
}

static void fewer_samples_are_spread_and_always_the_same(void **state)
{
    (void)state;
    put_idx("few/train-images-idx3-ubyte", "few/train-labels-idx1-ubyte", 40);
    clv_dataset_options o = {.samples = 10};
    clv_tensor_spec spec =
        spec_of(CLV_U8, clv_shape_of(2, 1, 6)); /* not the sizes: 6 is not 2 x 3 */
    clv_error err = {0};
    clv_dataset *d = NULL, *again = NULL;
    assert_int_equal(open_at("few", o, spec, &d, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "samples in [40,2,3], the network takes [1,6]"));
    spec.shape = clv_shape_of(5, 1, 2, 1, 3, 1);
    d = opened("few", o, spec);
    again = opened("few", o, spec);
    clv_tensor t = read_all(d), u = read_all(again);
    const clv_samples *s = clv_dataset_samples(d);
    assert_int_equal(s->n, 10);
    assert_string_equal(s->name, "few/train-images-idx3-ubyte");
    assert_int_equal(t.bytes, 60); /* bytes as they are */
    assert_memory_equal(t.data, u.data, 60);
    int found = 0;
    for (size_t i = 0; i < 10; i++) found |= 1 << (((unsigned char *)t.data)[6 * i] / 24);
    assert_int_equal(found, 1023); /* every fourth row */
    clv_tensor middle;
    assert_ok(s->read(s->arg, 3, 2, &middle, &err), err);
    assert_memory_equal(middle.data, (char *)t.data + 18, 12);
    clv_tensor_done(&middle);
    clv_tensor_done(&t);
    clv_tensor_done(&u);
    clv_dataset_free(d);
    clv_dataset_free(again);
}

static void arrays_of_numpy_are_as_they_are(void **state)
{
    (void)state;
    static const float x[] = {-1, 2.5F, 3, 4, 5, 1e9F};
    static const int64_t y[] = {7, 0, 2};
    put_npy("n/images.npy", CLV_F32, clv_shape_of(2, 3, 2), x);
    put_npy("n/labels.npy", CLV_I64, clv_shape_of(1, 3), y);
    put_npy("n/elsewhere.npy", CLV_I64, clv_shape_of(2, 3, 1), y);
    clv_tensor_spec spec = spec_of(CLV_F32, clv_shape_of(2, 1, 2));
    for (int given = 0; given < 2; given++) {
        char *labels = clv_path_join(dir, "n/elsewhere.npy");
        clv_dataset *d =
            opened("n/images.npy", (clv_dataset_options){.labels = given ? labels : NULL}, spec);
        clv_tensor t = read_all(d);
        for (size_t i = 0; i < 3; i++) {
            const float *at = (const float *)t.data + 2 * i;
            size_t row = at[0] < 0 ? 0 : at[0] < 4 ? 1 : 2;
            assert_memory_equal(at, x + 2 * row, 8);
            assert_int_equal(clv_dataset_samples(d)->labels[i], y[row]);
        }
        clv_tensor_done(&t);
        clv_dataset_free(d);
        free(labels);
    }
}

static void mean_and_deviation_are_for_each_channel(void **state)
{
    (void)state;
    unsigned char x[] = {255, 0, 51, 0, 255, 255}, y = 0; /* [1,3,1,2] */
    put_npy("m/images.npy", CLV_U8, clv_shape_of(4, 1, 3, 1, 2), x);
    put_npy("m/labels.npy", CLV_U8, clv_shape_of(1, 1), &y);
    clv_text_list mean = {0}, std = {0};
    clv_text_list_add(&mean, "0.5", 3);
    clv_text_list_add(&mean, "0.1", 3);
    clv_text_list_add(&mean, "0", 1);
    clv_text_list_add(&std, "0.5", 3);
    clv_dataset *d = opened("m/images.npy", (clv_dataset_options){.mean = &mean, .std = &std},
                            spec_of(CLV_F32, clv_shape_of(4, 1, 3, 1, 2)));
    clv_tensor t = read_all(d);
    static const float want[] = {1, -1, 0.2F, -0.2F, 2, 2};
    for (size_t i = 0; i < 6; i++) assert_float_equal(((float *)t.data)[i], want[i], 1e-6);
    clv_tensor_done(&t);
    clv_dataset_free(d);
    clv_text_list_done(&mean);
    clv_text_list_done(&std);
}

static void put_picture(const char *name, unsigned char grey)
{
    unsigned char pixels[16];
    memset(pixels, grey, sizeof pixels);
    clv_buf png = png_of(4, 4, PNG_FORMAT_GRAY, pixels);
    free(put(name, png.data, png.len));
    clv_buf_done(&png);
}

static void folders_are_classes(void **state)
{
    (void)state;
    put_picture("f/10/a.png", 10);
    put_picture("f/2/b.PNG", 20);
    put_picture("f/2/c.jpeg", 30); /* a PNG all the same: its kind is told by its bytes */
    unsigned char bytes[16];
    memset(bytes, 40, sizeof bytes);
    put_npy("f/0/d.npy", CLV_U8, clv_shape_of(2, 4, 4), bytes);
    free(put("f/0/readme.txt", "x", 1));
    free(put("f/0/.hidden.png", "x", 1));
    free(put("f/list.csv", "x", 1));
    clv_dataset *d =
        opened("f", (clv_dataset_options){0}, spec_of(CLV_F32, clv_shape_of(4, 1, 1, 4, 4)));
    const clv_samples *s = clv_dataset_samples(d);
    clv_tensor t = read_all(d);
    assert_int_equal(s->n, 4);
    assert_string_equal(s->name, "f");
    for (size_t i = 0; i < 4; i++) {
        int grey = (int)lroundf(((float *)t.data)[16 * i] * 255);
        int class = grey == 10 ? 10 : grey == 40 ? 0 : 2;
        assert_int_equal(s->labels[i], class);
        assert_float_equal(((float *)t.data)[16 * i + 15], (float)grey / 255, 1e-4);
    }
    clv_tensor_done(&t);
    clv_dataset_free(d);
    put_picture("f/cat/a.png",
                50); /* not all are numbers now: 0, 10, 2, cat in the order of bytes */
    d = opened("f", (clv_dataset_options){0}, spec_of(CLV_F32, clv_shape_of(4, 1, 1, 4, 4)));
    int found = 0;
    for (size_t i = 0; i < 5; i++) found |= 1 << clv_dataset_samples(d)->labels[i];
    assert_int_equal(found, 15);
    clv_dataset_free(d);
}

static void refused(const char *name, clv_dataset_options o, clv_tensor_spec spec,
                    clv_status status, const char *says)
{
    clv_error err = {0};
    clv_dataset *d = NULL;
    assert_int_equal(open_at(name, o, spec, &d, &err), status);
    assert_null(d);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    const clv_dataset_options o = {0};
    clv_tensor_spec spec = spec_of(CLV_F32, clv_shape_of(4, 1, 1, 2, 3));
    static const float reals[12] = {0};
    static const int32_t short_list[1] = {1}, negative[2] = {0, -1};
    refused("nowhere", o, spec, CLV_ENOTFOUND, "nowhere: no such file or folder");
    free(put("empty/a.txt", "", 0));
    refused("empty", o, spec, CLV_EINVAL, "neither t10k-images-idx3-ubyte nor a folder a class");
    put_idx("alone/t10k-images-idx3-ubyte", NULL, 2);
    refused("alone", o, spec, CLV_EUSAGE, "add --labels FILE");
    put_npy("alone/few.npy", CLV_I32, clv_shape_of(1, 1), short_list);
    put_npy("alone/minus.npy", CLV_I32, clv_shape_of(1, 2), negative);
    put_npy("alone/reals.npy", CLV_F32, clv_shape_of(1, 2), reals);
    static const struct {
        const char *labels, *says;
    } rows[] = {{"few.npy", "INT32 [1], a whole number for each of 2 samples is wanted"},
                {"minus.npy", "label 1 is -1: classes are whole numbers from 0"},
                {"reals.npy", "FP32 [2], a whole number for each of 2"},
                {"none.npy", "none.npy"}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        char *labels = clv_format("%s/alone/%s", dir, rows[i].labels);
        refused("alone", (clv_dataset_options){.labels = labels}, spec,
                i == 3 ? CLV_ENOTFOUND : CLV_EINVAL, rows[i].says);
        free(labels);
    }
    put_npy("wrong/images.npy", CLV_F32, clv_shape_of(3, 2, 2, 3), reals);
    put_npy("wrong/labels.npy", CLV_I32, clv_shape_of(1, 2), (int32_t[]){0, 1});
    spec.dtype = CLV_I64;
    refused("wrong/images.npy", o, spec, CLV_EINVAL, "elements are FP32, the network takes INT64");
    spec.dtype = CLV_F32;
    spec.shape.dim[0] = 2;
    refused("wrong/images.npy", o, spec, CLV_EUNSUPPORTED, "a batch of 1");
    spec.shape.dim[0] = 1;
    free(put("wrong/bad.idx", "\0\0\x08\x03\0\0\0\x09", 8));
    char *labels = clv_path_join(dir, "wrong/labels.npy");
    refused("wrong/bad.idx", (clv_dataset_options){.labels = labels}, spec, CLV_EINVAL,
            "truncated");
    free(labels);
    put_picture("pics/cat/a.png", 1);
    refused("pics", (clv_dataset_options){.labels = "l.npy"}, spec, CLV_EUSAGE, "are its folders");
    refused("pics", o, spec_of(CLV_F32, clv_shape_of(2, 1, 7)), CLV_EUSAGE, "an image is");
    free(put("pics/cat/b.png", "no picture", 10));
    clv_error err = {0};
    clv_tensor t;
    clv_dataset *d = opened("pics", o, spec);
    const clv_samples *s = clv_dataset_samples(d);
    assert_int_not_equal(s->read(s->arg, 0, 2, &t, &err), CLV_OK);
    assert_non_null(strstr(err.text, "b.png"));
    clv_dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_pictures_become_reals),
        cmocka_unit_test(fewer_samples_are_spread_and_always_the_same),
        cmocka_unit_test(arrays_of_numpy_are_as_they_are),
        cmocka_unit_test(mean_and_deviation_are_for_each_channel),
        cmocka_unit_test(folders_are_classes),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
