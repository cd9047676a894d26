/* TCP as the second witness of a link, on a real connection over an emulated one: what the kernel's
 * counters tell (net/path.h), through measure/throughput.h, to the link monitor. Nothing is timed
 * against a promise but from below: a link is never faster than it says; what is told is held
 * against what the other end has received meanwhile. Skipped where namespaces are not allowed. */
#include "measure/link_monitor.h"
#include "measure/throughput.h"

#include "base/clock.h"
#include "base/mem.h"
#include "lab/flow.h"
#include "net/path.h"
#include "unit.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RATE       2e6 /* bytes a second, on the wire */
#define SLOW_RATE  5e5
#define DELAY_US   5000
#define LOOK_US    100000
#define PATIENCE_S 60

/* To send at once; what a quiet application asks for now and then. */
enum { CHUNK_BYTES = 65536, LITTLE_BYTES = 16000, WINDOWS = 4, REQUESTS = 8 };

typedef struct rig {
    clv_lab *lab;
    clv_flow flow;
    clv_throughput throughput;
    clv_link_monitor monitor;
    uint64_t sent, received;
    int64_t looked_us;
    uint64_t received_before; /* when the window began */
    /* of the windows that were told */
    int n;
    int limited; /* looks at which the kernel told less than is known, for want of things to send */
    double least, most;    /* rates */
    double bytes, arrived; /* as told; as the other end has it */
} rig;

static clv_shape_values shape(double rate_bytes_per_s)
{
    return (clv_shape_values){.rate_bytes_per_s = rate_bytes_per_s, .delay_us = DELAY_US};
}

static double up_rate(const rig *r)
{
    return clv_link_monitor_link(&r->monitor, clv_now_us()).up_bytes_per_s;
}

/* A connection, instead of the one before. */
static void open_flow(rig *r)
{
    clv_error err = {0};
    const int room = CHUNK_BYTES; /* of what is not sent yet, so that a phase ends soon */
    clv_flow_done(&r->flow);
    assert_ok(clv_flow_open(r->lab, 0, 1, &r->flow, &err), err);
    assert_int_equal(setsockopt(r->flow.ends[CLV_UP], SOL_SOCKET, SO_SNDBUF, &room, sizeof room),
                     0);
    r->sent = r->received = r->received_before = 0;
}

static int start(void **state)
{
    static const clv_lab_host hosts[] = {{.name = "edge"}, {.name = "cloud"}};
    const clv_lab_link link = {.from = 0, .to = 1, .up = shape(RATE), .down = shape(RATE)};
    rig *r = clv_alloc(sizeof *r);
    clv_error err = {0};
    *r = (rig){.flow = {.ends = {-1, -1}}};
    *state = r;
    clv_status status =
        clv_lab_new(&(clv_lab_options){.hosts = hosts, .n_hosts = 2, .links = &link, .n_links = 1},
                    &r->lab, &err);
    if (status == CLV_EDENIED) {
        print_message("skipped: %s\n", err.text);
        return 0;
    }
    assert_ok(status, err);
    open_flow(r);
    clv_link_monitor_init(&r->monitor, clv_now_us());
    clv_link_monitor_rtt(&r->monitor, clv_now_us(), 2 * DELAY_US);
    return 0;
}

static int stop(void **state)
{
    rig *r = *state;
    clv_flow_done(&r->flow);
    clv_lab_free(r->lab);
    free(r);
    return 0;
}

static void receive(rig *r)
{
    static char room[CHUNK_BYTES];
    ssize_t n;
    while ((n = recv(r->flow.ends[CLV_DOWN], room, sizeof room, MSG_DONTWAIT)) > 0)
        r->received += (uint64_t)n;
}

