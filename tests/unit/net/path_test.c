/* What is known of a connection to a process of the same machine, and of none. TCP's is tested over an emulated link
 * (measure/witness_test.c). */
#include "net/path.h"

#include "unit.h"

#include "base/mem.h"

#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 4096, PIECES = 8 };

/* What is told as acknowledged never grows but by the peer's reading, and ends as all of it. */
static void what_a_peer_has_read_is_told(void **state)
{
    (void)state;
    static char bytes[PIECE];
    int fds[2];
    uint64_t written = 0, read = 0, acked = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (int i = 0; i < PIECES; i++) {
        assert_int_equal(send(fds[0], bytes, PIECE, 0), PIECE);
        written += PIECE;
        clv_path_info path = clv_path_read_local(fds[0], written);
        assert_true(path.connected);
        assert_int_equal(path.bytes_acked, 0);
        assert_int_equal(path.queued_bytes, written);
    }
    while (read < written) {
        ssize_t n = recv(fds[1], bytes, PIECE / 2, 0);
        assert_true(n > 0);
        read += (uint64_t)n;
        clv_path_info path = clv_path_read_local(fds[0], written);
        assert_true(path.bytes_acked >= acked && path.bytes_acked <= read);
        assert_true(path.rtt_us == 0 && path.delivery_rate_bytes_per_s == 0);
        acked = path.bytes_acked;
    }
    assert_int_equal(acked, written);
    close(fds[0]);
    close(fds[1]);
}

static void of_no_connection_nothing_is_told(void **state)
{
    (void)state;
    int fds[] = {-1, socket(AF_UNIX, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0)};
    for (size_t i = 0; i < CLV_COUNT(fds); i++) {
        assert_false(clv_path_read(fds[i]).connected);
        if (fds[i] >= 0) close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_peer_has_read_is_told),
        cmocka_unit_test(of_no_connection_nothing_is_told),
    };
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
