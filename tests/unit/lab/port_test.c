/* What a frame weighs on the wire. */
#include "lab/message.h"
#include "lab/port.h"
#include "unit.h"

#include <linux/virtio_net.h>
#include <string.h>

#define VNET sizeof(struct virtio_net_hdr)

/* A frame with an IPv4 header of 20 bytes and a TCP header of `tcp_bytes`, `payload` bytes behind. */
static size_t frame_of(unsigned char *frame, size_t ip_at, size_t tcp_bytes, size_t payload,
                       uint16_t gso_size)
{
    struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                               .gso_type =
                                   gso_size ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE,
                               .gso_size = gso_size,
                               .csum_start = (uint16_t)(ip_at - VNET + 20)};
    memset(frame, 0, ip_at + 20 + tcp_bytes);
    memcpy(frame, &h, sizeof h);
    frame[ip_at] = 0x45;
    frame[ip_at + 20 + 12] = (unsigned char)(tcp_bytes / 4 << 4);
    return ip_at + 20 + tcp_bytes + payload;
}

static void check(size_t ip_at, size_t tcp_bytes, size_t payload, uint16_t gso, int64_t bytes,
                  int64_t packets)
{
    static unsigned char frame[CLV_PORT_FRAME_MAX];
    int64_t b = 0, p = 0;
    size_t n = frame_of(frame, ip_at, tcp_bytes, payload, gso);
    assert_true(clv_port_wire(frame, n, ip_at, &b, &p));
    assert_int_equal(b, bytes);
    assert_int_equal(p, packets);
}

static void a_piece_counts_as_the_packets_it_stands_for(void **state)
{
    (void)state;
    check(VNET, 32, 100, 0, 152, 1);
    check(VNET, 32, 1448, 0, 1500, 1);
    check(VNET, 32, 10 * 1448, 1448, 10 * 1500, 10);
    check(VNET, 32, 10 * 1448 + 1, 1448, 10 * 1500 + 53, 11);
    check(VNET + 14, 20, 3000, 1460, 3000 + 3 * 40, 3); /* behind an Ethernet header */
    check(VNET, 32, 0, 1448, 52, 1);
}

static void what_is_not_a_packet_is_refused(void **state)
{
    (void)state;
    static unsigned char frame[CLV_PORT_FRAME_MAX];
    int64_t b, p;
    size_t n = frame_of(frame, VNET, 32, 3000, 1448);
    assert_false(clv_port_wire(frame, VNET + 19, VNET, &b, &p));
    assert_false(clv_port_wire(frame, VNET + 45, VNET, &b, &p)); /* TCP header cut */
    assert_false(clv_port_wire(frame, 0, VNET, &b, &p));
    frame[VNET + 32] = 0x10; /* a TCP header of 4 bytes */
    assert_false(clv_port_wire(frame, n, VNET, &b, &p));
    frame[VNET] = 0x60; /* IPv6 */
    assert_false(clv_port_wire(frame, n, VNET, &b, &p));
    n = frame_of(frame, VNET, 32, 3000, 1448);
    frame[0] = 0; /* GSO without an open checksum: nothing says where TCP begins */
    assert_false(clv_port_wire(frame, n, VNET, &b, &p));
}

static void a_change_keeps_what_it_does_not_name(void **state)
{
    (void)state;
    clv_shape_values now = {.rate_bytes_per_s = 2.36e6,
                            .delay_us = 2500,
                            .jitter_us = 7,
                            .loss = 0.5,
                            .queue_bytes = 236000};
    clv_shape_values v = clv_lab_merge(&now, &(clv_shape_values){.loss = 0.1}, CLV_LAB_LOSS);
    assert_true(v.rate_bytes_per_s == 2.36e6 && v.loss == 0.1);
    assert_int_equal(v.delay_us, 2500);
    assert_int_equal(v.jitter_us, 7);
    assert_int_equal(v.queue_bytes, 0); /* it was the default, so it follows */
    now.queue_bytes = 5000;
    v = clv_lab_merge(&now, &(clv_shape_values){.rate_bytes_per_s = 1}, CLV_LAB_RATE);
    assert_int_equal(v.queue_bytes, 5000);
    assert_true(v.rate_bytes_per_s == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_counts_as_the_packets_it_stands_for),
        cmocka_unit_test(what_is_not_a_packet_is_refused),
        cmocka_unit_test(a_change_keeps_what_it_does_not_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