/* As a node does, ten times a second and after each exchange (split/peer.c). */
static void look(rig *r)
{
    int64_t now_us = clv_now_us();
    if (now_us - r->looked_us < LOOK_US) return;
    r->looked_us = now_us;
    clv_path_info path = clv_path_read(r->flow.ends[CLV_UP]);
    receive(r);
    assert_true(path.connected);
    const clv_throughput_counters c = {.delivered_bytes = path.delivered_bytes,
                                       .busy_us = path.busy_us,
                                       .rtt_us = (double)path.rtt_us,
                                       .min_rtt_us = (double)path.min_rtt_us};
    const clv_link_witness w = {.rtt_us = c.rtt_us,
                                .min_rtt_us = c.min_rtt_us,
                                .delivery_bytes_per_s = path.delivery_rate_bytes_per_s,
                                .app_limited = path.app_limited};
    if (w.app_limited && w.delivery_bytes_per_s < 0.8 * up_rate(r)) r->limited++;
    int64_t from_us = r->throughput.at_us;
    clv_throughput_carried got = clv_throughput_look(&r->throughput, now_us, &c);
    clv_link_monitor_witness(&r->monitor, now_us, &w);
    if (got.us > 0) {
        double rate = 1e6 * (double)got.bytes / got.us;
        clv_link_monitor_carried(&r->monitor, now_us, got.bytes, got.us);
        r->least = r->n ? CLV_MIN(r->least, rate) : rate;
        r->most = r->n ? CLV_MAX(r->most, rate) : rate;
        r->bytes += (double)got.bytes;
        r->arrived += (double)(r->received - r->received_before);
        r->n++;
    }
    if (r->throughput.at_us != from_us) r->received_before = r->received;
}

/* Move what can be moved, for a moment. */
static void pump(rig *r, size_t bytes)
{
    static char zeros[CHUNK_BYTES];
    struct pollfd fds[] = {{.fd = r->flow.ends[CLV_UP], .events = bytes ? POLLOUT : 0},
                           {.fd = r->flow.ends[CLV_DOWN], .events = POLLIN}};
    poll(fds, 2, 5);
    ssize_t n = bytes ? send(r->flow.ends[CLV_UP], zeros, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (n > 0) r->sent += (uint64_t)n;
    receive(r);
    look(r);
}

/* Send as much as it takes, until so many windows have been told. */
static void be_busy(rig *r, int windows)
{
    int64_t until_us = clv_now_us() + PATIENCE_S * INT64_C(1000000);
    r->n = 0;
    r->bytes = r->arrived = 0;
    while (r->n < windows) {
        if (clv_now_us() > until_us) fail_msg("%d windows were told, not %d", r->n, windows);
        pump(r, CHUNK_BYTES);
    }
}

/* Until nothing is on its way any more. */
static void drain(rig *r)
{
    while (clv_path_read(r->flow.ends[CLV_UP]).bytes_acked < r->sent) pump(r, 0);
}

/* What was told is what arrived, less what was on its way at either end of it; the estimate is of
 * what was told. */
static void assert_told(const rig *r, double rate)
{
    assert_true(r->most <= 1.1 * rate);
    assert_float_equal(r->bytes, r->arrived, 0.1 * r->arrived + CHUNK_BYTES);
    assert_true(up_rate(r) > 0.85 * r->least && up_rate(r) < 1.15 * r->most);
}

static void delivered_bytes_tell_the_rate_and_a_quiet_application_does_not(void **state)
{
    rig *r = *state;
    clv_error err = {0};
    if (!r->lab) skip();
    be_busy(r, WINDOWS);
    assert_told(r, RATE);
    drain(r);
    double known = up_rate(r);

    /* It asks for little, now and then, on a new connection: of one that was busy the kernel goes on
     * to tell what it was when it was. */
    r->n = 0;
    open_flow(r);
    for (int i = 0; i < REQUESTS; i++) {
        pump(r, LITTLE_BYTES);
        drain(r);
        for (int64_t until_us = clv_now_us() + 50000; clv_now_us() < until_us;) pump(r, 0);
    }
    assert_int_equal(r->n, 0);
    assert_true(r->limited >
                0); /* the kernel told a lower rate, and that it is no rate of the link */
    assert_float_equal(up_rate(r), known, 0.05 * known);

    /* The link has become another one: that is told, so it is not that nothing is heard any more. */
    const clv_shape_values slow = shape(SLOW_RATE);
    assert_ok(clv_lab_set_link(r->lab, 0, &slow, &slow, &err), err);
    be_busy(r, 1); /* may be of both */
    be_busy(r, WINDOWS);
    assert_told(r, SLOW_RATE);
    assert_true(up_rate(r) < 0.5 * known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            delivered_bytes_tell_the_rate_and_a_quiet_application_does_not, start, stop),
    };
    return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
