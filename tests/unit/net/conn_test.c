/* A connection that knows how much must still come is not woken for less; over a Unix-domain socket, where the kernel does not heed
 * that, it reads all the same. */
#include "unit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 4096, REST = 26 * PIECE, PATIENCE_US = 20000000 };

typedef struct end {
    clv_loop *loop;
    clv_conn *conn;
    int fd; /* of who sends */
    size_t rest, bytes;
    bool ended;
} end;

static void on_read(void *arg, const unsigned char *bytes, size_t n)
{
    end *e = arg;
    (void)bytes;
    e->bytes += n;
    e->rest -= n < e->rest ? n : e->rest;
    clv_conn_await(e->conn, e->rest);
}

static void on_produce(void *arg)
{
    (void)arg;
}

static void on_end(void *arg, const clv_error *err)
{
    end *e = arg;
    (void)err;
    e->ended = true;
}

static const clv_conn_ops ops = {.read = on_read, .produce = on_produce, .end = on_end};

static void join_tcp(int fds[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &size), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(setsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&a, size), 0);
    fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    assert_true(fds[1] >= 0);
    close(listener);
}

static void begin(void **state, const int fds[2])
{
    end *e = clv_alloc(sizeof *e);
    e->fd = fds[0];
    e->loop = clv_loop_new();
    e->conn = clv_conn_accept(e->loop, fds[1], NULL, &ops, e);
    *state = e;
}

static int start(void **state)
{
    int fds[2];
    join_tcp(fds);
    begin(state, fds);
    return 0;
}

static int start_local(void **state)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    begin(state, fds);
    return 0;
}

static int stop(void **state)
{
    end *e = *state;
    clv_conn_free(e->conn);
    clv_loop_free(e->loop);
    if (e->fd >= 0) close(e->fd);
    free(e);
    return 0;
}

/* Until so many bytes have been read in all. */
static void turn_until(end *e, size_t bytes)
{
    for (int64_t until = clv_now_us() + PATIENCE_US; e->bytes < bytes;) {
        assert_true(clv_now_us() < until);
        clv_loop_turn(e->loop);
    }
}

static void send_bytes(end *e, size_t n)
{
    char *bytes = clv_alloc_array(n, 1);
    assert_int_equal(send(e->fd, bytes, n, 0), n);
    free(bytes);
}

/* Rates of 4 kB in 10 us, in a tenth of a millisecond and in a whole one, and a link of 3g. */
static void as_much_is_waited_for_as_comes_soon(void **state)
{
    (void)state;
    assert_int_equal(clv_conn_low_water(600000, PIECE, 10), 409600);
    assert_int_equal(clv_conn_low_water(100000, PIECE, 10), 100000);
    assert_int_equal(clv_conn_low_water(100000, PIECE, 100), CLV_CONN_AWAIT_FEW);
    assert_int_equal(clv_conn_low_water(100000, PIECE, 1000), 4 * PIECE);
    assert_int_equal(clv_conn_low_water(100000, 1448, 10000), 579);
    assert_int_equal(clv_conn_low_water(5 << 20, 64 * PIECE, 0), CLV_CONN_AWAIT_BYTES_MAX);
    assert_int_equal(clv_conn_low_water(0, PIECE, 10), 1);
    assert_int_equal(clv_conn_low_water(100000, 1, INT64_MAX), 1);
}

/* Whatever is waited for: the rest arrives, and what comes later. */
static void a_rest_in_pieces_is_read(void **state)
{
    end *e = *state;
    e->rest = REST;
    for (int i = 1; i <= REST / PIECE; i++) {
        send_bytes(e, PIECE);
        if (i % 3 == 0 || i == REST / PIECE) clv_loop_turn(e->loop);
    }
    turn_until(e, REST);
    send_bytes(e, 1);
    turn_until(e, REST + 1);
}

static void an_end_is_told_though_more_was_to_come(void **state)
{
    end *e = *state;
    e->rest = REST;
    send_bytes(e, PIECE);
    turn_until(e, PIECE);
    send_bytes(e, 5);
    close(e->fd);
    e->fd = -1;
    turn_until(e, PIECE + 5);
    for (int64_t until = clv_now_us() + PATIENCE_US; !e->ended; clv_loop_turn(e->loop))
        assert_true(clv_now_us() < until);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_much_is_waited_for_as_comes_soon),
        cmocka_unit_test_setup_teardown(a_rest_in_pieces_is_read, start, stop),
        cmocka_unit_test_setup_teardown(an_end_is_told_though_more_was_to_come, start, stop),
        cmocka_unit_test_setup_teardown(a_rest_in_pieces_is_read, start_local, stop),
        cmocka_unit_test_setup_teardown(an_end_is_told_though_more_was_to_come, start_local, stop),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
