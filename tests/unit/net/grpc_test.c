/* gRPC's framing and the small texts of HTTP, as values. */
#include "unit.h"

#include "net/body.h"
#include "net/grpc.h"
#include "net/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static clv_body *body_of(const void *bytes, size_t n)
{
    clv_error err = {0};
    clv_body *b = clv_body_new();
    assert_ok(clv_body_append(b, bytes, n, 0, SIZE_MAX, &err), err);
    return b;
}

static clv_status message_of(const void *bytes, size_t n, const char *encoding, size_t max,
                             char *text)
{
    clv_error err = {0};
    clv_body *body = body_of(bytes, n), *owner = NULL;
    const void *message;
    size_t got;
    clv_status status = clv_grpc_message(body, encoding, max, &owner, &message, &got, &err);
    clv_body_unref(body); /* the owner keeps the message alive */
    if (!status) snprintf(text, 64, "%.*s", (int)got, (const char *)message);
    clv_body_unref(owner);
    return status;
}

static void a_message_is_taken_out_of_its_frame(void **state)
{
    (void)state;
    char text[64];
    assert_int_equal(message_of("\0\0\0\0\2hi", 7, NULL, 2, text), CLV_OK);
    assert_string_equal(text, "hi");
    assert_int_equal(message_of("\0\0\0\0\0", 5, NULL, 0, text), CLV_OK);
    assert_string_equal(text, "");
    assert_int_equal(message_of("\0\0\0\0\2hi", 7, NULL, 1, text), CLV_ELIMIT);
    assert_int_equal(message_of("", 0, NULL, 9, text), CLV_EPROTO);
    assert_int_equal(message_of("\0\0\0\0", 4, NULL, 9, text), CLV_EPROTO);
    assert_int_equal(message_of("\0\0\0\0\3hi", 7, NULL, 9, text), CLV_EPROTO);
    assert_int_equal(message_of("\0\0\0\0\2hi\0\0\0\0\0", 12, NULL, 9, text), CLV_EPROTO);
    assert_int_equal(message_of("\2\0\0\0\2hi", 7, NULL, 9, text), CLV_EPROTO);
    assert_int_equal(message_of("\1\0\0\0\2hi", 7, NULL, 9, text), CLV_EUNSUPPORTED);
    assert_int_equal(message_of("\1\0\0\0\2hi", 7, "deflate", 9, text), CLV_EUNSUPPORTED);
    assert_int_equal(message_of("\1\0\0\0\2hi", 7, "gzip", 9, text), CLV_EINVAL);
}

static size_t gzip(const void *bytes, size_t n, unsigned char *out, size_t cap)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes,
                  .avail_in = (uInt)n,
                  .next_out = out + CLV_GRPC_PREFIX,
                  .avail_out = (uInt)cap - CLV_GRPC_PREFIX};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t got = z.total_out;
    deflateEnd(&z);
    out[0] = 1;
    for (int i = 1; i < CLV_GRPC_PREFIX; i++) out[i] = (unsigned char)(got >> 8 * (4 - i));
    return got + CLV_GRPC_PREFIX;
}

static void gzip_is_bounded_by_what_comes_out(void **state)
{
    (void)state;
    enum { BIG = 1 << 20 };
    char text[64];
    static unsigned char packed[BIG];
    size_t n = gzip("hello", 5, packed, sizeof packed);
    assert_int_equal(message_of(packed, n, "gzip", 5, text), CLV_ELIMIT); /* packed it is more */
    assert_int_equal(message_of(packed, n, "gzip", 100, text), CLV_OK);
    assert_string_equal(text, "hello");
    assert_int_equal(message_of(packed, n - 1, "gzip", 100, text), CLV_EPROTO);
    packed[4]--; /* framed right, but cut */
    assert_int_equal(message_of(packed, n - 1, "gzip", 100, text), CLV_EINVAL);
    char *zeros = calloc(1, BIG);
    n = gzip(zeros, BIG, packed, sizeof packed);
    assert_true(n < 2000);
    assert_int_equal(message_of(packed, n, "gzip", BIG - 1, text), CLV_ELIMIT);
    assert_int_equal(message_of(packed, n, "gzip", BIG, text), CLV_OK);
    free(zeros);
}

static void a_body_grows_with_what_arrives(void **state)
{
    (void)state;
    clv_error err = {0};
    clv_body *b = clv_body_new();
    assert_int_equal(clv_body_bytes(b), 0);
    assert_non_null(clv_body_data(b));
    static unsigned char piece[7919];
    size_t total = 0;
    for (int i = 0; i < 1000; i++) {
        memset(piece, i, sizeof piece);
        assert_ok(clv_body_append(b, piece, sizeof piece, SIZE_MAX, 1000 * sizeof piece, &err),
                  err);
        total += sizeof piece;
        assert_int_equal((uintptr_t)clv_body_data(b) % 64, 0);
    }
    assert_int_equal(clv_body_bytes(b), total);
    const unsigned char *data = clv_body_data(b);
    for (size_t i = 0; i < total; i += 1009) {
        assert_int_equal(data[i], (unsigned char)(i / sizeof piece));
    }
    assert_int_equal(clv_body_append(b, piece, 1, 0, total, &err), CLV_ELIMIT);
    clv_body_unref(b);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    char text[] = "/a%20b%2Fc%25";
    assert_true(clv_text_percent_decode(text));
    assert_string_equal(text, "/a b/c%");
    static const char *const bad[] = {"%", "%2", "%2g", "%g2", "a%00b"};
    for (size_t i = 0; i < CLV_COUNT(bad); i++) {
        char *copy = clv_strdup(bad[i]);
        assert_false(clv_text_percent_decode(copy));
        free(copy);
    }
    clv_buf b = {0};
    clv_text_percent_encode(&b, "a b%\xc3\xa8\n");
    assert_string_equal(b.data, "a b%25%C3%A8%0A");
    clv_buf_clear(&b);
    clv_text_error_json(&b, "a\"b\\c\x01 \xc3\xa8 \xff\xc3");
    assert_string_equal(b.data, "{\"error\": \"a\\\"b\\\\c\\u0001 \xc3\xa8 \\ufffd\\ufffd\"}\n");
    clv_buf_done(&b);
    size_t n = 7;
    assert_true(clv_text_to_size("18446744073709551615", &n) && n == SIZE_MAX);
    assert_false(clv_text_to_size("18446744073709551616", &n));
    assert_false(clv_text_to_size("", &n) || clv_text_to_size("+1", &n));
    assert_true(clv_text_is_grpc("application/grpc") && clv_text_is_grpc("application/grpc+proto"));
    assert_false(clv_text_is_grpc("application/grpc-web") || clv_text_is_grpc(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_taken_out_of_its_frame),
        cmocka_unit_test(gzip_is_bounded_by_what_comes_out),
        cmocka_unit_test(a_body_grows_with_what_arrives),
        cmocka_unit_test(texts_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
