#include "lab/port.h"

#include "base/fd.h"
#include "base/mem.h"
#include "lab/netcfg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define VNET_BYTES      sizeof(struct virtio_net_hdr)
#define SOCKET_BUFFER   (4 << 20) /* asked for; the kernel may give less */
#define IPV4_HEADER_MIN 20
#define TCP_HEADER_MIN  20
#define TCP_DATA_OFFSET 12

clv_status clv_port_open_tun(const char *ifname, clv_port *out, clv_error *err)
{
    CLV_AUTO(clv_fd_close) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return clv_fail_errno(err, "/dev/net/tun");
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", ifname);
    int header = (int)VNET_BYTES;
    if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &header) ||
        ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
        return clv_fail_errno(err, "TUN device '%s'", ifname);
    *out = (clv_port){.fd = clv_fd_steal(&fd), .ip_at = VNET_BYTES};
    return CLV_OK;
}

static clv_status packet_socket(const char *ifname, int *out, clv_error *err)
{
    CLV_AUTO(clv_fd_close)
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP));
    int on = 1, buffer = SOCKET_BUFFER;
    struct ifreq ifr = {0};
    snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", ifname);
    if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &ifr) ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer))
        return clv_fail_errno(err, "packet socket on '%s'", ifname);
    struct sockaddr_ll at = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = ifr.ifr_ifindex};
    if (bind(fd, (struct sockaddr *)&at, sizeof at))
        return clv_fail_errno(err, "packet socket on '%s'", ifname);
    *out = clv_fd_steal(&fd);
    return CLV_OK;
}

clv_status clv_port_open_packet(const char *ifname, const char *side, int host_netns_fd,
                                clv_port *out, clv_error *err)
{
    clv_status s = clv_netcfg_veth(side, ifname, host_netns_fd, err);
    if (s == CLV_OK) s = clv_netcfg_up(side, CLV_PORT_MTU, err);
    int fd = -1;
    if (s == CLV_OK) s = packet_socket(side, &fd, err);
    if (s == CLV_OK) *out = (clv_port){.fd = fd, .ip_at = VNET_BYTES + ETH_HLEN};
    return s;
}

void clv_port_done(clv_port *port)
{
    clv_fd_close(&port->fd);
}

ssize_t clv_port_read(const clv_port *port, unsigned char *frame)
{
    ssize_t n = read(port->fd, frame, CLV_PORT_FRAME_MAX);
    if (n >= 0) return n;
    /* ENETDOWN: a packet socket says once that its interface was down before it was brought up. */
    return errno == EAGAIN || errno == EINTR || errno == ENETDOWN ? 0 : -1;
}

bool clv_port_write(const clv_port *port, const unsigned char *frame, size_t bytes)
{
    return write(port->fd, frame, bytes) == (ssize_t)bytes;
}

/* Bytes of IP and TCP header in front of the payload of a GSO frame; 0: malformed. The kernel
 * always leaves the checksum of a GSO frame open, so csum_start says where TCP begins. */
static size_t gso_header_bytes(const unsigned char *frame, size_t bytes, size_t ip_at,
                               const struct virtio_net_hdr *h)
{
    size_t tcp_at = VNET_BYTES + h->csum_start;
    if (!(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || h->gso_size == 0 ||
        tcp_at < ip_at + IPV4_HEADER_MIN || tcp_at + TCP_HEADER_MIN > bytes)
        return 0;
    size_t tcp_bytes = (size_t)(frame[tcp_at + TCP_DATA_OFFSET] >> 4) * 4;
    if (tcp_bytes < TCP_HEADER_MIN || tcp_at + tcp_bytes > bytes) return 0;
    return tcp_at + tcp_bytes - ip_at;
}

bool clv_port_wire(const unsigned char *frame, size_t bytes, size_t ip_at, int64_t *wire_bytes,
                   int64_t *wire_packets)
{
    if (bytes < ip_at + IPV4_HEADER_MIN || frame[ip_at] >> 4 != 4) return false;
    struct virtio_net_hdr h;
    memcpy(&h, frame, sizeof h);
    size_t ip_bytes = bytes - ip_at, packets = 1, header = 0;
    if ((h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV4) {
        header = gso_header_bytes(frame, bytes, ip_at, &h);
        if (header == 0) return false;
        packets = CLV_MAX((ip_bytes - header + h.gso_size - 1) / h.gso_size, 1u);
    }
    *wire_bytes = (int64_t)(ip_bytes + (packets - 1) * header);
    *wire_packets = (int64_t)packets;
    return true;
}
