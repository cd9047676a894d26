#include "tensor/idx.h"

#include "base/file.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define U8_2X3 "\0\0\x08\x02\0\0\0\x02\0\0\0\x03"

static clv_status parse(const void *bytes, size_t n, clv_tensor *t, clv_error *err)
{
    return clv_idx_parse(bytes, n, "x", t, err);
}

/* gzip of `n` bytes, as gzip(1) writes it. */
static clv_buf gzipped(const void *bytes, size_t n)
{
    clv_buf out = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    clv_buf_reserve(&out, deflateBound(&z, n));
    memcpy(&z.next_in, &bytes, sizeof bytes);
    z.avail_in = (uInt)n;
    z.next_out = (unsigned char *)out.data;
    z.avail_out = (uInt)out.cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = z.total_out;
    deflateEnd(&z);
    return out;
}

static void bytes_are_taken_as_they_are(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t;
    assert_ok(parse(U8_2X3 "abcdef", 18, &t, &err), err);
    assert_int_equal(t.dtype, CLV_U8);
    assert_string_equal(clv_shape_show(&t.shape).s, "[2,3]");
    assert_memory_equal(t.data, "abcdef", 6);
    assert_string_equal(t.name, "x");
    clv_tensor_done(&t);
    assert_ok(parse("\0\0\x08\0a", 5, &t, &err), err); /* rank 0: one element */
    assert_int_equal(t.bytes, 1);
    clv_tensor_done(&t);
    assert_ok(parse("\0\0\x08\x01\0\0\0\0", 8, &t, &err), err);
    assert_int_equal(t.bytes, 0);
    clv_tensor_done(&t);
}

static void wider_elements_become_little_endian(void **state)
{
    (void)state;
    static const struct {
        char code;
        clv_dtype dtype;
        const char *big, *little;
        size_t bytes;
    } rows[] = {{0x09, CLV_I8, "\xff\x02", "\xff\x02", 2},
                {0x0B, CLV_I16, "\x01\x02\x03\x04", "\x02\x01\x04\x03", 4},
                {0x0C, CLV_I32, "\x01\x02\x03\x04\0\0\0\x05", "\x04\x03\x02\x01\x05\0\0\0", 8},
                {0x0D, CLV_F32, "\x3f\xc0\0\0\xc0\0\0\0", "\0\0\xc0\x3f\0\0\0\xc0", 8},
                {0x0E, CLV_F64, "\x3f\xf8\0\0\0\0\0\x01\0\0\0\0\0\0\0\0",
                 "\x01\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\0", 16}};
    for (size_t i = 0; i < CLV_COUNT(rows); i++) {
        clv_error err = {0};
        clv_tensor t;
        char file[32] = {0, 0, rows[i].code, 1, 0, 0, 0, 2};
        memcpy(file + 8, rows[i].big, rows[i].bytes);
        assert_ok(parse(file, 8 + rows[i].bytes, &t, &err), err);
        assert_int_equal(t.dtype, rows[i].dtype);
        assert_int_equal(t.bytes, rows[i].bytes);
        assert_memory_equal(t.data, rows[i].little, t.bytes);
        clv_tensor_done(&t);
    }
}

static void gzip_is_unpacked(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t;
    size_t n = 12 + 300 * 1000;
    unsigned char *plain = clv_alloc(n);
    memcpy(plain, "\0\0\x08\x02\0\0\x01\x2c\0\0\x03\xe8", 12);
    for (size_t i = 12; i < n; i++) plain[i] = (unsigned char)(i * i >> 7);
    clv_buf file = gzipped(plain, n);
    assert_ok(parse(file.data, file.len, &t, &err), err);
    assert_string_equal(clv_shape_show(&t.shape).s, "[300,1000]");
    assert_memory_equal(t.data, plain + 12, t.bytes);
    clv_tensor_done(&t);
    for (size_t cut = 1; cut < 12; cut++) { /* without a part of the checksum, or of the stream */
        assert_int_equal(parse(file.data, file.len - cut, &t, &err), CLV_EINVAL);
    }
    file.data[file.len - 6] ^= 1; /* the checksum itself */
    assert_int_equal(parse(file.data, file.len, &t, &err), CLV_EINVAL);
    file.data[file.len - 6] ^= 1;
    clv_buf_char(&file, 'x');
    assert_int_equal(parse(file.data, file.len, &t, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, "1 bytes behind the gzip stream"));
    clv_buf_done(&file);
    free(plain);
}

