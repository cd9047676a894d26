/* A port: the user-space end of a network interface of an emulated host. What the host sends out of
 * the interface is read here, what is written here arrives at the host.
 *
 * Two makes, for which the rest of the lab is the same:
 *   TUN     one device, IP packets. Needs /dev/net/tun.
 *   packet  a veth pair, one end in the host, a packet socket on the other. Works where a
 *           container or an udev rule keeps /dev/net/tun from ordinary users.
 * Both speak virtio_net_hdr, so that TCP may hand over up to 64 KB in one piece (GSO) with the
 * checksum left open, and the receiving host takes it in one piece. One frame is one buffer:
 *
 *     struct virtio_net_hdr | Ethernet header, packet sockets only | IPv4 packet
 *
 * and passes from port to port without a change.
 */
#ifndef CLV_LAB_PORT_H
#define CLV_LAB_PORT_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CLV_PORT_FRAME_MAX (10 + 14 + 65535)
#define CLV_PORT_MTU       1500

typedef struct clv_port {
    int fd;       /* non-blocking */
    size_t ip_at; /* where the IPv4 packet begins in a frame */
} clv_port;

/* Make interface `ifname` in the calling thread's network namespace. */
CLV_MUST
clv_status clv_port_open_tun(const char *ifname, clv_port *out, clv_error *err);
/* The same with a veth pair: the calling thread is in the relay's namespace, where the other end is
 * called `side`; `ifname` appears in the namespace of `host_netns_fd`. */
CLV_MUST
clv_status clv_port_open_packet(const char *ifname, const char *side, int host_netns_fd,
                                clv_port *out, clv_error *err);
void clv_port_done(clv_port *port);

/* One frame into `frame` (CLV_PORT_FRAME_MAX bytes). 0: nothing there; negative: the port is gone
 * (errno). */
ssize_t clv_port_read(const clv_port *port, unsigned char *frame);
/* False: the frame was not taken (errno). */
bool clv_port_write(const clv_port *port, const unsigned char *frame, size_t bytes);

/* What a frame is on the wire: a GSO frame counts as the packets that it stands for, each with its
 * IP and TCP header. False: not IPv4, or cut short. `ip_at` as in clv_port. */
bool clv_port_wire(const unsigned char *frame, size_t bytes, size_t ip_at, int64_t *wire_bytes,
                   int64_t *wire_packets);

#endif
