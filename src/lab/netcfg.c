#include "lab/netcfg.h"

#include "base/fd.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define MESSAGE_MAX 512

/* One request, filled from the front; attributes nest by remembering where they began. */
typedef struct request {
    union {
        struct nlmsghdr head;
        char bytes[MESSAGE_MAX];
    };
} request;

static void *request_begin(request *r, uint16_t type, uint16_t flags, size_t body)
{
    *r = (request){0};
    r->head = (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(body),
                                .nlmsg_type = type,
                                .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags};
    return NLMSG_DATA(&r->head);
}

static struct rtattr *attribute(request *r, unsigned short type, const void *data, size_t n)
{
    struct rtattr *a = (struct rtattr *)(void *)(r->bytes + NLMSG_ALIGN(r->head.nlmsg_len));
    a->rta_type = type;
    a->rta_len = (unsigned short)RTA_LENGTH(n);
    if (n) memcpy(RTA_DATA(a), data, n);
    r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(RTA_LENGTH(n)));
    return a;
}

static void attribute_u32(request *r, unsigned short type, uint32_t value)
{
    attribute(r, type, &value, sizeof value);
}

static void attribute_text(request *r, unsigned short type, const char *text)
{
    attribute(r, type, text, strlen(text) + 1);
}

static void nest_end(request *r, struct rtattr *a)
{
    a->rta_len = (unsigned short)(r->bytes + r->head.nlmsg_len - (char *)a);
}

/* Send and wait for the acknowledgement; sets errno. */
static int transact(request *r)
{
    CLV_AUTO(clv_fd_close) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0 || send(fd, r->bytes, r->head.nlmsg_len, 0) < 0) return -1;
    union {
        struct nlmsghdr head;
        char bytes[4096];
    } reply;
    ssize_t n = recv(fd, reply.bytes, sizeof reply, 0);
    if (n < 0) return -1;
    if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || reply.head.nlmsg_type != NLMSG_ERROR) {
        errno = EPROTO;
        return -1;
    }
    errno = -((struct nlmsgerr *)NLMSG_DATA(&reply.head))->error;
    return errno ? -1 : 0;
}

static clv_status index_of(const char *ifname, int *index, clv_error *err)
{
    *index = (int)if_nametoindex(ifname);
    return *index ? CLV_OK : clv_fail_errno(err, "interface '%s'", ifname);
}

static clv_status set_link(const char *ifname, request *r, struct ifinfomsg *m, clv_error *err)
{
    clv_status status = index_of(ifname, &m->ifi_index, err);
    if (status) return status;
    return transact(r) ? clv_fail_errno(err, "interface '%s': changing it", ifname) : CLV_OK;
}

clv_status clv_netcfg_up(const char *ifname, int mtu, clv_error *err)
{
    request r;
    struct ifinfomsg *m = request_begin(&r, RTM_NEWLINK, 0, sizeof *m);
    m->ifi_flags = IFF_UP | IFF_NOARP;
    m->ifi_change = strcmp(ifname, "lo") ? IFF_UP | IFF_NOARP : IFF_UP;
    if (mtu) attribute_u32(&r, IFLA_MTU, (uint32_t)mtu);
    return set_link(ifname, &r, m, err);
}

clv_status clv_netcfg_gso_max(const char *ifname, uint32_t bytes, clv_error *err)
{
    request r;
    struct ifinfomsg *m = request_begin(&r, RTM_NEWLINK, 0, sizeof *m);
    attribute_u32(&r, IFLA_GSO_MAX_SIZE, bytes);
    return set_link(ifname, &r, m, err);
}

clv_status clv_netcfg_address(const char *ifname, uint32_t address, clv_error *err)
{
    request r;
    struct ifaddrmsg *m = request_begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof *m);
    int index;
    clv_status status = index_of(ifname, &index, err);
    if (status) return status;
    *m = (struct ifaddrmsg){
        .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (unsigned)index};
    attribute(&r, IFA_LOCAL, &address, sizeof address);
    attribute(&r, IFA_ADDRESS, &address, sizeof address);
    return transact(&r) ? clv_fail_errno(err, "interface '%s': giving it an address", ifname)
                        : CLV_OK;
}

clv_status clv_netcfg_route(const char *ifname, uint32_t to, const char *congestion, clv_error *err)
{
    request r;
    struct rtmsg *m = request_begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof *m);
    int index;
    clv_status status = index_of(ifname, &index, err);
    if (status) return status;
    *m = (struct rtmsg){.rtm_family = AF_INET,
                        .rtm_dst_len = 32,
                        .rtm_table = RT_TABLE_MAIN,
                        .rtm_protocol = RTPROT_STATIC,
                        .rtm_scope = RT_SCOPE_LINK,
                        .rtm_type = RTN_UNICAST};
    attribute(&r, RTA_DST, &to, sizeof to);
    attribute_u32(&r, RTA_OIF, (uint32_t)index);
    if (congestion && *congestion) {
        struct rtattr *metrics = attribute(&r, RTA_METRICS, NULL, 0);
        attribute_text(&r, RTAX_CC_ALGO, congestion);
        nest_end(&r, metrics);
    }
    if (transact(&r) == 0) return CLV_OK;
    if (congestion && *congestion && (errno == EINVAL || errno == ENOENT))
        return clv_fail(err, CLV_EUNSUPPORTED,
                        "TCP congestion control '%s': this kernel does not have it (see "
                        "/proc/sys/net/ipv4/tcp_available_congestion_control)",
                        congestion);
    return clv_fail_errno(err, "interface '%s': adding a route", ifname);
}

clv_status clv_netcfg_veth(const char *ifname, const char *peer, int peer_netns_fd, clv_error *err)
{
    static const unsigned char mac[6] = {0x02, 'c', 'l', 'e', 'a', 'v'};
    request r;
    struct ifinfomsg none = {0};
    request_begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof none);
    attribute_text(&r, IFLA_IFNAME, ifname);
    attribute(&r, IFLA_ADDRESS, mac, sizeof mac);
    struct rtattr *info = attribute(&r, IFLA_LINKINFO, NULL, 0);
    attribute_text(&r, IFLA_INFO_KIND, "veth");
    struct rtattr *data = attribute(&r, IFLA_INFO_DATA, NULL, 0);
    struct rtattr *other = attribute(&r, VETH_INFO_PEER, &none, sizeof none);
    attribute_text(&r, IFLA_IFNAME, peer);
    attribute(&r, IFLA_ADDRESS, mac, sizeof mac);
    attribute_u32(&r, IFLA_NET_NS_FD, (uint32_t)peer_netns_fd);
    nest_end(&r, other);
    nest_end(&r, data);
    nest_end(&r, info);
    return transact(&r) ? clv_fail_errno(err, "interface pair '%s': creating it", ifname) : CLV_OK;
}