static void all_zeros_pack_as_tightly_as_deflate_can(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t;
    size_t n = 8 + ((size_t)100 << 20); /* a bomb by its ratio, but honest */
    unsigned char *plain = clv_alloc(n);
    memcpy(plain, "\0\0\x08\x01\x06\x40\0\0", 8);
    clv_buf file = gzipped(plain, n);
    assert_true(file.len < n / 1000);
    assert_ok(parse(file.data, file.len, &t, &err), err);
    assert_int_equal(t.bytes, n - 8);
    clv_tensor_done(&t);
    clv_buf_done(&file);
    free(plain);
}

static void refused(const void *bytes, size_t n, clv_status status, const char *says)
{
    clv_error err = {0};
    clv_tensor t;
    assert_int_equal(parse(bytes, n, &t, &err), status);
    if (!strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refused("", 0, CLV_EINVAL, "truncated");
    refused("\0\0\x08", 3, CLV_EINVAL, "truncated: 1 bytes are missing");
    refused("\x89PNG", 4, CLV_EINVAL, "begins with 8950, an idx file with 0000");
    refused("\0\0\x07\x01", 4, CLV_EINVAL, "element type 07");
    refused("\0\0\x08\x0d", 4, CLV_ELIMIT, "13 dimensions, at most 12");
    refused("\0\0\x08\x02\0\0\0\x01", 8, CLV_EINVAL, "truncated");
    refused(U8_2X3 "abcde", 17, CLV_EINVAL, "truncated: [2,3] needs 6 bytes, 5 are there");
    refused(U8_2X3 "abcdefg", 19, CLV_EINVAL, "1 bytes behind the last element");
    refused("\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff", 12, CLV_ELIMIT, "more than");
    refused("\0\0\x0e\x01\x10\0\0\x01", 8, CLV_ELIMIT, "more than 2147483648 bytes");
    refused("\0\0\x0e\x01\x10\0\0\0", 8, CLV_EINVAL, "truncated: [268435456] needs 2147483648");
    refused("\x1f\x8b\x08\0", 4, CLV_EINVAL, "truncated gzip");
    refused("\x1f\x8b\xff\0\0\0\0\0\0\0\0\0", 12, CLV_EINVAL, "damaged gzip");
    clv_buf lie = gzipped("\0\0\x08\x01\x70\0\0\0", 8); /* nearly 2 GB out of nothing */
    refused(lie.data, lie.len, CLV_ELIMIT, "of gzip can hold");
    clv_buf_done(&lie);
    clv_buf more = gzipped(U8_2X3 "abcdefg", 19), less = gzipped(U8_2X3 "abcde", 17);
    refused(more.data, more.len, CLV_EINVAL, "unpacks to more than its elements");
    refused(less.data, less.len, CLV_EINVAL, "truncated: 1 bytes are missing");
    clv_buf_done(&more);
    clv_buf_done(&less);
}

static void a_file_is_named(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_tensor t;
    char *dir = NULL;
    assert_ok(clv_dir_temp("idx", &dir, &err), err);
    char *path = clv_path_join(dir, "bad-idx");
    assert_ok(clv_file_write(path, U8_2X3, 12, &err), err);
    assert_int_equal(clv_idx_read(path, "x", &t, &err), CLV_EINVAL);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(clv_idx_read("no/such-idx", "x", &t, &err), CLV_ENOTFOUND);
    clv_dir_remove(dir);
    free(path);
    free(dir);
}

static void its_kind_is_told_by_the_first_bytes(void **state)
{
    (void)state;
    assert_true(clv_idx_looks_like(U8_2X3, 12));
    assert_true(clv_idx_looks_like("\x1f\x8b\x08\0", 4));
    assert_false(clv_idx_looks_like("\0\0\x0a\x01", 4));
    assert_false(clv_idx_looks_like("\x93NUMPY", 6));
    assert_false(clv_idx_looks_like("\0\0\x08", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_taken_as_they_are),
        cmocka_unit_test(wider_elements_become_little_endian),
        cmocka_unit_test(gzip_is_unpacked),
        cmocka_unit_test(all_zeros_pack_as_tightly_as_deflate_can),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_file_is_named),
        cmocka_unit_test(its_kind_is_told_by_the_first_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
