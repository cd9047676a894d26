#include "base/file.h"
#include "tensor/npy.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static clv_status parse(const char *dictionary, const char *data, size_t n, clv_tensor *t,
                        clv_error *err)
{
    CLV_AUTO(clv_buf_done) clv_buf b = {0};
    size_t length = strlen(dictionary);
    clv_buf_add(&b, "\x93NUMPY\1\0", 8);
    clv_buf_char(&b, (char)(length & 255));
    clv_buf_char(&b, (char)(length >> 8));
    clv_buf_text(&b, dictionary);
    clv_buf_add(&b, data, n);
    return clv_npy_parse(b.data, b.len, "x", t, err);
}

static void every_dtype_round_trips(void **state)
{
    (void)state;
    clv_error err = {0};
    char *dir = NULL;
    assert_ok(clv_dir_temp("npy", &dir, &err), err);
    char *path = clv_path_join(dir, "t.npy");
    for (int rank = 0; rank <= 3; rank++)
        for (int i = CLV_DTYPE_NONE + 1; i < CLV_DTYPE_COUNT; i++) {
            clv_tensor t, back;
            if (!clv_dtype_npy((clv_dtype)i)) continue;
            assert_ok(clv_tensor_new(&t, "t", (clv_dtype)i, clv_shape_of(rank, 2, 3, 1), &err),
                      err);
            for (size_t k = 0; k < t.bytes; k++)
                ((unsigned char *)t.data)[k] = (unsigned char)(k * 7);
            assert_ok(clv_npy_write(path, &t, &err), err);
            assert_ok(clv_npy_read(path, "back", &back, &err), err);
            assert_int_equal(back.dtype, i);
            assert_string_equal(back.name, "back");
            assert_true(clv_shape_equal(&t.shape, &back.shape));
            assert_int_equal(back.bytes, t.bytes);
            assert_memory_equal(back.data, t.data, t.bytes);
            clv_tensor_done(&t);
            clv_tensor_done(&back);
        }
    clv_tensor text = clv_tensor_view("s", CLV_TEXT, clv_shape_of(1, 1), "\0\0\0\0", 4);
    assert_int_equal(clv_npy_write(path, &text, &err), CLV_EUNSUPPORTED);
    clv_tensor_done(&text);
    assert_int_equal(clv_npy_read("no/such.npy", "x", &text, &err), CLV_ENOTFOUND);
    clv_dir_remove(dir);
    free(path);
    free(dir);
}

static void what_numpy_writes_is_read(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t;
    assert_ok(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }   \n", "12345678",
                    8, &t, &err),
              err);
    assert_int_equal(t.dtype, CLV_F32);
    assert_string_equal(clv_shape_show(&t.shape).s, "[1,2]");
    assert_memory_equal(t.data, "12345678", 8);
    clv_tensor_done(&t);
    assert_ok(parse("{'shape':(2L,),\"descr\":'|u1','fortran_order':False}", "ab", 2, &t, &err),
              err);
    assert_string_equal(clv_shape_show(&t.shape).s, "[2]");
    clv_tensor_done(&t);
    assert_ok(parse("{'descr':'|b1','fortran_order':False,'shape':()}", "\1", 1, &t, &err), err);
    assert_int_equal(t.shape.rank, 0);
    clv_tensor_done(&t);
    static const char v3[] =
        "\x93NUMPY\3\0\x37\0\0\0{'descr': '<i2', 'fortran_order': False, 'shape': "
        "(1,)}hi";
    assert_ok(clv_npy_parse(v3, sizeof v3 - 1, "x", &t, &err), err);
    assert_int_equal(t.dtype, CLV_I16);
    clv_tensor_done(&t);
}

static void bad_files_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary;
        size_t n;
        clv_status want;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}", 8, CLV_EUNSUPPORTED},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2)}", 8, CLV_EUNSUPPORTED},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, CLV_EUNSUPPORTED},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8, CLV_EUNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}", 7, CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", 8, CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}", 8, CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 8,
         CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}", 8, CLV_ELIMIT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,2)}", 8,
         CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,)}", 4, CLV_EINVAL},
        {"{'descr': '<f4', 'shape': (1,)}", 4, CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, CLV_EINVAL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1", 4, CLV_EINVAL},
        {"", 4, CLV_EINVAL},
    };
    clv_error err = {0};
    clv_tensor t;
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_status st = parse(rows[i].dictionary, "12345678", rows[i].n, &t, &err);
        if (st != rows[i].want)
            fail_msg("%s: %s (%s)", rows[i].dictionary, clv_status_name(st), err.text);
    }
    assert_int_equal(clv_npy_parse("\x93NUMPY", 6, "x", &t, &err), CLV_EINVAL);
    assert_int_equal(clv_npy_parse("\x93NUMPY\4\0\1\0\0\0\0\0", 14, "x", &t, &err),
                     CLV_EUNSUPPORTED);
    assert_int_equal(clv_npy_parse("\x93NUMPY\2\0\0\0\0\xf0{}", 14, "x", &t, &err), CLV_ELIMIT);
    assert_int_equal(clv_npy_parse("\x93NUMPY\1\0\xff\0{}aa", 14, "x", &t, &err), CLV_EINVAL);
    assert_int_equal(clv_npy_parse(NULL, 0, "x", &t, &err), CLV_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dtype_round_trips),
        cmocka_unit_test(what_numpy_writes_is_read),
        cmocka_unit_test(bad_files_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
