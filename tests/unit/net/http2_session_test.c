/* An HTTP/2 session without a socket: bytes in, bytes out. */
#include "unit.h"

#include "base/mem.h"
#include "net/body.h"
#include "net/http2.h"

#include <stdlib.h>

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void nothing(void *stream, uint32_t code)
{
    (void)stream, (void)code;
}

/* After each byte: the preface, then SETTINGS of six bytes, PING, an unknown frame of three. */
static void what_is_missing_of_a_frame_is_known(void **state)
{
    (void)state;
    static const char bytes[] = PREFACE "\0\0\6\4\0\0\0\0\0\0\4\0\1\0\0"
                                        "\0\0\x08\6\0\0\0\0\0"
                                        "12345678"
                                        "\0\0\3\x77\0\0\0\0\0"
                                        "abc";
    static const size_t frames[] = {CLV_HTTP2_PREFACE_BYTES, 6, 8, 3};
    const clv_http2_ops ops = {.closed = nothing};
    clv_outq out = {0};
    clv_error err = {0};
    clv_http2 *h = clv_http2_new(true, &out, &ops, NULL);
    size_t at = 0;
    for (size_t i = 0; i < CLV_COUNT(frames); i++) {
        for (int k = 0; i > 0 && k < 9; k++, at++) {
            assert_int_equal(clv_http2_missing(h), 0);
            assert_ok(clv_http2_receive(h, (const unsigned char *)bytes + at, 1, &err), err);
        }
        for (size_t left = frames[i]; left; left--, at++) {
            assert_int_equal(clv_http2_missing(h), left);
            assert_ok(clv_http2_receive(h, (const unsigned char *)bytes + at, 1, &err), err);
        }
    }
    assert_int_equal(at, sizeof bytes - 1);
    assert_int_equal(clv_http2_missing(h), 0);
    clv_http2_free(h);
    clv_outq_done(&out);
}

/* The largest frame that a client sends of a body, to a server that takes frames of 1 MiB. */
static size_t largest_frame(double bytes_per_s)
{
    enum { BODY = 4 << 20 };
    static const unsigned char settings[] = "\0\0\x0c\4\0\0\0\0\0\0\5\0\x10\0\0\0\4\x7f\0\0\0"
                                            "\0\0\4\x08\0\0\0\0\0\x7f\0\0\0";
    const clv_http2_ops ops = {.closed = nothing};
    char *bytes = clv_alloc(BODY);
    clv_outq out = {0};
    clv_error err = {0};
    clv_headers fields = {0};
    clv_http2 *h = clv_http2_new(false, &out, &ops, NULL);
    assert_ok(clv_http2_receive(h, settings, sizeof settings - 1, &err), err);
    clv_http2_pace(h, bytes_per_s);
    const clv_header names[] = {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}};
    clv_headers_copy(&fields, names, CLV_COUNT(names));
    clv_outbody *body = clv_outbody_new(&(clv_slice){.data = bytes, .bytes = BODY}, 1);
    assert_true(clv_http2_request(h, &fields, body, h) > 0);
    size_t largest = 0, skip = CLV_HTTP2_PREFACE_BYTES, n_head = 0;
    unsigned char head[9];
    while (clv_outbody_left(body) > 0) {
        clv_http2_produce(h);
        struct iovec iov;
        assert_int_equal(clv_outq_iov(&out, &iov, 1), 1);
        for (size_t at = 0; at < iov.iov_len;) {
            size_t part = CLV_MIN(skip, iov.iov_len - at);
            at += part;
            skip -= part;
            if (at == iov.iov_len) break;
            head[n_head++] = ((unsigned char *)iov.iov_base)[at++];
            if (n_head < sizeof head) continue;
            n_head = 0;
            skip = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
            if (head[3] == 0) largest = CLV_MAX(largest, skip);
        }
        clv_outq_advance(&out, iov.iov_len);
    }
    clv_http2_free(h);
    clv_outbody_unref(body);
    clv_outq_done(&out);
    clv_headers_done(&fields);
    free(bytes);
    return largest;
}

/* 10 ms each: less than a slow link is kept from what is urgent, and few on a fast one. */
static void frames_follow_the_rate(void **state)
{
    (void)state;
    assert_int_equal(largest_frame(0), CLV_HTTP2_FRAME_BYTES);
    assert_int_equal(largest_frame(100), CLV_HTTP2_FRAME_BYTES_MIN);
    assert_int_equal(largest_frame(50e6), 500000);
    assert_int_equal(largest_frame(1e12), CLV_HTTP2_FRAME_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_of_a_frame_is_known),
        cmocka_unit_test(frames_follow_the_rate),
    };
    return cmocka_run_group_tests_name("http2_session", tests, NULL, NULL);
}
